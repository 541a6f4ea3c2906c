/*
 * include/image_check.h: a sound image's meta part, built in memory, then each
 * property broken by itself; cut off anywhere; random bits flipped.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "image_check.h"
#include "unit.h"

#define META (2 * IMAGE_PAGE)
#define FILE_SIZE (6 * IMAGE_PAGE)
#define CODE 0x145555000000ull
#define DATA 0x145555010000ull
#define PYTHON "/usr/bin/python3.11"

/* Offsets of what the tests change. */
enum {
	SEGMENTS = IMAGE_PAGE,
	GUARDS = 0x400, FILES = 0x500, NAMES = 0x600, CPU = 0x700, STRINGS = 0x900,
	HOT = 0xa00, RESERVES = 0xb00, VARIABLES = 0xb40,
};

static union {
	unsigned char bytes[META];
	struct elf64_header elf;
} image;
static const unsigned char *const bytes = image.bytes;

static struct image_prefix *prefix(void)
{
	return (void *)(image.bytes + IMAGE_PREFIX_OFFSET);
}

static struct elf64_note *note(void)
{
	return (void *)(image.bytes + IMAGE_PREFIX_NOTE);
}

static struct elf64_segment *segment(int index)
{
	return (struct elf64_segment *)(void *)(image.bytes + SEGMENTS) + index;
}

static struct image_header *header(void)
{
	return (void *)(image.bytes + image_header_note(note()->descsz) + 20);
}

static struct image_variable *variable(int index)
{
	return (struct image_variable *)(void *)(image.bytes + VARIABLES) + index;
}

static void seal(void)
{
	prefix()->checksum = image_hash(&prefix()->size, prefix()->size);
}

static void put_note(uint64_t offset, uint32_t type, uint32_t size)
{
	struct elf64_note *at = (void *)(image.bytes + offset);

	*at = (struct elf64_note){ 8, size, type };
	memcpy(at + 1, IMAGE_NOTE_NAME, 8);
}

static void put_prefix(void)
{
	uint32_t size = IMAGE_PREFIX_FIXED + sizeof(PYTHON);

	put_note(IMAGE_PREFIX_NOTE, IMAGE_NOTE_PREFIX, 16 + size);
	memcpy(prefix()->magic, IMAGE_MAGIC, 8);
	prefix()->size = size;
	prefix()->format = IMAGE_FORMAT;
	prefix()->file_size = FILE_SIZE;
	prefix()->entry = CODE + 16;
	memcpy(prefix()->python, PYTHON, sizeof(PYTHON));
	seal();
}

static void put_header(void)
{
	static const char strings[] = "\0C.UTF-8\0/usr/lib/x.py\0json\0APP_MODE\0HOME";
	uint32_t mode = image_filter_bit("APP_MODE"), home = image_filter_bit("HOME");

	put_note(image_header_note(note()->descsz), IMAGE_NOTE_HEADER,
		sizeof(struct image_header));
	*header() = (struct image_header){
		.meta_size = META, .handoff = DATA, .mapped = 5 * IMAGE_PAGE,
		.python_hex = 0x030b02f0, .locale = STRINGS + 1,
		.user_site = STRINGS, .timezone = STRINGS,
		.guards = { GUARDS, 1 }, .hot = { HOT, 1 }, .reserves = { RESERVES, 1 },
		.files = { FILES, 1 }, .names = { NAMES, 1 }, .cpu = { CPU, 1 },
		.variables = { VARIABLES, 2 },
		.strings = { STRINGS, sizeof(strings) },
	};
	header()->variable_filter[mode / 64] |= 1ull << mode % 64;
	header()->variable_filter[home / 64] |= 1ull << home % 64;
	/* by their hashes */
	variable(0)->name = STRINGS + 37;
	variable(1)->name = STRINGS + 28;
	variable(0)->value = variable(1)->value = STRINGS;
	variable(0)->hash = image_hash_name("HOME", 4);
	variable(1)->hash = image_hash_name("APP_MODE", 8);
	memcpy(image.bytes + STRINGS, strings, sizeof(strings));
	*(struct image_guard *)(void *)(image.bytes + GUARDS) =
		(struct image_guard){ .kind = IMAGE_GUARD_FILE, .path = STRINGS + 9 };
	*(struct image_file *)(void *)(image.bytes + FILES) =
		(struct image_file){ .fd = 3, .path = STRINGS + 9 };
	*(uint32_t *)(void *)(image.bytes + NAMES) = STRINGS + 23;
	*(struct image_range *)(void *)(image.bytes + HOT) =
		(struct image_range){ DATA, IMAGE_PAGE };
	*(struct image_range *)(void *)(image.bytes + RESERVES) =
		(struct image_range){ 0x150000000000, IMAGE_PAGE };
}

