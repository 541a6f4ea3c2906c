/*
 * Is this image sound? Pure functions over bytes that were read from a file
 * and may be anything: every count, offset and sum is bounded before it is
 * used. pyimage, the code inside the image and `pydump info` call them.
 *
 * Everywhere, `bytes` is the beginning of the file, aligned to 8, and `length`
 * is how much of it may be read. In the order of use:
 *
 *	image_check_prefix	the first page, or what there is of it
 *	image_check_header	the same page; from here on the prefix is whole,
 *				so the plain interpreter's path is known
 *	image_check_segments	the meta part
 *	image_check_tables	the meta part
 *	image_check_rows	the meta part: each row of each table
 */
#ifndef IMAGE_CHECK_H
#define IMAGE_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "elf64.h"
#include "image.h"

enum image_fault {
	IMAGE_SOUND,
	/* The prefix is damaged: nobody knows what to run instead. */
	IMAGE_FAULT_NOT_ELF,
	IMAGE_FAULT_NOT_IMAGE,
	IMAGE_FAULT_SHORT,
	IMAGE_FAULT_PREFIX_SIZE,
	IMAGE_FAULT_CHECKSUM,
	IMAGE_FAULT_PYTHON,
	IMAGE_FAULT_MAGIC,
	/* The prefix is whole: see image_knows_python(). */
	IMAGE_FAULT_PARTIAL,
	IMAGE_FAULT_FORMAT,
	IMAGE_FAULT_TRUNCATED,
	IMAGE_FAULT_GREW,
	IMAGE_FAULT_HEADER,
	IMAGE_FAULT_META_SIZE,
	IMAGE_FAULT_ELF_HEADER,
	IMAGE_FAULT_PHDRS,
	IMAGE_FAULT_INTERP,
	IMAGE_FAULT_FLAGS,
	IMAGE_FAULT_ALIGNMENT,
	IMAGE_FAULT_SEGMENT_SIZE,
	IMAGE_FAULT_RANGE,
	IMAGE_FAULT_OVERLAP,
	IMAGE_FAULT_RESTORER,
	IMAGE_FAULT_FILE_RANGE,
	IMAGE_FAULT_META,
	IMAGE_FAULT_ENTRY,
	IMAGE_FAULT_HANDOFF,
	IMAGE_FAULT_TABLE,
	IMAGE_FAULT_STRING,
	IMAGE_FAULT_ROW,
	IMAGE_FAULT_COUNT
};

/* What is wrong, for a message "IMAGE: " + this. */
static inline const char *image_fault_text(enum image_fault fault)
{
	static const char *const text[IMAGE_FAULT_COUNT] = {
		[IMAGE_SOUND] = "sound",
		[IMAGE_FAULT_NOT_ELF] = "not an image (no ELF file)",
		[IMAGE_FAULT_NOT_IMAGE] = "not an image that pydump wrote",
		[IMAGE_FAULT_SHORT] = "cut off inside its prefix",
		[IMAGE_FAULT_PREFIX_SIZE] = "damaged prefix (its size)",
		[IMAGE_FAULT_CHECKSUM] = "damaged prefix (its checksum)",
		[IMAGE_FAULT_PYTHON] = "damaged prefix (the interpreter's path)",
		[IMAGE_FAULT_MAGIC] = "damaged prefix (its magic)",
		[IMAGE_FAULT_PARTIAL] = "not whole: pydump did not finish it",
		[IMAGE_FAULT_FORMAT] = "written in another format version",
		[IMAGE_FAULT_TRUNCATED] = "truncated",
		[IMAGE_FAULT_GREW] = "longer than pydump wrote it",
		[IMAGE_FAULT_HEADER] = "damaged (no header note)",
		[IMAGE_FAULT_META_SIZE] = "damaged (size of the meta part)",
		[IMAGE_FAULT_ELF_HEADER] = "damaged (ELF header)",
		[IMAGE_FAULT_PHDRS] = "damaged (place of the program headers)",
		[IMAGE_FAULT_INTERP] = "damaged (it asks for an ELF interpreter)",
		[IMAGE_FAULT_FLAGS] = "damaged (a segment's protection)",
		[IMAGE_FAULT_ALIGNMENT] = "damaged (a segment is misaligned)",
		[IMAGE_FAULT_SEGMENT_SIZE] = "damaged (a segment's size)",
		[IMAGE_FAULT_RANGE] = "damaged (a segment is out of range)",
		[IMAGE_FAULT_OVERLAP] = "damaged (segments overlap)",
		[IMAGE_FAULT_RESTORER] = "damaged (a segment covers pyimage)",
		[IMAGE_FAULT_FILE_RANGE] = "damaged (a segment ends outside the file)",
		[IMAGE_FAULT_META] = "damaged (the meta part is no segment)",
		[IMAGE_FAULT_ENTRY] = "damaged (its entry point is not code)",
		[IMAGE_FAULT_HANDOFF] = "damaged (place of the handoff)",
		[IMAGE_FAULT_TABLE] = "damaged (a table is out of range)",
		[IMAGE_FAULT_STRING] = "damaged (its strings)",
		[IMAGE_FAULT_ROW] = "damaged (a table's row)",
	};

	if ((unsigned int)fault >= IMAGE_FAULT_COUNT)
		return "damaged";
	return text[fault];
}

