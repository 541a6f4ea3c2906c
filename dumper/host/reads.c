/*
 * The list of variables that were read; see reads.h. It lies in memory of its
 * own, which is unmapped before the freeze: no allocator of the workload's takes
 * part, since malloc itself may read variables when it is first called.
 */
#include "reads.h"
#include "python_options.h"
#include "talk.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#define READS_MAX 4096
#define TEXT_MAX (1u << 20)

enum {
	READ_SET = 1,		/* it was set when it was first read */
	READ_COUNTS = 2,	/* by somebody who may have kept what it says */
	READ_EXACT = 4,		/* and not only to choose a language by it */
};

struct read {
	char *name;
	char *reader;		/* NULL: see address */
	const void *address;
	unsigned flags;
};

static struct list {
	struct read items[READS_MAX];
	size_t count;
	char text[TEXT_MAX];
	size_t used;
} *list;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int ended, overflow;

/*
 * Readers that keep nothing of the value that a restore would not renew. All
 * else is taken for kept: a wrong row here is a wrong result there.
 */
static const struct excuse {
	const char *name;	/* NULL: any */
	const char *module;	/* a library's: without version */
	const char *function;	/* NULL: any */
} excuses[] = {
	/* subprocess: where to look for the program that is run just then */
	{ "PATH", "os", "get_exec_path" },
	/* likewise, for commands that print this machine's address */
	{ NULL, "uuid", "_get_command_stdout" },
	/* likewise, for commands that tell where this machine's libraries are */
	{ NULL, "ctypes.util", NULL },
	/* likewise, for file(1), which tells what kind of program python3 is */
	{ NULL, "platform", "_syscmd_file" },
	/* the user site folder: restorer/site.c; 'userbase': hooks_stdlib.c */
	{ "HOME", "site", "joinuser" },
	{ "HOME", "sysconfig", "joinuser" },
	/* a copy of os.environ that is made anew: hooks_modules.c */
	{ NULL, "wsgiref.handlers", "read_environ" },
	/* its size, of which a default is made anew: hooks_modules.c */
	{ NULL, "pre_commit.xargs", "_environ_size" },
	/* the default of a setting, renewed by its row in hooks.c */
	{ "PWD", "gunicorn.util", "getcwd" },
	/* deferred to the restore: readline.c */
	{ NULL, "libreadline.so", NULL },
	/* a display that could not be opened is opened after the restore */
	{ "DISPLAY", "libX11.so", NULL },
	{ "DISPLAY", "libgdk-3.so", NULL },
	{ "WAYLAND_DISPLAY", "libgdk-3.so", NULL },
	{ "WAYLAND_DISPLAY", "libwayland-client.so", NULL },
	{ "WAYLAND_SOCKET", "libwayland-client.so", NULL },
	{ "XDG_RUNTIME_DIR", "libwayland-client.so", NULL },
	{ "BROADWAY_DISPLAY", "libgdk-3.so", NULL },
	/* given to the display: hooks_gtk.c */
	{ "DESKTOP_STARTUP_ID", "libgdk-3.so", NULL },
};

/*
 * Who goes through all variables for those that begin like this, and keeps nothing of
 * the others. At least four letters: image.h.
 */
static const struct chooser {
	const char *module, *prefix;
} choosers[] = {
	{ "dask.config", "DASK_*" },
	{ "fiona.env", "AWS_*" },
	{ "numba.core.config", "NUMBA_*" },
	{ "tqdm.utils", "TQDM_*" },
};

/* Decided by rules of their own, whoever reads them: restorer/environ.c. */
static int has_own_rule(const char *name, size_t length)
{
	for (size_t i = 0; i < PYTHON_ROWS(python_variable_table); i++) {
		const char *row = python_variable_table[i].name;

		if (strlen(row) == length && memcmp(row, name, length) == 0)
			return 1;
	}
	return (length >= 7 && memcmp(name, "PYIMAGE", 7) == 0) ||
		(length >= 7 && memcmp(name, "PYDUMP_", 7) == 0);
}

static int is_excused(const char *name, const struct reads_by *by)
{
	for (size_t i = 0; i < sizeof excuses / sizeof *excuses; i++) {
		const struct excuse *row = &excuses[i];
		size_t length = strlen(row->module);

		if ((!row->name || strcmp(row->name, name) == 0) &&
		    strncmp(row->module, by->module, length) == 0 &&
		    (!by->module[length] || by->module[length] == '.') &&
		    (!row->function ||
		     (by->function && strcmp(row->function, by->function) == 0)))
			return 1;
	}
	return 0;
}

/* gettext.py, find(): these choose the catalogue, and C, C.UTF-8 and none at all
 * choose none. */
