/*
 * Which Python an image is made of, and where the host for that Python is.
 */
#ifndef INTERPRETER_H
#define INTERPRETER_H

struct err;

struct interpreter {
	char *path;		/* what is exec'ed: symbolic links not followed,
				   since sys.executable shall be python3's */
	char *name;		/* its argv[0], where that is not the path
				   (include/venv.h); else NULL */
	char *version;		/* "3.11"; with an ABI's letters: "3.13t" */
	char *host;		/* host-VERSION.so */
};

/* Finds all of it. `wanted` is a version, a path, or NULL for the default;
 * `environment` is what it is run in to learn the version.
 * interpreter_free() in either case. */
int interpreter_find(const char *wanted, char *const *environment,
		     struct interpreter *interpreter, struct err *err);

/* The path that --python means: "3.11" is /usr/bin/python3.11, what has a
 * slash is a path. To be freed. NULL if it is neither. */
char *interpreter_resolve(const char *wanted, struct err *err);

void interpreter_free(struct interpreter *interpreter);

#endif