/* Whether the plain interpreter's path can be relied on in spite of `fault`. */
static inline int image_knows_python(enum image_fault fault)
{
	return fault == IMAGE_SOUND || fault >= IMAGE_FAULT_PARTIAL;
}

static inline int image_same(const void *left, const void *right, uint64_t size)
{
	const unsigned char *a = left, *b = right;

	for (uint64_t i = 0; i < size; i++)
		if (a[i] != b[i])
			return 0;
	return 1;
}

/* The prefix. Only for bytes that image_check_prefix() found whole. */
static inline const struct image_prefix *image_prefix(const void *bytes)
{
	return (const void *)((const char *)bytes + IMAGE_PREFIX_OFFSET);
}

/* Is there a note of this type with our name? `offset` + 20 must be readable. */
static inline int image_is_note(const void *bytes, uint64_t offset,
	enum image_note type)
{
	const struct elf64_note *note = (const void *)((const char *)bytes + offset);

	return note->namesz == sizeof(IMAGE_NOTE_NAME) && note->type == (uint32_t)type
		&& image_same(note + 1, IMAGE_NOTE_NAME, sizeof(IMAGE_NOTE_NAME));
}

/* Strings one behind the other, none of them empty: the path, options, entry. */
static inline enum image_fault image_check_path(const struct image_prefix *prefix)
{
	uint32_t length = prefix->size - IMAGE_PREFIX_FIXED;

	if (prefix->python[0] != '/' || prefix->python[length - 1])
		return IMAGE_FAULT_PYTHON;
	for (uint32_t i = 1; i < length; i++)
		if (!prefix->python[i] && !prefix->python[i - 1])
			return IMAGE_FAULT_PYTHON;
	return IMAGE_SOUND;
}

/* The string behind `string`, of the prefix's path, options and entry; NULL after
 * the last. Only where image_check_prefix() found the prefix whole. */
static inline const char *image_next_word(const struct image_prefix *prefix,
	const char *string)
{
	const char *end = (const char *)&prefix->size + prefix->size;

	while (*string)
		string++;
	return string + 1 < end ? string + 1 : NULL;
}

/* The stable prefix, whatever the format is. */
static inline enum image_fault image_check_prefix(const void *bytes, uint64_t length)
{
	const struct elf64_note *note = (const void *)((const char *)bytes + IMAGE_PREFIX_NOTE);
	const struct image_prefix *prefix = image_prefix(bytes);
	const uint64_t unhashed = offsetof(struct image_prefix, size);
	enum image_fault fault;

	if (length < 4 || !image_same(bytes, "\177ELF", 4))
		if (length < IMAGE_PREFIX_OFFSET
		    || !image_is_note(bytes, IMAGE_PREFIX_NOTE, IMAGE_NOTE_PREFIX))
			return IMAGE_FAULT_NOT_ELF;
	if (length < IMAGE_PREFIX_OFFSET + sizeof(*prefix))
		return IMAGE_FAULT_SHORT;
	if (!image_is_note(bytes, IMAGE_PREFIX_NOTE, IMAGE_NOTE_PREFIX))
		return IMAGE_FAULT_NOT_IMAGE;
	if (prefix->size < IMAGE_PREFIX_FIXED + 2
	    || prefix->size > IMAGE_PREFIX_FIXED + IMAGE_PYTHON_MAX
	    || note->descsz < unhashed + prefix->size)
		return IMAGE_FAULT_PREFIX_SIZE;
	if (length < IMAGE_PREFIX_OFFSET + unhashed + prefix->size)
		return IMAGE_FAULT_SHORT;
	if (prefix->checksum != image_hash(&prefix->size, prefix->size))
		return IMAGE_FAULT_CHECKSUM;
	fault = image_check_path(prefix);
	if (fault)
		return fault;
	if (image_same(prefix->magic, IMAGE_MAGIC_PARTIAL, sizeof(prefix->magic)))
		return IMAGE_FAULT_PARTIAL;
	if (!image_same(prefix->magic, IMAGE_MAGIC, sizeof(prefix->magic)))
		return IMAGE_FAULT_MAGIC;
	return IMAGE_SOUND;
}

