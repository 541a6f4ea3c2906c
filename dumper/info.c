/*
 * The output of `pydump info`; see info.h. Errors of the stream are the
 * caller's to check.
 */
#include "info.h"

#include "elfin.h"
#include "identity.h"
#include "image_check.h"
#include "json.h"

#include <inttypes.h>
#include <string.h>

struct totals {
	size_t segments, anonymous;
	uint64_t in_file, zero;		/* bytes */
	uint64_t hot;			/* bytes */
	size_t modules;
};

static int is_loaded(const struct elf64_segment *segment)
{
	return segment->type == ELF64_LOAD && segment->vaddr != IMAGE_META_BASE;
}

static struct totals add_up(const struct elfin *elfin)
{
	const struct image_range *hot = image_rows(elfin->data, &elfin->header->hot);
	struct totals totals = {0};
	size_t at = 0;

	for (size_t i = 0; i < elfin->count; i++) {
		const struct elf64_segment *segment = &elfin->segments[i];

		if (!is_loaded(segment))
			continue;
		totals.segments++;
		totals.anonymous += !segment->filesz;
		totals.in_file += segment->filesz;
		totals.zero += segment->memsz - segment->filesz;
	}
	for (uint32_t i = 0; i < elfin->header->hot.count; i++)
		totals.hot += hot[i].length;
	while (elfin_report(elfin, "module", &at))
		totals.modules++;
	return totals;
}

static const char *protection(const struct elf64_segment *segment)
{
	if (segment->flags & ELF64_X)
		return "r-x";
	return segment->flags & ELF64_W ? "rw-" : "r--";
}

static const char *report(const struct elfin *elfin, const char *key)
{
	size_t at = 0;
	const char *value = elfin_report(elfin, key, &at);

	return value ? value : "";
}

/* --- text --- */

/* A string of the file: control characters must not reach a terminal. */
static void put_text(FILE *stream, const char *text)
{
	for (; *text; text++)
		putc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, stream);
}

static void print_line(FILE *stream, const char *label, const char *text)
{
	fprintf(stream, "%-10s", label);
	put_text(stream, text);
	putc('\n', stream);
}

static void print_all(const struct elfin *elfin, const char *label, const char *key,
		      FILE *stream)
{
	const char *value;
	size_t at = 0;

	while ((value = elfin_report(elfin, key, &at)))
		print_line(stream, label, value);
}

static void print_guards(const struct elfin *elfin, FILE *stream)
{
	const struct image_guard *guard = image_rows(elfin->data, &elfin->header->guards);

	for (uint32_t i = 0; i < elfin->header->guards.count; i++, guard++) {
		fprintf(stream, "%-10s%-9s", "guard", identity_kind_name(guard->kind));
		put_text(stream, elfin_string(elfin, guard->path));
		fputs(guard->flags & IMAGE_GUARD_BY_DPKG ? " (by dpkg)\n" : "\n", stream);
	}
}

static void print_files(const struct elfin *elfin, FILE *stream)
{
	const struct image_file *file = image_rows(elfin->data, &elfin->header->files);

	for (uint32_t i = 0; i < elfin->header->files.count; i++, file++) {
		fprintf(stream, "%-10s%d ", "open", file->fd);
		put_text(stream, elfin_string(elfin, file->path));
		putc('\n', stream);
	}
}

/* "FLAGS NAME" as build.c writes it, and who read it. NULL: no more. */
struct variable_line {
	const char *flags, *name, *reader;
};

static int next_variable(const struct elfin *elfin, size_t *at, struct variable_line *line)
{
	size_t behind;
	const char *text = elfin_report(elfin, "variable", at);

	while (text && (strnlen(text, 5) < 5 || text[3] != ' '))
		text = elfin_report(elfin, "variable", at);
	if (!text)
		return 0;
	behind = *at;
	line->flags = text;
	line->name = text + 4;
	line->reader = elfin_report(elfin, "reader", &behind);
	if (!line->reader)
		line->reader = "";
	return 1;
}