static int chooses_language(const struct reads_by *by)
{
	return strcmp(by->module, "gettext") == 0;
}

static struct read *find(const char *name, size_t length)
{
	for (size_t i = 0; list && i < list->count; i++)
		if (strncmp(list->items[i].name, name, length) == 0 &&
		    !list->items[i].name[length])
			return &list->items[i];
	return NULL;
}

static char *keep(const char *text, size_t length)
{
	char *kept = list->text + list->used;

	if (length >= TEXT_MAX - list->used) {
		overflow = 1;
		return NULL;
	}
	memcpy(kept, text, length);
	list->used += length + 1;	/* the pages are zero */
	return kept;
}

static struct read *add(const char *name, size_t length)
{
	struct read *read;

	if (!list) {
		list = mmap(NULL, sizeof *list, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (list == MAP_FAILED)
			list = NULL;
	}
	if (!list || list->count == READS_MAX) {
		overflow = 1;
		return NULL;
	}
	read = &list->items[list->count];
	read->name = keep(name, length);
	if (!read->name)
		return NULL;
	list->count++;
	return read;
}

int reads_is_settled(const char *name, size_t length)
{
	struct read *read;
	int settled;

	pthread_mutex_lock(&lock);
	read = ended ? NULL : find(name, length);
	settled = ended || (read && read->flags & READ_EXACT);
	pthread_mutex_unlock(&lock);
	return settled;
}

static const char *prefix_of(const char *module)
{
	for (size_t i = 0; i < sizeof choosers / sizeof *choosers; i++)
		if (strcmp(choosers[i].module, module) == 0)
			return choosers[i].prefix;
	return NULL;
}

/* One step of going through the whole list, which is noted as such: the same line of
 * Python. */
static int is_step(const struct reads_by *by)
{
	const char *prefix = prefix_of(by->module);
	const char *name = prefix ? prefix : READS_WHOLE;
	const struct read *whole = find(name, strlen(name));

	return whole && whole->reader && by->text && strcmp(whole->reader, by->text) == 0;
}

static void note(const char *name, size_t length, int is_set, const struct reads_by *by)
{
	struct read *read = find(name, length);
	unsigned flags;

	if (!read && !(read = add(name, length)))
		return;
	flags = is_excused(read->name, by) ? 0 :
		name[length - 1] != '*' && is_step(by) ? 0 :
		chooses_language(by) ? READ_COUNTS : READ_COUNTS | READ_EXACT;
	/* the first reader of all, then the first one that counts */
	if ((!read->reader && !read->address) || (flags && !(read->flags & READ_COUNTS))) {
		read->reader = by->text ? keep(by->text, strlen(by->text)) : NULL;
		read->address = by->address;
		read->flags |= is_set ? READ_SET : 0;
	}
	read->flags |= flags;
}

void reads_note(const char *name, size_t length, int is_set, const struct reads_by *by)
{
	/* no variable can have such a name */
	if (!length || memchr(name, '=', length) || memchr(name, 0, length) ||
	    has_own_rule(name, length))
		return;
	if (strcmp(name, READS_WHOLE) == 0 && prefix_of(by->module)) {
		name = prefix_of(by->module);
		length = strlen(name);
	}
	pthread_mutex_lock(&lock);
	if (!ended)
		note(name, length, is_set, by);
	pthread_mutex_unlock(&lock);
}

void reads_end(void)
{
	pthread_mutex_lock(&lock);
	ended = 1;
	pthread_mutex_unlock(&lock);
}

static void put_address(FILE *stream, const void *address)
{
	const char *file = "a library that is gone", *slash;
	Dl_info info;

	info.dli_sname = NULL;
	if (dladdr(address, &info) && info.dli_fname)
		file = info.dli_fname;
	slash = strrchr(file, '/');
	fprintf(stream, "reader=%s", slash ? slash + 1 : file);
	if (info.dli_sname)
		fprintf(stream, " (%s)", info.dli_sname);
	putc(0, stream);
}

void reads_put(FILE *stream)
{
	if (overflow)
		talk_refuse("imports read more than %d variables of the environment, or "
			"such long names, that they can't be noted; let the program read "
			"them after the restore", READS_MAX);
	for (size_t i = 0; list && i < list->count; i++) {
		const struct read *read = &list->items[i];

		fprintf(stream, "variable=%c%c%c %s%c",
			read->flags & READ_COUNTS ? 'g' : '-',
			read->flags & READ_EXACT ? 'e' : '-',
			read->flags & READ_SET ? 's' : '-', read->name, 0);
		if (read->reader)
			fprintf(stream, "reader=%s%c", read->reader, 0);
		else
			put_address(stream, read->address);
	}
	if (list)
		munmap(list, sizeof *list);
	list = NULL;
}
