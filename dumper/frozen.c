/*
 * The host's CONTROL_FROZEN; see frozen.h.
 */
#include "frozen.h"

#include "alloc.h"
#include "control.h"
#include "err.h"

#include <stdlib.h>
#include <string.h>

/* Takes `size` bytes off the message; NULL if there are fewer. */
static const char *take(const char **at, size_t *left, uint64_t size)
{
	const char *taken = *at;

	if (size > *left)
		return NULL;
	*at += size;
	*left -= size;
	return taken;
}

static int parse_patch(const char **at, size_t *left, struct memory_patch *patch)
{
	struct control_patch head;
	const char *bytes = take(at, left, sizeof(head));

	if (!bytes)
		return -1;
	memcpy(&head, bytes, sizeof(head));
	if (head.length > *left || head.address + head.length < head.address)
		return -1;
	patch->address = head.address;
	patch->length = head.length;
	patch->bytes = take(at, left, head.length);
	return take(at, left, -head.length & 7) ? 0 : -1;
}

static int parse(const char *data, size_t size, struct frozen *frozen)
{
	struct control_frozen head;
	const char *bytes = take(&data, &size, sizeof(head));

	if (!bytes)
		return -1;
	memcpy(&head, bytes, sizeof(head));
	if (head.pid <= 1 || head.patches > size / sizeof(struct control_patch))
		return -1;
	frozen->pid = head.pid;
	frozen->handoff = head.handoff;
	frozen->entry = head.entry;
	frozen->patches = alloc_array(head.patches, sizeof(*frozen->patches));
	for (; frozen->patch_count < head.patches; frozen->patch_count++)
		if (parse_patch(&data, &size, &frozen->patches[frozen->patch_count]))
			return -1;
	if (size != head.protects * sizeof(*frozen->protects))
		return -1;
	frozen->protect_count = head.protects;
	frozen->protects = alloc_array(head.protects, sizeof(*frozen->protects));
	memcpy(frozen->protects, data, size);
	return 0;
}

int frozen_parse(const char *data, size_t size, struct frozen *frozen,
		 struct err *err)
{
	*frozen = (struct frozen){0};
	if (parse(data, size, frozen))
		return err_set(err, ERR_REFUSED,
			       "the host's message about the frozen process makes no sense: "
			       "pydump and host are of different versions");
	return 0;
}

void frozen_free(struct frozen *frozen)
{
	free(frozen->patches);
	free(frozen->protects);
	*frozen = (struct frozen){0};
}
