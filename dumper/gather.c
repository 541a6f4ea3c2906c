/*
 * Gathering hot objects; see gather.h. All that the host and the watched process
 * write into the files that are shared with them is checked before it is used.
 */
#include "gather.h"

#include "alloc.h"
#include "allocations.h"
#include "blocks.h"
#include "changed.h"
#include "err.h"
#include "image.h"
#include "maps.h"
#include "plan.h"
#include "trial.h"
#include "zone.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define UNITS (IMAGE_PAGE / GATHER_UNIT)	/* of a page */

struct gather_hot {
	struct gather_key key;	/* first: by_size() takes either */
	uint32_t head;		/* bytes from its start until the last that was written */
	uint32_t when;		/* it was first written */
};

/* --- the file of a dump --- */

static int by_size(const void *a, const void *b)
{
	const struct gather_key *left = a, *right = b;
	uint32_t one = left->ordinal & ~GATHER_TIER, two = right->ordinal & ~GATHER_TIER;

	if (left->size != right->size)
		return left->size < right->size ? -1 : 1;
	return one < two ? -1 : one > two;
}

static int is_of(const struct gather_hot *hot, unsigned tier)
{
	return !(hot->key.size & GATHER_CHUNK_OF) &&
		((hot->key.ordinal & GATHER_TIER) != 0) == tier;
}

/* Says where those of the tier lie that are Python's. How many bytes they need. */
static size_t place_tier(const struct gather *gather, struct gather_file *file, unsigned tier)
{
	struct zone_block *blocks = alloc_array(file->count + 1, sizeof(*blocks));
	size_t count = 0, bytes;

	for (size_t i = 0; i < file->count; i++) {
		const struct gather_hot *hot = &gather->found[i];

		if (is_of(hot, tier))
			blocks[count++] = (struct zone_block){
				.size = gather_length(&hot->key) ? gather_length(&hot->key) : 1,
				.head = hot->head, .when = hot->when};
	}
	bytes = tier && gather->astride ? zone_place_astride(blocks, count) :
		zone_place(blocks, count);
	count = 0;
	for (size_t i = 0; i < file->count; i++)
		if (is_of(&gather->found[i], tier))
			file->offsets[i] = blocks[count++].place;
	free(blocks);
	return bytes;
}

static void enter_keys(struct gather *gather, struct gather_file *file)
{
	qsort(gather->found, gather->count, sizeof(*gather->found), by_size);
	for (size_t i = 0; i < gather->count && i < GATHER_KEYS; i++) {
		const struct gather_key *key = &gather->found[i].key;
		unsigned tier = (key->ordinal & GATHER_TIER) != 0;

		file->keys[file->count++] = *key;
		if (key->size & GATHER_CHUNK_OF)
			file->chunk_bytes[tier] += gather_chunk_size(gather_length(key));
	}
	for (unsigned tier = 0; tier < GATHER_TIERS; tier++)
		file->bytes[tier] = place_tier(gather, file, tier);
	gather->count = 0;
}

/* A file in memory, mapped. */
static void *make_file(size_t size, int *fd, struct err *err)
{
	void *file;

	*fd = memfd_create("gather", MFD_CLOEXEC);
	if (*fd < 0 || ftruncate(*fd, (off_t)size)) {
		err_sys(err, "make a file in memory");
		return NULL;
	}
	file = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, *fd, 0);
	if (file == MAP_FAILED) {
		err_sys(err, "map a file in memory");
		return NULL;
	}
	return file;
}

static void drop_file(struct gather *gather)
{
	if (gather->file)
		munmap(gather->file, sizeof(*gather->file));
	if (gather->fd >= 0)
		close(gather->fd);
	free(gather->path);
	gather->file = NULL;
	gather->fd = -1;
	gather->path = NULL;
}