/* Where the header's note begins, given the first note's descsz: right behind
 * it, where the note's content comes to lie on a multiple of 8. (A writer that
 * pads descsz to 4 modulo 8 leaves no gap between the two.) */
static inline uint64_t image_header_note(uint32_t descsz)
{
	return (((uint64_t)IMAGE_PREFIX_OFFSET + descsz + 3) & ~7ull) + 4;
}

/* The header, or NULL where there is none within `length`. The prefix must
 * have been found whole and of our format. */
static inline const struct image_header *image_header(const void *bytes, uint64_t length)
{
	const struct elf64_note *first = (const void *)((const char *)bytes + IMAGE_PREFIX_NOTE);
	uint64_t offset = image_header_note(first->descsz);
	uint64_t content = offset + sizeof(*first) + sizeof(IMAGE_NOTE_NAME);
	const struct elf64_note *note = (const void *)((const char *)bytes + offset);

	if (content + sizeof(struct image_header) > length
	    || !image_is_note(bytes, offset, IMAGE_NOTE_HEADER)
	    || note->descsz < sizeof(struct image_header))
		return NULL;
	return (const void *)((const char *)bytes + content);
}

/* Format, size of the file, and the header's place: it lies in the first page.
 * `file_size` is the file's real one. */
static inline enum image_fault image_check_header(const void *bytes, uint64_t length,
	uint64_t file_size)
{
	const struct image_prefix *prefix = image_prefix(bytes);
	const struct image_header *header;

	if (prefix->format != IMAGE_FORMAT)
		return IMAGE_FAULT_FORMAT;
	if (file_size < prefix->file_size)
		return IMAGE_FAULT_TRUNCATED;
	if (file_size > prefix->file_size)
		return IMAGE_FAULT_GREW;
	header = image_header(bytes, length < IMAGE_PAGE ? length : IMAGE_PAGE);
	if (!header)
		return IMAGE_FAULT_HEADER;
	if (!header->meta_size || header->meta_size % IMAGE_PAGE
	    || header->meta_size > IMAGE_MAX_META || header->meta_size > file_size)
		return IMAGE_FAULT_META_SIZE;
	return IMAGE_SOUND;
}

/* One PT_LOAD by itself. */
static inline enum image_fault image_check_segment(const struct elf64_segment *segment,
	uint64_t file_size)
{
	uint64_t end = segment->vaddr + segment->memsz;

	if (segment->flags & ~(uint32_t)(ELF64_R | ELF64_W | ELF64_X))
		return IMAGE_FAULT_FLAGS;
	if ((segment->flags & ELF64_W) && (segment->flags & ELF64_X))
		return IMAGE_FAULT_FLAGS;
	if ((segment->vaddr | segment->memsz) % IMAGE_PAGE)
		return IMAGE_FAULT_ALIGNMENT;
	if (segment->filesz && segment->offset % IMAGE_PAGE)
		return IMAGE_FAULT_ALIGNMENT;
	if (!segment->memsz || (segment->filesz && segment->filesz != segment->memsz))
		return IMAGE_FAULT_SEGMENT_SIZE;
	if (end < segment->vaddr || segment->vaddr < IMAGE_LOWEST || end > IMAGE_HIGHEST)
		return IMAGE_FAULT_RANGE;
	if (segment->vaddr < IMAGE_RESTORER_BASE + IMAGE_RESTORER_SPAN
	    && end > IMAGE_RESTORER_BASE)
		return IMAGE_FAULT_RESTORER;
	if (segment->filesz > file_size || segment->offset > file_size - segment->filesz)
		return IMAGE_FAULT_FILE_RANGE;
	return IMAGE_SOUND;
}

static inline int image_segment_has(const struct elf64_segment *segment, uint64_t address)
{
	return address >= segment->vaddr && address - segment->vaddr < segment->memsz;
}

static inline int image_is_meta(const struct elf64_segment *segment, uint64_t meta_size)
{
	return segment->vaddr == IMAGE_META_BASE && segment->memsz == meta_size
		&& segment->filesz == meta_size && segment->offset == 0
		&& segment->flags == ELF64_R;
}

