/*
 * Reading and writing files; see file.h.
 */
#include "file.h"

#include "err.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define CHUNK 65536

int file_read_all(int fd, const char *name, struct buffer *out, struct err *err)
{
	for (;;) {
		size_t at = buffer_add(out, NULL, CHUNK);
		ssize_t n = read(fd, out->data + at, CHUNK);

		out->used = at + (n > 0 ? (size_t)n : 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "read %s", name);
		if (n == 0)
			break;
	}
	buffer_add(out, "", 1);
	out->used--;
	return 0;
}

int file_read(const char *path, struct buffer *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int result;

	if (fd < 0)
		return err_sys(err, "open %s", path);
	result = file_read_all(fd, path, out, err);
	close(fd);
	return result;
}

int file_read_at(int fd, const char *name, void *data, size_t size,
		 uint64_t offset, struct err *err)
{
	char *to = data;

	while (size) {
		ssize_t n = pread(fd, to, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "read %s", name);
		if (n == 0)
			return err_set(err, ERR_REFUSED, "%s: the file is truncated", name);
		to += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

int file_write_at(int fd, const char *name, const void *data, size_t size,
		  uint64_t offset, struct err *err)
{
	const char *from = data;

	while (size) {
		ssize_t n = pwrite(fd, from, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "write %s", name);
		from += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}