int gather_begin(struct gather *gather, struct err *err)
{
	struct gather_file *file;
	int fd;

	file = make_file(sizeof(*file), &fd, err);
	if (!file) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	file->magic = GATHER_MAGIC;
	enter_keys(gather, file);
	drop_file(gather);
	gather->file = file;
	gather->fd = fd;
	gather->path = alloc_print("/proc/%d/fd/%d", (int)getpid(), fd);
	return 0;
}

void gather_size(const struct gather *gather, uint64_t *objects, uint64_t *size)
{
	*objects = gather->file->count;
	*size = 0;
	for (uint64_t i = 0; i < gather->file->count; i++)
		*size += gather_length(&gather->file->keys[i]);
}

void gather_free(struct gather *gather)
{
	drop_file(gather);
	free(gather->found);
	*gather = (struct gather){.fd = -1};
}

/* --- watching --- */

static void find_pages(struct gather_file *file, int pythons, const struct plan *plan,
		       struct memory_ranges *pages)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_segment *segment = &plan->segments[i];

		if (!(segment->protection & MAPS_WRITE) || segment->anonymous)
			continue;
		for (uint64_t at = segment->start; at < segment->start + segment->length;
		     at += IMAGE_PAGE)
			if (blocks_fill(file, at, pythons))
				memory_add_range(pages, at, IMAGE_PAGE);
	}
}

struct watch {
	struct gather *gather;
	const struct plan *plan;
	const char *image;
	struct memory_ranges pages;
	struct gather_writes *file;
	size_t size;
	int fd;
	unsigned tier;
};

static int make_watch(struct watch *watch, struct err *err)
{
	size_t head = sizeof(*watch->file) +
		watch->pages.count * sizeof(watch->file->ranges[0]), at = head, pages = 0;

	for (size_t i = 0; i < watch->pages.count; i++)
		pages += watch->pages.items[i].length / IMAGE_PAGE;
	watch->size = head + pages * (UNITS + sizeof(uint32_t));
	watch->file = make_file(watch->size, &watch->fd, err);
	if (!watch->file)
		return -1;
	watch->file->magic = GATHER_MAGIC;
	watch->file->count = watch->pages.count;
	for (size_t i = 0; i < watch->pages.count; i++) {
		const struct image_range *range = &watch->pages.items[i];
		uint64_t count = range->length / IMAGE_PAGE;

		watch->file->ranges[i] = (struct gather_range){
			.start = range->start, .length = range->length,
			.rounds = at, .marks = at + count * sizeof(uint32_t)};
		at += count * (UNITS + sizeof(uint32_t));
	}
	return 0;
}

static void free_watch(struct watch *watch)
{
	if (watch->file)
		munmap(watch->file, watch->size);
	if (watch->fd >= 0)
		close(watch->fd);
	free(watch->pages.items);
}

static int is_sound(const struct gather_key *key)
{
	return gather_length(key) <= GATHER_LARGEST;
}

/* Where it is among those that are known, or at the end, new. */
static size_t enter(struct gather *gather, const struct gather_key *key, size_t known,
		    unsigned tier)
{
	struct gather_hot *there = known ? bsearch(key, gather->found, known, sizeof(*there),
						   by_size) : NULL;

	if (there)
		return (size_t)(there - gather->found);
	gather->found = alloc_grow(gather->found, gather->count, &gather->room,
				   sizeof(*gather->found));
	gather->found[gather->count] = (struct gather_hot){
		.key = {key->size, (key->ordinal & ~GATHER_TIER) | (tier ? GATHER_TIER : 0)},
		.when = GATHER_LATEST};
	return gather->count++;
}

/* What the addresses that come lie in. */
struct marks {
	struct gather *gather;
	size_t known;		/* of what is found, sorted: before these */
	uint64_t last;		/* where the last block began; 0: none */
	size_t hot;		/* it is among what is found */
	unsigned char when;	/* what comes was first written */
	uint64_t page;		/* of the last address, and whether there are blocks */
	int has_blocks;
	unsigned tier;
};