/* ELF header and place of the program headers: inside the meta part. */
static inline enum image_fault image_check_elf(const void *bytes, uint64_t length)
{
	const struct elf64_header *elf = bytes;

	if (length < sizeof(*elf) || !image_same(elf->ident, "\177ELF\2\1\1", 7)
	    || elf->type != ELF64_EXEC || elf->machine != ELF64_X86_64
	    || elf->entry != image_prefix(bytes)->entry)
		return IMAGE_FAULT_ELF_HEADER;
	if (elf->phentsize != sizeof(struct elf64_segment) || !elf->phnum
	    || elf->phnum > IMAGE_MAX_SEGMENTS + 8 || elf->phoff % 8 || elf->phoff > length
	    || elf->phnum * sizeof(struct elf64_segment) > length - elf->phoff)
		return IMAGE_FAULT_PHDRS;
	return IMAGE_SOUND;
}

/* The program headers; only for bytes that passed image_check_elf(). */
static inline const struct elf64_segment *image_segments(const void *bytes)
{
	const struct elf64_header *elf = bytes;

	return (const void *)((const char *)bytes + elf->phoff);
}

/* ELF header and segments; `length` is the meta part's size. The segments
 * ascend, as the ELF specification asks for. */
static inline enum image_fault image_check_segments(const void *bytes, uint64_t length,
	uint64_t file_size)
{
	const struct elf64_header *elf = bytes;
	const struct image_header *header = image_header(bytes, length);
	enum image_fault fault = image_check_elf(bytes, length);
	int has_meta = 0, has_entry = 0, has_handoff = 0;
	const struct elf64_segment *segment;
	uint64_t end = 0;

	if (fault || !header)
		return fault ? fault : IMAGE_FAULT_HEADER;
	segment = image_segments(bytes);
	for (unsigned int i = 0; i < elf->phnum; i++, segment++) {
		if (segment->type == ELF64_INTERP || segment->type == ELF64_DYNAMIC)
			return IMAGE_FAULT_INTERP;
		if (segment->type != ELF64_LOAD)
			continue;
		fault = image_check_segment(segment, file_size);
		if (fault)
			return fault;
		if (segment->vaddr < end)
			return IMAGE_FAULT_OVERLAP;
		end = segment->vaddr + segment->memsz;
		has_meta |= image_is_meta(segment, header->meta_size);
		if ((segment->flags & ELF64_X) && segment->filesz)
			has_entry |= image_segment_has(segment, elf->entry);
		if (segment->flags & ELF64_W)
			has_handoff |= image_segment_has(segment, header->handoff);
	}
	if (!has_meta)
		return IMAGE_FAULT_META;
	if (!has_entry)
		return IMAGE_FAULT_ENTRY;
	if (!has_handoff)
		return IMAGE_FAULT_HANDOFF;
	/* plausible, but not what was written? */
	segment = image_segments(bytes);
	if (header->segments != image_hash_words((const uint64_t *)(const void *)segment,
			elf->phnum * sizeof(*segment) / 8))
		return IMAGE_FAULT_PHDRS;
	return IMAGE_SOUND;
}

static inline int image_check_table(const struct image_table *table, uint64_t row,
	uint64_t meta_size)
{
	return table->offset % (row < 8 ? row : 8) == 0 && table->offset <= meta_size
		&& table->count <= (meta_size - table->offset) / row;
}

/* The string at `offset`, or NULL where it is not one. The tables must have
 * been found sound; then the header's own strings are, too. */
static inline const char *image_string(const void *bytes,
	const struct image_header *header, uint32_t offset)
{
	if (offset < header->strings.offset
	    || offset - header->strings.offset >= header->strings.count)
		return NULL;
	return (const char *)bytes + offset;
}

/* Whether each table lies inside the meta part, the strings end with NUL, and
 * the header's are among them. */
static inline enum image_fault image_check_tables(const void *bytes, uint64_t length)
{
	const struct image_header *header = image_header(bytes, length);
	uint64_t size = header ? header->meta_size : 0;

	if (!header || size > length)
		return IMAGE_FAULT_HEADER;
	if (!image_check_table(&header->guards, sizeof(struct image_guard), size)
	    || !image_check_table(&header->hot, sizeof(struct image_range), size)
	    || !image_check_table(&header->reserves, sizeof(struct image_range), size)
	    || !image_check_table(&header->files, sizeof(struct image_file), size)
	    || !image_check_table(&header->names, sizeof(uint32_t), size)
	    || !image_check_table(&header->cpu, sizeof(struct image_cpu), size)
	    || !image_check_table(&header->strings, 1, size)
	    || !image_check_table(&header->report, 1, size)
	    || !image_check_table(&header->variables, sizeof(struct image_variable), size))
		return IMAGE_FAULT_TABLE;
	if (header->hot.count > IMAGE_MAX_HOT || header->cpu.count != 1
	    || header->variables.count > IMAGE_MAX_VARIABLES)
		return IMAGE_FAULT_TABLE;
	if (!header->strings.count || ((const char *)bytes)[header->strings.offset
						+ header->strings.count - 1])
		return IMAGE_FAULT_STRING;
	if (!image_string(bytes, header, header->locale)
	    || !image_string(bytes, header, header->user_site)
	    || !image_string(bytes, header, header->timezone))
		return IMAGE_FAULT_STRING;
	return IMAGE_SOUND;
}

