/*
 * A reference count that goes up and down again leaves no trace, so pages are made
 * read-only: the fault tells the address, the page becomes writable for this one
 * instruction, and read-only again at the trap behind it. Signals and memory only,
 * nothing of Python: it runs in trial runs, on whatever stack a write happens.
 * A page on which nothing new was written for a while stays writable.
 *
 * The file's name comes from the environment, so the file may be any, and another
 * process may write to it: its table is copied, then checked, then used.
 */
#include "writes.h"
#include "allocations.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE 4096u
#define ROUNDS 2000u		/* known writes on a page until it is left alone */
#define PENDING 4		/* pages that one instruction can write to */

#if defined(__x86_64__)
#define TRAP_FLAG 0x100
#define FLAGS_OF(context) (&(context)->uc_mcontext.gregs[REG_EFL])

static char *file;
static struct gather_range *ranges;
static uint64_t range_count;
static uint32_t heard;
static void *pending[PENDING];

static struct gather_range *range_of(uint64_t address)
{
	uint64_t from = 0, to = range_count;

	while (from < to) {
		uint64_t middle = (from + to) / 2;
		struct gather_range *range = &ranges[middle];

		if (address < range->start)
			to = middle;
		else if (address - range->start < range->length)
			return range;
		else
			from = middle + 1;
	}
	return NULL;
}

static unsigned char now(void)
{
	uint32_t steps = heard++ / GATHER_STEP + 1;

	return (unsigned char)(steps < GATHER_LATEST ? steps : GATHER_LATEST);
}

/* Whether the page is to be read-only again. */
static int mark(const struct gather_range *range, uint64_t address)
{
	uint64_t at = address - range->start;
	unsigned char *unit = (unsigned char *)file + range->marks + at / GATHER_UNIT;
	uint32_t *rounds = (uint32_t *)(void *)(file + range->rounds) + at / PAGE;

	*rounds = *unit ? *rounds + 1 : 0;
	if (!*unit)
		*unit = now();
	return *rounds < ROUNDS;
}

/* Where there is no room it stays writable. */
static void protect_later(void *page, ucontext_t *context)
{
	for (int i = 0; i < PENDING; i++) {
		if (pending[i])
			continue;
		pending[i] = page;
		*FLAGS_OF(context) |= TRAP_FLAG;
		return;
	}
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	uint64_t address = (uint64_t)info->si_addr;
	struct gather_range *range = range_of(address);
	void *page = (void *)(uintptr_t)(address & ~(uint64_t)(PAGE - 1));
	int error = errno;

	if (!range || mprotect(page, PAGE, PROT_READ | PROT_WRITE)) {
		signal(number, SIG_DFL);	/* a fault of the program's own */
		return;
	}
	if (mark(range, address))
		protect_later(page, context);
	errno = error;
}

static void on_trap(int number, siginfo_t *info, void *context)
{
	int error = errno;

	(void)number;
	(void)info;
	for (int i = 0; i < PENDING; i++) {
		if (pending[i] && range_count)	/* else all is over: another thread's end */
			mprotect(pending[i], PAGE, PROT_READ);
		pending[i] = NULL;
	}
	*FLAGS_OF((ucontext_t *)context) &= ~TRAP_FLAG;
	errno = error;
}

static void handle(int number, void (*function)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = function, .sa_flags = SA_SIGINFO };

	sigfillset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

/* Whether these bytes of the file lie behind its table. */
static int is_inside(uint64_t at, uint64_t length, uint64_t head, uint64_t size)
{
	return at >= head && at <= size && length <= size - at;
}

static int is_sound(const struct gather_range *range, uint64_t head, uint64_t size)
{
	return range->start % PAGE == 0 && range->length && range->length % PAGE == 0 &&
		range->length <= UINT64_MAX - range->start &&
		range->rounds % sizeof(uint32_t) == 0 &&
		is_inside(range->rounds, range->length / PAGE * sizeof(uint32_t), head,
			size) &&
		is_inside(range->marks, range->length / GATHER_UNIT, head, size);
}

/* The table of a file of this size. */
static int take_ranges(uint64_t size)
{
	const struct gather_writes *from = (struct gather_writes *)(void *)file;
	uint64_t count = from->count, last = 0, head;

	if (from->magic != GATHER_MAGIC ||
	    count > (size - sizeof(*from)) / sizeof(*ranges))
		return -1;
	head = sizeof(*from) + count * sizeof(*ranges);
	ranges = mmap(NULL, count * sizeof(*ranges), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ranges == MAP_FAILED)
		return -1;
	memcpy(ranges, from->ranges, count * sizeof(*ranges));
	for (uint64_t i = 0; i < count; i++) {
		if (ranges[i].start < last || !is_sound(&ranges[i], head, size))
			return -1;
		last = ranges[i].start + ranges[i].length;
	}
	range_count = count;
	return 0;
}

static int map_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat status;
	void *at = MAP_FAILED;

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    status.st_size > (off_t)sizeof(struct gather_writes)) {
		at = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE,
			MAP_SHARED, fd, 0);
	}
	close(fd);
	if (at == MAP_FAILED)
		return -1;
	file = at;
	if (take_ranges((uint64_t)status.st_size)) {
		file = NULL;
		return -1;
	}
	return 0;
}

void writes_watch(void)
{
	const char *path = getenv(GATHER_WRITES_ENV);

	if (!path || map_file(path))
		return;
	handle(SIGSEGV, on_fault);
	handle(SIGTRAP, on_trap);
	for (uint64_t i = 0; i < range_count; i++)
		mprotect((void *)(uintptr_t)ranges[i].start, (size_t)ranges[i].length,
			PROT_READ);
}

void writes_end(void)
{
	if (file)
		((struct gather_writes *)(void *)file)->ended = 1;
	for (uint64_t i = 0; i < range_count; i++)
		mprotect((void *)(uintptr_t)ranges[i].start, (size_t)ranges[i].length,
			PROT_READ | PROT_WRITE);
	range_count = 0;
}
#else
void writes_watch(void)
{
}

void writes_end(void)
{
}
#endif
