/*
 * What a process has written; see changed.h.
 */
#include "changed.h"

#include "err.h"
#include "file.h"
#include "image.h"
#include "maps.h"
#include "plan.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define WORDS (IMAGE_PAGE / sizeof(uint64_t))

int changed_pages(pid_t pid, const struct plan *plan, struct memory_ranges *pages,
		  struct err *err)
{
	struct memory memory;
	int result = 0;

	if (memory_open(pid, &memory, err))
		return -1;
	for (size_t i = 0; !result && i < plan->count; i++) {
		const struct plan_segment *segment = &plan->segments[i];

		if ((segment->protection & MAPS_WRITE) && !segment->anonymous)
			result = memory_find_dirty(&memory, segment->start,
						   segment->length, pages, err);
	}
	memory_close(&memory);
	return result;
}

struct comparison {
	struct memory memory;
	const struct plan *plan;
	const char *image;
	int fd;
	changed_found *found;
	void *data;
};

static int compare_page(const struct comparison *of, uint64_t page, struct err *err)
{
	const struct plan_segment *segment = plan_find(of->plan, page);
	uint64_t now[WORDS], before[WORDS];
	struct err unread = {0};

	/* advice: what the program has mapped there instead may be no memory */
	if (memory_read(&of->memory, page, now, sizeof(now), &unread)) {
		err_clear(&unread);
		return 0;
	}
	if (file_read_at(of->fd, of->image, before, sizeof(before),
			 segment->offset + (page - segment->start), err))
		return -1;
	for (size_t i = 0; i < WORDS; i++)
		if (now[i] != before[i])
			of->found(page + i * sizeof(uint64_t), of->data);
	return 0;
}

static int compare(const struct comparison *of, const struct memory_ranges *pages,
		   struct err *err)
{
	for (size_t i = 0; i < pages->count; i++)
		for (uint64_t at = 0; at < pages->items[i].length; at += IMAGE_PAGE)
			if (compare_page(of, pages->items[i].start + at, err))
				return -1;
	return 0;
}

int changed_words(pid_t pid, const struct plan *plan, const char *image,
		  changed_found *found, void *data, struct err *err)
{
	struct comparison of = {.plan = plan, .image = image, .found = found, .data = data};
	struct memory_ranges pages = {0};
	int result;

	of.fd = open(image, O_RDONLY | O_CLOEXEC);
	if (of.fd < 0)
		return err_sys(err, "open %s", image);
	result = changed_pages(pid, plan, &pages, err);
	if (!result && !(result = memory_open(pid, &of.memory, err))) {
		result = compare(&of, &pages, err);
		memory_close(&of.memory);
	}
	free(pages.items);
	close(of.fd);
	return result;
}
