/*
 * Finding the interpreter and its host; see interpreter.h.
 */
#include "interpreter.h"

#include "alloc.h"
#include "err.h"
#include "file.h"
#include "list.h"
#include "path.h"
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_PYTHON "/usr/bin/python3"
#define VERSION_WAIT 30000	/* ms */
#define ASK_VERSION \
	"import sys; print('%d.%d%s' % (*sys.version_info[:2], getattr(sys, 'abiflags', '')))"

/* "3" or "3.11" or "3.13t" */
static int is_version(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || !text[digits])
		return digits && !text[digits];
	if (text[digits] != '.')
		return 0;
	text += digits + 1;
	digits = strspn(text, "0123456789");
	return digits && !text[digits + strspn(text + digits, "td")];
}

char *interpreter_resolve(const char *wanted, struct err *err)
{
	if (!wanted)
		return alloc_copy(DEFAULT_PYTHON);
	if (strchr(wanted, '/'))
		return path_absolute(wanted, err);
	if (is_version(wanted))
		return alloc_print("/usr/bin/python%s", wanted);
	err_set(err, ERR_USAGE,
		"--python %s: neither a version (3.11) nor a path (with a slash)", wanted);
	return NULL;
}

/* A script (pyenv's shims) would hand the host to its own interpreter. */
static int check_program(const char *path, struct err *err)
{
	char magic[4] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int result;

	if (fd < 0)
		return err_sys(err, "open the interpreter %s", path);
	result = file_read_at(fd, path, magic, sizeof(magic), 0, err);
	close(fd);
	if (result)
		return -1;
	if (memcmp(magic, "\177ELF", 4) != 0)
		return err_set(err, ERR_REFUSED,
			       "%s is no program but a script or other file; name the "
			       "interpreter itself with --python", path);
	if (access(path, X_OK))
		return err_sys(err, "run the interpreter %s", path);
	return 0;
}

static int find_version(const char *path, char *const *environment, char **version,
			struct err *err)
{
	char *argv[] = {
		(char *)path, (char *)"-I", (char *)"-S", (char *)"-c",
		(char *)ASK_VERSION, NULL,
	};
	struct process process = {.argv = argv, .envp = environment, .keep = -1};
	struct buffer out = {0}, error = {0};
	int status = 0;
	int result = process_run(&process, VERSION_WAIT, &out, &error, &status, err);

	if (!result && (!WIFEXITED(status) || WEXITSTATUS(status))) {
		char *how = process_describe(status);

		result = err_set(err, ERR_REFUSED, "ask %s for its version: it %s\n%s",
				 path, how, error.data);
		free(how);
	}
	if (!result) {
		out.data[strcspn(out.data, "\n")] = '\0';
		if (is_version(out.data))
			*version = alloc_copy(out.data);
		else
			result = err_set(err, ERR_REFUSED,
					 "%s does not name a Python version", path);
	}
	buffer_free(&out);
	buffer_free(&error);
	return result;
}

/* The folder of pydump's own file. To be freed. */
static char *own_folder(struct err *err)
{
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (length < 0) {
		err_sys(err, "read /proc/self/exe");
		return NULL;
	}
	path[length] = '\0';
	return path_folder(path);
}

/* The first of folders/name that exists. To be freed; or NULL. */
static char *find_in(const struct list *folders, const char *name)
{
	for (size_t i = 0; i < folders->count; i++) {
		char *path = alloc_print("%s/%s", folders->items[i], name);
		char *real = realpath(path, NULL);

		free(path);
		/* the real path: it is compared with /proc/PID/maps */
		if (real && access(real, R_OK) == 0)
			return real;
		free(real);
	}
	return NULL;
}

/* "3.11, 3.13": the hosts that are there. To be freed. */
static char *list_hosts(const struct list *folders)
{
	struct list versions = {0};
	char *text = alloc_copy("");

	for (size_t i = 0; i < folders->count; i++) {
		DIR *folder = opendir(folders->items[i]);
		struct dirent *entry;

		while (folder && (entry = readdir(folder))) {
			const char *name = entry->d_name;
			size_t length = strlen(name);

			if (length > 8 && strncmp(name, "host-", 5) == 0 &&
			    strcmp(name + length - 3, ".so") == 0)
				list_print(&versions, "%.*s", (int)length - 8, name + 5);
		}
		if (folder)
			closedir(folder);
	}
	list_sort(&versions);
	for (size_t i = 0; i < versions.count; i++) {
		char *more = alloc_print("%s%s%s", text, i ? ", " : "", versions.items[i]);

		free(text);
		text = more;
	}
	list_free(&versions);
	return text;
}

static int find_host(struct interpreter *interpreter, const struct list *folders,
		     struct err *err)
{
	char *name = alloc_print("host-%s.so", interpreter->version);

	interpreter->host = find_in(folders, name);
	free(name);
	if (!interpreter->host) {
		char *versions = list_hosts(folders);

		err_set(err, ERR_REFUSED,
			"%s is Python %s, for which there is no host; there are: %s "
			"(build one with make PYTHON=%s)", interpreter->path,
			interpreter->version, *versions ? versions : "none",
			interpreter->path);
		free(versions);
		return -1;
	}
	/* ld.so splits LD_PRELOAD at these and knows no quoting */
	if (strpbrk(interpreter->host, " :"))
		return err_set(err, ERR_REFUSED,
			       "%s: LD_PRELOAD can't take a path with a blank or a colon; "
			       "move pydump to another folder", interpreter->host);
	return 0;
}

static int find_beside(struct interpreter *interpreter, struct err *err)
{
	struct list hosts = {0};
	char *folder = own_folder(err);
	int result = -1;

	if (folder) {
		list_add(&hosts, folder);
		list_print(&hosts, "%s/../lib/pyimage", folder);
		list_add(&hosts, LIBDIR);
		result = find_host(interpreter, &hosts, err);
	}
	free(folder);
	list_free(&hosts);
	return result;
}

int interpreter_find(const char *wanted, char *const *environment,
		     struct interpreter *interpreter, struct err *err)
{
	*interpreter = (struct interpreter){0};
	interpreter->path = interpreter_resolve(wanted, err);
	if (!interpreter->path || check_program(interpreter->path, err) ||
	    find_version(interpreter->path, environment, &interpreter->version, err))
		return -1;
	return find_beside(interpreter, err);
}

void interpreter_free(struct interpreter *interpreter)
{
	free(interpreter->path);
	free(interpreter->name);
	free(interpreter->version);
	free(interpreter->host);
	*interpreter = (struct interpreter){0};
}
