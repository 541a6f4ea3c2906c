/*
 * Ownership by dpkg; see dpkg.h. One dpkg-query for as many paths as the
 * command line takes: each start of it reads all of dpkg's file lists.
 */
#include "dpkg.h"

#include "alloc.h"
#include "err.h"
#include "list.h"
#include "process.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DPKG_QUERY "/usr/bin/dpkg-query"
#define DPKG_WAIT 120000	/* ms */
/* Bytes of arguments in one go; never more than half of what exec takes. */
#define DPKG_BATCH (1l << 20)

/* The other name of the same file under merged /usr, or NULL. To be freed. */
static char *twin(const char *path)
{
	static const char *const folders[] = {
		"/lib/", "/lib32/", "/lib64/", "/libx32/", "/bin/", "/sbin/",
	};
	int in_usr = strncmp(path, "/usr/", 5) == 0;

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		size_t length = strlen(folders[i]);

		if (in_usr && strncmp(path + 4, folders[i], length) == 0)
			return alloc_copy(path + 4);
		if (strncmp(path, folders[i], length) == 0)
			return alloc_print("/usr%s", path);
	}
	return NULL;
}

void dpkg_parse_search(const char *text, struct list *found)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		char *line = alloc_print("%.*s", (int)length, text);
		char *path = strstr(line, ": /");

		if (path && strncmp(line, "diversion by ", 13) != 0)
			list_add(found, path + 2);
		free(line);
		text += length + (text[length] == '\n');
	}
}

static int search(const char *records, const struct list *patterns, size_t first,
		  size_t count, char *const *environment, struct list *found,
		  struct err *err)
{
	char **argv = alloc_array(count + 5, sizeof(*argv));
	struct process process = {.argv = argv, .envp = environment, .keep = -1};
	struct buffer out = {0}, complaints = {0};
	int status = 0, result;

	argv[0] = (char *)DPKG_QUERY;
	argv[1] = alloc_print("--admindir=%s", records);
	argv[2] = (char *)"--search";
	argv[3] = (char *)"--";
	memcpy(argv + 4, patterns->items + first, count * sizeof(*argv));
	/* its complaints: one line for each path that nobody owns */
	result = process_run(&process, DPKG_WAIT, &out, &complaints, &status, err);
	/* 1: some were not found */
	if (!result && WIFEXITED(status) && WEXITSTATUS(status) <= 1)
		dpkg_parse_search(out.data, found);
	buffer_free(&out);
	buffer_free(&complaints);
	free(argv[1]);
	free(argv);
	return result;
}

static int search_all(const char *records, const struct list *patterns,
		      char *const *environment, struct list *found, struct err *err)
{
	long limit = sysconf(_SC_ARG_MAX) / 2;

	if (limit > DPKG_BATCH || limit <= 0)
		limit = DPKG_BATCH;
	for (size_t first = 0; first < patterns->count;) {
		size_t count = 0;
		long bytes = 0;

		while (first + count < patterns->count && (!count || bytes < limit))
			bytes += (long)(strlen(patterns->items[first + count++]) +
					1 + sizeof(char *));
		if (search(records, patterns, first, count, environment, found, err))
			return -1;
		first += count;
	}
	return 0;
}

/* dpkg-query takes these for patterns. Below /etc lie conffiles, which their users
 * change (Debian policy 10.7), and Debian's sitecustomize is a link to one. Such
 * files count as nobody's and get their own guards. */
static int can_be_owned(const char *path)
{
	char *real;
	int can = !strpbrk(path, "*?[\\\n");

	real = can ? realpath(path, NULL) : NULL;
	if (real)
		can = strncmp(real, "/etc/", 5) != 0;
	free(real);
	return can;
}

int dpkg_find_owned(const char *records, const struct list *paths,
		    char *const *environment, struct list *owned, struct err *err)
{
	struct list patterns = {0}, found = {0};
	int result;

	if (access(DPKG_QUERY, X_OK) || access(records, R_OK | X_OK))
		return 0;
	for (size_t i = 0; i < paths->count; i++) {
		char *other = twin(paths->items[i]);

		if (can_be_owned(paths->items[i])) {
			list_add(&patterns, paths->items[i]);
			if (other)
				list_add(&patterns, other);
		}
		free(other);
	}
	result = search_all(records, &patterns, environment, &found, err);
	list_sort(&found);
	for (size_t i = 0; !result && i < paths->count; i++) {
		char *other = twin(paths->items[i]);

		if (list_has(&found, paths->items[i]) ||
		    (other && list_has(&found, other)))
			list_add(owned, paths->items[i]);
		free(other);
	}
	list_sort(owned);
	list_free(&patterns);
	list_free(&found);
	return result;
}
