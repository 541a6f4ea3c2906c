/*
 * Open files of the frozen process; see descriptors.h.
 */
#include "descriptors.h"

#include "alloc.h"
#include "buffer.h"
#include "err.h"
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a descriptor that can't be held is open on, by its link's beginning. */
static const struct {
	const char *link, *what;
} kinds[] = {
	{"socket:", "a socket"},
	{"pipe:", "a pipe"},
	{"anon_inode:[eventpoll]", "an epoll instance"},
	{"anon_inode:[eventfd]", "an eventfd"},
	{"anon_inode:[timerfd]", "a timer"},
	{"anon_inode:[signalfd]", "a signalfd"},
	{"anon_inode:inotify", "an inotify instance"},
	{"anon_inode:[pidfd]", "a process"},
	{"anon_inode:[io_uring]", "an io_uring"},
	{"anon_inode:", "an object of the kernel"},
	{"pidfd:", "a process"},
	{"/memfd:", "a memory file"},
};

static const char *find_kind(const char *link, const struct stat *status, int flags)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strncmp(link, kinds[i].link, strlen(kinds[i].link)) == 0)
			return kinds[i].what;
	if (S_ISDIR(status->st_mode))
		return "a folder";
	if (S_ISCHR(status->st_mode) || S_ISBLK(status->st_mode))
		return "a device";
	if (S_ISFIFO(status->st_mode))
		return "a named pipe";
	if (!S_ISREG(status->st_mode))
		return "not a regular file";
	if (!status->st_nlink)
		return "a deleted file";
	if (*link != '/')
		return "a file without a name";
	if ((flags & O_ACCMODE) != O_RDONLY &&
	    (flags & (O_ACCMODE | O_APPEND)) != (O_WRONLY | O_APPEND))
		return "a regular file opened for writing";
	return NULL;
}

int descriptors_parse_info(const char *text, uint64_t *offset, int *flags)
{
	const char *pos = strstr(text, "pos:"), *flag = strstr(text, "flags:");
	unsigned long value;

	if (!pos || !flag)
		return -1;
	if (sscanf(pos, "pos: %llu", (unsigned long long *)offset) != 1 ||
	    sscanf(flag, "flags: %lo", &value) != 1)
		return -1;
	*flags = (int)value;
	return 0;
}

static int read_info(pid_t pid, int fd, struct descriptor *descriptor, struct err *err)
{
	char *path = alloc_print("/proc/%d/fdinfo/%d", (int)pid, fd);
	struct buffer text = {0};
	int result = file_read(path, &text, err);

	if (!result && descriptors_parse_info(text.data, &descriptor->offset,
					      &descriptor->flags))
		result = err_set(err, ERR_REFUSED, "%s: can't read it", path);
	buffer_free(&text);
	free(path);
	return result;
}

static int examine(pid_t pid, int fd, struct descriptor *descriptor, struct err *err)
{
	char *path = alloc_print("/proc/%d/fd/%d", (int)pid, fd);
	char link[4096 + 32];
	struct stat status;
	ssize_t length = readlink(path, link, sizeof(link) - 1);
	const char *kind;
	int result = 0;

	if (length < 0 || stat(path, &status))
		result = err_sys(err, "look at %s", path);
	free(path);
	if (result || read_info(pid, fd, descriptor, err))
		return -1;
	link[length] = '\0';
	kind = find_kind(link, &status, descriptor->flags);
	if (kind)
		return err_set(err, ERR_REFUSED,
			       "descriptor %d is open on %s (%s), which an image can't hold; "
			       "open it when it is used, not at import", fd, kind, link);
	descriptor->fd = fd;
	descriptor->flags &= O_ACCMODE | O_APPEND | O_CLOEXEC;
	if ((descriptor->flags & O_ACCMODE) == O_RDONLY)
		descriptor->flags &= ~O_APPEND;
	descriptor->path = alloc_copy(link);
	descriptor->mtime = status.st_mtim;
	descriptor->size = (uint64_t)status.st_size;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct descriptor *left = a, *right = b;

	return (left->fd > right->fd) - (left->fd < right->fd);
}

static int read_all(pid_t pid, DIR *folder, struct descriptors *descriptors,
		    struct err *err)
{
	struct dirent *entry;

	while ((entry = readdir(folder))) {
		int fd = atoi(entry->d_name);
		struct descriptor descriptor = {0};

		if (fd <= 2)
			continue;
		if (examine(pid, fd, &descriptor, err)) {
			if (err->status == ERR_REFUSED)
				descriptors->culprit = fd;
			return -1;
		}
		descriptors->items = alloc_grow(descriptors->items, descriptors->count,
						&descriptors->room, sizeof(descriptor));
		descriptors->items[descriptors->count++] = descriptor;
	}
	if (descriptors->count)
		qsort(descriptors->items, descriptors->count,
		      sizeof(*descriptors->items), compare);
	return 0;
}

int descriptors_read(pid_t pid, struct descriptors *descriptors, struct err *err)
{
	char *path = alloc_print("/proc/%d/fd", (int)pid);
	DIR *folder = opendir(path);
	int result = -1;

	*descriptors = (struct descriptors){.culprit = -1};
	if (folder) {
		result = read_all(pid, folder, descriptors, err);
		closedir(folder);
	} else {
		err_sys(err, "open %s", path);
	}
	free(path);
	return result;
}

void descriptors_free(struct descriptors *descriptors)
{
	for (size_t i = 0; i < descriptors->count; i++)
		free(descriptors->items[i].path);
	free(descriptors->items);
	*descriptors = (struct descriptors){.culprit = -1};
}
