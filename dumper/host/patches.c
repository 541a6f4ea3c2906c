/*
 * The list of patches, as include/control.h lays it out.
 */
#include "patches.h"
#include "control.h"
#include "talk.h"

#include <stdlib.h>
#include <string.h>

static char *bytes;
static size_t used;
static unsigned count, writable_count;
static uint64_t writable[64];

static void append(char **to, size_t *length, const void *data, size_t size)
{
	*to = realloc(*to, *length + size + 8);
	if (!*to)
		talk_refuse("out of memory");
	memcpy(*to + *length, data, size);
	*length += size;
	while (*length % 8)
		(*to)[(*length)++] = 0;
}

void patches_add(uint64_t address, const void *data, size_t length)
{
	struct control_patch patch = { address, length };

	append(&bytes, &used, &patch, sizeof patch);
	append(&bytes, &used, data, length);
	count++;
}

void patches_add_word(uint64_t address, uint64_t word)
{
	patches_add(address, &word, sizeof word);
}

void patches_make_writable(uint64_t address)
{
	if (writable_count == sizeof writable / sizeof *writable)
		talk_refuse("too many read-only words to repair");
	writable[writable_count++] = address;
}

void *patches_message(int pid, uint64_t handoff, uint64_t entry, size_t *length)
{
	struct control_frozen head = {
		.pid = pid, .patches = count, .handoff = handoff, .entry = entry,
		.writable = writable_count,
	};
	char *message = NULL;

	*length = 0;
	append(&message, length, &head, sizeof head);
	append(&message, length, bytes, used);
	append(&message, length, writable, writable_count * sizeof *writable);
	return message;
}
