/*
 * A hash table of pages, each with a bit for every 16 bytes. Lists of objects
 * mostly stay in a page for a while, so the last one is looked at first.
 */
#include "address_set.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define PAGE_BITS 12
#define UNIT_BITS 4
#define UNITS (1u << (PAGE_BITS - UNIT_BITS))

struct page {
	uintptr_t number;	/* 0: free, no object lies in page 0 */
	uint64_t bits[UNITS / 64];
};

struct address_set {
	struct page *pages, *last;
	size_t size, used;	/* size is a power of 2 */
};

static struct page *find(const struct address_set *set, uintptr_t number)
{
	size_t at = (number * 0x9e3779b97f4a7c15u >> 32) & (set->size - 1);

	while (set->pages[at].number && set->pages[at].number != number)
		at = (at + 1) & (set->size - 1);
	return &set->pages[at];
}

static int resize(struct address_set *set, size_t size)
{
	struct address_set larger = { calloc(size, sizeof *set->pages), NULL, size, set->used };

	if (!larger.pages)
		return -1;
	for (size_t i = 0; i < set->size; i++)
		if (set->pages[i].number)
			*find(&larger, set->pages[i].number) = set->pages[i];
	free(set->pages);
	larger.last = larger.pages;
	*set = larger;
	return 0;
}

struct address_set *address_set_new(void)
{
	struct address_set *set = calloc(1, sizeof *set);

	if (set && resize(set, 256)) {
		free(set);
		return NULL;
	}
	return set;
}

static struct page *page_of(struct address_set *set, const void *address)
{
	uintptr_t number = (uintptr_t)address >> PAGE_BITS;

	if (set->last->number != number)
		set->last = find(set, number);
	return set->last;
}

static unsigned unit_of(const void *address)
{
	return ((uintptr_t)address >> UNIT_BITS) & (UNITS - 1);
}

int address_set_add(struct address_set *set, const void *address)
{
	unsigned unit = unit_of(address);
	struct page *page = page_of(set, address);

	if (!page->number) {
		if (set->used * 2 > set->size) {
			if (resize(set, set->size * 2))
				return -1;
			page = page_of(set, address);
		}
		page->number = (uintptr_t)address >> PAGE_BITS;
		set->used++;
	}
	page->bits[unit / 64] |= 1ull << unit % 64;
	return 0;
}

int address_set_has(struct address_set *set, const void *address)
{
	unsigned unit = unit_of(address);

	return page_of(set, address)->bits[unit / 64] >> unit % 64 & 1;
}

void address_set_free(struct address_set *set)
{
	if (set)
		free(set->pages);
	free(set);
}
