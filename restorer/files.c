/*
 * Files that the frozen process had open. What was open for reading must not
 * have changed, for the process has read a part of it already. What is appended
 * to may be another file of that name by now, as python3 would open it.
 */
#include "files.h"

#include "image_check.h"
#include "say.h"
#include "sys.h"

#define FILES_STATX (SYS_STATX_TYPE | SYS_STATX_INO | SYS_STATX_SIZE | SYS_STATX_MTIME)

static int refuse(struct reason *reason, const char *why, const char *path, long error)
{
	say_reason(reason, "a file it had open", why, error);
	reason->detail = path;
	return -1;
}

static int is_read(const struct image_file *file)
{
	return (file->flags & SYS_O_ACCMODE) == SYS_O_RDONLY;
}

/* A regular file, or the device that it was: major 1 is memory and random. */
static int is_kind(const struct image_file *file, const struct sys_stat *stat)
{
	if (!file->device)
		return (stat->mode & SYS_S_IFMT) == SYS_S_IFREG;
	return (stat->mode & SYS_S_IFMT) == SYS_S_IFCHR && stat->rdev_major == 1
		&& stat->rdev_minor == file->device;
}

/* Before it is opened: to open a FIFO in its place would block. */
static int check_kind(const struct image_file *file, const char *path, struct reason *reason)
{
	struct sys_stat stat;
	long result = sys_statx(SYS_AT_FDCWD, path, 0, SYS_STATX_TYPE, &stat);

	if (result < 0)
		return refuse(reason, "can't be looked at:", path, result);
	if (!is_kind(file, &stat))
		return refuse(reason, "is of another kind:", path, 0);
	return 0;
}

/* What was opened: the name may have changed hands meanwhile. */
static int check_file(const struct image_file *file, const char *path, struct reason *reason)
{
	struct sys_stat stat;
	long result = sys_statx(file->fd, "", SYS_AT_EMPTY_PATH, FILES_STATX, &stat);

	if (result < 0)
		return refuse(reason, "can't be looked at:", path, result);
	if (!is_kind(file, &stat))
		return refuse(reason, "is of another kind:", path, 0);
	if (!file->device && is_read(file) && (stat.ino != file->inode || stat.size != file->size
			      || stat.mtime.sec != file->mtime_sec
			      || stat.mtime.nsec != file->mtime_nsec))
		return refuse(reason, "has changed:", path, 0);
	return 0;
}

/* Python's open() in mode "a" goes to the end, which may have moved. */
static int set_position(const struct image_file *file, const char *path, struct reason *reason)
{
	int at_end = !file->device && !is_read(file) && file->offset == file->size;
	long result = 0;

	if (at_end)
		result = sys_lseek(file->fd, 0, SYS_SEEK_END);
	else if (file->offset)
		result = sys_lseek(file->fd, file->offset, SYS_SEEK_SET);
	return result < 0 ? refuse(reason, "can't be positioned:", path, result) : 0;
}

static int open_at(const struct image_file *file, const char *path, struct reason *reason)
{
	int flags = (file->flags & IMAGE_FILE_FLAGS) | SYS_O_CLOEXEC;
	long result, fd;

	fd = sys_open(path, flags);
	if (fd < 0)
		return refuse(reason, "can't be opened:", path, fd);
	if (fd != file->fd) {
		result = sys_dup3((int)fd, file->fd, SYS_O_CLOEXEC);
		sys_close((int)fd);
		if (result < 0)
			return refuse(reason, "needs its descriptor:", path, result);
	}
	return check_file(file, path, reason) ? -1 : set_position(file, path, reason);
}

static int copy_from(const struct image_file *original, const struct image_file *file,
	const char *path, struct reason *reason)
{
	long result = sys_dup3(original->fd, file->fd, SYS_O_CLOEXEC);

	return result < 0 ? refuse(reason, "needs its descriptor:", path, result) : 0;
}

static int is_sound(const struct image_file *file, uint32_t index)
{
	return file->fd >= 0 && !(file->flags & ~IMAGE_FILE_FLAGS) && file->original <= index
		&& (is_read(file) || file->device == 3
			|| (!file->device && (file->flags & (SYS_O_ACCMODE | SYS_O_APPEND))
						== (SYS_O_WRONLY | SYS_O_APPEND)));
}

int files_open(const void *meta, const struct image_header *header, struct reason *reason)
{
	const struct image_file *files = image_rows(meta, &header->files);

	for (uint32_t i = 0; i < header->files.count; i++) {
		const struct image_file *file = &files[i];
		const char *path = image_string(meta, header, file->path);
		int failed;

		if (!path || !is_sound(file, i))
			return say_reason(reason, "damaged", "an open file's row", 0);
		if (sys_fcntl(file->fd, SYS_F_GETFD, 0) != -SYS_EBADF)
			return refuse(reason, "needs a descriptor that is in use:", path, 0);
		if (file->original < i)
			failed = copy_from(&files[file->original], file, path, reason);
		else
			failed = check_kind(file, path, reason) || open_at(file, path, reason);
		if (failed)
			return -1;
	}
	return 0;
}

void files_commit(const void *meta, const struct image_header *header)
{
	const struct image_file *file = image_rows(meta, &header->files);

	for (uint32_t i = 0; i < header->files.count; i++, file++)
		if (!(file->flags & SYS_O_CLOEXEC))
			sys_fcntl(file->fd, SYS_F_SETFD, 0);
}
