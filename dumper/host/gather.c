/*
 * The host's end of include/allocations.h. Knows nothing of where blocks lie.
 */
#include "gather.h"
#include "talk.h"

#include "allocations.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Far from all that stays, so that it leaves no gap: its 2 GiB are hardly used. */
#define PLACE ((void *)0x180000000000)

/* In memory of its own, which the image does not have. */
struct counts {
	uint32_t count[GATHER_SIZES];
	uint32_t next[GATHER_SIZES];	/* ordinal of the next hot one, or 0 */
	uint32_t key[GATHER_SIZES];	/* its index */
	uint32_t last[2];		/* what was counted last, of each domain */
	unsigned char begun[GATHER_MODULES];
};

static struct gather_file *file;
static struct counts *counts;
static int noting;
static uint32_t module;		/* whose import began last, as in a key's size */

/* In each forked child, also of a restored process, where nothing is to be written. */
static void forked(void)
{
	if (noting)
		noting = 0;
}

static uint32_t key_size(uint32_t size)
{
	return size & GATHER_CHUNK_OF ? size : size | module;
}

static void look_for(uint32_t size, uint32_t key)
{
	int more = key < file->count && file->keys[key].size == key_size(size);

	counts->key[size] = key;
	counts->next[size] = more ? file->keys[key].ordinal & ~GATHER_TIER : 0;
}

/* The first key of this size or a larger one. */
static uint32_t first_key(uint32_t size)
{
	uint32_t from = 0, to = (uint32_t)file->count;

	while (from < to) {
		uint32_t middle = from + (to - from) / 2;

		if (file->keys[middle].size < size)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* For the first keys of all sizes that there are in this module. */
static void look_for_all(void)
{
	uint32_t last = UINT32_MAX, end = module + GATHER_SIZES - 1;

	for (uint32_t i = first_key(module); i < file->count && file->keys[i].size <= end; i++) {
		uint32_t size = file->keys[i].size;

		if (size != last)
			look_for(size & (GATHER_SIZES - 1), i);
		last = size;
	}
}

/* FNV-1a; other names that have the same one are not told apart. */
static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash % GATHER_MODULES;
}

/* Each once: no two allocations are to have one key. */
void gather_import(const char *name)
{
	uint32_t hash;

	if (!file)
		return;
	hash = hash_of(name);
	if (counts->begun[hash])
		return;
	counts->begun[hash] = 1;
	module = hash << GATHER_MODULE_SHIFT;
	memset(counts->count, 0, GATHER_CHUNK_OF * sizeof *counts->count);
	memset(counts->next, 0, GATHER_CHUNK_OF * sizeof *counts->next);
	look_for_all();
}

void gather_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) || status.st_size != sizeof *file)
		talk_refuse("open %s, in which hot objects are learned: %m", path);
	file = mmap(PLACE, sizeof *file, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_NORESERVE, fd, 0);
	counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	close(fd);
	if (file == MAP_FAILED || counts == MAP_FAILED)
		talk_refuse("map what hot objects are learned in: %m");
	if (file->magic != GATHER_MAGIC || file->count > GATHER_KEYS)
		talk_refuse("pydump and host are of different versions");
	counts->begun[0] = 1;
	look_for_all();
	noting = 1;
	pthread_atfork(NULL, NULL, forked);
}

size_t gather_bytes(unsigned tier)
{
	return file ? file->bytes[tier] : 0;
}

size_t gather_chunk_bytes(unsigned tier)
{
	return file ? file->chunk_bytes[tier] : 0;
}

int gather_count(enum gather_domain domain, size_t size, size_t *offset)
{
	uint32_t n, key;

	if (!file || size > GATHER_LARGEST)
		return -1;
	size |= domain == GATHER_MALLOC ? GATHER_CHUNK_OF : 0;
	n = ++counts->count[size];
	counts->last[domain] = n;
	if (!n || n != counts->next[size])	/* 0: 2^32 were before, as if none were */
		return -1;
	key = counts->key[size];
	look_for((uint32_t)size, key + 1);
	*offset = file->offsets[key];
	return (file->keys[key].ordinal & GATHER_TIER) != 0;
}

void gather_note(enum gather_domain domain, const void *block, size_t size)
{
	uint32_t kind = domain == GATHER_MALLOC ? (uint32_t)size | GATHER_CHUNK_OF :
		(uint32_t)size | module;
	uintptr_t at = (uintptr_t)block;

	if (!noting || size > GATHER_LARGEST || !block)
		return;
	/* What began inside of it before is gone. It may reach into a second chunk. */
	for (uintptr_t end = at + size, unit = at; unit < end || unit == at;) {
		uint64_t chunk = unit / GATHER_CHUNK;
		uint32_t slot = gather_slot(file->places, chunk);
		uintptr_t stop = (chunk + 1) * GATHER_CHUNK;
		struct gather_key *key;

		if (slot == GATHER_CHUNKS)
			return;
		file->places[slot] = chunk;
		key = file->chunks[slot].blocks + unit % GATHER_CHUNK / GATHER_UNIT;
		if (stop > end)
			stop = end;
		if (unit == at)
			*key++ = (struct gather_key){ kind, counts->last[domain] };
		for (unit = unit == at ? unit + GATHER_UNIT : unit; unit < stop;
		     unit += GATHER_UNIT)
			*key++ = (struct gather_key){ 0, 0 };
	}
}

static struct gather_key *noted(const void *block)
{
	return noting && block ? gather_find(file, (uintptr_t)block) : NULL;
}

int gather_is_mallocs(const void *block)
{
	const struct gather_key *key = noted(block);

	return !key || !gather_is_of_pool(key);
}

void gather_note_mallocs(const void *block)
{
	struct gather_key *key = noted(block);

	if (key && key->ordinal)
		key->ordinal |= GATHER_MALLOCS;
}

void gather_gone(const void *block)
{
	struct gather_key *key = noted(block);

	if (key)
		key->ordinal = 0;
}

void gather_forget(const void *from, const void *to)
{
	for (uintptr_t at = (uintptr_t)from; noting && at < (uintptr_t)to; at += GATHER_UNIT) {
		struct gather_key *key = gather_find(file, at);

		if (key)
			*key = (struct gather_key){ 0, 0 };
	}
}

void gather_drop(void)
{
	if (file)
		memset(file->places, 0, sizeof file->places);
	gather_end();
}

void gather_go_on(void)
{
	noting = file != NULL;
}

void gather_end(void)
{
	if (!file)
		return;
	munmap(file, sizeof *file);
	munmap(counts, sizeof *counts);
	file = NULL;
	counts = NULL;
	noting = 0;
}
