/*
 * The notes of an image: its meta part less ELF header and program headers.
 * Pure: structs in, bytes out, as include/image.h lays them out. The mirror of
 * elfin.c.
 */
#ifndef META_H
#define META_H

#include "buffer.h"
#include "image.h"
#include "list.h"

struct descriptors;
struct err;
struct identity;
struct memory_ranges;
struct variables;

/* What goes into the notes. */
struct meta_source {
	const char *python;	/* what to run instead of the image */
	const struct list *options;	/* its options, before the caller's */
	const struct list *entry_words;	/* behind those: what it is to run */
	uint64_t entry;
	uint64_t handoff;
	uint64_t mapped;
	uint32_t python_hex;
	uint32_t flags;		/* enum image_flag */
	const char *locale;
	const char *user_site;
	const char *timezone;
	const struct identity *identity;
	const struct variables *variables;
	const struct descriptors *descriptors;
	const struct memory_ranges *reserves;
	const struct image_cpu *cpu;
	const struct list *report;	/* "key=value" */
};

#define META_NOTES 11

struct meta_note {
	uint32_t type;		/* enum image_note */
	const char *name;	/* the section's: ".note.pyimage.header" */
	size_t offset;		/* of its Elf64_Nhdr in the bytes */
	size_t size;		/* with header and name */
};

struct meta {
	struct buffer bytes;	/* from the file's start; headers still zero */
	struct meta_note notes[META_NOTES];
	size_t header;		/* offset of struct image_header */
	size_t hot;		/* offset of the first hot range */
};

/* Makes the notes; the magic says "not whole yet". Refuses what exceeds the
 * format's limits. meta_free() in either case. */
int meta_build(const struct meta_source *source, struct meta *meta, struct err *err);

/* Enters the hash of the program headers (image_hash_words). */
void meta_set_segments(struct meta *meta, uint32_t hash);

/* Enters what is known only once the file's layout is, and the checksum. */
void meta_finish(struct meta *meta, uint64_t meta_size, uint64_t file_size);

void meta_free(struct meta *meta);

#endif
