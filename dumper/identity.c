/*
 * Rules for guards; see identity.h.
 */
#include "identity.h"

#include "alloc.h"
#include "dpkg.h"
#include "err.h"
#include "maps.h"
#include "module_names.h"
#include "path.h"
#include "report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCALTIME "/etc/localtime"

/* A build at work. */
struct maker {
	const struct identity_source *source;
	struct identity *identity;
	struct list files;	/* whose change while building is a refusal */
	struct list owned;	/* paths that dpkg owns, sorted */
	struct list modules;	/* their sources and libraries, sorted */
	struct list read;	/* further files, none of these modules' */
};

static void add_guard(struct maker *maker, uint32_t kind, uint32_t flags,
		      const char *path)
{
	struct identity *identity = maker->identity;

	identity->guards = alloc_grow(identity->guards, identity->count,
				      &identity->room, sizeof(*identity->guards));
	identity->guards[identity->count++] = (struct identity_guard){
		.kind = kind, .flags = flags, .path = alloc_copy(path),
	};
}

static uint32_t by_dpkg(const struct maker *maker, const char *path)
{
	return list_has(&maker->owned, path) ? IMAGE_GUARD_BY_DPKG : 0;
}

/* --- what there is to guard --- */

/* Files mapped by the process: libraries, the interpreter, ld.so. */
static void list_libraries(const struct identity_source *source, struct list *out)
{
	for (size_t i = 0; i < source->maps->count; i++) {
		const struct mapping *mapping = &source->maps->items[i];

		if (mapping->kind != MAPS_FILE || *mapping->name != '/' ||
		    mapping->flags & MAPS_DELETED ||
		    strncmp(mapping->name, "/dev/", 5) == 0 ||
		    strncmp(mapping->name, "/memfd:", 7) == 0)
			continue;
		/* the host's code is in the image; its file plays no part */
		if (strcmp(mapping->name, source->host) != 0)
			list_add(out, mapping->name);
	}
	list_add(out, source->python);
	list_sort(out);
}

static void list_modules(const struct report *report, struct list *out)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->modules[i].origin)
			list_add(out, report->modules[i].origin);
	list_sort(out);
}

/* PEP 552: bytecode of an "unchecked hash" counts whatever its source is; what can't be
 * read is taken for such. Four bytes of magic number, then little-endian flags. */
static int is_unchecked(const char *path)
{
	unsigned char start[8];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, start, sizeof(start));

	if (fd >= 0)
		close(fd);
	return got != sizeof(start) || (start[4] & 3) == 1;
}

/* importlib/_bootstrap_external.py, SourceLoader.get_code(): other bytecode counts if
 * it tells its source's time and size, or hash. So it is as fresh as the source, which
 * has a guard. PEP 3147: FOLDER/__pycache__/NAME.TAG.pyc is that of FOLDER/NAME.py. */
static int is_bytecode(const char *path, const struct list *sources)
{
	const char *name = path_base(path), *end = strrchr(name, '.');
	char *cache, *folder, *source;
	int result;

	if (*path != '/' || !end || strcmp(end, ".pyc"))
		return 0;
	cache = path_folder(path);
	folder = path_folder(cache);
	source = alloc_print("%s/%.*s.py", folder, (int)strcspn(name, "."), name);
	result = strcmp(path_base(cache), "__pycache__") == 0 && list_has(sources, source) &&
		 !is_unchecked(path);
	free(source);
	free(folder);
	free(cache);
	return result;
}

static void list_read(const struct report *report, const struct list *sources,
		      struct list *out)
{
	for (size_t i = 0; i < report->read.count; i++)
		if (!list_has(sources, report->read.items[i]) &&
		    !is_bytecode(report->read.items[i], sources))
			list_add(out, report->read.items[i]);
}

/* --- the rules --- */

/* The nearest thing that exists: a module of a zip file is guarded by that
 * file, one whose file was never there by its absence. */
static void add_file(struct maker *maker, const char *path, uint32_t flags)
{
	char *at = alloc_copy(path);
	struct stat status;

	while (stat(at, &status) && errno == ENOTDIR && at[1]) {
		char *folder = path_folder(at);

		free(at);
		at = folder;
	}
	if (stat(at, &status) == 0 && S_ISREG(status.st_mode)) {
		add_guard(maker, IMAGE_GUARD_FILE, flags, at);
		list_add(&maker->files, at);
	} else if (stat(at, &status)) {
		add_guard(maker, IMAGE_GUARD_ABSENT, 0, path);
	}
	free(at);
}

static void add_folder(struct maker *maker, const char *path, uint32_t flags)
{
	struct stat status;

	if (*path != '/')
		return;
	if (stat(path, &status))
		add_guard(maker, IMAGE_GUARD_ABSENT, 0, path);
	else if (S_ISDIR(status.st_mode))
		add_guard(maker, IMAGE_GUARD_FOLDER, flags, path);
	else
		add_file(maker, path, flags);
}

static int is_site(const char *path)
{
	return path_has_part(path, "site-packages") ||
	       path_has_part(path, "dist-packages");
}

