/*
 * The host's report; see report.h.
 */
#include "report.h"

#include "alloc.h"
#include "err.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Keys whose value is one text. */
static const struct {
	const char *key;
	size_t field;
} texts[] = {
	{"version", offsetof(struct report, version)},
	{"executable", offsetof(struct report, executable)},
	{"prefix", offsetof(struct report, prefix)},
	{"locale", offsetof(struct report, locale)},
	{"user_site_suffix", offsetof(struct report, user_site_suffix)},
	{"user_site", offsetof(struct report, user_site)},
	{"timezone", offsetof(struct report, timezone)},
};

static void add_module(struct report *report, const char *name)
{
	report->modules = alloc_grow(report->modules, report->count,
				     &report->room, sizeof(*report->modules));
	report->modules[report->count++] =
		(struct report_module){.name = alloc_copy(name)};
}

static int set_origin(struct report *report, const char *path, struct err *err)
{
	struct report_module *module;

	if (!report->count)
		return err_set(err, ERR_REFUSED, "origin=%s without a module", path);
	module = &report->modules[report->count - 1];
	free(module->origin);
	/* "built-in", "frozen" and the like are no files */
	module->origin = *path == '/' ? alloc_copy(path) : NULL;
	return 0;
}

/* "FLAGS NAME": three letters, see dumper/host/reads.c. */
static int add_variable(struct report *report, const char *text, struct err *err)
{
	struct report_variable variable;

	if (strlen(text) < 5 || text[3] != ' ')
		return err_set(err, ERR_REFUSED, "variable=%s is no variable", text);
	variable = (struct report_variable){
		.name = alloc_copy(text + 4), .counts = text[0] == 'g',
		.exact = text[1] == 'e', .was_set = text[2] == 's',
	};
	report->variables = alloc_grow(report->variables, report->variable_count,
				       &report->variable_room, sizeof(*report->variables));
	report->variables[report->variable_count++] = variable;
	return 0;
}

static int set_reader(struct report *report, const char *text, struct err *err)
{
	struct report_variable *variable;

	if (!report->variable_count)
		return err_set(err, ERR_REFUSED, "reader=%s without a variable", text);
	variable = &report->variables[report->variable_count - 1];
	free(variable->reader);
	variable->reader = alloc_copy(text);
	return 0;
}

static int take(struct report *report, const char *key, size_t length,
		const char *value, struct err *err)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (strlen(texts[i].key) == length &&
		    memcmp(texts[i].key, key, length) == 0) {
			char **field = (char **)((char *)report + texts[i].field);

			free(*field);
			*field = alloc_copy(value);
			return 0;
		}
	}
	if (length == 6 && memcmp(key, "module", 6) == 0)
		add_module(report, value);
	else if (length == 6 && memcmp(key, "origin", 6) == 0)
		return set_origin(report, value, err);
	else if (length == 8 && memcmp(key, "variable", 8) == 0)
		return add_variable(report, value, err);
	else if (length == 6 && memcmp(key, "reader", 6) == 0)
		return set_reader(report, value, err);
	else if (length == 4 && memcmp(key, "path", 4) == 0)
		list_add(&report->path, value);
	else if (length == 4 && memcmp(key, "read", 4) == 0)
		list_add(&report->read, value);
	else if (length == 10 && memcmp(key, "unbuffered", 10) == 0)
		list_add(&report->unbuffered, value);
	else if (length == 10 && memcmp(key, "modules_in", 10) == 0)
		list_add(&report->modules_in, value);
	else if (length == 5 && memcmp(key, "needs", 5) == 0)
		list_add(&report->needs, value);
	else if (length == 9 && memcmp(key, "temporary", 9) == 0)
		list_add(&report->temporary, value);
	else if (length == 10 && memcmp(key, "hexversion", 10) == 0)
		report->hexversion = (uint32_t)strtoul(value, NULL, 10);
	else if (length == 16 && memcmp(key, "locale_by_lc_all", 16) == 0)
		report->locale_by_lc_all = *value == '1';
	else if (length == 8 && memcmp(key, "immortal", 8) == 0)
		report->immortal = *value == '1';
	return 0;
}

static int parse(const char *data, size_t size, struct report *report,
		 struct err *err)
{
	for (const char *at = data; at < data + size;) {
		size_t length = strnlen(at, (size_t)(data + size - at));
		const char *equals = memchr(at, '=', length);

		if (at + length == data + size)
			return err_set(err, ERR_REFUSED, "its last string has no end");
		if (!equals)
			return err_set(err, ERR_REFUSED, "'%s' has no value", at);
		if (take(report, at, (size_t)(equals - at), equals + 1, err))
			return -1;
		at += length + 1;
	}
	if (!report->version || !report->hexversion)
		return err_set(err, ERR_REFUSED, "it names no version");
	return 0;
}

int report_parse(const char *data, size_t size, struct report *report,
		 struct err *err)
{
	*report = (struct report){0};
	if (parse(data, size, report, err))
		return err_prefix(err, "read the interpreter's report");
	return 0;
}

void report_free(struct report *report)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		free(*(char **)((char *)report + texts[i].field));
	for (size_t i = 0; i < report->count; i++) {
		free(report->modules[i].name);
		free(report->modules[i].origin);
	}
	for (size_t i = 0; i < report->variable_count; i++) {
		free(report->variables[i].name);
		free(report->variables[i].reader);
	}
	free(report->variables);
	free(report->modules);
	list_free(&report->path);
	list_free(&report->read);
	list_free(&report->unbuffered);
	list_free(&report->modules_in);
	list_free(&report->needs);
	list_free(&report->temporary);
	*report = (struct report){0};
}