static void put_segments(void)
{
	struct elf64_header *elf = &image.elf;

	memcpy(elf->ident, "\177ELF\2\1\1", 7);
	elf->type = ELF64_EXEC;
	elf->machine = ELF64_X86_64;
	elf->entry = CODE + 16;
	elf->phoff = SEGMENTS;
	elf->phentsize = sizeof(struct elf64_segment);
	elf->phnum = 5;
	*segment(0) = (struct elf64_segment){ .type = ELF64_NOTE, .flags = ELF64_R,
		.offset = IMAGE_PREFIX_NOTE, .filesz = 64, .memsz = 64 };
	*segment(1) = (struct elf64_segment){ ELF64_LOAD, ELF64_R | ELF64_X,
		2 * IMAGE_PAGE, CODE, CODE, IMAGE_PAGE, IMAGE_PAGE, IMAGE_PAGE };
	*segment(2) = (struct elf64_segment){ ELF64_LOAD, ELF64_R | ELF64_W,
		3 * IMAGE_PAGE, DATA, DATA, 3 * IMAGE_PAGE, 3 * IMAGE_PAGE, IMAGE_PAGE };
	*segment(3) = (struct elf64_segment){ ELF64_LOAD, ELF64_R | ELF64_W,
		0, DATA + 3 * IMAGE_PAGE, 0, 0, IMAGE_PAGE, IMAGE_PAGE };
	*segment(4) = (struct elf64_segment){ ELF64_LOAD, ELF64_R,
		0, IMAGE_META_BASE, 0, META, META, IMAGE_PAGE };
}

static void seal_segments(void)
{
	header()->segments = image_hash_words((const uint64_t *)(void *)segment(0),
		5 * sizeof(struct elf64_segment) / 8);
}

static void setup(void)
{
	memset(&image, 0, sizeof(image));
	put_prefix();
	put_header();
	put_segments();
	seal_segments();
}

/* All checks in their order, on the first `length` bytes. */
static enum image_fault check(const void *from, uint64_t length, uint64_t file_size)
{
	enum image_fault fault = image_check_prefix(from, length);

	if (!fault)
		fault = image_check_header(from, length, file_size);
	if (!fault && image_header(from, length)->meta_size > length)
		return IMAGE_FAULT_META_SIZE;
	if (!fault)
		fault = image_check_segments(from, length, file_size);
	if (!fault)
		fault = image_check_tables(from, length);
	if (!fault)
		fault = image_check_rows(from, length);
	return fault;
}

static enum image_fault check_all(void)
{
	return check(bytes, META, FILE_SIZE);
}

START_TEST(sound)
{
	ck_assert_int_eq(check_all(), IMAGE_SOUND);
	ck_assert_str_eq(image_prefix(bytes)->python, PYTHON);
	ck_assert_str_eq(image_string(bytes, header(), header()->locale), "C.UTF-8");
	ck_assert_ptr_null(image_string(bytes, header(), STRINGS - 1));
	ck_assert_ptr_null(image_string(bytes, header(), STRINGS + 42));
	ck_assert(image_knows_python(IMAGE_SOUND));
}
END_TEST

