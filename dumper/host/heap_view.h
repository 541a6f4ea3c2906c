/*
 * What Python tells of its allocators and their blocks: as if the host's blocks,
 * and the arena, were not there.
 */
#ifndef HEAP_VIEW_H
#define HEAP_VIEW_H

/* After the workload: the blocks that there are now are the program's. */
void heap_view_keep(void);

/* When pymalloc is as it is in the image. */
void heap_view_replace(void);

/* Blocks that there are now, in all; that a process is to see so many of the host's. */
long long heap_view_count(void);
void heap_view_show(long long blocks);

#endif
