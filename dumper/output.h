/*
 * The image's file while it is made: under a temporary name beside the final
 * one, marked "not whole yet" until every byte is in it, then renamed.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stddef.h>
#include <stdint.h>

struct err;

struct output {
	char *path;		/* the final one, absolute */
	char *temporary;	/* NULL: there is none (any more) */
	int fd;			/* open for writing, or -1 */
};

/* Makes the temporary file, so that a folder that can't be written to, or that
 * is mounted noexec, is found before the work begins. Takes care of signals from here on. */
int output_create(const char *path, struct output *output, struct err *err);

/* Refuses where a file of this size can't be written (RLIMIT_FSIZE). */
int output_check_room(const struct output *output, uint64_t size, struct err *err);

/* Copies all of `from` (`size` bytes) into it in one write, which is what
 * makes the page cache hold it in large folios; then puts in the magic that
 * says the image is whole, and closes the file. */
int output_copy(struct output *output, int from, uint64_t size, struct err *err);

/* Overwrites bytes. Nobody may be running the file. */
int output_patch(struct output *output, const void *data, size_t size,
		 uint64_t offset, struct err *err);

/* Renames it into place. */
int output_finish(struct output *output, struct err *err);

/* Removes what is unfinished and frees. */
void output_free(struct output *output);

#endif
