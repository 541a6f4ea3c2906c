/*
 * The variables that steer the restorer. Linked into pyimage and into every image.
 */
#include "mode.h"

#include <stddef.h>

#include "environ.h"
#include "say.h"
#include "text.h"

#define WORDS 3

/* Words in the order of their enum; the first is what unset and empty mean. */
static const struct {
	const char *name, *must;
	size_t field;		/* in struct environ_values */
	const char *words[WORDS];
} variables[] = {
	[MODE] = { "PYIMAGE", "must be auto, on or off, not",
		offsetof(struct environ_values, mode), { "auto", "on", "off" } },
	[MODE_FINALIZE] = { "PYIMAGE_FINALIZE", "must be fast or full, not",
		offsetof(struct environ_values, finalize), { "fast", "full" } },
	[MODE_ENTRY] = { "PYIMAGE_ENTRY", "must be on or off, not",
		offsetof(struct environ_values, entry), { "on", "off" } },
	[MODE_KSM] = { "PYIMAGE_KSM", "must be 0 or 1, not",
		offsetof(struct environ_values, ksm), { "0", "1" } },
};

int mode_read(enum mode_variable variable, const char *value)
{
	const char *const *words = variables[variable].words;

	if (!value || !*value)
		return 0;
	for (int i = 0; i < WORDS && words[i]; i++)
		if (text_equal(value, words[i]))
			return i;
	return MODE_BAD;
}

int mode_check(const struct environ_values *values, struct reason *reason)
{
	for (int i = 0; i < MODE_VARIABLES; i++) {
		const char *const *field = (const void *)((const char *)values +
			variables[i].field);

		if (mode_read(i, *field) != MODE_BAD)
			continue;
		say_reason(reason, variables[i].name, variables[i].must, 0);
		reason->detail = *field;
		return -1;
	}
	return 0;
}
