/*
 * Metadata of installed distributions (PEP 376) that imports looked for along sys.path,
 * as importlib.metadata.version() does: some may lie in the folder that python3 puts
 * in front of it, the script's or the working folder.
 */
#ifndef DISTRIBUTIONS_H
#define DISTRIBUTIONS_H

struct startup;

/* Hears who looks there, until watch_end(). After path0_reserve() and asked_watch(). */
void distributions_watch(void);

/* The workload is done. */
void distributions_end(void);

/* NULL if imports found what they would find for this start; else a sentence. Of a
 * start, before anything of Python's is changed. */
const char *distributions_differ(const struct startup *startup);

/* put("needs", text), if it is a condition. */
void distributions_report(void (*put)(const char *key, const char *value));

#endif
