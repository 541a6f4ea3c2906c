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
static unsigned count, protect_count;
static struct control_protect protects[64];

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

/* movabs $target, %rax; jmp *%rax */
void patches_add_jump(uint64_t address, uint64_t target)
{
	unsigned char code[12] = { 0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0 };

	memcpy(code + 2, &target, sizeof target);
	patches_add(address, code, sizeof code);
}

void patches_protect(uint64_t address, int protection)
{
	if (protect_count == sizeof protects / sizeof *protects)
		talk_refuse("too many mappings would change their protection");
	protects[protect_count++] =
		(struct control_protect){ address, (uint64_t)protection };
}

void *patches_message(int pid, uint64_t handoff, uint64_t entry, size_t *length)
{
	struct control_frozen head = {
		.pid = pid, .patches = count, .handoff = handoff, .entry = entry,
		.protects = protect_count,
	};
	char *message = NULL;

	*length = 0;
	append(&message, length, &head, sizeof head);
	append(&message, length, bytes, used);
	append(&message, length, protects, protect_count * sizeof *protects);
	return message;
}
