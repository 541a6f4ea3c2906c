/*
 * Low descriptors; see low_descriptors.h. All of them are one memory file, which nothing
 * else has open: by that they are known again.
 */
#include "low_descriptors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Shells hand on 3 to 9, service managers those from 3 on. */
#define FIRST 3
#define END 20
#define ENOUGH 256	/* allowed in all, that a workload does not miss these */

static struct stat held;

void low_descriptors_hold(void)
{
	struct rlimit limit;
	int fd;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur < ENOUGH)
		return;
	fd = memfd_create("held", MFD_CLOEXEC);
	if (fd < 0 || fstat(fd, &held))
		return;
	while (fd >= FIRST && fd < END)
		fd = fcntl(fd, F_DUPFD_CLOEXEC, FIRST);
	if (fd >= 0)
		close(fd);
}

int low_descriptors_holds(int fd)
{
	struct stat status;

	return held.st_ino && fstat(fd, &status) == 0 && status.st_dev == held.st_dev &&
		status.st_ino == held.st_ino;
}

void low_descriptors_release(void)
{
	for (int fd = FIRST; fd < END; fd++)
		if (low_descriptors_holds(fd))
			close(fd);
}
