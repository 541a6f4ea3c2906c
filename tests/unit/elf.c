/*
 * dumper/meta.c and elfout.c write a small image, elfin.c and info.c read it:
 * whole, cut off at every byte, with a flipped bit in every byte.
 */
#include "unit.h"

#include "descriptors.h"
#include "elfdebug.h"
#include "elfin.h"
#include "elfout.h"
#include "err.h"
#include "identity.h"
#include "image_check.h"
#include "info.h"
#include "maps.h"
#include "memory.h"
#include "meta.h"
#include "plan.h"
#include "variables.h"

#include <gelf.h>
#include <string.h>
#include <sys/mman.h>

#define CODE 0x145555000000ull
#define DATA 0x145555201000ull
#define HIGH 0x555555554000ull

static struct elfout elfout;
static const struct elfdebug debug = {
	.sections = {{".PyRuntime", DATA + 0x1000, 64}, {".AsyncioDebug", DATA + 0x1800, 8}},
	.count = 2,
};
static struct meta meta;
static struct plan plan;
static int image;		/* memory file, whole */
static unsigned char *bytes;	/* its content */

static void add_segment(uint64_t start, uint64_t length, unsigned protection,
			int anonymous, const char *name)
{
	struct plan_segment *segment = &plan.segments[plan.count++];

	*segment = (struct plan_segment){
		.start = start, .length = length, .protection = protection,
		.anonymous = anonymous,
	};
	strcpy(segment->name, name);
	plan.mapped += length;
}

static void build_plan(void)
{
	plan = (struct plan){.segments = calloc(8, sizeof(*plan.segments))};
	add_segment(CODE, 0x1000, MAPS_READ | MAPS_EXECUTE, 0, "libx.so");
	add_segment(DATA, 0x2000, MAPS_READ | MAPS_WRITE, 0, ".anon");
	add_segment(DATA + 0x2000, 0x40000, MAPS_READ | MAPS_WRITE, 1, ".anon");
	add_segment(HIGH, 0x1000, MAPS_READ, 0, "python");
	memory_add_range(&plan.reserves, 0x145556000000, 0x3000);
}

static void build_meta(void)
{
	struct identity_guard guards[] = {
		{.kind = IMAGE_GUARD_DPKG, .path = (char *)"/d", .mtime = {5, 6}, .size = 7},
		{.kind = IMAGE_GUARD_FOLDER, .flags = IMAGE_GUARD_BY_DPKG,
		 .path = (char *)"/lib/p\xff", .mtime = {-5, 999999999}},
	};
	struct descriptor files[] = {
		{.fd = 5, .path = (char *)"/f", .offset = 9, .size = 10},
	};
	struct variable items[] = {
		{.name = (char *)"APP_\xff", .value = (char *)"a=b", .guard = 1},
		{.name = (char *)"HOME", .value = (char *)"/h"},
		{.name = (char *)"LANG", .value = (char *)"C.UTF-8", .guard = 1, .language = 1},
		{.name = (char *)"LANGUAGE", .value = (char *)"de", .guard = 1, .language = 1},
		{.name = (char *)"UNSET", .guard = 1},
	};
	struct variables variables = {
		.items = items, .count = 5, .guards = 4, .whole_guard = 1,
	};
	struct identity identity = {.guards = guards, .count = 2};
	struct descriptors descriptors = {.items = files, .count = 1};
	struct list report = {0}, options = {0}, entry = {0};
	struct image_cpu cpu = {.xcr0 = 7};
	struct meta_source source = {
		.python = "/usr/bin/python3", .entry = CODE + 16, .handoff = DATA + 0x1000,
		.mapped = plan.mapped, .python_hex = 0x30b02f0,
		.flags = IMAGE_LOCALE_BY_LC_ALL, .locale = "C.UTF-8", .user_site = "/s",
		.timezone = NULL, .identity = &identity, .descriptors = &descriptors,
		.variables = &variables,
		.reserves = &plan.reserves, .cpu = &cpu, .report = &report,
		.options = &options, .entry_words = &entry,
	};
	struct err err = {0};

	list_add(&options, "-O");
	list_add(&options, "-Xdev");
	list_add(&entry, "-m");
	list_add(&entry, "json.tool");
	list_add(&identity.names, "numpy");
	list_add(&identity.names, "six");
	list_add(&report, "version=3.11.2");
	list_add(&report, "variable=ges APP_\xff");
	list_add(&report, "reader=x (x.py, line 1)");
	list_add(&report, "variable=short");
	list_add(&report, "module=os");
	list_add(&report, "module=sys");
	ck_assert_msg(!meta_build(&source, &meta, &err), "%s", err.text);
	list_free(&identity.names);
	list_free(&report);
	list_free(&options);
	list_free(&entry);
}

