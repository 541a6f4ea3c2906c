/*
 * Regular files that the frozen process had open: opened again at their numbers.
 */
#ifndef FILES_H
#define FILES_H

struct image_header;
struct reason;

/* Before the commit point: opens them, all close-on-exec, so that a fallback
 * loses them. 0, or -1 and the reason. The tables must be sound. */
int files_open(const void *meta, const struct image_header *header, struct reason *reason);

/* After it: takes close-on-exec off those that did not have it. */
void files_commit(const void *meta, const struct image_header *header);

#endif
