/*
 * Where hot objects lie in their zone: as few pages as can be are written, and those
 * first that are written first.
 */
#ifndef ZONE_H
#define ZONE_H

#include <stddef.h>
#include <stdint.h>

struct zone_block {
	uint32_t size;		/* in bytes, as are all; not 0 */
	uint32_t head;		/* from its start: nothing behind that is written */
	uint32_t when;		/* it is first written; in any unit */
	uint64_t place;		/* out: from the zone's start, which is that of a page */
};

/* Places them side by side. How many bytes they need. */
size_t zone_place(struct zone_block *blocks, size_t count);

/* Large ones with a small head lie astride, their head at the end of a page that is
 * written and the rest on pages that are not. More bytes, fewer of them written. */
size_t zone_place_astride(struct zone_block *blocks, size_t count);

#endif
