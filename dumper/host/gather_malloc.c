/*
 * During the build jumps stand where libc's malloc(), calloc() and realloc() begin, and
 * nothing is left of them in the image: functions of ours that came before libc's would
 * be in all GOTs for ever. What malloc() would do calloc() and realloc() do, which do not
 * call it (glibc, malloc/malloc.c; asked at the start). What these would do they do, from
 * behind their first instructions, if these are some that may stand elsewhere.
 * Blocks of other functions are not counted, and frees are not heard of: what is not
 * there any more is found at the end, by a walk over the heap.
 *
 * A thread that comes while another one is here gets a block that nobody counts.
 */
#include "gather_malloc.h"
#include "carve.h"
#include "gather.h"
#include "interpose.h"
#include "talk.h"

#include "allocations.h"
#include "chunk.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

static int inside;

void gather_malloc_inside(int is_inside)
{
	inside = is_inside;
}

#if defined(__x86_64__)
#define NEAR 5u			/* jmp rel32 */
#define AWAY 0x40000000u	/* from libc, in reach of NEAR: no gap between libraries */
#define SLOT 32u		/* of the page: room for NEAR + 3 bytes and a far jump */

typedef void *(*calloc_function)(size_t, size_t);
typedef void *(*realloc_function)(void *, size_t);

enum { MALLOC, CALLOC, REALLOC, ENTRIES };

static struct entry {
	unsigned char *code;	/* where libc's function begins, or NULL */
	unsigned char before[NEAR];
} entries[ENTRIES];

static calloc_function libcs_calloc;
static realloc_function libcs_realloc;
static unsigned char *page;	/* near libc: the ways to us, and to libc's own rests */
static unsigned char *first;	/* a block of ours, from when all began */
static char busy;
static int asking, was_asked;

/* realloc() of a block is never malloc(); calloc() would touch all of it. */
static void *get(size_t size)
{
	void *block, *grown;

	if (size <= GATHER_LARGEST)
		return libcs_calloc(1, size);
	block = libcs_calloc(1, 1);
	grown = block ? libcs_realloc(block, size) : NULL;
	if (!grown)
		free(block);
	return grown;
}

static int may_count(size_t size)
{
	return !inside && size <= GATHER_LARGEST &&
		!__atomic_test_and_set(&busy, __ATOMIC_ACQUIRE);
}

/* Counts it. The block, if it is hot. */
static void *place(size_t size)
{
	size_t unused;
	int tier = gather_count(GATHER_MALLOC, size, &unused);

	return tier < 0 ? NULL : carve((unsigned)tier, size);
}

static void *counted(void *block, size_t size)
{
	gather_note(GATHER_MALLOC, block, size);
	__atomic_clear(&busy, __ATOMIC_RELEASE);
	return block;
}

static void *gathering_malloc(size_t size)
{
	void *block;

	if (asking) {
		was_asked = 1;
		return NULL;
	}
	if (!may_count(size))
		return get(size);
	block = place(size);
	return counted(block ? block : get(size), size);
}

static void *gathering_calloc(size_t count, size_t size)
{
	size_t all;
	void *block;

	if (__builtin_mul_overflow(count, size, &all) || !may_count(all))
		return libcs_calloc(count, size);
	block = place(all);
	return counted(block ? memset(block, 0, all) : libcs_calloc(count, size), all);
}

static void *move(void *block, size_t size)
{
	void *moved = place(size);
	size_t have;

	if (!moved)
		return libcs_realloc(block, size);
	have = malloc_usable_size(block);
	memcpy(moved, block, size < have ? size : have);
	free(block);
	return moved;
}

static void *gathering_realloc(void *block, size_t size)
{
	if (block && !inside)
		gather_forget(block, (char *)block + GATHER_UNIT);
	if (!block || !size || !may_count(size))
		return libcs_realloc(block, size);
	return counted(move(block, size), size);
}

static void write_far(unsigned char *at, void *target)
{
	static const unsigned char jump[] = { 0xff, 0x25, 0, 0, 0, 0 };

	memcpy(at, jump, sizeof jump);
	memcpy(at + sizeof jump, &target, sizeof target);
}

static int write_code(unsigned char *code, const void *bytes)
{
	uintptr_t start = (uintptr_t)code & ~(uintptr_t)(PAGE - 1);
	size_t length = (uintptr_t)code + NEAR - start;

	/* some policies refuse what is both, before anything is changed */
	if (mprotect((void *)start, length, PROT_READ | PROT_WRITE | PROT_EXEC))
		return -1;
	memcpy(code, bytes, NEAR);
	mprotect((void *)start, length, PROT_READ | PROT_EXEC);
	return 0;
}

/* Makes the function go to ours, by way of the page. */
static int divert(struct entry *entry, unsigned char *code, unsigned char *slot)
{
	int64_t distance = (int64_t)(slot - (code + NEAR));
	int32_t near = (int32_t)distance;
	unsigned char jump[NEAR] = { 0xe9 };

	if (distance != near)
		return -1;
	memcpy(jump + 1, &near, sizeof near);
	memcpy(entry->before, code, NEAR);
	if (write_code(code, jump))
		return -1;
	entry->code = code;
	return 0;
}

/* Length of an instruction that does the same elsewhere, or 0: endbr64, push of a
 * register, mov between two, test of two, mul by one. */
