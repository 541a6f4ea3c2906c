/*
 * The check of variables; see variable.h. The list of a start is walked once. Most
 * of it is none of the image's, which a few letters tell; the others are looked up.
 */
#include "variable.h"

#include "image_check.h"
#include "say.h"
#include "text.h"

/* Which rows were met: what stands first in the list counts, as for getenv(3). */
struct seen {
	uint64_t words[IMAGE_MAX_VARIABLES / 64];
};

/* Index of the first row whose hash is not less. */
static uint32_t first_row(const struct image_variable *rows, uint32_t count, uint32_t hash)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (rows[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Index of the row of "NAME=VALUE" whose name is `length` bytes, or the count. */
static uint32_t find(const void *meta, const struct image_header *header,
	const char *variable, uint64_t length)
{
	const struct image_variable *rows = image_rows(meta, &header->variables);
	uint32_t count = header->variables.count;
	uint32_t hash = image_hash_name(variable, length);

	for (uint32_t i = first_row(rows, count, hash); i < count && rows[i].hash == hash; i++) {
		const char *name = image_string(meta, header, rows[i].name);

		if (name && !(rows[i].flags & IMAGE_VARIABLE_PREFIX)
		    && text_compare(variable, length, name) == 0)
			return i;
	}
	return count;
}

/* Whether imports looked at all that begin like it. */
static int has_prefix(const void *meta, const struct image_header *header,
	const char *variable)
{
	const struct image_variable *row = image_rows(meta, &header->variables);

	if (!(header->flags & IMAGE_PREFIXES))
		return 0;
	for (uint32_t i = 0; i < header->variables.count; i++, row++) {
		const char *name = image_string(meta, header, row->name);

		if ((row->flags & IMAGE_VARIABLE_PREFIX) && name && text_after(variable, name))
			return 1;
	}
	return 0;
}

static int in_filter(const struct image_header *header, const char *variable)
{
	uint32_t bit = image_filter_bit(variable);

	return header->variable_filter[bit / 64] >> bit % 64 & 1;
}

/* gettext.py passes over what is empty, and stops at C; there is no catalogue of
 * the other names of that locale. */
static int chooses_none(const char *value)
{
	return !*value || text_equal(value, "C") || text_equal(value, "POSIX")
		|| text_equal(value, "C.UTF-8");
}

/* NULL, or how the value differs from its row. */
static const char *differs(const void *meta, const struct image_header *header,
	const struct image_variable *row, const char *value)
{
	const char *was = image_string(meta, header, row->value);

	if (!(row->flags & IMAGE_VARIABLE_SET)) {
		if ((row->flags & IMAGE_VARIABLE_LANGUAGE) && chooses_none(value))
			return NULL;
		return "imports read it, and it was not set while building:";
	}
	if (was && text_equal(value, was))
		return NULL;
	return "imports read it, and it was otherwise while building:";
}

/* What each shell and each folder changes, and the image's own. */
static int may_be_added(const char *variable, uint64_t length)
{
	static const char *const names[] = { "_", "PWD", "OLDPWD", "SHLVL" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (text_compare(variable, length, names[i]) == 0)
			return 1;
	return text_after(variable, "PYIMAGE") != NULL;
}

static int refuse(struct reason *reason, const char *why, const char *variable,
	char name[VARIABLE_NAME])
{
	size_t i = 0;

	for (; i < VARIABLE_NAME - 1 && variable[i] && variable[i] != '='; i++)
		name[i] = variable[i];
	name[i] = '\0';
	say_reason(reason, "environment", why, 0);
	reason->detail = name;
	return -1;
}

/* Those that were set while building and were not met. */
static int check_missing(const void *meta, const struct image_header *header,
	const struct seen *seen, char name[VARIABLE_NAME], struct reason *reason)
{
	const struct image_variable *row = image_rows(meta, &header->variables);
	const char *missing;

	for (uint32_t i = 0; i < header->variables.count; i++, row++) {
		if (!(row->flags & IMAGE_VARIABLE_SET) || (seen->words[i / 64] >> i % 64 & 1))
			continue;
		missing = image_string(meta, header, row->name);
		return refuse(reason, "imports read it, and it was set while building:",
			missing ? missing : "?", name);
	}
	return 0;
}

int variable_check(const void *meta, const struct image_header *header,
	char *const *envp, char name[VARIABLE_NAME], struct reason *reason)
{
	const struct image_variable *rows = image_rows(meta, &header->variables);
	int whole = header->flags & IMAGE_WHOLE_ENVIRONMENT;
	struct seen seen = { { 0 } };

	if (!header->variables.count && !whole)
		return 0;
	for (; *envp; envp++) {
		uint64_t length;
		const char *why;
		uint32_t i;

		if (!whole && !in_filter(header, *envp))
			continue;
		length = image_name_length(*envp);
		if (!(*envp)[length])
			continue;	/* no '=': nobody finds it */
		i = find(meta, header, *envp, length);
		if (i == header->variables.count) {
			if (whole && !may_be_added(*envp, length))
				return refuse(reason, "imports read all of it, and this was "
					"not there while building:", *envp, name);
			if (has_prefix(meta, header, *envp))
				return refuse(reason, "imports read all with such a name, "
					"and this was not set while building:", *envp, name);
			continue;
		}
		if (seen.words[i / 64] >> i % 64 & 1)
			continue;
		seen.words[i / 64] |= 1ull << i % 64;
		why = differs(meta, header, &rows[i], *envp + length + 1);
		if (why)
			return refuse(reason, why, *envp, name);
	}
	return check_missing(meta, header, &seen, name, reason);
}

int variable_has(const void *meta, const struct image_header *header,
	const char *variable)
{
	const struct image_variable *rows = image_rows(meta, &header->variables);
	uint64_t length = image_name_length(variable);
	uint32_t i = variable[length] ? find(meta, header, variable, length)
		: header->variables.count;

	return i < header->variables.count
		&& !differs(meta, header, &rows[i], variable + length + 1);
}