static void add_libraries(struct maker *maker)
{
	struct list libraries = {0};

	list_libraries(maker->source, &libraries);
	for (size_t i = 0; i < libraries.count; i++)
		add_file(maker, libraries.items[i], by_dpkg(maker, libraries.items[i]));
	list_free(&libraries);
}

static void add_module(struct maker *maker, const char *origin)
{
	uint32_t flags = by_dpkg(maker, origin);
	char *folder = path_folder(origin);
	struct stat status;

	if (maker->source->freshness == SPEC_DPKG && (flags || is_site(origin)) &&
	    stat(folder, &status) == 0 && S_ISDIR(status.st_mode)) {
		add_guard(maker, IMAGE_GUARD_FOLDER, flags, folder);
		list_add(&maker->files, origin);
	} else {
		add_file(maker, origin, flags);
	}
	free(folder);
}

static void add_modules(struct maker *maker)
{
	const struct list *read = &maker->read;

	for (size_t i = 0; i < maker->modules.count; i++)
		add_module(maker, maker->modules.items[i]);
	for (size_t i = 0; i < read->count; i++)
		if (*read->items[i] == '/')
			add_folder(maker, read->items[i], by_dpkg(maker, read->items[i]));
}

/* Where a program keeps its data, too: its time tells nothing. */
static void add_script_folder(struct maker *maker, const char *path, uint32_t flags)
{
	struct stat status;

	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		add_guard(maker, IMAGE_GUARD_MODULES, flags, path);
	else
		add_folder(maker, path, flags);
}

static void add_sys_path(struct maker *maker)
{
	const struct list *path = &maker->source->report->path;
	const struct list *in = &maker->source->report->modules_in;

	for (size_t i = 0; i < path->count; i++)
		add_folder(maker, path->items[i], by_dpkg(maker, path->items[i]));
	for (size_t i = 0; i < in->count; i++)
		add_script_folder(maker, in->items[i], by_dpkg(maker, in->items[i]));
}

/* Where getpath.py looks for the mark of a virtual environment. */
static void add_venv(struct maker *maker)
{
	char *beside = path_folder(maker->source->python);
	char *above = path_folder(beside);
	const char *const folders[] = {beside, above};

	for (size_t i = 0; i < 2; i++) {
		char *path = alloc_print("%s/pyvenv.cfg",
					 strcmp(folders[i], "/") ? folders[i] : "");

		add_file(maker, path, 0);
		free(path);
	}
	free(beside);
	free(above);
}

static void add_dpkg(struct maker *maker)
{
	static const char *const records[] = {"status", "updates"};

	for (size_t i = 0; i < 2; i++) {
		char *path = alloc_print("%s/%s", maker->source->dpkg, records[i]);

		add_guard(maker, IMAGE_GUARD_DPKG, 0, path);
		free(path);
	}
}

static int ask_dpkg(struct maker *maker, struct err *err)
{
	const struct report *report = maker->source->report;
	struct list paths = {0};
	int result;

	list_libraries(maker->source, &paths);
	for (size_t i = 0; i < maker->modules.count; i++)
		list_add(&paths, maker->modules.items[i]);
	for (size_t i = 0; i < report->path.count; i++)
		if (*report->path.items[i] == '/')
			list_add(&paths, report->path.items[i]);
	for (size_t i = 0; i < report->modules_in.count; i++)
		list_add(&paths, report->modules_in.items[i]);
	for (size_t i = 0; i < maker->read.count; i++)
		if (*maker->read.items[i] == '/')
			list_add(&paths, maker->read.items[i]);
	list_sort(&paths);
	result = dpkg_find_owned(maker->source->dpkg, &paths,
				 maker->source->environment, &maker->owned, err);
	list_free(&paths);
	return result;
}

/* --- what the guards compare --- */

/* The restorer does the same (guard.c). */
static uint64_t sum_names(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	uint64_t sum = 0;

	while (folder && (entry = readdir(folder))) {
		size_t length = strlen(entry->d_name);

		if (module_names_counts(entry->d_name, length, entry->d_type))
			sum += module_names_hash(entry->d_name, length);
	}
	if (folder)
		closedir(folder);
	return sum;
}

static void take_status(struct identity_guard *guard)
{
	struct stat status;

	guard->mtime = (struct timespec){0};
	guard->size = 0;
	if (guard->kind == IMAGE_GUARD_MODULES) {
		guard->size = sum_names(guard->path);
		return;
	}
	if (guard->kind == IMAGE_GUARD_ABSENT || stat(guard->path, &status))
		return;
	guard->mtime = status.st_mtim;
	if (guard->kind != IMAGE_GUARD_FOLDER)
		guard->size = (uint64_t)status.st_size;
}

