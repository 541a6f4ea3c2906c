/*
 * Outside facts that an image depends on: files that were frozen with it. Only
 * looks, at the price of one statx for each row that has to be looked at.
 */
#ifndef GUARD_H
#define GUARD_H

struct image_header;
struct reason;

/* Checks the rows of a meta part whose tables are sound. `local`: the time zone
 * is that of /etc/localtime, so its row counts; where it differs,
 * *timezone_changed becomes 1. Returns 0, or -1 and the reason, which names the
 * first stale file. */
int guard_check(const void *meta, const struct image_header *header, int local,
	int *timezone_changed, struct reason *reason);

#endif