/* Breaks one field and says what has to be found. */
#define BROKEN(name, change, fault) \
	START_TEST(name) \
	{ \
		change; \
		ck_assert_int_eq(check_all(), fault); \
		ck_assert_str_ne(image_fault_text(fault), ""); \
	} \
	END_TEST

BROKEN(not_elf_nor_note, (image.bytes[0] = 'x', note()->type = 2), IMAGE_FAULT_NOT_ELF)
BROKEN(not_elf, image.bytes[0] = 'x', IMAGE_FAULT_ELF_HEADER)
BROKEN(note_name, image.bytes[0x50] = 'P', IMAGE_FAULT_NOT_IMAGE)
BROKEN(note_type, note()->type = 3, IMAGE_FAULT_NOT_IMAGE)
BROKEN(note_size, note()->descsz = 20, IMAGE_FAULT_PREFIX_SIZE)
BROKEN(prefix_small, prefix()->size = 25, IMAGE_FAULT_PREFIX_SIZE)
BROKEN(prefix_large, prefix()->size = ~0u, IMAGE_FAULT_PREFIX_SIZE)
BROKEN(checksum, prefix()->entry++, IMAGE_FAULT_CHECKSUM)
START_TEST(options)
{
	const char *option = prefix()->python;

	ck_assert_ptr_null(image_next_word(prefix(), option));
	prefix()->python[4] = prefix()->python[7] = 0;	/* "/usr", "bi", the rest */
	seal();
	ck_assert_int_eq(image_check_prefix(bytes, IMAGE_PAGE), IMAGE_SOUND);
	ck_assert_str_eq(option, "/usr");
	option = image_next_word(prefix(), option);
	ck_assert_str_eq(option, "bi");
	ck_assert_ptr_nonnull(option = image_next_word(prefix(), option));
	ck_assert_ptr_null(image_next_word(prefix(), option));
}
END_TEST

