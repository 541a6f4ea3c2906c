/*
 * What the first bytes of a file say about the program that it is.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "list.h"

struct err;

struct script {
	char *interpreter;	/* of the #! line, as it stands there; or NULL */
	char *argument;		/* all behind it, less blanks at both ends; or NULL */
};

/* Reads the file's first line as the kernel does (fs/binfmt_script.c). Refuses
 * what is no regular file, can't be read or is a compiled program.
 * script_free() in either case. */
int script_read(const char *path, struct script *script, struct err *err);

/* The words of the first line: the interpreter, then options of its, each as the
 * kernel or env(1) hands it over. None where there is no such line. Refuses a line
 * of env that does not tell the interpreter. */
int script_words(const char *path, const struct script *script, struct list *words,
		 struct err *err);

/* Is this the name of an interpreter of Python: "python", "python3", "python3.11",
 * "pypy3", with or without folders? */
int script_is_python(const char *program);

void script_free(struct script *script);

#endif
