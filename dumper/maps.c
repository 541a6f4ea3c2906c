/*
 * Mappings of a process; see maps.h.
 */
#include "maps.h"

#include "alloc.h"
#include "buffer.h"
#include "err.h"
#include "file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DELETED " (deleted)"

/* Names that the kernel gives to mappings of its own. */
static const struct {
	const char *name;
	enum maps_kind kind;
} special[] = {
	{"[heap]", MAPS_HEAP},
	{"[stack]", MAPS_STACK},
	{"[vdso]", MAPS_VDSO},
	{"[vvar]", MAPS_KERNEL},
	{"[vvar_vclock]", MAPS_KERNEL},
	{"[vsyscall]", MAPS_KERNEL},
};

static const struct {
	char name[3];
	unsigned flag;
} vm_flags[] = {
	{"wf", MAPS_WIPED},
	{"dp", MAPS_DROPPABLE},
	{"io", MAPS_DEVICE},
	{"pf", MAPS_DEVICE},
};

/* Takes a number and the character behind it off the text. */
static int number(const char **at, int base, char behind, uint64_t *value)
{
	static const char digits[] = "0123456789abcdef";
	char *end;

	/* strtoull alone would take blanks, signs and 0x */
	if (!**at || !memchr(digits, **at, (size_t)base) || (*at)[1] == 'x')
		return -1;
	errno = 0;
	*value = strtoull(*at, &end, base);
	if (errno || *end != behind)
		return -1;
	*at = end + 1;
	return 0;
}

static int parse_access(const char **at, struct mapping *mapping)
{
	static const char names[] = "rwx";
	const char *p = *at;

	for (int i = 0; i < 3; i++) {
		if (p[i] == names[i])
			mapping->protection |= MAPS_READ >> i;
		else if (p[i] != '-')
			return -1;
	}
	if (p[3] == 's')
		mapping->flags |= MAPS_SHARED;
	else if (p[3] != 'p')
		return -1;
	if (p[4] != ' ')
		return -1;
	*at = p + 5;
	return 0;
}

static enum maps_kind find_kind(const char *name)
{
	if (!*name || strncmp(name, "[anon:", 6) == 0)
		return MAPS_ANONYMOUS;
	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
		if (strcmp(name, special[i].name) == 0)
			return special[i].kind;
	return *name == '[' ? MAPS_UNKNOWN : MAPS_FILE;
}

/* The kernel writes a newline in a file's name as \012. */
static void unescape(char *name)
{
	char *to = name;

	for (const char *from = name; *from; to++) {
		int escaped = strncmp(from, "\\012", 4) == 0;

		*to = escaped ? '\n' : *from;
		from += escaped ? 4 : 1;
	}
	*to = '\0';
}

static void set_name(struct mapping *mapping, const char *name)
{
	size_t length;

	mapping->name = alloc_copy(name);
	unescape(mapping->name);
	mapping->kind = find_kind(mapping->name);
	length = strlen(mapping->name);
	if (mapping->kind != MAPS_FILE || length < strlen(DELETED))
		return;
	length -= strlen(DELETED);
	if (strcmp(mapping->name + length, DELETED) == 0) {
		mapping->flags |= MAPS_DELETED;
		mapping->name[length] = '\0';
	}
}

/* "start-end rwxp offset major:minor inode   name" */
static int parse_head(const char *line, struct mapping *mapping)
{
	uint64_t major, minor;

	if (number(&line, 16, '-', &mapping->start) ||
	    number(&line, 16, ' ', &mapping->end) ||
	    parse_access(&line, mapping) ||
	    number(&line, 16, ' ', &mapping->offset) ||
	    number(&line, 16, ':', &major) || number(&line, 16, ' ', &minor))
		return -1;
	if (mapping->start >= mapping->end ||
	    mapping->start % 4096 || mapping->end % 4096)
		return -1;
	/* nothing or blanks and a name follow the inode */
	if (number(&line, 10, ' ', &mapping->inode) &&
	    number(&line, 10, '\0', &mapping->inode))
		return -1;
	if (line[-1])
		line += strspn(line, " ");
	else
		line--;
	set_name(mapping, line);
	return 0;
}

/* "Key:   value" behind a mapping's line; unknown keys are skipped. */
static int parse_key(const char *line, struct mapping *mapping)
{
	const char *value = strchr(line, ':');
	uint64_t size;

	if (!value || !mapping)
		return -1;
	value += 1 + strspn(value + 1, " \t");
	if (strncmp(line, "Rss:", 4) == 0 || strncmp(line, "Swap:", 5) == 0) {
		if (number(&value, 10, ' ', &size) || size > UINT64_MAX / 1024 ||
		    size * 1024 > UINT64_MAX - mapping->populated)
			return -1;
		mapping->populated += size * 1024;
	} else if (strncmp(line, "VmFlags:", 8) == 0) {
		for (; value[0] && value[1]; value += value[2] ? 3 : 2)
			for (size_t i = 0; i < sizeof(vm_flags) / sizeof(*vm_flags); i++)
				if (memcmp(value, vm_flags[i].name, 2) == 0)
					mapping->flags |= vm_flags[i].flag;
	}
	return 0;
}

static int parse_line(const char *line, struct maps *maps)
{
	struct mapping *last = maps->count ? &maps->items[maps->count - 1] : NULL;
	struct mapping mapping = {0};

	if (*line >= 'A' && *line <= 'Z')
		return parse_key(line, last);
	if (parse_head(line, &mapping))
		return -1;
	maps->items = alloc_grow(maps->items, maps->count, &maps->room,
				 sizeof(mapping));
	maps->items[maps->count++] = mapping;
	last = maps->count > 1 ? &maps->items[maps->count - 2] : NULL;
	return last && last->end > mapping.start ? -1 : 0;
}

int maps_parse(const char *text, struct maps *maps, struct err *err)
{
	*maps = (struct maps){0};
	while (*text) {
		size_t length = strcspn(text, "\n");
		char *line = strndup(text, length);
		int failed = !line || parse_line(line, maps);

		if (failed)
			err_set(err, ERR_REFUSED, "mappings: can't read the line '%s'",
				line ? line : "");
		free(line);
		if (failed)
			return -1;
		text += length + (text[length] == '\n');
	}
	return 0;
}

int maps_read(pid_t pid, struct maps *maps, struct err *err)
{
	struct buffer text = {0};
	char *path = alloc_print("/proc/%d/smaps", (int)pid);
	int result;

	*maps = (struct maps){0};
	result = file_read(path, &text, err);
	if (!result)
		result = maps_parse(text.data, maps, err);
	if (!result && !maps->count)
		result = err_set(err, ERR_REFUSED, "%s: no mappings: the process is gone", path);
	buffer_free(&text);
	free(path);
	return result;
}

struct mapping *maps_find(const struct maps *maps, uint64_t address)
{
	for (size_t i = 0; i < maps->count; i++)
		if (maps->items[i].start <= address && address < maps->items[i].end)
			return &maps->items[i];
	return NULL;
}

void maps_free(struct maps *maps)
{
	for (size_t i = 0; i < maps->count; i++)
		free(maps->items[i].name);
	free(maps->items);
	*maps = (struct maps){0};
}
