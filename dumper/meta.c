/*
 * Writing of notes; see meta.h.
 */
#include "meta.h"

#include "alloc.h"
#include "descriptors.h"
#include "err.h"
#include "identity.h"
#include "memory.h"
#include "variables.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

static const char *const note_names[META_NOTES + 1] = {
	[IMAGE_NOTE_PREFIX] = ".note.pyimage.prefix",
	[IMAGE_NOTE_HEADER] = ".note.pyimage.header",
	[IMAGE_NOTE_GUARDS] = ".note.pyimage.guards",
	[IMAGE_NOTE_HOT] = ".note.pyimage.hot",
	[IMAGE_NOTE_RESERVES] = ".note.pyimage.reserves",
	[IMAGE_NOTE_FILES] = ".note.pyimage.files",
	[IMAGE_NOTE_NAMES] = ".note.pyimage.names",
	[IMAGE_NOTE_CPU] = ".note.pyimage.cpu",
	[IMAGE_NOTE_STRINGS] = ".note.pyimage.strings",
	[IMAGE_NOTE_REPORT] = ".note.pyimage.report",
	[IMAGE_NOTE_VARIABLES] = ".note.pyimage.variables",
};

/* The notes while they are made: strings are collected first, as offsets from
 * the first of them, which becomes known when the STRINGS note is begun. */
struct writer {
	struct meta *meta;
	size_t count;		/* notes so far */
	struct buffer strings;
};

static uint32_t intern(struct writer *writer, const char *text)
{
	return (uint32_t)buffer_string(&writer->strings, text ? text : "");
}

/* Adds a note. Its content is 4 modulo 8 long, so that the next one's content
 * lies on a multiple of 8 with no gap between the notes. */
static size_t add_note(struct writer *writer, enum image_note type,
		       const void *content, size_t size)
{
	struct buffer *bytes = &writer->meta->bytes;
	struct meta_note *note = &writer->meta->notes[writer->count++];
	Elf64_Nhdr head = {.n_namesz = sizeof(IMAGE_NOTE_NAME), .n_type = type};
	size_t at;

	note->type = type;
	note->name = note_names[type];
	note->offset = buffer_add(bytes, &head, sizeof(head));
	buffer_add(bytes, IMAGE_NOTE_NAME, sizeof(IMAGE_NOTE_NAME));
	at = buffer_add(bytes, content, size);
	buffer_pad(bytes, 8, 4);
	note->size = bytes->used - note->offset;
	head.n_descsz = (Elf64_Word)(bytes->used - at);
	memcpy(bytes->data + note->offset, &head, sizeof(head));
	return at;
}

/* Bytes of the interpreter's path, options and entry, each with its NUL. */
static size_t python_size(const struct meta_source *source)
{
	size_t size = strlen(source->python) + 1;

	for (size_t i = 0; i < source->options->count; i++)
		size += strlen(source->options->items[i]) + 1;
	for (size_t i = 0; i < source->entry_words->count; i++)
		size += strlen(source->entry_words->items[i]) + 1;
	return size;
}

static void add_prefix(struct writer *writer, const struct meta_source *source)
{
	struct buffer content = {0};
	struct image_prefix prefix = {
		.magic = IMAGE_MAGIC_PARTIAL,
		.size = (uint32_t)(IMAGE_PREFIX_FIXED + python_size(source)),
		.format = IMAGE_FORMAT,
		.entry = source->entry,
	};

	/* where the ELF header and padding up to IMAGE_PREFIX_NOTE go */
	buffer_add(&writer->meta->bytes, NULL, IMAGE_PREFIX_NOTE);
	buffer_add(&content, &prefix, sizeof(prefix));
	buffer_string(&content, source->python);
	for (size_t i = 0; i < source->options->count; i++)
		buffer_string(&content, source->options->items[i]);
	for (size_t i = 0; i < source->entry_words->count; i++)
		buffer_string(&content, source->entry_words->items[i]);
	add_note(writer, IMAGE_NOTE_PREFIX, content.data, content.used);
	buffer_free(&content);
}

/* Adds a note that is a table of `count` rows. */
static struct image_table add_table(struct writer *writer, enum image_note type,
				    const struct buffer *rows, size_t row)
{
	struct image_table table = {.count = (uint32_t)(rows->used / row)};

	table.offset = (uint32_t)add_note(writer, type, rows->data, rows->used);
	return table;
}

