/*
 * Same-page merging for a restored process; see ksm.h. Writes to no memory but
 * the stack.
 */
#include "ksm.h"

#include <stddef.h>

#include "fallback.h"
#include "image_check.h"
#include "say.h"
#include "sys.h"

/* "0": ksmd stands still. "1": it merges. "2": it stands still, and has undone all. */
#define KSM_RUN "/sys/kernel/mm/ksm/run"

/* The image's writable segments alone, for kernels that can't mark the process:
 * before 6.4. */
static long merge_segments(const void *meta)
{
	const struct elf64_header *elf = meta;
	const struct elf64_segment *segment = image_segments(meta);
	long result = 0;

	for (unsigned int i = 0; i < elf->phnum && !result; i++, segment++)
		if (segment->type == ELF64_LOAD && (segment->flags & ELF64_W))
			result = sys_madvise(segment->vaddr, segment->memsz,
				SYS_MADV_MERGEABLE);
	return result;
}

/* Only root can start ksmd. Unknown (no /sys) counts as running. */
static int stands_still(void)
{
	long fd = sys_open(KSM_RUN, SYS_O_RDONLY | SYS_O_CLOEXEC);
	char run = '1';

	if (fd < 0)
		return 0;
	if (sys_read((int)fd, &run, 1) != 1)
		run = '1';
	sys_close((int)fd);
	return run != '1';
}

static void tell(const struct program *program, long result)
{
	struct reason reason;

	if (result) {
		say_reason(&reason, "PYIMAGE_KSM", "the kernel can't merge pages", result);
		say_refusal(program->image, &reason, "going on without");
	} else if (stands_still()) {
		say_reason(&reason, "PYIMAGE_KSM",
			"pages may be merged, but nobody does: " KSM_RUN " is not 1", 0);
		reason.advice = "let root write 1 to it";
		say_refusal(program->image, &reason, NULL);
	} else {
		say_line(program->image, "PYIMAGE_KSM: equal pages will be merged");
	}
}

int ksm_start(const void *meta, const struct program *program)
{
	int was = sys_prctl_is_merged() == 1;
	long result = sys_prctl_merge();
	int marked = !result && !was;

	if (result)
		result = merge_segments(meta);
	if (program->verbose)
		tell(program, result);
	return marked;
}