static void setup(void)
{
	char *contents[4] = {malloc(0x1000), malloc(0x2000), NULL, malloc(0x1000)};
	struct err err = {0};

	memset(contents[0], 'c', 0x1000);
	memset(contents[1], 'd', 0x2000);
	memset(contents[3], 'p', 0x1000);
	build_plan();
	build_meta();
	elfout = (struct elfout){.meta = &meta, .plan = &plan, .entry = CODE + 16,
		.debug = &debug};
	elfout_lay_out(&elfout);
	image = memfd_create("image", 0);
	ck_assert_msg(!elfout_write(&elfout, contents, image, &err), "%s", err.text);
	for (int i = 0; i < 4; i++)
		free(contents[i]);
	bytes = mmap(NULL, elfout.file_size, PROT_READ | PROT_WRITE, MAP_SHARED, image, 0);
	ck_assert_ptr_ne(bytes, MAP_FAILED);
}

static void teardown(void)
{
	munmap(bytes, elfout.file_size);
	close(image);
	meta_free(&meta);
	plan_free(&plan);
}

static void finish(void)
{
	memcpy(bytes + IMAGE_PREFIX_OFFSET, IMAGE_MAGIC, 8);
}

static void show(const struct elfin *elfin)
{
	FILE *null = fopen("/dev/null", "w");

	info_print(elfin, "x", null);
	info_print_json(elfin, "x", null);
	fclose(null);
}

static int reads(const char *why)
{
	struct err err = {0};
	struct elfin elfin;
	int result = elfin_read_fd(image, "x", &elfin, &err);

	if (result) {
		ck_assert_int_eq(err.status, ERR_REFUSED);
		ck_assert_msg(!why || strstr(err.text, why), "%s", err.text);
	} else {
		show(&elfin);
	}
	elfin_free(&elfin);
	err_clear(&err);
	return !result;
}

/* Sorted by hash; which ones is told by the names. */
static void check_variables(const struct elfin *elfin)
{
	static const struct {
		const char *name, *value;
		uint32_t flags;
	} want[] = {
		{"APP_\xff", "a=b", IMAGE_VARIABLE_SET}, {"LANG", "", IMAGE_VARIABLE_LANGUAGE},
		{"LANGUAGE", "de", IMAGE_VARIABLE_SET | IMAGE_VARIABLE_LANGUAGE},
		{"UNSET", "", 0},
	};
	const struct image_variable *row = image_rows(elfin->data, &elfin->header->variables);
	int found = 0;

	ck_assert_uint_eq(elfin->header->variables.count, 4);
	ck_assert_uint_eq(elfin->header->flags,
			  IMAGE_LOCALE_BY_LC_ALL | IMAGE_WHOLE_ENVIRONMENT);
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++)
			if (strcmp(elfin_string(elfin, row[i].name), want[j].name) == 0) {
				ck_assert_str_eq(elfin_string(elfin, row[i].value), want[j].value);
				ck_assert_uint_eq(row[i].flags, want[j].flags);
				found++;
			}
	ck_assert_int_eq(found, 4);
}