BROKEN(relative, (prefix()->python[0] = 'x', seal()), IMAGE_FAULT_PYTHON)
BROKEN(empty_option, (prefix()->python[3] = prefix()->python[4] = 0, seal()), IMAGE_FAULT_PYTHON)
BROKEN(no_nul, (prefix()->python[sizeof(PYTHON) - 1] = 'x', seal()), IMAGE_FAULT_PYTHON)
BROKEN(magic, prefix()->magic[2] = 'X', IMAGE_FAULT_MAGIC)
BROKEN(partial, memcpy(prefix()->magic, IMAGE_MAGIC_PARTIAL, 8), IMAGE_FAULT_PARTIAL)
BROKEN(format, (prefix()->format = IMAGE_FORMAT + 1, seal()), IMAGE_FAULT_FORMAT)
BROKEN(truncated, (prefix()->file_size++, seal()), IMAGE_FAULT_TRUNCATED)
BROKEN(grew, (prefix()->file_size--, seal()), IMAGE_FAULT_GREW)
BROKEN(other_entry, (prefix()->entry++, seal()), IMAGE_FAULT_ELF_HEADER)
BROKEN(no_header, header()[0] = header()[1], IMAGE_FAULT_META_SIZE)
BROKEN(header_note, image.bytes[image_header_note(note()->descsz) + 8] = 9, IMAGE_FAULT_HEADER)
BROKEN(header_far, note()->descsz = 0xfffffff4, IMAGE_FAULT_HEADER)
BROKEN(meta_odd, header()->meta_size--, IMAGE_FAULT_META_SIZE)
BROKEN(meta_large, header()->meta_size = 1ull << 40, IMAGE_FAULT_META_SIZE)
BROKEN(meta_behind_file, header()->meta_size = FILE_SIZE + IMAGE_PAGE, IMAGE_FAULT_META_SIZE)
BROKEN(meta_smaller, header()->meta_size = IMAGE_PAGE, IMAGE_FAULT_META)
BROKEN(moved, segment(3)->vaddr += IMAGE_PAGE, IMAGE_FAULT_PHDRS)
BROKEN(elf_class, image.elf.ident[ELF64_CLASS] = 1, IMAGE_FAULT_ELF_HEADER)
BROKEN(elf_type, image.elf.type = 3, IMAGE_FAULT_ELF_HEADER)
BROKEN(elf_machine, image.elf.machine = 3, IMAGE_FAULT_ELF_HEADER)
BROKEN(phentsize, image.elf.phentsize = 0, IMAGE_FAULT_PHDRS)
BROKEN(phnum_none, image.elf.phnum = 0, IMAGE_FAULT_PHDRS)
BROKEN(phnum_most, image.elf.phnum = 0xffff, IMAGE_FAULT_PHDRS)
BROKEN(phnum_end, image.elf.phnum = 74, IMAGE_FAULT_PHDRS)
BROKEN(phoff_wraps, image.elf.phoff = ~7ull, IMAGE_FAULT_PHDRS)
BROKEN(phoff_odd, image.elf.phoff++, IMAGE_FAULT_PHDRS)
BROKEN(interp, segment(0)->type = ELF64_INTERP, IMAGE_FAULT_INTERP)
BROKEN(writable_code, segment(1)->flags = 7, IMAGE_FAULT_FLAGS)
BROKEN(unknown_flag, segment(1)->flags = 0x105, IMAGE_FAULT_FLAGS)
BROKEN(vaddr_odd, segment(1)->vaddr += 16, IMAGE_FAULT_ALIGNMENT)
BROKEN(memsz_odd, segment(3)->memsz--, IMAGE_FAULT_ALIGNMENT)
BROKEN(offset_odd, segment(1)->offset++, IMAGE_FAULT_ALIGNMENT)
BROKEN(empty, segment(3)->memsz = 0, IMAGE_FAULT_SEGMENT_SIZE)
BROKEN(part_of_file, segment(2)->memsz *= 2, IMAGE_FAULT_SEGMENT_SIZE)
BROKEN(low, segment(1)->vaddr = 0, IMAGE_FAULT_RANGE)
BROKEN(high, segment(3)->vaddr = IMAGE_HIGHEST, IMAGE_FAULT_RANGE)
BROKEN(kernel_half, segment(3)->vaddr = -4096ull * 8, IMAGE_FAULT_RANGE)
BROKEN(wraps, segment(3)->memsz = -IMAGE_PAGE + 0ull - (1ull << 47), IMAGE_FAULT_RANGE)
BROKEN(wraps_to_zero, segment(3)->memsz = -segment(3)->vaddr, IMAGE_FAULT_RANGE)
BROKEN(restorer, (segment(4)->vaddr = IMAGE_RESTORER_BASE), IMAGE_FAULT_RESTORER)
BROKEN(restorer_below, segment(3)->memsz = IMAGE_RESTORER_BASE + IMAGE_PAGE - segment(3)->vaddr,
	IMAGE_FAULT_RESTORER)