static void print_variables(const struct elfin *elfin, FILE *stream)
{
	struct variable_line line;
	size_t at = 0;

	while (next_variable(elfin, &at, &line)) {
		fprintf(stream, "%-10s%-9s%-6s", "variable",
			line.flags[0] == 'g' ? "guard" : "reported",
			line.flags[2] == 's' ? "set" : "unset");
		put_text(stream, line.name);
		fputs(*line.reader ? " by " : "", stream);
		put_text(stream, line.reader);
		putc('\n', stream);
	}
}

void info_print(const struct elfin *elfin, const char *path, FILE *stream)
{
	struct totals totals = add_up(elfin);

	print_line(stream, "image", path);
	print_line(stream, "python", elfin->prefix->python);
	print_all(elfin, "option", "option", stream);
	print_all(elfin, "entry", "entry", stream);
	print_line(stream, "version", report(elfin, "version"));
	print_line(stream, "pydump", report(elfin, "pydump"));
	fprintf(stream, "%-10s%u\n", "format", elfin->prefix->format);
	fprintf(stream, "%-10s%.1f MB, %.1f MB mapped\n", "size",
		(double)elfin->file_size / (1 << 20),
		(double)elfin->header->mapped / (1 << 20));
	fprintf(stream, "%-10s0x%" PRIx64 "\n", "e_entry", elfin->prefix->entry);
	fprintf(stream, "%-10s%zu: %zu from the file (%" PRIu64 " kB), %zu zero (%" PRIu64
		" kB)\n", "segments", totals.segments, totals.segments - totals.anonymous,
		totals.in_file / 1024, totals.anonymous, totals.zero / 1024);
	fprintf(stream, "%-10s%" PRIu64 " pages in %u ranges\n", "hot",
		totals.hot / IMAGE_PAGE, elfin->header->hot.count);
	print_line(stream, "locale", elfin_string(elfin, elfin->header->locale));
	print_line(stream, "freshness", report(elfin, "freshness"));
	print_line(stream, "io", report(elfin, "io"));
	print_line(stream, "immortal", report(elfin, "immortal"));
	fprintf(stream, "%-10s%zu\n", "modules", totals.modules);
	print_all(elfin, "import", "import", stream);
	print_all(elfin, "warm-up", "warmup", stream);
	print_files(elfin, stream);
	print_guards(elfin, stream);
	print_all(elfin, "needs", "needs", stream);
	print_variables(elfin, stream);
}

/* --- JSON --- */

