/*
 * Variables that ld.so, malloc, sysconfig.py and libraries read when they are
 * loaded, seen or unseen (ld.so's own reading; Intel's OpenMP goes through environ by
 * itself). An image, which is past that, can't honour them: restorer/environ.c. Only
 * what was let into the build can be in force at a start: dumper/variables.c.
 */
#ifndef FOREIGN_H
#define FOREIGN_H

#include <stddef.h>

/* How their names begin; with '=': a whole name. */
static const char *const foreign_names[] = {
	"LD_", "MALLOC_", "GLIBC_TUNABLES=", "LOCPATH=", "_PYTHON_",
	"__PYVENV_LAUNCHER__=",
	"OPENSSL_", "OPENBLAS_", "GOTO_", "OMP_", "MKL_", "KMP_", "NPY_",
};

/* Whether "NAME=VALUE" is one of them. An empty value means nothing to any. */
static inline int foreign_is(const char *variable)
{
	for (size_t i = 0; i < sizeof(foreign_names) / sizeof(*foreign_names); i++) {
		const char *name = foreign_names[i], *rest = variable;

		while (*name && *name == *rest) {
			name++;
			rest++;
		}
		if (*name)
			continue;
		if (name[-1] == '=')
			return *rest != '\0';
		while (*rest && *rest != '=')
			rest++;
		return rest[0] && rest[1];
	}
	return 0;
}

#endif
