/*
 * An image that stands in a virtual environment for its python: DIR/bin/python is the
 * image, and what was there is in DIR/.pyimage (pydump build --venv DIR --install).
 * The plain interpreter that such an image names is DIR/.pyimage/python, to be run as
 * DIR/bin/python: by argv[0] CPython finds pyvenv.cfg and sys.executable (Modules/
 * getpath.py). That path alone tells such an image. Pure.
 */
#ifndef VENV_H
#define VENV_H

#include <stddef.h>

#define VENV_ASIDE "/.pyimage"		/* behind DIR */
#define VENV_PLAIN "/.pyimage/python"
#define VENV_NAME "/bin/python"

/* Length of DIR in "DIR" + `end`; 0: the path does not end so, or DIR is empty. */
static inline size_t venv_root(const char *path, const char *end)
{
	size_t length = 0, tail = 0;

	while (path[length])
		length++;
	while (end[tail])
		tail++;
	if (length <= tail)
		return 0;
	for (size_t i = 0; i < tail; i++)
		if (path[length - tail + i] != end[i])
			return 0;
	return length - tail;
}

/* The first `length` bytes of `root` and then `end`, in `buffer` of `size` bytes.
 * Returns `buffer`, or NULL where it does not fit. */
static inline char *venv_path(const char *root, size_t length, const char *end,
	char *buffer, size_t size)
{
	size_t used = 0;

	for (; used < length && used < size; used++)
		buffer[used] = root[used];
	for (; used < size; used++, end++) {
		buffer[used] = *end;
		if (!*end)
			return buffer;
	}
	return NULL;
}

#endif