static void put_segments(const struct elfin *elfin, struct json *json)
{
	json_open(json, "segments", '[');
	for (size_t i = 0; i < elfin->count; i++) {
		const struct elf64_segment *segment = &elfin->segments[i];

		if (!is_loaded(segment))
			continue;
		json_open(json, NULL, '{');
		json_hex(json, "address", segment->vaddr);
		json_number(json, "size", segment->memsz);
		json_number(json, "in_file", segment->filesz);
		json_number(json, "offset", segment->offset);
		json_string(json, "protection", protection(segment));
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void put_guards(const struct elfin *elfin, struct json *json)
{
	const struct image_guard *guard = image_rows(elfin->data, &elfin->header->guards);

	json_open(json, "guards", '[');
	for (uint32_t i = 0; i < elfin->header->guards.count; i++, guard++) {
		json_open(json, NULL, '{');
		json_string(json, "kind", identity_kind_name(guard->kind));
		json_string(json, "path", elfin_string(elfin, guard->path));
		json_bool(json, "by_dpkg", guard->flags & IMAGE_GUARD_BY_DPKG);
		json_signed(json, "mtime_sec", guard->mtime_sec);
		json_number(json, "mtime_nsec", guard->mtime_nsec);
		json_number(json, "size", guard->size);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void put_variables(const struct elfin *elfin, struct json *json)
{
	struct variable_line line;
	size_t at = 0;

	json_open(json, "variables", '[');
	while (next_variable(elfin, &at, &line)) {
		json_open(json, NULL, '{');
		json_string(json, "name", line.name);
		json_bool(json, "guard", line.flags[0] == 'g');
		json_bool(json, "set", line.flags[2] == 's');
		json_bool(json, "language_only", line.flags[0] == 'g' && line.flags[1] != 'e');
		json_string(json, "reader", line.reader);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void put_ranges(const struct elfin *elfin, const char *key,
		       const struct image_table *table, struct json *json)
{
	const struct image_range *range = image_rows(elfin->data, table);

	json_open(json, key, '[');
	for (uint32_t i = 0; i < table->count; i++, range++) {
		json_open(json, NULL, '{');
		json_hex(json, "address", range->start);
		json_number(json, "size", range->length);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void put_files(const struct elfin *elfin, struct json *json)
{
	const struct image_file *file = image_rows(elfin->data, &elfin->header->files);
	const struct image_file *row = file;

	json_open(json, "files", '[');
	for (uint32_t i = 0; i < elfin->header->files.count; i++, file++) {
		json_open(json, NULL, '{');
		json_signed(json, "fd", file->fd);
		json_string(json, "path", elfin_string(elfin, file->path));
		json_signed(json, "flags", file->flags);
		json_number(json, "offset", file->offset);
		json_number(json, "inode", file->inode);
		if (file->original < i)
			json_signed(json, "copy_of", row[file->original].fd);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void put_names(const struct elfin *elfin, struct json *json)
{
	const uint32_t *name = image_rows(elfin->data, &elfin->header->names);

	json_open(json, "site_names", '[');
	for (uint32_t i = 0; i < elfin->header->names.count; i++)
		json_string(json, NULL, elfin_string(elfin, name[i]));
	json_close(json, ']');
}

static void put_report(const struct elfin *elfin, const char *key, const char *from,
		       struct json *json)
{
	const char *value;
	size_t at = 0;

	json_open(json, key, '[');
	while ((value = elfin_report(elfin, from, &at)))
		json_string(json, NULL, value);
	json_close(json, ']');
}

static void put_head(const struct elfin *elfin, const char *path, struct json *json)
{
	const struct image_header *header = elfin->header;

	json_string(json, "image", path);
	json_string(json, "python", elfin->prefix->python);
	if (*report(elfin, "entry"))
		json_string(json, "entry", report(elfin, "entry"));
	json_string(json, "version", report(elfin, "version"));
	json_number(json, "python_hex", header->python_hex);
	json_string(json, "pydump", report(elfin, "pydump"));
	json_number(json, "format", elfin->prefix->format);
	json_number(json, "file_size", elfin->file_size);
	json_number(json, "mapped", header->mapped);
	json_number(json, "meta_size", header->meta_size);
	json_hex(json, "e_entry", elfin->prefix->entry);
	json_hex(json, "handoff", header->handoff);
	json_string(json, "locale", elfin_string(elfin, header->locale));
	json_bool(json, "locale_by_lc_all", header->flags & IMAGE_LOCALE_BY_LC_ALL);
	json_string(json, "user_site", elfin_string(elfin, header->user_site));
	json_bool(json, "user_site_used", header->flags & IMAGE_USER_SITE_USED);
	json_string(json, "timezone", elfin_string(elfin, header->timezone));
	json_string(json, "freshness", report(elfin, "freshness"));
	json_string(json, "io", report(elfin, "io"));
	json_bool(json, "immortal", strcmp(report(elfin, "immortal"), "yes") == 0);
}

void info_print_json(const struct elfin *elfin, const char *path, FILE *stream)
{
	struct json json = {.stream = stream};

	json_open(&json, NULL, '{');
	put_head(elfin, path, &json);
	put_segments(elfin, &json);
	put_ranges(elfin, "hot", &elfin->header->hot, &json);
	put_ranges(elfin, "reserves", &elfin->header->reserves, &json);
	put_files(elfin, &json);
	put_guards(elfin, &json);
	put_variables(elfin, &json);
	put_report(elfin, "needs", "needs", &json);
	put_names(elfin, &json);
	put_report(elfin, "python_options", "option", &json);
	put_report(elfin, "entry_words", "entry_word", &json);
	put_report(elfin, "command", "command", &json);
	put_report(elfin, "imports", "import", &json);
	put_report(elfin, "warm_ups", "warmup", &json);
	put_report(elfin, "modules", "module", &json);
	json_close(&json, '}');
}
