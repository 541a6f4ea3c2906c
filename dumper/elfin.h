/*
 * Reads an image's meta part as hostile input: after elfin_read() every count,
 * offset and string in it is in bounds, by the checks that pyimage makes too
 * (include/image_check.h). The mirror of meta.c and elfout.c.
 */
#ifndef ELFIN_H
#define ELFIN_H

#include <stddef.h>
#include <stdint.h>

struct elf64_segment;
struct err;
struct image_header;
struct image_prefix;

struct elfin {
	char *data;		/* the meta part */
	uint64_t size;		/* of it */
	uint64_t file_size;
	const struct image_prefix *prefix;
	const struct image_header *header;
	const struct elf64_segment *segments;	/* program headers of all types */
	size_t count;
};

/* Reads the file. Status ERR_REFUSED: it is no image or a damaged one; ERR_IO:
 * it can't be read. elfin_free() in either case. */
int elfin_read(const char *path, struct elfin *elfin, struct err *err);

/* The same from a descriptor; `name` is for messages. */
int elfin_read_fd(int fd, const char *name, struct elfin *elfin, struct err *err);

/* A string of the image by its offset. */
const char *elfin_string(const struct elfin *elfin, uint32_t offset);

/* The values of "KEY=..." in the report, one for each call: *at is 0 before the
 * first. NULL behind the last. */
const char *elfin_report(const struct elfin *elfin, const char *key, size_t *at);

void elfin_free(struct elfin *elfin);

#endif
