/*
 * What an image runs: --entry, as words for python3. The interpreter in the host
 * checks what only it can tell: that the code compiles, that the module is there.
 */
#ifndef ENTRY_H
#define ENTRY_H

struct err;
struct spec;

/* Is it a module's name: words of letters, digits and _, with dots between? */
int entry_is_dotted(const char *name);

/* Takes ENTRY: a path if it contains a slash or ends in .py, else MODULE or
 * MODULE:FUNCTION. Status ERR_USAGE: it is none of them. */
int entry_take(struct spec *spec, const char *text, struct err *err);

/* Makes the words of the entry, once all of the spec is known: the output's name
 * becomes sys.argv[0] where a function is called. */
void entry_complete(struct spec *spec);

/* That a file that is the entry can be read and is no other kind of program; else
 * ERR_REFUSED. */
int entry_check(const struct spec *spec, struct err *err);

#endif
