/*
 * Files that imports looked for in the first item of sys.path, as pkgutil's
 * extend_path() does in all of them: while building it is a stand-in (path0.h), in which
 * there is none.
 */
#ifndef PATH_LOOKS_H
#define PATH_LOOKS_H

struct startup;

/* A module, "" for none that counts, looks for this name in the stand-in. */
void path_looks_note(const char *module, const char *name);

/* NULL if none of them is where this start has its first item; else a sentence. Of a
 * start, before anything of Python's is changed. */
const char *path_looks_differ(const struct startup *startup);

/* put("needs", text) for each. */
void path_looks_report(void (*put)(const char *key, const char *value));

#endif
