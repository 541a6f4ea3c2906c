/*
 * One open file of the frozen process; see openfile.h. What is refused, and in
 * which words, is the table `refusals`.
 */
#include "openfile.h"

#include "alloc.h"
#include "buffer.h"
#include "err.h"
#include "file.h"
#include "image.h"
#include "list.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The kernel sets it for every process of 64 bits; glibc's O_LARGEFILE is 0. */
#define KERNEL_LARGEFILE 0100000

/* By its link's beginning, where there is no file. */
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

/* Files whose content the kernel makes: size and time tell nothing of it, and
 * some are of one process. */
static const unsigned long made_by_kernel[] = {
	PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
	DEBUGFS_MAGIC, TRACEFS_MAGIC, SECURITYFS_MAGIC, SELINUX_MAGIC, SMACK_MAGIC,
	BINFMTFS_MAGIC, EFIVARFS_MAGIC, BPF_FS_MAGIC, NSFS_MAGIC, PSTOREFS_MAGIC,
};

static int same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int stat_descriptor(pid_t pid, int fd, struct stat *status)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	return stat(path, status);
}

/* Opened again, it would be on what the build's output went to. (Input is
 * /dev/null while building.) */
static int is_standard(const struct openfile *file)
{
	struct stat status;

	if (S_ISCHR(file->status.st_mode) && file->status.st_rdev == makedev(1, 3))
		return 0;
	for (int fd = 0; fd <= 2; fd++)
		if (stat_descriptor(file->source->pid, fd, &status) == 0 &&
		    same_file(&status, &file->status))
			return 1;
	return 0;
}

static int is_read(const struct openfile *file)
{
	return (file->info.flags & O_ACCMODE) == O_RDONLY;
}

static int is_place(const struct openfile *file)
{
	return file->info.flags & O_PATH;
}

static int is_folder(const struct openfile *file)
{
	return S_ISDIR(file->status.st_mode);
}

/* They have no state but what a buffer holds; and what is in one for /dev/null, or was
 * read from there, is nothing. */
unsigned openfile_device(const struct openfile *file)
{
	const struct list *unbuffered = file->source->unbuffered;
	dev_t device = file->status.st_rdev;

	if (!S_ISCHR(file->status.st_mode) || major(device) != 1)
		return 0;
	if (minor(device) == 3 && !(file->info.flags & O_PATH))
		return 3;
	if (!is_read(file) ||
	    (minor(device) != 8 && minor(device) != 9))
		return 0;
	for (size_t i = 0; unbuffered && i < unbuffered->count; i++)
		if (atoi(unbuffered->items[i]) == file->fd)
			return minor(device);
	return 0;
}

static int is_device(const struct openfile *file)
{
	return (S_ISCHR(file->status.st_mode) || S_ISBLK(file->status.st_mode)) &&
	       !openfile_device(file);
}

static int is_fifo(const struct openfile *file)
{
	return S_ISFIFO(file->status.st_mode);
}

static int is_other(const struct openfile *file)
{
	return !S_ISREG(file->status.st_mode) && !openfile_device(file);
}

static int is_kernels(const struct openfile *file)
{
	for (size_t i = 0; i < sizeof(made_by_kernel) / sizeof(*made_by_kernel); i++)
		if (file->filesystem == made_by_kernel[i])
			return 1;
	return 0;
}

static int is_deleted(const struct openfile *file)
{
	return !file->status.st_nlink;
}

static int is_nameless(const struct openfile *file)
{
	return file->link[0] != '/';
}

static int is_written(const struct openfile *file)
{
	return !is_read(file) && !openfile_device(file) &&
	       (file->info.flags & (O_ACCMODE | O_APPEND)) != (O_WRONLY | O_APPEND);
}

/* Renamed or replaced, but there by another link; or out of our sight. */
static int is_renamed(const struct openfile *file)
{
	struct stat status;

	return stat(file->link, &status) || !same_file(&status, &file->status);
}

static int is_locked(const struct openfile *file)
{
	return file->info.locked || file->parent_locks;
}

static int is_odd(const struct openfile *file)
{
	return file->info.flags & ~(IMAGE_FILE_FLAGS | KERNEL_LARGEFILE);
}

static int is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* What the workload has read of it may be of before the change. */
static int is_young(const struct openfile *file)
{
	return is_read(file) && S_ISREG(file->status.st_mode) &&
	       is_later(&file->status.st_ctim, &file->source->start);
}

/* In the order in which it is looked for. */
static const struct {
	int (*test)(const struct openfile *file);
	const char *what;
} refusals[] = {
	{is_standard, "what a standard stream of the build is open on"},
	{is_place, "a file's place (O_PATH)"},
	{is_folder, "a folder"},
	{is_device, "a device"},
	{is_fifo, "a named pipe"},
	{is_other, "not a regular file"},
	{is_deleted, "a deleted file"},
	{is_nameless, "a file without a name"},
	{is_kernels, "a file that the kernel makes"},
	{is_written, "a regular file opened for writing"},
	{is_renamed, "a file whose name is gone or another file's by now"},
	{is_locked, "a file that it has locked"},
	{is_odd, "a file with flags that opening does not set"},
	{is_young, "a file that changed while building"},
};

const char *openfile_refusal(const struct openfile *file)
{
	if (is_standard(file))
		return refusals[0].what;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strncmp(file->link, kinds[i].link, strlen(kinds[i].link)) == 0)
			return kinds[i].what;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		if (refusals[i].test(file))
			return refusals[i].what;
	return NULL;
}

/* --- looking --- */

int openfile_parse_info(const char *text, struct openfile_info *info)
{
	const char *pos = strstr(text, "pos:"), *flag = strstr(text, "flags:");
	unsigned long long offset;
	unsigned long value;

	if (!pos || !flag || sscanf(pos, "pos: %llu", &offset) != 1 ||
	    sscanf(flag, "flags: %lo", &value) != 1)
		return -1;
	info->offset = offset;
	info->flags = (int)value;
	info->locked = strstr(text, "\nlock:") != NULL;
	return 0;
}

static int read_info(pid_t pid, int fd, struct openfile_info *info, struct err *err)
{
	char *path = alloc_print("/proc/%d/fdinfo/%d", (int)pid, fd);
	struct buffer text = {0};
	int result = file_read(path, &text, err);

	if (!result && openfile_parse_info(text.data, info))
		result = err_set(err, ERR_REFUSED, "%s: can't read it", path);
	buffer_free(&text);
	free(path);
	return result;
}

/* Of the same number in the parent; it may not be there any more. */
static int has_parent_locks(const struct openfile *file)
{
	struct openfile_info info = {0};
	struct err gone = {0};

	if (file->source->parent)
		read_info(file->source->parent, file->fd, &info, &gone);
	err_clear(&gone);
	return info.locked;
}

int openfile_look(struct openfile *file, struct err *err)
{
	char *path = alloc_print("/proc/%d/fd/%d", (int)file->source->pid, file->fd);
	ssize_t length = readlink(path, file->link, sizeof(file->link) - 1);
	struct statfs filesystem;
	int result = 0;

	if (length < 0 || stat(path, &file->status) || statfs(path, &filesystem))
		result = err_sys(err, "look at %s", path);
	free(path);
	if (result || read_info(file->source->pid, file->fd, &file->info, err))
		return -1;
	file->link[length] = '\0';
	file->filesystem = (unsigned long)filesystem.f_type;
	file->parent_locks = has_parent_locks(file);
	return 0;
}
