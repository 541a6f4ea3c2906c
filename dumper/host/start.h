/*
 * Starting CPython in this process as its own main() would.
 */
#ifndef START_H
#define START_H

/* Configures and initialises as `python3 OPTION...` does: same sys.path, site,
 * prefix, executable and flags. `options` ends with NULL. `plain`: the interpreter's
 * path, where `program` is an image in its place, or NULL. Refuses on failure. */
void start_python(char *program, char **options, const char *plain);

#endif
