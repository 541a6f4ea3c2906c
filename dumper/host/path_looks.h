/*
 * What imports looked for in the first item of sys.path, the script's or the working
 * folder, as in all of them: files, as pkgutil's extend_path() does, or metadata of
 * distributions (PEP 376), as importlib.metadata.version() does. While building it is a
 * stand-in (path0.h), in which there is nothing.
 */
#ifndef PATH_LOOKS_H
#define PATH_LOOKS_H

struct startup;

/* A module, "" for none that counts, looks for this name in the stand-in, or, where it is
 * "", at that itself. */
void path_looks_note(const char *module, const char *name);

/* The workload is done. */
void path_looks_end(void);

/* NULL if nothing of that is where this start has its first item; else a sentence. Of a
 * start, before anything of Python's is changed. */
const char *path_looks_differ(const struct startup *startup);

/* put("needs", text) for each. */
void path_looks_report(void (*put)(const char *key, const char *value));

#endif
