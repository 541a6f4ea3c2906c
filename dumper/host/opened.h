/*
 * Regular files that imports and warm-up files read: what they held is in the image, and
 * so is that there were none.
 */
#ifndef OPENED_H
#define OPENED_H

/* Takes down, until watch_end(), what Python's open() opens. After watch_start(). */
void opened_watch(void);

/* No file of this absolute name was there where one was looked for. */
void opened_missed(const char *path);

/* put("read", path) for each file that was only read and is still there, and for each
 * that was missed and still is. */
void opened_report(void (*put)(const char *key, const char *value));

#endif