static void make_guards(struct writer *writer, const struct identity *identity,
			struct buffer *rows)
{
	for (size_t i = 0; i < identity->count; i++) {
		const struct identity_guard *guard = &identity->guards[i];
		struct image_guard row = {
			.kind = guard->kind,
			.flags = guard->flags,
			.path = intern(writer, guard->path),
			.mtime_sec = guard->mtime.tv_sec,
			.mtime_nsec = (uint32_t)guard->mtime.tv_nsec,
			.size = guard->size,
		};

		buffer_add(rows, &row, sizeof(row));
	}
}

static void make_files(struct writer *writer, const struct descriptors *descriptors,
		       struct buffer *rows)
{
	for (size_t i = 0; i < descriptors->count; i++) {
		const struct descriptor *descriptor = &descriptors->items[i];
		struct image_file row = {
			.fd = descriptor->fd,
			.flags = descriptor->flags,
			.path = intern(writer, descriptor->path),
			.mtime_sec = descriptor->mtime.tv_sec,
			.mtime_nsec = (uint32_t)descriptor->mtime.tv_nsec,
			.size = descriptor->size,
			.offset = descriptor->offset,
			.inode = descriptor->inode,
			.original = (uint32_t)descriptor->original,
			.device = descriptor->device,
		};

		buffer_add(rows, &row, sizeof(row));
	}
}

static void make_names(struct writer *writer, const struct list *names,
		       struct buffer *rows)
{
	for (size_t i = 0; i < names->count; i++) {
		uint32_t row = intern(writer, names->items[i]);

		buffer_add(rows, &row, sizeof(row));
	}
}

/* What chooses no catalogue of messages; restorer/variable.c knows them, too. */
static int is_plain(const char *value)
{
	return !value || !*value || strcmp(value, "C") == 0 || strcmp(value, "POSIX") == 0 ||
	       strcmp(value, "C.UTF-8") == 0;
}

static int by_hash(const void *a, const void *b)
{
	uint32_t left = ((const struct image_variable *)a)->hash;
	uint32_t right = ((const struct image_variable *)b)->hash;

	return (left > right) - (left < right);
}

static void make_variables(struct writer *writer, const struct variables *variables,
			   struct image_header *header, struct buffer *rows)
{
	for (size_t i = 0; i < variables->count; i++) {
		const struct variable *variable = &variables->items[i];
		int plain = variable->language && is_plain(variable->value);
		size_t prefix = variables_prefix(variable->name);
		size_t length = prefix ? prefix : strlen(variable->name);
		struct image_variable row = {
			.hash = image_hash_name(variable->name, length),
			.flags = (variable->value && !plain ? IMAGE_VARIABLE_SET : 0u) |
				(variable->language ? IMAGE_VARIABLE_LANGUAGE : 0u) |
				(prefix ? IMAGE_VARIABLE_PREFIX : 0u),
		};
		uint32_t bit = image_filter_bit(variable->name);
		char *name;

		if (!variable->guard)
			continue;
		header->flags |= prefix ? IMAGE_PREFIXES : 0u;
		name = alloc_copy(variable->name);
		name[length] = '\0';
		row.name = intern(writer, name);
		free(name);
		row.value = intern(writer, plain ? "" : variable->value);
		header->variable_filter[bit / 64] |= 1ull << bit % 64;
		buffer_add(rows, &row, sizeof(row));
	}
	if (rows->used)
		qsort(rows->data, rows->used / sizeof(struct image_variable),
		      sizeof(struct image_variable), by_hash);
	if (variables->whole_guard)
		header->flags |= IMAGE_WHOLE_ENVIRONMENT;
}

/* Adds the strings' offset to a column of the rows of a table. */
static void rebase(struct writer *writer, const struct image_table *table,
		   size_t row, size_t column, uint32_t base)
{
	char *at = writer->meta->bytes.data + table->offset + column;

	for (uint32_t i = 0; i < table->count; i++, at += row) {
		uint32_t offset;

		memcpy(&offset, at, sizeof(offset));
		offset += base;
		memcpy(at, &offset, sizeof(offset));
	}
}

static void add_strings(struct writer *writer, struct image_header *header)
{
	uint32_t base;

	header->strings.count = (uint32_t)writer->strings.used;
	base = (uint32_t)add_note(writer, IMAGE_NOTE_STRINGS,
				  writer->strings.data, writer->strings.used);
	header->strings.offset = base;
	header->locale += base;
	header->user_site += base;
	header->timezone += base;
	rebase(writer, &header->guards, sizeof(struct image_guard),
	       offsetof(struct image_guard, path), base);
	rebase(writer, &header->files, sizeof(struct image_file),
	       offsetof(struct image_file, path), base);
	rebase(writer, &header->names, sizeof(uint32_t), 0, base);
	rebase(writer, &header->variables, sizeof(struct image_variable),
	       offsetof(struct image_variable, name), base);
	rebase(writer, &header->variables, sizeof(struct image_variable),
	       offsetof(struct image_variable, value), base);
}