START_TEST(what_was_written_is_read)
{
	const struct image_guard *guard;
	const struct image_file *file;
	const struct image_range *reserve;
	const uint32_t *name;
	struct err err = {0};
	struct elfin elfin;
	size_t at = 0;

	finish();
	ck_assert_msg(!elfin_read_fd(image, "x", &elfin, &err), "%s", err.text);
	ck_assert_str_eq(elfin.prefix->python, "/usr/bin/python3");
	ck_assert_uint_eq(elfin.prefix->entry, CODE + 16);
	ck_assert_uint_eq(elfin.header->handoff, DATA + 0x1000);
	ck_assert_uint_eq(elfin.header->mapped, 0x44000);
	ck_assert(elfin.header->flags & IMAGE_LOCALE_BY_LC_ALL);
	ck_assert_str_eq(elfin_string(&elfin, elfin.header->locale), "C.UTF-8");
	ck_assert_str_eq(elfin_string(&elfin, elfin.header->timezone), "");
	ck_assert_str_eq(elfin_string(&elfin, 0), "");
	guard = image_rows(elfin.data, &elfin.header->guards);
	ck_assert_uint_eq(elfin.header->guards.count, 2);
	ck_assert_str_eq(elfin_string(&elfin, guard[1].path), "/lib/p\xff");
	ck_assert_int_eq(guard[1].mtime_sec, -5);
	ck_assert_uint_eq(guard[1].flags, IMAGE_GUARD_BY_DPKG);
	check_variables(&elfin);
	file = image_rows(elfin.data, &elfin.header->files);
	ck_assert_int_eq(file->fd, 5);
	ck_assert_str_eq(elfin_string(&elfin, file->path), "/f");
	reserve = image_rows(elfin.data, &elfin.header->reserves);
	ck_assert_uint_eq(elfin.header->reserves.count, 1);
	ck_assert_uint_eq(reserve->length, 0x3000);
	name = image_rows(elfin.data, &elfin.header->names);
	ck_assert_str_eq(elfin_string(&elfin, name[1]), "six");
	ck_assert_uint_eq(elfin.header->hot.count, 0);
	ck_assert_uint_eq(elfin.header->hot.offset, meta.hot);
	ck_assert_str_eq(elfin_report(&elfin, "module", &at), "os");
	ck_assert_str_eq(elfin_report(&elfin, "module", &at), "sys");
	ck_assert_ptr_null(elfin_report(&elfin, "module", &at));
	show(&elfin);
	elfin_free(&elfin);
}
END_TEST

START_TEST(segments_ascend_and_hold_their_bytes)
{
	const struct elf64_segment *segment = (void *)(bytes + elfout.segment_headers);
	static const uint64_t starts[] = {
		CODE, DATA, DATA + 0x2000, IMAGE_META_BASE, HIGH,
	};
	static const char first[] = {'c', 'd', 0, 0x7f, 'p'};

	for (size_t i = 0; i < 5; i++) {
		ck_assert_uint_eq(segment[i].type, ELF64_LOAD);
		ck_assert_uint_eq(segment[i].vaddr, starts[i]);
		if (segment[i].filesz)
			ck_assert_int_eq(bytes[segment[i].offset], first[i]);
	}
	ck_assert_uint_eq(segment[2].filesz, 0);
	ck_assert_uint_eq(segment[2].memsz, 0x40000);
	ck_assert_uint_eq(segment[5].type, ELF64_NOTE);
	ck_assert_uint_eq(segment[6].type, PT_GNU_STACK);
	ck_assert_uint_eq(segment[6].flags, ELF64_R | ELF64_W);
}
END_TEST

START_TEST(sections_have_names)
{
	static const char *const names[] = {
		".note.pyimage.prefix", ".note.pyimage.header", ".note.pyimage.cpu",
		".note.pyimage.guards", ".note.pyimage.hot", ".note.pyimage.reserves",
		".note.pyimage.files", ".note.pyimage.names", ".note.pyimage.variables",
		".note.pyimage.strings",
		".note.pyimage.report", ".pyimage.segments", "libx.so", ".anon", ".anon",
		"python", ".PyRuntime", ".AsyncioDebug", ".shstrtab",
	};
	Elf *elf;
	Elf_Scn *section = NULL;
	size_t index, i = 0;

	elf_version(EV_CURRENT);
	elf = elf_begin(image, ELF_C_READ, NULL);
	ck_assert_ptr_nonnull(elf);
	ck_assert_int_eq(elf_getshdrstrndx(elf, &index), 0);
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;

		ck_assert_ptr_nonnull(gelf_getshdr(section, &header));
		ck_assert_str_eq(elf_strptr(elf, index, header.sh_name), names[i]);
		if (strcmp(names[i++], ".PyRuntime") == 0) {
			ck_assert_uint_eq(header.sh_addr, DATA + 0x1000);
			ck_assert_uint_eq(header.sh_size, 64);
		}
	}
	ck_assert_uint_eq(i, sizeof(names) / sizeof(*names));
	elf_end(elf);
}
END_TEST

