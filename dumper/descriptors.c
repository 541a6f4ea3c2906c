/*
 * Open files of the frozen process; see descriptors.h.
 */
#include "descriptors.h"

#include "alloc.h"
#include "err.h"
#include "image.h"
#include "openfile.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int refuse(const struct openfile *file, const char *what, struct err *err)
{
	return err_set(err, ERR_REFUSED, "descriptor %d is open on %s (%s), which an image "
		       "can't hold; open it when it is used, not at import, or close it "
		       "before the freeze", file->fd, what, file->link);
}

/* --- copies --- */

/* Could one be a copy of the other? What copies share is equal. */
static int is_alike(const struct descriptor *a, const struct descriptor *b)
{
	return a->inode == b->inode && a->offset == b->offset &&
	       (a->flags & ~O_CLOEXEC) == (b->flags & ~O_CLOEXEC) &&
	       strcmp(a->path, b->path) == 0;
}

/* Two that dup(2) made share one offset. Only kcmp(2) can tell; a kernel may be
 * without it, and a container may forbid it. */
static int find_original(const struct openfile *file, const struct descriptors *descriptors,
			 struct descriptor *descriptor, struct err *err)
{
	descriptor->original = descriptors->count;
	for (size_t i = 0; i < descriptors->count; i++) {
		const struct descriptor *other = &descriptors->items[i];
		long order;

		if (other->original != i || !is_alike(other, descriptor))
			continue;
		order = syscall(SYS_kcmp, file->source->pid, file->source->pid, KCMP_FILE,
				(long)other->fd, (long)file->fd);
		if (order < 0)
			return refuse(file, "a file that another descriptor is open on, too "
				      "(of which it may be a copy: kcmp(2) does not tell here)",
				      err);
		if (order == 0)
			descriptor->original = i;
	}
	return 0;
}

/* --- all of them --- */

static int add(const struct openfile_source *source, int fd,
	       struct descriptors *descriptors, struct err *err)
{
	struct openfile file = {.source = source, .fd = fd};
	struct descriptor *item;
	const char *what;

	if (openfile_look(&file, err))
		return -1;
	what = openfile_refusal(&file);
	if (what)
		return refuse(&file, what, err);
	descriptors->items = alloc_grow(descriptors->items, descriptors->count,
					&descriptors->room, sizeof(*descriptors->items));
	item = &descriptors->items[descriptors->count];
	*item = (struct descriptor){
		.fd = fd,
		.flags = file.info.flags & IMAGE_FILE_FLAGS,
		.path = alloc_copy(file.link),
		.mtime = file.status.st_mtim,
		.size = (uint64_t)file.status.st_size,
		.offset = file.info.offset,
		.inode = (uint64_t)file.status.st_ino,
		.device = openfile_device(&file),
	};
	if (find_original(&file, descriptors, item, err)) {
		free(item->path);
		return -1;
	}
	descriptors->count++;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const int *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* The numbers in /proc/PID/fd above 2, ascending. To be freed. */
static int *list_numbers(pid_t pid, size_t *count, struct err *err)
{
	char *path = alloc_print("/proc/%d/fd", (int)pid);
	DIR *folder = opendir(path);
	int *numbers = alloc_array(1, sizeof(*numbers));
	struct dirent *entry;
	size_t room = 1;

	*count = 0;
	if (!folder) {
		err_sys(err, "open %s", path);
		free(numbers);
		numbers = NULL;
	}
	while (folder && (entry = readdir(folder))) {
		if (atoi(entry->d_name) <= 2)
			continue;
		numbers = alloc_grow(numbers, *count, &room, sizeof(*numbers));
		numbers[(*count)++] = atoi(entry->d_name);
	}
	if (numbers && *count)
		qsort(numbers, *count, sizeof(*numbers), compare);
	if (folder)
		closedir(folder);
	free(path);
	return numbers;
}

int descriptors_read(const struct openfile_source *source,
		     struct descriptors *descriptors, struct err *err)
{
	size_t count;
	int *numbers, result = 0;

	*descriptors = (struct descriptors){.culprit = -1};
	numbers = list_numbers(source->pid, &count, err);
	if (!numbers)
		return -1;
	for (size_t i = 0; !result && i < count; i++) {
		result = add(source, numbers[i], descriptors, err);
		if (result && err->status == ERR_REFUSED)
			descriptors->culprit = numbers[i];
	}
	free(numbers);
	return result;
}

void descriptors_free(struct descriptors *descriptors)
{
	for (size_t i = 0; i < descriptors->count; i++)
		free(descriptors->items[i].path);
	free(descriptors->items);
	*descriptors = (struct descriptors){.culprit = -1};
}
