/*
 * ld.so loads what a library needs breadth first, and sorts before it destroys
 * (elf/dl-sort-maps.c, _dl_sort_maps_dfs): depth first, from the last one loaded, each
 * being put in front when all that it needs has its place. So it is done here, by the
 * names in DT_NEEDED.
 */
#include "library_order.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

struct sort {
	struct link_map **maps, **sorted;
	char *seen;
	size_t count, free;	/* places in `sorted` that are */
};

/* glibc has put the address in place of DT_STRTAB's offset. */
static const char *strings_of(const struct link_map *map)
{
	for (const ElfW(Dyn) *d = map->l_ld; d && d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_STRTAB && d->d_un.d_ptr >= map->l_addr)
			return (const char *)d->d_un.d_ptr;
	return NULL;
}

static int is_called(const struct link_map *map, const char *name)
{
	const char *slash = strrchr(map->l_name, '/'), *strings = strings_of(map);

	if (strcmp(slash ? slash + 1 : map->l_name, name) == 0)
		return 1;
	for (const ElfW(Dyn) *d = map->l_ld; d && d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_SONAME && strings)
			return strcmp(strings + d->d_un.d_val, name) == 0;
	return 0;
}

static void place(struct sort *sort, size_t at);

static void place_needed(struct sort *sort, const char *name)
{
	for (size_t i = 0; i < sort->count; i++)
		if (is_called(sort->maps[i], name)) {
			place(sort, i);
			return;
		}
}

static void place(struct sort *sort, size_t at)
{
	struct link_map *map = sort->maps[at];
	const char *strings = strings_of(map);

	if (sort->seen[at])
		return;
	sort->seen[at] = 1;
	for (const ElfW(Dyn) *d = map->l_ld; d && d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_NEEDED && strings)
			place_needed(sort, strings + d->d_un.d_val);
	sort->sorted[--sort->free] = map;
}

static size_t count_from(const struct link_map *map)
{
	size_t count = 0;

	for (; map; map = map->l_next)
		count++;
	return count;
}

struct link_map **library_order(struct link_map *first, size_t *count)
{
	struct sort sort = { .count = count_from(first) };
	struct link_map **both;

	*count = 0;
	if (!sort.count)
		return NULL;
	both = malloc(2 * sort.count * sizeof(*both) + sort.count);
	if (!both)
		return NULL;
	sort.sorted = both;
	sort.maps = both + sort.count;
	sort.seen = memset(sort.maps + sort.count, 0, sort.count);
	sort.free = sort.count;
	for (size_t i = 0; i < sort.count; i++, first = first->l_next)
		sort.maps[i] = first;
	for (size_t i = sort.count; i-- > 0;)
		place(&sort, i);
	*count = sort.count;
	return both;
}