static size_t movable(const unsigned char *code)
{
	static const unsigned char landing[] = { 0xf3, 0x0f, 0x1e, 0xfa };

	if (memcmp(code, landing, sizeof landing) == 0)
		return sizeof landing;
	if ((code[0] & 0xf8) == 0x50)
		return 1;
	if (code[0] == 0x41 && (code[1] & 0xf8) == 0x50)
		return 2;
	if ((code[0] & 0xf8) == 0x48 && (code[1] == 0x89 || code[1] == 0x85) &&
	    code[2] >= 0xc0)
		return 3;
	if ((code[0] & 0xfe) == 0x48 && code[1] == 0xf7 && (code[2] & 0xf8) == 0xe0)
		return 3;
	return 0;
}

static size_t movable_head(const unsigned char *code)
{
	size_t length = 0, more;

	while (length < NEAR) {
		more = movable(code + length);
		if (!more)
			return 0;
		length += more;
	}
	return length;
}

static void put_back(struct entry *entry)
{
	if (entry->code && write_code(entry->code, entry->before))
		talk_refuse("make libc's malloc() as it was: %m");
	entry->code = NULL;
}

/* Whether they do without malloc(). */
static int others_are_independent(void)
{
	void *volatile one, *volatile two;

	asking = 1;
	was_asked = 0;
	one = calloc(1, 24);
	two = realloc(one, 2 * GATHER_LARGEST);
	free(two ? two : one);
	asking = 0;
	return !was_asked && one && two;
}

/* The ways in are the page's first slots, libc's own functions those behind them. */
static unsigned char *slot(unsigned number)
{
	return page + number * SLOT;
}

/* A function that begins as libc's does, and goes on there; or libc's where that can't
 * be, which then stays as it is. */
static void *write_rest(unsigned number, unsigned char *code)
{
	size_t head = movable_head(code);

	if (!head)
		return code;
	memcpy(slot(ENTRIES + number), code, head);
	write_far(slot(ENTRIES + number) + head, code + head);
	return slot(ENTRIES + number);
}

static int write_page(unsigned char *const codes[ENTRIES], void *rests[ENTRIES])
{
	write_far(slot(MALLOC), (void *)(uintptr_t)gathering_malloc);
	write_far(slot(CALLOC), (void *)(uintptr_t)gathering_calloc);
	write_far(slot(REALLOC), (void *)(uintptr_t)gathering_realloc);
	for (unsigned i = CALLOC; i < ENTRIES; i++)
		rests[i] = write_rest(i, codes[i]);
	return mprotect(page, PAGE, PROT_READ | PROT_EXEC);
}

static void use(const void *of_calloc, const void *of_realloc)
{
	libcs_calloc = (calloc_function)(uintptr_t)of_calloc;
	libcs_realloc = (realloc_function)(uintptr_t)of_realloc;
}

static void divert_all(unsigned char *const codes[ENTRIES])
{
	void *rests[ENTRIES];

	use(codes[CALLOC], codes[REALLOC]);
	page = mmap((void *)(((uintptr_t)codes[MALLOC] - AWAY) & ~(uintptr_t)(PAGE - 1)),
		PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED) {
		page = NULL;
		return;
	}
	if (write_page(codes, rests) ||
	    divert(&entries[MALLOC], codes[MALLOC], slot(MALLOC)) ||
	    !others_are_independent()) {
		put_back(&entries[MALLOC]);
		return;
	}
	use(rests[CALLOC], rests[REALLOC]);
	for (unsigned i = CALLOC; i < ENTRIES; i++)
		if (rests[i] != codes[i])
			divert(&entries[i], codes[i], slot(i));
}

void gather_malloc_begin(void)
{
	void *libc = interpose_object((void *)(uintptr_t)gnu_get_libc_version);
	/* Not by their mere names: these may be the executable's own PLT then. */
	static const char *const names[ENTRIES] = { "malloc", "calloc", "realloc" };
	unsigned char *codes[ENTRIES];

	for (unsigned i = 0; i < ENTRIES; i++) {
		codes[i] = libc ? dlsym(libc, names[i]) : NULL;
		/* else another allocator comes before libc's */
		if (!codes[i] || codes[i] != dlsym(RTLD_NEXT, names[i]))
			return;
	}
	first = malloc(1);
	if (!first)
		return;
	for (unsigned tier = 0; tier < GATHER_TIERS; tier++)
		carve_reserve(tier, gather_chunk_bytes(tier));
	divert_all(codes);
}

/* A chunk says whether the one before it is in use. What may be noted inside of one is
 * older; so is all that is noted of a free or a large one, which may be a buffer. */
static void forget_what_went(const unsigned char *top)
{
	const unsigned char *block = first, *next;
	size_t size;

	for (; block < top; block = next) {
		size = chunk_length(block);
		if (size < 2 * GATHER_UNIT || size % GATHER_UNIT ||
		    size > (size_t)(top - block))
			break;
		next = block + size;
		if (size > gather_chunk_size(GATHER_LARGEST) ||
		    !(*chunk_word(next) & CHUNK_PREV_INUSE))
			gather_forget(block, next);
		else
			gather_forget(block + GATHER_UNIT, next);
	}
	gather_forget(block, sbrk(0));
}

void gather_malloc_end(void)
{
	unsigned char *end = sbrk(0);

	if (!page)
		return;
	for (unsigned i = 0; i < ENTRIES; i++)
		put_back(&entries[i]);
	munmap(page, PAGE);
	page = NULL;
	/* the top's block */
	forget_what_went(end - mallinfo2().keepcost + 2 * CHUNK_HEADER);
}
#else
void gather_malloc_begin(void)
{
}

void gather_malloc_end(void)
{
}
#endif
