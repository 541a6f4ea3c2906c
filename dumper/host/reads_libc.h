/*
 * Notes what C code reads of the environment (reads.h), by functions that stand
 * before libc's own in every library: getenv, secure_getenv, and setlocale and
 * newlocale where they take a locale from the environment.
 */
#ifndef READS_LIBC_H
#define READS_LIBC_H

/* In the image these functions are jumps to libc's own. After all else. */
void reads_libc_seal(void);

#endif
