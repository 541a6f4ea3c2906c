/*
 * Maps an image's segments at their addresses. Only pyimage does: a kernel-run
 * image has been mapped by exec.
 */
#ifndef MAP_H
#define MAP_H

#include <stdint.h>

struct reason;

/* Maps the meta part, read-only, at IMAGE_META_BASE. 0, or -1 and the reason. */
int map_meta(int fd, uint64_t size, struct reason *reason);

/* Maps all other segments, which must have been found sound. 0, or -1 and the
 * reason; what was mapped until then stays, for exec to drop. */
int map_segments(int fd, struct reason *reason);

#endif
