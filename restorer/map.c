/*
 * Maps an image's segments, privately and never over anything that is there.
 */
#include "map.h"

#include "image_check.h"
#include "say.h"
#include "sys.h"

static int protection(uint32_t flags)
{
	return (flags & ELF64_R ? SYS_PROT_READ : 0) | (flags & ELF64_W ? SYS_PROT_WRITE : 0)
		| (flags & ELF64_X ? SYS_PROT_EXEC : 0);
}

static int map_one(int fd, const struct elf64_segment *segment, struct reason *reason)
{
	int flags = SYS_MAP_PRIVATE | SYS_MAP_FIXED_NOREPLACE;
	uint64_t got;

	if (!segment->filesz)
		flags |= SYS_MAP_ANONYMOUS;
	got = sys_mmap(segment->vaddr, segment->memsz, protection(segment->flags), flags,
		segment->filesz ? fd : -1, segment->filesz ? segment->offset : 0);
	if (got == segment->vaddr)
		return 0;
	/* Before Linux 4.17 the address was a hint, and a clash moved it. */
	return say_reason(reason, "can't map", "a segment at its address",
		sys_is_error(got) ? (long)got : -SYS_EEXIST);
}

int map_meta(int fd, uint64_t size, struct reason *reason)
{
	const struct elf64_segment meta = {
		.type = ELF64_LOAD, .flags = ELF64_R, .vaddr = IMAGE_META_BASE,
		.filesz = size, .memsz = size,
	};

	return map_one(fd, &meta, reason);
}

int map_segments(int fd, struct reason *reason)
{
	const void *meta = (const void *)IMAGE_META_BASE;
	const struct elf64_header *elf = meta;
	const struct elf64_segment *segment = image_segments(meta);

	for (unsigned int i = 0; i < elf->phnum; i++, segment++)
		if (segment->type == ELF64_LOAD && segment->vaddr != IMAGE_META_BASE
		    && map_one(fd, segment, reason))
			return -1;
	return 0;
}