static int is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* A time in the future tells nothing: identity_check() will. */
static int check_age(const char *path, const struct timespec *start, struct err *err)
{
	struct timespec now;
	struct stat status;

	clock_gettime(CLOCK_REALTIME, &now);
	if (stat(path, &status))
		return 0;
	/* mv and cp -p bring their own mtime, but never their own ctime */
	if (!is_later(&status.st_ctim, start) &&
	    (!is_later(&status.st_mtim, start) || is_later(&status.st_mtim, &now)))
		return 0;
	return err_set(err, ERR_REFUSED,
		       "%s changed while building; build again once it is left alone",
		       path);
}

static int compare(const void *a, const void *b)
{
	const struct identity_guard *left = a, *right = b;
	int order;

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	order = strcmp(left->path, right->path);
	/* without BY_DPKG first: of doubles that one stays */
	return order ? order : (int)left->flags - (int)right->flags;
}

static void sort_guards(struct identity *identity)
{
	size_t kept = 0;

	if (!identity->count)
		return;
	qsort(identity->guards, identity->count, sizeof(*identity->guards), compare);
	for (size_t i = 1; i < identity->count; i++) {
		const struct identity_guard *last = &identity->guards[kept];

		if (last->kind == identity->guards[i].kind &&
		    strcmp(last->path, identity->guards[i].path) == 0)
			free(identity->guards[i].path);
		else
			identity->guards[++kept] = identity->guards[i];
	}
	identity->count = kept + 1;
}

/* --- names that a user site folder could shadow --- */

static void add_names(const struct report *report, struct list *names)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct report_module *module = &report->modules[i];

		if (module->origin && is_site(module->origin))
			list_print(names, "%.*s", (int)strcspn(module->name, "."),
				   module->name);
	}
	list_sort(names);
}

/* No matter of freshness: each run has its own folder. */
static void add_working_folder(struct maker *maker)
{
	const struct list *read = &maker->read;

	for (size_t i = 0; i < read->count; i++)
		if (*read->items[i] != '/')
			add_guard(maker, IMAGE_GUARD_ABSENT, 0, read->items[i]);
}

static int make(struct maker *maker, struct err *err)
{
	enum spec_freshness freshness = maker->source->freshness;

	add_working_folder(maker);
	add_guard(maker, IMAGE_GUARD_TIMEZONE, 0, LOCALTIME);
	if (freshness == SPEC_NONE)
		return 0;
	if (freshness == SPEC_DPKG && ask_dpkg(maker, err))
		return -1;
	if (maker->owned.count)
		add_dpkg(maker);
	add_libraries(maker);
	if (freshness == SPEC_LIBS)
		return 0;
	add_modules(maker);
	add_sys_path(maker);
	add_venv(maker);
	return 0;
}

int identity_make(const struct identity_source *source, struct identity *identity,
		  struct err *err)
{
	struct maker maker = {.source = source, .identity = identity};
	int result;

	*identity = (struct identity){0};
	list_modules(source->report, &maker.modules);
	list_read(source->report, &maker.modules, &maker.read);
	result = make(&maker, err);
	sort_guards(identity);
	add_names(source->report, &identity->names);
	for (size_t i = 0; i < identity->count; i++) {
		struct identity_guard *guard = &identity->guards[i];

		take_status(guard);
		if (!result && guard->kind == IMAGE_GUARD_DPKG)
			result = check_age(guard->path, &source->start, err);
	}
	list_sort(&maker.files);
	for (size_t i = 0; !result && i < maker.files.count; i++)
		result = check_age(maker.files.items[i], &source->start, err);
	list_free(&maker.files);
	list_free(&maker.owned);
	list_free(&maker.modules);
	list_free(&maker.read);
	return result;
}

int identity_check(const struct identity *identity, struct err *err)
{
	for (size_t i = 0; i < identity->count; i++) {
		const struct identity_guard *guard = &identity->guards[i];
		struct identity_guard now = *guard;
		struct stat status;
		int same;

		if (guard->kind == IMAGE_GUARD_TIMEZONE)
			continue;
		take_status(&now);
		same = now.size == guard->size &&
		       now.mtime.tv_sec == guard->mtime.tv_sec &&
		       now.mtime.tv_nsec == guard->mtime.tv_nsec;
		if (guard->kind == IMAGE_GUARD_ABSENT)
			same = stat(guard->path, &status) != 0;
		if (!same)
			return err_set(err, ERR_REFUSED,
				       "%s changed while building; build again once it is left alone",
				       guard->path);
	}
	return 0;
}

const char *identity_kind_name(uint32_t kind)
{
	static const char *const names[] = {
		[IMAGE_GUARD_DPKG] = "dpkg",
		[IMAGE_GUARD_FILE] = "file",
		[IMAGE_GUARD_FOLDER] = "folder",
		[IMAGE_GUARD_ABSENT] = "absent",
		[IMAGE_GUARD_TIMEZONE] = "timezone",
		[IMAGE_GUARD_MODULES] = "modules",
	};

	if (kind >= sizeof(names) / sizeof(*names) || !names[kind])
		return "unknown";
	return names[kind];
}

void identity_free(struct identity *identity)
{
	for (size_t i = 0; i < identity->count; i++)
		free(identity->guards[i].path);
	free(identity->guards);
	list_free(&identity->names);
	*identity = (struct identity){0};
}
