/*
 * Regular files that imports and warm-up files read: what they held is in the image.
 */
#ifndef OPENED_H
#define OPENED_H

/* Takes down, until watch_end(), what Python's open() opens. After watch_start(). */
void opened_watch(void);

/* put("read", path) for each file that was only read and is still there. */
void opened_report(void (*put)(const char *key, const char *value));

#endif