BROKEN(overlap, segment(3)->vaddr -= IMAGE_PAGE, IMAGE_FAULT_OVERLAP)
BROKEN(descends, segment(1)->vaddr = DATA + IMAGE_PAGE * 9, IMAGE_FAULT_OVERLAP)
BROKEN(offset_behind, segment(2)->offset += IMAGE_PAGE, IMAGE_FAULT_FILE_RANGE)
BROKEN(offset_wraps, segment(2)->offset = -2ull * IMAGE_PAGE, IMAGE_FAULT_FILE_RANGE)
BROKEN(size_behind, (segment(2)->filesz = segment(2)->memsz = 0x10000000), IMAGE_FAULT_FILE_RANGE)
BROKEN(no_meta, segment(4)->vaddr += IMAGE_PAGE, IMAGE_FAULT_META)
BROKEN(meta_writable, segment(4)->flags |= ELF64_W, IMAGE_FAULT_META)
BROKEN(entry_elsewhere, segment(1)->flags = ELF64_R, IMAGE_FAULT_ENTRY)
BROKEN(handoff_nowhere, header()->handoff = CODE, IMAGE_FAULT_HANDOFF)
BROKEN(table_offset, header()->guards.offset = META + 8, IMAGE_FAULT_TABLE)
BROKEN(table_count, header()->files.count = ~0u, IMAGE_FAULT_TABLE)
BROKEN(table_odd, header()->hot.offset++, IMAGE_FAULT_TABLE)
BROKEN(table_hot, header()->hot.count = IMAGE_MAX_HOT + 1, IMAGE_FAULT_TABLE)
BROKEN(table_cpu, header()->cpu.count = 0, IMAGE_FAULT_TABLE)
BROKEN(strings_end, image.bytes[STRINGS + header()->strings.count - 1] = 'x', IMAGE_FAULT_STRING)
BROKEN(strings_none, header()->strings.count = 0, IMAGE_FAULT_STRING)
BROKEN(locale, header()->locale = 0, IMAGE_FAULT_STRING)
BROKEN(timezone, header()->timezone = STRINGS + 42, IMAGE_FAULT_STRING)
BROKEN(guard_path, *(uint32_t *)(void *)(image.bytes + GUARDS + 8) = 1, IMAGE_FAULT_ROW)
BROKEN(guard_below, *(uint32_t *)(void *)(image.bytes + GUARDS) = IMAGE_GUARD_ABSENT;
	memcpy(image.bytes + STRINGS + 9, "a/b", 4), IMAGE_FAULT_ROW)
BROKEN(file_path, *(uint32_t *)(void *)(image.bytes + FILES + 8) = STRINGS + 1, IMAGE_FAULT_ROW)
BROKEN(file_flags, *(int32_t *)(void *)(image.bytes + FILES + 4) = 01001, IMAGE_FAULT_ROW)
BROKEN(file_original, *(uint32_t *)(void *)(image.bytes + FILES + 48) = 1, IMAGE_FAULT_ROW)
BROKEN(file_device, *(uint32_t *)(void *)(image.bytes + FILES + 52) = 7, IMAGE_FAULT_ROW)
BROKEN(file_fd, *(int32_t *)(void *)(image.bytes + FILES) = -1, IMAGE_FAULT_ROW)
BROKEN(name, *(uint32_t *)(void *)(image.bytes + NAMES) = ~0u, IMAGE_FAULT_ROW)
BROKEN(hot_wraps, *(uint64_t *)(void *)(image.bytes + HOT + 8) = -4096ull, IMAGE_FAULT_ROW)
BROKEN(table_variables, header()->variables.count = IMAGE_MAX_VARIABLES + 1, IMAGE_FAULT_TABLE)
BROKEN(variable_name, variable(0)->name = ~0u, IMAGE_FAULT_ROW)
BROKEN(variable_unnamed, variable(0)->name = STRINGS, IMAGE_FAULT_ROW)
BROKEN(variable_equals, image.bytes[STRINGS + 31] = '=', IMAGE_FAULT_ROW)
BROKEN(variable_value, variable(1)->value = STRINGS + 42, IMAGE_FAULT_ROW)
BROKEN(variable_hash, variable(1)->hash++, IMAGE_FAULT_ROW)
BROKEN(variable_order, (variable(2)[0] = variable(0)[0], header()->variables.count = 3),
	IMAGE_FAULT_ROW)
BROKEN(variable_filter, memset(header()->variable_filter, 0, 64), IMAGE_FAULT_ROW)
BROKEN(reserve_odd, image.bytes[RESERVES] = 1, IMAGE_FAULT_ROW)

/* Of a working folder that is not known yet: only that nothing is there. */
START_TEST(guard_in_folder)
{
	struct image_guard *row = (struct image_guard *)(void *)(image.bytes + GUARDS);

	row->path = STRINGS + 23;
	ck_assert_int_eq(check(bytes, META, FILE_SIZE), IMAGE_FAULT_ROW);
	row->kind = IMAGE_GUARD_ABSENT;
	ck_assert_int_eq(check(bytes, META, FILE_SIZE), IMAGE_SOUND);
}
END_TEST