static void add_tables(struct writer *writer, const struct meta_source *source,
		       struct image_header *header)
{
	struct buffer rows = {0};

	buffer_add(&rows, source->cpu, sizeof(*source->cpu));
	header->cpu = add_table(writer, IMAGE_NOTE_CPU, &rows, sizeof(*source->cpu));
	rows.used = 0;
	make_guards(writer, source->identity, &rows);
	header->guards = add_table(writer, IMAGE_NOTE_GUARDS, &rows,
				   sizeof(struct image_guard));
	rows.used = 0;
	buffer_add(&rows, NULL, IMAGE_MAX_HOT * sizeof(struct image_range));
	header->hot = add_table(writer, IMAGE_NOTE_HOT, &rows,
				sizeof(struct image_range));
	header->hot.count = 0;	/* learn.c knows them later */
	rows.used = 0;
	buffer_add(&rows, source->reserves->items,
		   source->reserves->count * sizeof(struct image_range));
	header->reserves = add_table(writer, IMAGE_NOTE_RESERVES, &rows,
				     sizeof(struct image_range));
	rows.used = 0;
	make_files(writer, source->descriptors, &rows);
	header->files = add_table(writer, IMAGE_NOTE_FILES, &rows,
				  sizeof(struct image_file));
	rows.used = 0;
	make_names(writer, &source->identity->names, &rows);
	header->names = add_table(writer, IMAGE_NOTE_NAMES, &rows, sizeof(uint32_t));
	rows.used = 0;
	make_variables(writer, source->variables, header, &rows);
	header->variables = add_table(writer, IMAGE_NOTE_VARIABLES, &rows,
				      sizeof(struct image_variable));
	buffer_free(&rows);
}

static void add_report(struct writer *writer, const struct list *report,
		       struct image_header *header)
{
	struct buffer rows = {0};

	for (size_t i = 0; i < report->count; i++)
		buffer_string(&rows, report->items[i]);
	header->report = add_table(writer, IMAGE_NOTE_REPORT, &rows, 1);
	buffer_free(&rows);
}

int meta_build(const struct meta_source *source, struct meta *meta, struct err *err)
{
	struct writer writer = {.meta = meta};
	struct image_header header = {
		.handoff = source->handoff,
		.mapped = source->mapped,
		.python_hex = source->python_hex,
		.flags = source->flags,
	};

	*meta = (struct meta){0};
	if (python_size(source) > IMAGE_PYTHON_MAX)
		return err_set(err, ERR_REFUSED,
			       "the interpreter's path, options and entry are longer than %u "
			       "bytes: %s",
			       IMAGE_PYTHON_MAX - 1, source->python);
	header.locale = intern(&writer, source->locale);
	header.user_site = intern(&writer, source->user_site);
	header.timezone = intern(&writer, source->timezone);
	add_prefix(&writer, source);
	meta->header = add_note(&writer, IMAGE_NOTE_HEADER, &header, sizeof(header));
	add_tables(&writer, source, &header);
	meta->hot = header.hot.offset;
	add_strings(&writer, &header);
	add_report(&writer, source->report, &header);
	memcpy(meta->bytes.data + meta->header, &header, sizeof(header));
	buffer_free(&writer.strings);
	if (meta->bytes.used > IMAGE_MAX_META / 2)
		return err_set(err, ERR_REFUSED,
			       "the tables of the image take %zu bytes, more than %llu",
			       meta->bytes.used, IMAGE_MAX_META / 2);
	return 0;
}

void meta_set_segments(struct meta *meta, uint32_t hash)
{
	struct image_header *header = (void *)(meta->bytes.data + meta->header);

	header->segments = hash;
}

void meta_finish(struct meta *meta, uint64_t meta_size, uint64_t file_size)
{
	struct image_prefix *prefix = (void *)(meta->bytes.data + IMAGE_PREFIX_OFFSET);
	struct image_header *header = (void *)(meta->bytes.data + meta->header);

	header->meta_size = meta_size;
	prefix->file_size = file_size;
	prefix->checksum = image_hash(&prefix->size, prefix->size);
}

void meta_free(struct meta *meta)
{
	buffer_free(&meta->bytes);
	*meta = (struct meta){0};
}
