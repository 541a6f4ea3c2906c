/*
 * Files that the frozen process had open. What was open for reading must not
 * have changed, for the process has read a part of it already.
 */
#include "files.h"

#include "image_check.h"
#include "say.h"
#include "sys.h"

#define FILES_STATX (SYS_STATX_TYPE | SYS_STATX_SIZE | SYS_STATX_MTIME)

static int refuse(struct reason *reason, const char *why, const char *path, long error)
{
	say_reason(reason, "a file it had open", why, error);
	reason->detail = path;
	return -1;
}

/* Before it is opened: to open a FIFO in its place would block. */
static int check(const struct image_file *file, const char *path, struct reason *reason)
{
	struct sys_stat stat;
	long result = sys_statx(SYS_AT_FDCWD, path, 0, FILES_STATX, &stat);

	if (result < 0)
		return refuse(reason, "can't be looked at:", path, result);
	if ((stat.mode & SYS_S_IFMT) != SYS_S_IFREG)
		return refuse(reason, "is of another kind:", path, 0);
	if ((file->flags & SYS_O_ACCMODE) == SYS_O_RDONLY
	    && (stat.size != file->size || stat.mtime.sec != file->mtime_sec
		|| stat.mtime.nsec != file->mtime_nsec))
		return refuse(reason, "has changed:", path, 0);
	return 0;
}

static int open_at(const struct image_file *file, const char *path, struct reason *reason)
{
	int flags = (file->flags & (SYS_O_ACCMODE | SYS_O_APPEND)) | SYS_O_CLOEXEC;
	long result, fd;

	if (sys_fcntl(file->fd, SYS_F_GETFD, 0) != -SYS_EBADF)
		return refuse(reason, "needs a descriptor that is in use:", path, 0);
	fd = sys_open(path, flags);
	if (fd < 0)
		return refuse(reason, "can't be opened:", path, fd);
	if (fd != file->fd) {
		result = sys_dup3((int)fd, file->fd, SYS_O_CLOEXEC);
		sys_close((int)fd);
		if (result < 0)
			return refuse(reason, "needs its descriptor:", path, result);
	}
	result = file->offset ? sys_lseek(file->fd, file->offset) : 0;
	if (result < 0)
		return refuse(reason, "can't be positioned:", path, result);
	return 0;
}

int files_open(const void *meta, const struct image_header *header, struct reason *reason)
{
	const struct image_file *file = image_rows(meta, &header->files);

	for (uint32_t i = 0; i < header->files.count; i++, file++) {
		const char *path = image_string(meta, header, file->path);
		int mode = file->flags & (SYS_O_ACCMODE | SYS_O_APPEND);

		if (!path || file->fd < 0
		    || (mode != SYS_O_RDONLY && mode != (SYS_O_WRONLY | SYS_O_APPEND)))
			return say_reason(reason, "damaged", "an open file's row", 0);
		if (check(file, path, reason) || open_at(file, path, reason))
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
