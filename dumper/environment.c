/*
 * The clean environment; see environment.h.
 */
#include "environment.h"

#include "alloc.h"
#include "foreign.h"
#include "list.h"

#include <stdlib.h>
#include <string.h>

/* What programs need to be found, and what decides the locale. */
static const char *const kept[] = {
	"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE",
};

const char *environment_get(char *const *environment, const char *name)
{
	size_t length = strlen(name);

	for (; environment && *environment; environment++)
		if (strncmp(*environment, name, length) == 0 &&
		    (*environment)[length] == '=')
			return *environment + length + 1;
	return NULL;
}

void environment_set(struct list *environment, const char *name, const char *value)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < environment->count; i++) {
		char **item = &environment->items[i];

		if (strncmp(*item, name, length) == 0 && (*item)[length] == '=') {
			free(*item);
			*item = alloc_print("%s=%s", name, value);
			return;
		}
	}
	list_print(environment, "%s=%s", name, value);
}

static void keep_one(char *const *caller, const char *name, struct list *out)
{
	const char *value = environment_get(caller, name);

	if (value)
		environment_set(out, name, value);
}

void environment_clean(char *const *caller, const struct list *keep,
		       struct list *out)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		keep_one(caller, kept[i], out);
	for (size_t i = 0; i < keep->count; i++) {
		char *name = alloc_copy(keep->items[i]);
		char *equals = strchr(name, '=');

		if (equals) {
			*equals = '\0';
			environment_set(out, name, equals + 1);
		} else {
			keep_one(caller, name, out);
		}
		free(name);
	}
}

int environment_is_foreign(const char *name)
{
	char *assignment = alloc_print("%s=x", name);
	int is = foreign_is(assignment);

	free(assignment);
	return is;
}