START_TEST(a_partial_file_says_so)
{
	ck_assert(!reads("not whole"));
	finish();
	ck_assert(reads(NULL));
}
END_TEST

START_TEST(no_cut_gets_through)
{
	finish();
	munmap(bytes, elfout.file_size);
	for (uint64_t size = elfout.file_size; size-- > 0;) {
		ck_assert_int_eq(ftruncate(image, (off_t)size), 0);
		ck_assert_msg(!reads(NULL), "%llu", (unsigned long long)size);
		/* everywhere in the meta part, then in large steps */
		if (size > elfout.meta_size + 8192)
			size -= size % 4096 ? 1021 : 0;
	}
	ck_assert_int_eq(ftruncate(image, (off_t)elfout.file_size), 0);
	bytes = mmap(NULL, elfout.file_size, PROT_READ | PROT_WRITE, MAP_SHARED, image, 0);
}
END_TEST

START_TEST(no_flip_crashes)
{
	size_t got_through = 0;

	finish();
	for (uint64_t i = 0; i < elfout.meta_size; i++) {
		/* all bits where structure is; one in the empty table of hot pages */
		int all = i < meta.hot || i > meta.hot + 16 * IMAGE_MAX_HOT;

		for (int bit = all ? 0 : (int)(i % 8); bit < 8; bit += all ? 1 : 8) {
			bytes[i] ^= (unsigned char)(1 << bit);
			got_through += (size_t)reads(NULL);
			bytes[i] ^= (unsigned char)(1 << bit);
		}
	}
	ck_assert(reads(NULL));
	ck_assert_uint_gt(got_through, 0);
}
END_TEST

START_TEST(other_files_are_no_images)
{
	struct err err = {0};
	struct elfin elfin;

	ck_assert_int_eq(elfin_read("/proc/self/exe", &elfin, &err), -1);
	ck_assert_int_eq(err.status, ERR_REFUSED);
	elfin_free(&elfin);
	err_clear(&err);
	ck_assert_int_eq(elfin_read("/", &elfin, &err), -1);
	ck_assert_int_eq(err.status, ERR_REFUSED);
	elfin_free(&elfin);
	err_clear(&err);
	ck_assert_int_eq(elfin_read("/nonexistent", &elfin, &err), -1);
	ck_assert_int_eq(err.status, ERR_IO);
	elfin_free(&elfin);
	err_clear(&err);
	ck_assert_int_eq(elfin_read("/dev/null", &elfin, &err), -1);
	ck_assert_int_eq(err.status, ERR_REFUSED);
	elfin_free(&elfin);
	err_clear(&err);
}
END_TEST

START_TEST(the_path_has_a_limit)
{
	static char path[IMAGE_PYTHON_MAX + 1];
	struct identity identity = {0};
	struct descriptors descriptors = {0};
	struct variables variables = {0};
	struct memory_ranges reserves = {0};
	struct list report = {0}, options = {0}, entry = {0};
	struct image_cpu cpu = {0};
	struct meta_source source = {
		.python = path, .identity = &identity, .descriptors = &descriptors,
		.reserves = &reserves, .cpu = &cpu, .report = &report,
		.options = &options, .entry_words = &entry,
		.variables = &variables,
	};
	struct meta other;
	struct err err = {0};

	memset(path, '/', IMAGE_PYTHON_MAX);
	ck_assert_int_eq(meta_build(&source, &other, &err), -1);
	ck_assert_int_eq(err.status, ERR_REFUSED);
	meta_free(&other);
	err_clear(&err);
	path[IMAGE_PYTHON_MAX - 1] = '\0';
	ck_assert(!meta_build(&source, &other, &err));
	meta_free(&other);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		what_was_written_is_read, segments_ascend_and_hold_their_bytes,
		sections_have_names, a_partial_file_says_so, no_cut_gets_through,
		no_flip_crashes, other_files_are_no_images, the_path_has_a_limit, NULL,
	};

	return unit_run_between("elf", tests, setup, teardown, 300);
}
