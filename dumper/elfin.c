/*
 * Reading of images; see elfin.h.
 */
#include "elfin.h"

#include "alloc.h"
#include "err.h"
#include "file.h"
#include "image_check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(const char *name, enum image_fault fault, struct err *err)
{
	return err_set(err, ERR_REFUSED, "%s: %s", name, image_fault_text(fault));
}

/* The first page: prefix and header. */
static int read_start(int fd, const char *name, struct elfin *elfin, struct err *err)
{
	uint64_t length = elfin->file_size < IMAGE_PAGE ? elfin->file_size : IMAGE_PAGE;
	enum image_fault fault;

	elfin->data = alloc_array(1, IMAGE_PAGE);
	if (file_read_at(fd, name, elfin->data, length, 0, err))
		return -1;
	fault = image_check_prefix(elfin->data, length);
	if (!fault)
		fault = image_check_header(elfin->data, length, elfin->file_size);
	return fault ? refuse(name, fault, err) : 0;
}

/* All of the meta part, whose size the first page told. */
static int read_meta(int fd, const char *name, struct elfin *elfin, struct err *err)
{
	enum image_fault fault;

	elfin->size = image_header(elfin->data, IMAGE_PAGE)->meta_size;
	free(elfin->data);
	elfin->data = alloc_array(1, elfin->size);
	if (file_read_at(fd, name, elfin->data, elfin->size, 0, err))
		return -1;
	/* read anew, so checked anew: the file may have changed meanwhile */
	fault = image_check_prefix(elfin->data, elfin->size);
	if (!fault)
		fault = image_check_header(elfin->data, elfin->size, elfin->file_size);
	if (!fault && image_header(elfin->data, elfin->size)->meta_size != elfin->size)
		fault = IMAGE_FAULT_META_SIZE;
	if (!fault)
		fault = image_check_segments(elfin->data, elfin->size, elfin->file_size);
	if (!fault)
		fault = image_check_tables(elfin->data, elfin->size);
	if (!fault)
		fault = image_check_rows(elfin->data, elfin->size);
	return fault ? refuse(name, fault, err) : 0;
}

int elfin_read_fd(int fd, const char *name, struct elfin *elfin, struct err *err)
{
	struct stat status;

	*elfin = (struct elfin){0};
	if (fstat(fd, &status))
		return err_sys(err, "look at %s", name);
	if (!S_ISREG(status.st_mode))
		return err_set(err, ERR_REFUSED, "%s: not a regular file", name);
	elfin->file_size = (uint64_t)status.st_size;
	if (read_start(fd, name, elfin, err) || read_meta(fd, name, elfin, err))
		return -1;
	elfin->prefix = image_prefix(elfin->data);
	elfin->header = image_header(elfin->data, elfin->size);
	elfin->segments = image_segments(elfin->data);
	elfin->count = ((const struct elf64_header *)elfin->data)->phnum;
	return 0;
}

int elfin_read(const char *path, struct elfin *elfin, struct err *err)
{
	/* not blocking: it may be a named pipe */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int result;

	*elfin = (struct elfin){0};
	if (fd < 0)
		return err_sys(err, "open %s", path);
	result = elfin_read_fd(fd, path, elfin, err);
	close(fd);
	return result;
}

const char *elfin_string(const struct elfin *elfin, uint32_t offset)
{
	const char *text = image_string(elfin->data, elfin->header, offset);

	return text ? text : "";
}

const char *elfin_report(const struct elfin *elfin, const char *key, size_t *at)
{
	const char *report = elfin->data + elfin->header->report.offset;
	size_t size = elfin->header->report.count, length = strlen(key);

	while (*at < size) {
		const char *line = report + *at;
		const char *end = memchr(line, '\0', size - *at);

		if (!end)
			break;
		*at += (size_t)(end - line) + 1;
		if (strncmp(line, key, length) == 0 && line[length] == '=')
			return line + length + 1;
	}
	return NULL;
}

void elfin_free(struct elfin *elfin)
{
	free(elfin->data);
	*elfin = (struct elfin){0};
}
