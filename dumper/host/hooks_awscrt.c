/*
 * awscrt's extension holds s2n, which opens /dev/urandom when it is imported and
 * reads from it without a buffer. s2n seeds its generators in a forked process anew
 * (s2n_ensure_uniqueness), and the frozen one was forked. A descriptor that anybody
 * else may have opened is left, and refused: what was read of it could be buffered.
 */
#include "hooks_awscrt.h"
#include "cpython.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DEVICE "/dev/urandom"

static int kept = -1, flags;

static int is_random(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) &&
		status.st_rdev == makedev(1, 9);
}

/* The only one; -1: none, or several. */
static int find(void)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;
	int found = -1, count = 0;

	while (folder && (entry = readdir(folder)))
		if (entry->d_name[0] != '.' && is_random(atoi(entry->d_name))) {
			found = atoi(entry->d_name);
			count++;
		}
	if (folder)
		closedir(folder);
	return count == 1 && found > 2 ? found : -1;
}

void hooks_awscrt_freeze(void)
{
	if (PyDict_GetItemString(PyImport_GetModuleDict(), "_awscrt"))
		kept = find();
	if (kept < 0)
		return;
	flags = fcntl(kept, F_GETFD);
	close(kept);
}

const char *hooks_awscrt_resume(void)
{
	int fd;

	if (kept < 0)
		return NULL;
	if (fcntl(kept, F_GETFD) >= 0)
		return "the descriptor that awscrt has open on " DEVICE " is in use";
	fd = open(DEVICE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return DEVICE " can't be opened, which awscrt had open";
	if (fd != kept) {
		dup2(fd, kept);
		close(fd);
	}
	fcntl(kept, F_SETFD, flags);
	return NULL;
}
