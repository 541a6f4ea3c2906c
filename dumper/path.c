/*
 * File names; see path.h.
 */
#include "path.h"

#include "alloc.h"
#include "err.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Drops "." and empty parts of an absolute path, in place. */
static void squeeze(char *path)
{
	const char *from = path;
	char *to = path;

	while (*from) {
		size_t length;

		while (*from == '/')
			from++;
		length = strcspn(from, "/");
		if (length && !(length == 1 && *from == '.')) {
			*to++ = '/';
			memmove(to, from, length);
			to += length;
		}
		from += length;
	}
	if (to == path)
		*to++ = '/';
	*to = '\0';
}

char *path_absolute(const char *name, struct err *err)
{
	char *folder, *path;

	if (*name == '/') {
		path = alloc_copy(name);
	} else {
		folder = getcwd(NULL, 0);
		if (!folder) {
			err_sys(err, "look up the working directory");
			return NULL;
		}
		path = alloc_print("%s/%s", folder, name);
		free(folder);
	}
	squeeze(path);
	return path;
}

char *path_folder(const char *path)
{
	char *folder = alloc_copy(path);
	char *slash = strrchr(folder, '/');

	if (slash == folder)
		slash[1] = '\0';
	else if (slash)
		*slash = '\0';
	return folder;
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int path_has_part(const char *path, const char *part)
{
	size_t length = strlen(part);

	while (*path) {
		size_t here;

		while (*path == '/')
			path++;
		here = strcspn(path, "/");
		if (here == length && strncmp(path, part, length) == 0)
			return 1;
		path += here;
	}
	return 0;
}
