/*
 * See path_looks.h.
 */
#include "path_looks.h"
#include "asked.h"
#include "path0.h"
#include "talk.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct look {
	char *module, *name;
} *looks;
static size_t count;

void path_looks_note(const char *module, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(looks[i].name, name) == 0)
			return;
	if (!*module)
		return;
	looks = realloc(looks, (count + 1) * sizeof *looks);
	if (!looks)
		talk_refuse("out of memory");
	looks[count++] = (struct look){ asked_copy(module), asked_copy(name) };
}

/* pydump's trial runs are no starts of a program's. */
const char *path_looks_differ(const struct startup *startup)
{
	static char text[3 * PATH_MAX];
	char buffer[PATH_MAX + 1];
	const char *folder;

	if (!count || getenv("PYIMAGE_TRIAL") || !(folder = path0_folder(startup, buffer)))
		return NULL;
	for (const struct look *look = looks; look < looks + count; look++) {
		snprintf(text, sizeof text, "%s/%s", folder, look->name);
		if (access(text, F_OK))
			continue;
		snprintf(text, sizeof text, "files: %s is in %s, and module %s looked for it "
			"while it was imported", look->name,
			strcmp(folder, ".") == 0 ? "the working folder" : folder, look->module);
		return text;
	}
	return NULL;
}

void path_looks_report(void (*put)(const char *key, const char *value))
{
	char text[2 * PATH_MAX];

	for (const struct look *look = looks; look < looks + count; look++) {
		snprintf(text, sizeof text, "no %s in the script's or working folder (module %s "
			"looked)", look->name, look->module);
		put("needs", text);
	}
}
