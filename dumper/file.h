/*
 * Whole small files, and bytes at a place in a file.
 */
#ifndef FILE_H
#define FILE_H

#include "buffer.h"

#include <stdint.h>

struct err;

/* Reads a file, a /proc file too, and puts a NUL behind its last byte (not
 * counted in `used`). */
int file_read(const char *path, struct buffer *out, struct err *err);

/* The same for what an open descriptor gives from its position on; `name` is
 * for the message. */
int file_read_all(int fd, const char *name, struct buffer *out, struct err *err);

/* Reads or writes all `size` bytes at `offset`. A file that ends before is an
 * error of status ERR_REFUSED. */
int file_read_at(int fd, const char *name, void *data, size_t size,
		 uint64_t offset, struct err *err);
int file_write_at(int fd, const char *name, const void *data, size_t size,
		  uint64_t offset, struct err *err);

#endif
