/*
 * dumper/maps.c: the kernel's text, and lines that no kernel writes.
 */
#include "unit.h"

#include "err.h"
#include "maps.h"

#include <string.h>
#include <sys/mman.h>

static const char sample[] =
"00400000-00452000 r-xp 00001000 08:02 173521      /usr/bin/a b (deleted)\n"
"Size:                328 kB\n"
"Rss:                  40 kB\n"
"SwapPss:               4 kB\n"
"Swap:                  8 kB\n"
"VmFlags: rd ex mr mw me sd \n"
"00e03000-00e24000 rw-p 00000000 00:00 0           [heap]\n"
"VmFlags: rd wr mr mw me ac wf \n"
"155555000000-155555400000 ---p 00000000 00:00 0 \n"
"155555400000-155555401000 rw-s 00000000 00:05 9 /dev/zero (deleted)\n"
"VmFlags: rd wr sh dp io\n"
"155555500000-155555501000 r--p 00000000 00:05 9 /a\\012b\n"
"155555501000-155555502000 rw-p 00000000 00:00 0 [anon:glibc: malloc]\n"
"155555502000-155555503000 r-xp 00000000 00:00 0 [vdso]\n"
"155555503000-155555504000 r--p 00000000 00:00 0 [vvar]\n"
"155555504000-155555505000 r--p 00000000 00:00 0 [new thing]\n"
"7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0 [stack]\n"
"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n";

START_TEST(reads_what_the_kernel_writes)
{
	static const enum maps_kind kinds[] = {
		MAPS_FILE, MAPS_HEAP, MAPS_ANONYMOUS, MAPS_FILE, MAPS_FILE, MAPS_ANONYMOUS,
		MAPS_VDSO, MAPS_KERNEL, MAPS_UNKNOWN, MAPS_STACK, MAPS_KERNEL,
	};
	struct err err = {0};
	struct maps maps;

	ck_assert_msg(!maps_parse(sample, &maps, &err), "%s", err.text);
	ck_assert_uint_eq(maps.count, 11);
	for (size_t i = 0; i < maps.count; i++)
		ck_assert_int_eq(maps.items[i].kind, kinds[i]);
	ck_assert_uint_eq(maps.items[0].start, 0x400000);
	ck_assert_uint_eq(maps.items[0].end, 0x452000);
	ck_assert_uint_eq(maps.items[0].offset, 0x1000);
	ck_assert_uint_eq(maps.items[0].inode, 173521);
	ck_assert_uint_eq(maps.items[0].populated, 48 * 1024);
	ck_assert_uint_eq(maps.items[0].protection, MAPS_READ | MAPS_EXECUTE);
	ck_assert_uint_eq(maps.items[0].flags, MAPS_DELETED);
	ck_assert_str_eq(maps.items[0].name, "/usr/bin/a b");
	ck_assert_uint_eq(maps.items[1].flags, MAPS_WIPED);
	ck_assert_uint_eq(maps.items[2].protection, 0);
	ck_assert_uint_eq(maps.items[3].flags,
		MAPS_SHARED | MAPS_DELETED | MAPS_DROPPABLE | MAPS_DEVICE);
	ck_assert_str_eq(maps.items[4].name, "/a\nb");
	ck_assert_ptr_eq(maps_find(&maps, 0x451fff), &maps.items[0]);
	ck_assert_ptr_null(maps_find(&maps, 0x452000));
	maps_free(&maps);
}
END_TEST

START_TEST(refuses_other_lines)
{
	static const char *const lines[] = {
		"x", "0-", "-", "00400000", "Rss: 4 kB", "\n\n", " ",
		"00400000-00452000 r-xp 0 08:02", "00400000-00452000 r-xp 0 08:02 ",
		"00400000-00452000 r-xq 0 08:02 1", "00400000-00452000 rwx 0 08:02 1",
		"00452000-00400000 r-xp 0 08:02 1", "00400000-00400000 r-xp 0 08:02 1",
		"00400001-00452000 r-xp 0 08:02 1", "00400000-00452001 r-xp 0 08:02 1",
		"-400000-00452000 r-xp 0 08:02 1", "0x400000-00452000 r-xp 0 08:02 1",
		"10000000000000000-10000000000001000 r-xp 0 08:02 1",
		"00400000-00452000 r-xp 0 08:02 99999999999999999999",
		"00400000-00452000 r-xp 0 08:02 1x",
		"00400000-00452000 r-xp 0 08:02 1\n00400000-00452000 r-xp 0 08:02 1",
		"00400000-00452000 r-xp 0 08:02 1\n00300000-00352000 r-xp 0 08:02 1",
		"00400000-00452000 r-xp 0 08:02 1\nRss: 99999999999999999999 kB",
		"00400000-00452000 r-xp 0 08:02 1\nRss: 18014398509481984 kB\nRss: 1 kB",
		"00400000-00452000 r-xp 0 08:02 1\nRss: -1 kB",
		"00400000-00452000 r-xp 0 08:02 1\nNoColon",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct err err = {0};
		struct maps maps;

		ck_assert_msg(maps_parse(lines[i], &maps, &err) == -1, "'%s'", lines[i]);
		ck_assert_int_eq(err.status, ERR_REFUSED);
		maps_free(&maps);
		err_clear(&err);
	}
}
END_TEST

START_TEST(survives_a_cut_and_a_flip_anywhere)
{
	char text[sizeof(sample)];

	for (size_t i = 0; i < sizeof(sample) - 1; i++) {
		for (int bit = -1; bit < 8; bit++) {
			struct err err = {0};
			struct maps maps;

			memcpy(text, sample, sizeof(sample));
			if (bit < 0)
				text[i] = '\0';
			else
				text[i] = (char)(text[i] ^ 1 << bit);
			maps_parse(text, &maps, &err);
			maps_free(&maps);
			err_clear(&err);
		}
	}
}
END_TEST

START_TEST(reads_a_process)
{
	struct err err = {0};
	struct maps maps;
	struct mapping *mapping;
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(page, 4096, PROT_NONE);
	ck_assert_msg(!maps_read(getpid(), &maps, &err), "%s", err.text);
	mapping = maps_find(&maps, (uint64_t)(uintptr_t)page);
	ck_assert_ptr_nonnull(mapping);
	ck_assert_uint_eq(mapping->protection, 0);
	/* ASan may have moved what is local to the heap */
	mapping = maps_find(&maps, (uint64_t)(uintptr_t)__builtin_frame_address(0));
	ck_assert_int_eq(mapping->kind, MAPS_STACK);
	maps_free(&maps);
	munmap(page, 8192);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		reads_what_the_kernel_writes, refuses_other_lines,
		survives_a_cut_and_a_flip_anywhere, reads_a_process, NULL,
	};

	return unit_run("maps", tests);
}