/* Most memory that a program fills has none, and may be large. */
static int has_blocks(struct marks *marks, uint64_t page)
{
	if (page != marks->page)
		marks->has_blocks = blocks_any(marks->gather->file, page);
	marks->page = page;
	return marks->has_blocks;
}

static void begin_marks(struct marks *marks)
{
	struct gather *gather = marks->gather;

	qsort(gather->found, gather->count, sizeof(*gather->found), by_size);
	marks->known = gather->count;
	marks->last = 0;
}

static void mark(uint64_t address, void *data)
{
	struct marks *marks = data;
	uint64_t start;
	const struct gather_key *there;
	struct gather_hot *hot;

	if (!has_blocks(marks, address & ~(uint64_t)(IMAGE_PAGE - 1)))
		return;
	there = blocks_find(marks->gather->file, address, &start);
	if (!there || !there->ordinal || !is_sound(there))
		return;
	if (start != marks->last)
		marks->hot = enter(marks->gather, there, marks->known, marks->tier);
	marks->last = start;
	hot = &marks->gather->found[marks->hot];
	if (address - start >= hot->head)
		hot->head = (uint32_t)((address - start) / GATHER_UNIT + 1) * GATHER_UNIT;
	if (marks->when < hot->when)
		hot->when = marks->when;
}

/* Its own range table is not trusted. */
static void take_heard(const struct watch *watch, struct marks *marks)
{
	size_t at = sizeof(*watch->file) +
		watch->pages.count * sizeof(watch->file->ranges[0]);

	begin_marks(marks);
	for (size_t i = 0; i < watch->pages.count; i++) {
		const struct image_range *range = &watch->pages.items[i];
		uint64_t count = range->length / IMAGE_PAGE;
		const unsigned char *heard = (unsigned char *)watch->file + at +
			count * sizeof(uint32_t);

		for (uint64_t unit = 0; unit < count * UNITS; unit++) {
			marks->when = heard[unit];
			if (heard[unit])
				mark(range->start + unit * GATHER_UNIT, marks);
		}
		at += count * (UNITS + sizeof(uint32_t));
	}
}

/* While the process holds still at its end. On pages that could not be watched it shows
 * what has another value now, unless an end that destroys all has written it. */
static int take_marks(pid_t pid, void *data, struct err *err)
{
	struct watch *watch = data;
	struct marks marks = {.gather = watch->gather, .tier = watch->tier};

	take_heard(watch, &marks);
	if (watch->file->ended)
		return 0;
	begin_marks(&marks);
	marks.when = GATHER_LATEST;
	return changed_words(pid, watch->plan, watch->image, mark, &marks, err);
}

static int watch_once(struct gather *gather, const struct trial *trial,
		 const struct plan *plan, const struct list *arguments, unsigned tier,
		 struct err *err)
{
	struct watch watch = {.gather = gather, .plan = plan, .image = trial->image,
		.fd = -1, .tier = tier};
	int failed;

	find_pages(gather->file, gather->pythons, plan, &watch.pages);
	failed = make_watch(&watch, err);
	if (!failed) {
		char *variable = alloc_print(GATHER_WRITES_ENV "=/proc/%d/fd/%d",
					     (int)getpid(), watch.fd);

		failed = trial_hold(trial, arguments, variable, take_marks, &watch, err);
		free(variable);
	}
	free_watch(&watch);
	return failed;
}

int gather_watch(struct gather *gather, const struct trial *trial,
		 const struct plan *plan, const struct list *arguments, unsigned tier,
		 struct err *err)
{
	if (!arguments) {
		struct err first = {0};

		if (!watch_once(gather, trial, plan, NULL, tier, &first))
			return 0;
		/* the kernel wrote into a small one, too */
		err_clear(&first);
		gather->pythons = 1;
	}
	return watch_once(gather, trial, plan, arguments, tier, err);
}
