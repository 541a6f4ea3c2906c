/*
 * Shared memory without a name: mmap(MAP_SHARED | MAP_ANONYMOUS), and semaphores
 * that were unlinked, such as multiprocessing.Lock()'s. Only who is forked by a
 * process has them in common with it, and the frozen one has no children: so each
 * restored process has its own.
 * Memory that is empty in a forked process, MADV_WIPEONFORK: libraries tell by it
 * that they are in another process (s2n), and so is each restored one. Droppable
 * memory is such, too: glibc 2.41 keeps in it what getrandom(3) draws from without a
 * system call (getrandom.c: mmap() with the flags that the vDSO tells), and were it
 * ordinary memory, a forked child would draw the same bytes as its parent.
 */
#include "forked.h"
#include "talk.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST 256	/* more stay as they are */
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08	/* linux/mman.h, 6.11 */
#endif

enum kind { COMMON, SHARED, WIPED, DROPPABLE };

static struct area {
	char *start;
	size_t length;
	enum kind kind;
} areas[MOST];
static int count;

/* mm/shmem.c, shmem_zero_setup(): what is anonymous has this name. glibc,
 * sem_open(): named semaphores are files of this name. */
static int is_ours(const char *path)
{
	static const char semaphore[] = "/dev/shm/sem.", deleted[] = " (deleted)";
	size_t length = strlen(path), end = sizeof deleted - 1;

	if (strcmp(path, "/dev/zero (deleted)") == 0)
		return 1;
	return strncmp(path, semaphore, sizeof semaphore - 1) == 0 && length > end &&
		strcmp(path + length - end, deleted) == 0;
}

/* Whether it is the first line of a mapping in smaps. */
static int read_head(const char *line, struct area *area)
{
	unsigned long start, end;
	char mode[5];
	int at = 0;

	if (sscanf(line, "%lx-%lx %4s %*x %*s %*u %n", &start, &end, mode, &at) != 3 || !at)
		return 0;
	*area = (struct area){(char *)start, end - start, COMMON};
	if (strcmp(mode, "rw-s") == 0 && is_ours(line + at))
		area->kind = SHARED;
	else if (strcmp(mode, "rw-p") == 0 && !line[at])
		area->kind = WIPED;	/* if its flags say so */
	return 1;
}

static void find(FILE *maps)
{
	static char line[8192];
	struct area area = {0};

	while (fgets(line, sizeof line, maps)) {
		line[strcspn(line, "\n")] = '\0';
		if (read_head(line, &area) || strncmp(line, "VmFlags:", 8) != 0)
			continue;
		if (area.kind == WIPED && strstr(line, " dp"))
			area.kind = DROPPABLE;
		else if (area.kind == WIPED && !strstr(line, " wf"))
			area.kind = COMMON;
		if (area.kind != COMMON && count < MOST)
			areas[count++] = area;
	}
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

/* madvise(2): only for memory that is anonymous, which an image's is not. */
static int wipe(const struct area *area, int advice)
{
	void *memory = mmap(area->start, area->length, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	return memory == MAP_FAILED || madvise(memory, area->length, advice) ? -1 : 0;
}

/* mmap(2): it is emptied by a fork, and in want of memory instead of being swapped
 * out. A kernel that has none has no getrandom() in its vDSO either. */
static int drop(const struct area *area)
{
	void *memory = mmap(area->start, area->length, PROT_READ | PROT_WRITE,
		MAP_DROPPABLE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	return memory == MAP_FAILED ? wipe(area, MADV_WIPEONFORK) : 0;
}

static int renew(const struct area *area)
{
	switch (area->kind) {
	case SHARED:
		return replace(area, MAP_SHARED);
	case DROPPABLE:
		return drop(area);
	default:
		return wipe(area, MADV_WIPEONFORK);
	}
}

void forked_freeze(void)
{
	FILE *maps = fopen("/proc/self/smaps", "re");

	if (!maps)
		talk_refuse("open /proc/self/smaps: %m");
	count = 0;
	find(maps);
	fclose(maps);
	for (int i = 0; i < count; i++)
		if (areas[i].kind == SHARED ? replace(&areas[i], MAP_PRIVATE) :
				wipe(&areas[i], MADV_KEEPONFORK))
			talk_refuse("copy memory that is shared or emptied by a fork: %m");
}

int forked_resume(void)
{
	for (int i = 0; i < count; i++)
		if (renew(&areas[i]))
			return -1;
	return 0;
}
