/*
 * Regular files that imports and warm-up files read: what they held is in the image.
 */
#ifndef OPENED_H
#define OPENED_H

/* From here on takes down what Python's open() opens. */
void opened_begin(void);

/* No more of that; open() is CPython's own again. */
void opened_end(void);

/* put("read", path) for each file that was only read and is still there. */
void opened_report(void (*put)(const char *key, const char *value));

#endif
