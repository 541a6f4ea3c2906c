/*
 * Rules for variables; see variables.h.
 */
#include "variables.h"

#include "alloc.h"
#include "environment.h"
#include "err.h"
#include "image.h"
#include "python_options.h"
#include "report.h"
#include "spec.h"

#include <stdlib.h>
#include <string.h>

#define WHOLE "*"

size_t variables_prefix(const char *name)
{
	size_t length = strlen(name);

	return length > IMAGE_FILTER_LETTERS && name[length - 1] == WHOLE[0] ? length - 1 : 0;
}

static struct variable *find(const struct variables *variables, const char *name)
{
	for (size_t i = 0; i < variables->count; i++)
		if (strcmp(variables->items[i].name, name) == 0)
			return &variables->items[i];
	return NULL;
}

/* The variable, added if it is not there yet: unread and no guard. */
static struct variable *have(struct variables *variables, const char *name,
			     char *const *environment)
{
	struct variable *variable = find(variables, name);
	const char *value = environment_get(environment, name);

	if (variable)
		return variable;
	variables->items = alloc_grow(variables->items, variables->count,
				      &variables->room, sizeof(*variables->items));
	variable = &variables->items[variables->count++];
	*variable = (struct variable){
		.name = alloc_copy(name), .value = value ? alloc_copy(value) : NULL,
		.was_set = value != NULL,
	};
	return variable;
}

static void guard(struct variables *variables, const char *name,
		  char *const *environment)
{
	struct variable *variable = have(variables, name, environment);

	variable->guard = 1;
	variable->language = 0;
}

static void add_read(struct variables *variables, const struct report_variable *read,
		     char *const *environment)
{
	struct variable *variable;

	if (strcmp(read->name, WHOLE) == 0) {
		variables->whole = alloc_copy(read->reader ? read->reader : "?");
		variables->whole_guard = read->counts;
		return;
	}
	variable = have(variables, read->name, environment);
	variable->reader = read->reader ? alloc_copy(read->reader) : NULL;
	variable->guard = read->counts;
	variable->language = read->counts && !read->exact;
	variable->was_set = read->was_set;
}

/* NULL, "" and the names of the C locale. */
static int is_legacy(const char *locale)
{
	return !locale || !*locale || strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0;
}

/* PEP 538: where the locale is coerced, the interpreter sets LC_CTYPE itself, by
 * what LC_ALL and LANG say: to C.UTF-8, so that whoever reads it gets this one as well
 * where it was C.UTF-8 before, as in a child of such an interpreter. */
static void add_coercion(struct variables *variables, char *const *environment)
{
	const char *all = environment_get(environment, "LC_ALL");
	struct variable *variable = find(variables, "LC_CTYPE");

	if (!variable || !variable->guard || variable->language)
		return;
	if ((!all || !*all) && is_legacy(environment_get(environment, "LANG")) &&
	    (is_legacy(variable->value) || strcmp(variable->value, "C.UTF-8") == 0))
		variable->language = 1;
	guard(variables, "LC_ALL", environment);
	guard(variables, "LANG", environment);
}

/* What was let in is what a start must have, where else it might have nothing: the
 * loader and libraries that start early read it unseen. */
static void add_kept(struct variables *variables, const struct spec *spec,
		     char *const *environment)
{
	for (size_t i = 0; i < spec->keep_env.count; i++) {
		char *name = alloc_copy(spec->keep_env.items[i]);

		name[strcspn(name, "=")] = '\0';
		if (environment_get(environment, name) && environment_is_foreign(name))
			guard(variables, name, environment);
		free(name);
	}
}

/* Somebody saw all that was set. */
static void add_whole(struct variables *variables, char *const *environment)
{
	for (; variables->whole_guard && *environment; environment++) {
		char *name = alloc_copy(*environment);

		name[strcspn(name, "=")] = '\0';
		if (*name && !python_find_variable(*environment))
			guard(variables, name, environment);
		free(name);
	}
}

