/*
 * What the first bytes of a file say about the program that it is.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

struct err;

struct script {
	char *interpreter;	/* of the #! line, as it stands there; or NULL */
	char *argument;		/* all behind it, less blanks at both ends; or NULL */
};

/* Reads the file's first line as the kernel does (fs/binfmt_script.c). Refuses
 * what is no regular file, can't be read or is a compiled program.
 * script_free() in either case. */
int script_read(const char *path, struct script *script, struct err *err);

/* Is this the name of an interpreter of Python: "python", "python3", "python3.11",
 * "pypy3", with or without folders? */
int script_is_python(const char *program);

void script_free(struct script *script);

#endif