/* Every beginning of the image, in a block of that very size: ASan watches. */
START_TEST(cut)
{
	for (uint64_t length = 0; length < META; length++) {
		unsigned char *part = aligned_alloc(8, length + 8 - length % 8);
		enum image_fault fault;

		memcpy(part, bytes, length);
		part = realloc(part, length ? length : 1);
		fault = check(part, length, length);
		ck_assert_int_ne(fault, IMAGE_SOUND);
		ck_assert_int_eq(image_knows_python(fault),
			length >= IMAGE_PREFIX_OFFSET + 16 + prefix()->size);
		free(part);
	}
}
END_TEST

/* Flipped bits never lead outside; a flip in the prefix never goes unseen. */
START_TEST(flips)
{
	unsigned int seed = 12345;

	for (int round = 0; round < 200000; round++) {
		int count = 1 + (round & 3);

		if (round % 64 == 0)
			setup();
		while (count--) {
			unsigned int bit = (unsigned int)rand_r(&seed) % (META * 8);

			/* half of them where something is */
			if (round & 1)
				bit %= 0xb60 * 8;
			image.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
		check_all();
	}
	for (uint32_t bit = 0; bit < prefix()->size * 8; bit++) {
		setup();
		image.bytes[IMAGE_PREFIX_OFFSET + 16 + bit / 8] ^= (unsigned char)(1 << bit % 8);
		ck_assert(!image_knows_python(image_check_prefix(bytes, META)));
	}
}
END_TEST

START_TEST(which_faults_know_python)
{
	ck_assert(!image_knows_python(IMAGE_FAULT_NOT_ELF));
	ck_assert(!image_knows_python(IMAGE_FAULT_MAGIC));
	ck_assert(image_knows_python(IMAGE_FAULT_PARTIAL));
	ck_assert(image_knows_python(IMAGE_FAULT_ROW));
	for (int fault = 0; fault < IMAGE_FAULT_COUNT; fault++)
		ck_assert_ptr_nonnull(image_fault_text((enum image_fault)fault));
	ck_assert_str_eq(image_fault_text((enum image_fault)99), "damaged");
}
END_TEST

START_TEST(header_follows_prefix)
{
	for (uint32_t size = 40; size < 80; size++) {
		uint64_t at = image_header_note(size);

		ck_assert_uint_eq((at + 20) % 8, 0);
		ck_assert_uint_ge(at, IMAGE_PREFIX_OFFSET + size);
		ck_assert_uint_lt(at, IMAGE_PREFIX_OFFSET + size + 8);
		if (size % 8 == 4)
			ck_assert_uint_eq(at, IMAGE_PREFIX_OFFSET + size);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		sound, not_elf_nor_note, not_elf, note_name, note_type, note_size,
		prefix_small, prefix_large, checksum, relative, empty_option, no_nul,
		magic, options,
		partial, format, truncated, grew, other_entry, no_header, header_note,
		header_far, meta_odd, meta_large, meta_behind_file, meta_smaller,
		moved, elf_class, elf_type, elf_machine, phentsize, phnum_none, phnum_most,
		phnum_end, phoff_wraps, phoff_odd, interp, writable_code, unknown_flag,
		vaddr_odd, memsz_odd, offset_odd, empty, part_of_file, low, high,
		kernel_half, wraps, wraps_to_zero, restorer, restorer_below, overlap,
		descends, offset_behind, offset_wraps, size_behind, no_meta,
		meta_writable, entry_elsewhere, handoff_nowhere, table_offset,
		table_count, table_odd, table_hot, table_cpu, strings_end, strings_none,
		locale, timezone, guard_path, guard_below, guard_in_folder, file_path,
		file_flags, file_original, file_device, file_fd, name, hot_wraps,
		table_variables, variable_name, variable_unnamed, variable_equals,
		variable_value, variable_hash, variable_order, variable_filter,
		reserve_odd, cut, flips, which_faults_know_python, header_follows_prefix, NULL,
	};

	return unit_run_between("check", tests, setup, NULL, 60);
}