/* Somebody saw all of these that were set. */
static void add_prefix(struct variables *variables, const char *prefix, size_t length,
		       char *const *environment)
{
	for (; *environment; environment++) {
		char *name = alloc_copy(*environment);

		name[strcspn(name, "=")] = '\0';
		if (strncmp(name, prefix, length) == 0)
			guard(variables, name, environment);
		free(name);
	}
}

static void add_prefixes(struct variables *variables, char *const *environment)
{
	size_t count = variables->count;

	for (size_t i = 0; i < count; i++) {
		const struct variable *variable = &variables->items[i];
		size_t length = variables_prefix(variable->name);

		if (length && variable->guard)
			add_prefix(variables, variable->name, length, environment);
	}
}

static void apply_spec(struct variables *variables, const struct spec *spec,
		       char *const *environment)
{
	for (size_t i = 0; i < spec->guard_env.count; i++)
		guard(variables, spec->guard_env.items[i], environment);
	for (size_t i = 0; i < spec->no_guard_env.count; i++) {
		const char *name = spec->no_guard_env.items[i];
		struct variable *variable = find(variables, name);

		if (variable)
			variable->guard = 0;
	}
}

static int by_name(const void *a, const void *b)
{
	const struct variable *left = a, *right = b;

	return strcmp(left->name, right->name);
}

int variables_make(const struct report *report, const struct spec *spec,
		   char *const *environment, struct variables *variables,
		   struct err *err)
{
	*variables = (struct variables){0};
	for (size_t i = 0; i < report->variable_count; i++)
		add_read(variables, &report->variables[i], environment);
	for (size_t i = 0; i < spec->no_guard_env.count; i++)
		if (strcmp(spec->no_guard_env.items[i], WHOLE) == 0)
			variables->whole_guard = 0;
	add_coercion(variables, environment);
	add_kept(variables, spec, environment);
	add_whole(variables, environment);
	add_prefixes(variables, environment);
	apply_spec(variables, spec, environment);
	if (variables->count)
		qsort(variables->items, variables->count, sizeof(*variables->items), by_name);
	for (size_t i = 0; i < variables->count; i++)
		variables->guards += variables->items[i].guard != 0;
	if (variables->guards > IMAGE_MAX_VARIABLES)
		return err_set(err, ERR_REFUSED,
			       "the workload reads %zu variables of the environment; an image "
			       "can depend on %u (see --no-guard-env)", variables->guards,
			       IMAGE_MAX_VARIABLES);
	return 0;
}

static void warn(const struct variable *variable, const char *name, struct list *warnings)
{
	list_print(warnings, "%s is set here, but was not let into the build, where %s "
		   "read it: the image won't start with it (--keep-env %s)",
		   name, variable->reader ? variable->reader : "somebody", name);
}

/* A guard that the caller's environment has not. */
static void warn_of(const struct variables *variables, const struct variable *variable,
		    char *const *caller, struct list *warnings)
{
	size_t length = variables_prefix(variable->name);

	if (!length && environment_get(caller, variable->name))
		warn(variable, variable->name, warnings);
	for (; length && *caller; caller++) {
		char *name = alloc_copy(*caller);

		name[strcspn(name, "=")] = '\0';
		if (strncmp(name, variable->name, length) == 0 && !find(variables, name))
			warn(variable, name, warnings);
		free(name);
	}
}

void variables_warn(const struct variables *variables, char *const *caller,
		    struct list *warnings)
{
	for (size_t i = 0; i < variables->count; i++) {
		const struct variable *variable = &variables->items[i];

		if (variable->guard && !variable->value)
			warn_of(variables, variable, caller, warnings);
	}
	if (variables->whole_guard)
		list_print(warnings, "%s read the whole environment: the image starts in the "
			   "very same one only (--no-guard-env '*')", variables->whole);
}

void variables_free(struct variables *variables)
{
	for (size_t i = 0; i < variables->count; i++) {
		free(variables->items[i].name);
		free(variables->items[i].value);
		free(variables->items[i].reader);
	}
	free(variables->items);
	free(variables->whole);
	*variables = (struct variables){0};
}
