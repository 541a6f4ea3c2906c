/*
 * The image's file; see output.h.
 */
#include "output.h"

#include "alloc.h"
#include "cleanup.h"
#include "err.h"
#include "file.h"
#include "image.h"
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int check_target(const char *path, struct err *err)
{
	struct stat status;

	if (lstat(path, &status))
		return errno == ENOENT ? 0 : err_sys(err, "write %s", path);
	if (S_ISREG(status.st_mode) || S_ISLNK(status.st_mode))
		return 0;
	return err_set(err, ERR_IO, "write %s: something is there that is not a file",
		       path);
}

/* There exec and mmap() of code both fail, so pyimage is no way out either. */
static int check_mount(int fd, const char *path, struct err *err)
{
	struct statvfs mount;

	if (fstatvfs(fd, &mount))
		return err_sys(err, "look at %s", path);
	if (mount.f_flag & ST_NOEXEC)
		return err_set(err, ERR_REFUSED,
			       "write %s: it would lie on a noexec mount, from where no image "
			       "can run; choose another folder", path);
	return 0;
}

/* The image is run from there by its name, as whoever builds it. */
static int check_folder(const char *folder, const char *path, struct err *err)
{
	struct stat status;
	mode_t others = S_IWOTH;

	if (stat(folder, &status))
		return err_sys(err, "write %s", path);
	if (status.st_gid != getegid())
		others |= S_IWGRP;
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return err_set(err, ERR_REFUSED,
			       "write %s: its folder belongs to another user, who could "
			       "exchange the image; choose another folder", path);
	if ((status.st_mode & others) && !(status.st_mode & S_ISVTX))
		return err_set(err, ERR_REFUSED,
			       "write %s: other users may write to its folder and could "
			       "exchange the image; choose another folder", path);
	return 0;
}

static mode_t find_umask(void)
{
	mode_t mask = umask(077);

	umask(mask);
	return mask;
}

int output_create(const char *path, struct output *output, struct err *err)
{
	char *folder;
	int failed;

	*output = (struct output){.fd = -1};
	output->path = path_absolute(path, err);
	if (!output->path || check_target(output->path, err))
		return -1;
	/* EFBIG instead of a signal */
	signal(SIGXFSZ, SIG_IGN);
	folder = path_folder(output->path);
	output->temporary = alloc_print("%s/.%s.XXXXXX", folder, path_base(output->path));
	failed = check_folder(folder, output->path, err);
	free(folder);
	if (failed) {
		free(output->temporary);
		output->temporary = NULL;
		return -1;
	}
	output->fd = mkostemp(output->temporary, O_CLOEXEC);
	if (output->fd < 0) {
		err_sys(err, "write %s", output->path);
		free(output->temporary);
		output->temporary = NULL;
		return -1;
	}
	cleanup_set_path(output->temporary);
	if (fchmod(output->fd, 0755 & ~find_umask()))
		return err_sys(err, "set the mode of %s", output->temporary);
	return check_mount(output->fd, output->path, err);
}

int output_check_room(const struct output *output, uint64_t size, struct err *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	    limit.rlim_cur < size)
		return err_set(err, ERR_IO,
			       "write %s (%llu kB): File too large (ulimit -f is %llu kB)",
			       output->path, (unsigned long long)size / 1024,
			       (unsigned long long)limit.rlim_cur / 1024);
	return 0;
}

static int check_size(int fd, uint64_t size, const char *path, struct err *err)
{
	struct stat status;

	if (fstat(fd, &status))
		return err_sys(err, "look at %s", path);
	if ((uint64_t)status.st_size != size)
		return err_set(err, ERR_IO, "write %s: it has %llu bytes instead of %llu",
			       path, (unsigned long long)status.st_size,
			       (unsigned long long)size);
	return 0;
}

static int close_checked(struct output *output, struct err *err)
{
	int fd = output->fd;

	output->fd = -1;
	if (close(fd))
		return err_sys(err, "write %s", output->path);
	return 0;
}

int output_copy(struct output *output, int from, uint64_t size, struct err *err)
{
	const char *path = output->path;
	void *content;
	int result;

	/* populated: write() copies with page faults off, and where it meets a
	 * page that is not there it goes on in single pages, so that the page
	 * cache would hold no large folios */
	content = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_POPULATE, from, 0);
	if (content == MAP_FAILED)
		return err_sys(err, "map the image's content (%llu kB)",
			       (unsigned long long)size / 1024);
	result = file_write_at(output->fd, path, content, size, 0, err);
	munmap(content, size);
	if (result || check_size(output->fd, size, path, err))
		return -1;
	/* on the disk first: after a power failure no file may claim to be
	 * whole that is not */
	if (fsync(output->fd))
		return err_sys(err, "write %s", path);
	if (file_write_at(output->fd, path, IMAGE_MAGIC, strlen(IMAGE_MAGIC),
			  IMAGE_PREFIX_OFFSET + offsetof(struct image_prefix, magic), err))
		return -1;
	return close_checked(output, err);
}

int output_patch(struct output *output, const void *data, size_t size,
		 uint64_t offset, struct err *err)
{
	output->fd = open(output->temporary, O_WRONLY | O_CLOEXEC);
	if (output->fd < 0)
		return err_sys(err, "write %s", output->path);
	if (file_write_at(output->fd, output->path, data, size, offset, err))
		return -1;
	return close_checked(output, err);
}

int output_finish(struct output *output, struct err *err)
{
	if (rename(output->temporary, output->path))
		return err_sys(err, "write %s", output->path);
	cleanup_set_path(NULL);
	free(output->temporary);
	output->temporary = NULL;
	return 0;
}

void output_free(struct output *output)
{
	if (output->fd >= 0)
		close(output->fd);
	if (output->temporary)
		unlink(output->temporary);
	cleanup_set_path(NULL);
	free(output->temporary);
	free(output->path);
	*output = (struct output){.fd = -1};
}
