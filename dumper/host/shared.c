/*
 * Shared memory without a name: mmap(MAP_SHARED | MAP_ANONYMOUS), and semaphores
 * that were unlinked, such as multiprocessing.Lock()'s. Only who is forked by a
 * process has them in common with it, and the frozen one has no children: so each
 * restored process has its own.
 */
#include "shared.h"
#include "talk.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST 256	/* more stay as they are */

static struct area {
	char *start;
	size_t length;
} areas[MOST];
static int count;

/* mm/shmem.c, shmem_zero_setup(): what is anonymous has this name. glibc,
 * sem_open(): named semaphores are files of this name. Sharers of another one may
 * have opened it before it was unlinked. */
static int is_ours(const char *path)
{
	static const char semaphore[] = "/dev/shm/sem.", deleted[] = " (deleted)";
	size_t length = strlen(path), end = sizeof deleted - 1;

	if (strcmp(path, "/dev/zero (deleted)") == 0)
		return 1;
	return strncmp(path, semaphore, sizeof semaphore - 1) == 0 && length > end &&
		strcmp(path + length - end, deleted) == 0;
}

static void note(char *line)
{
	unsigned long start, end;
	char mode[5];
	int at = 0;

	line[strcspn(line, "\n")] = '\0';
	if (count < MOST &&
	    sscanf(line, "%lx-%lx %4s %*x %*s %*u %n", &start, &end, mode, &at) == 3 && at &&
	    mode[1] == 'w' && mode[2] != 'x' && mode[3] == 's' && is_ours(line + at))
		areas[count++] = (struct area){(char *)start, end - start};
}

static void find(void)
{
	static char line[8192];
	FILE *maps = fopen("/proc/self/maps", "re");

	if (!maps)
		talk_refuse("open /proc/self/maps: %m");
	while (fgets(line, sizeof line, maps))
		note(line);
	fclose(maps);
}

/* The same bytes at the same place in memory of another kind. */
static int replace(const struct area *area, int flags)
{
	char *copy = mmap(NULL, area->length, PROT_READ | PROT_WRITE,
		flags | MAP_ANONYMOUS, -1, 0);

	if (copy == MAP_FAILED)
		return -1;
	memcpy(copy, area->start, area->length);
	if (mremap(copy, area->length, area->length, MREMAP_MAYMOVE | MREMAP_FIXED,
			area->start) == MAP_FAILED) {
		munmap(copy, area->length);
		return -1;
	}
	return 0;
}

void shared_freeze(void)
{
	count = 0;
	find();
	for (int i = 0; i < count; i++)
		if (replace(&areas[i], MAP_PRIVATE))
			talk_refuse("copy shared memory: %m");
}

int shared_resume(void)
{
	for (int i = 0; i < count; i++)
		if (replace(&areas[i], MAP_SHARED))
			return -1;
	return 0;
}