/* First row of a table that was found sound. */
static inline const void *image_rows(const void *bytes, const struct image_table *table)
{
	return (const char *)bytes + table->offset;
}

static inline int image_check_ranges(const void *bytes, const struct image_table *table)
{
	const struct image_range *range = image_rows(bytes, table);

	for (uint32_t i = 0; i < table->count; i++, range++)
		if ((range->start | range->length) % IMAGE_PAGE || !range->length
		    || range->start < IMAGE_LOWEST || range->start > IMAGE_HIGHEST
		    || range->length > IMAGE_HIGHEST - range->start)
			return 0;
	return 1;
}

/* Absolute; what has to be absent may be a name in the working folder. */
static inline int image_check_guard_path(uint32_t kind, const char *path)
{
	if (path[0] == '/' || kind != IMAGE_GUARD_ABSENT)
		return path[0] == '/';
	for (; *path; path++)
		if (*path == '/')
			return 0;
	return 1;
}

/* The letters of a name: up to '=' or NUL. */
static inline uint64_t image_name_length(const char *name)
{
	uint64_t length = 0;

	while (name[length] && name[length] != '=')
		length++;
	return length;
}

/* The rows ascend, and hash and filter are those of the names: else a variable
 * would not be found. */
static inline int image_check_variables(const void *bytes, const struct image_header *header)
{
	const struct image_variable *row = image_rows(bytes, &header->variables);
	uint32_t before = 0;

	for (uint32_t i = 0; i < header->variables.count; i++, row++) {
		const char *name = image_string(bytes, header, row->name);
		uint64_t length = name ? image_name_length(name) : 0;
		uint32_t bit;

		if (!length || name[length] || !image_string(bytes, header, row->value)
		    || row->hash != image_hash_name(name, length) || row->hash < before)
			return 0;
		if ((row->flags & IMAGE_VARIABLE_PREFIX)
		    && (length < IMAGE_FILTER_LETTERS || (row->flags & IMAGE_VARIABLE_SET)))
			return 0;
		bit = image_filter_bit(name);
		if (!(header->variable_filter[bit / 64] >> bit % 64 & 1))
			return 0;
		before = row->hash;
	}
	return 1;
}

static inline int image_check_strings(const void *bytes, const struct image_header *header)
{
	const struct image_guard *guard = image_rows(bytes, &header->guards);
	const struct image_file *file = image_rows(bytes, &header->files);
	const uint32_t *name = image_rows(bytes, &header->names);
	const char *path;

	for (uint32_t i = 0; i < header->guards.count; i++) {
		path = image_string(bytes, header, guard[i].path);
		if (!path || !image_check_guard_path(guard[i].kind, path)
		    || guard[i].mtime_nsec >= 1000000000)
			return 0;
	}
	for (uint32_t i = 0; i < header->files.count; i++) {
		path = image_string(bytes, header, file[i].path);
		if (!path || path[0] != '/' || file[i].fd < 0
		    || (file[i].flags & ~IMAGE_FILE_FLAGS) || file[i].original > i
		    || (file[i].device && file[i].device != 3
			&& file[i].device != 8 && file[i].device != 9))
			return 0;
	}
	for (uint32_t i = 0; i < header->names.count; i++)
		if (!image_string(bytes, header, name[i]))
			return 0;
	return 1;
}

/* Every row of every table; the tables must have been found sound. */
static inline enum image_fault image_check_rows(const void *bytes, uint64_t length)
{
	const struct image_header *header = image_header(bytes, length);

	if (!header)
		return IMAGE_FAULT_HEADER;
	if (!image_check_ranges(bytes, &header->hot)
	    || !image_check_ranges(bytes, &header->reserves)
	    || !image_check_strings(bytes, header)
	    || !image_check_variables(bytes, header))
		return IMAGE_FAULT_ROW;
	return IMAGE_SOUND;
}

#endif
