/*
 * What an import takes from the collector's free lists, so that a process that does
 * without the import has them, and the collector's count, as after it.
 */
#ifndef FREE_USE_H
#define FREE_USE_H

/* Around the import, at the build. */
void free_use_watch(void);
void free_use_watched(void);

/* In its place. How many blocks more it would have taken than when it was watched. */
int free_use(void);

#endif
