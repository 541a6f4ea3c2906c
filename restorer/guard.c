/*
 * File guards. dpkg's own records change with every package operation: while
 * they are as they were, no file that a package owns needs a look.
 */
#include "guard.h"

#include "image_check.h"
#include "module_names.h"
#include "say.h"
#include "sys.h"
#include "text.h"

#define GUARD_STATX (SYS_STATX_TYPE | SYS_STATX_SIZE | SYS_STATX_MTIME)

static int was_absent(const struct image_guard *row)
{
	return !row->mtime_sec && !row->mtime_nsec && !row->size;
}

static int is_absent(long result)
{
	return result == -SYS_ENOENT || result == -SYS_ENOTDIR;
}

/* The sum of the names of modules in a folder; 0 or a negative errno. */
static long sum_names(const char *path, uint64_t *sum)
{
	_Alignas(8) char buffer[4096];
	long fd = sys_open(path, SYS_O_RDONLY | SYS_O_DIRECTORY | SYS_O_CLOEXEC), size;

	*sum = 0;
	if (fd < 0)
		return fd;
	while ((size = sys_getdents((int)fd, buffer, sizeof(buffer))) > 0)
		for (long at = 0; at < size;) {
			const struct sys_entry *entry = (const void *)(buffer + at);
			size_t length = text_length(entry->name);

			at += entry->length;
			if (module_names_counts(entry->name, length, entry->type))
				*sum += module_names_hash(entry->name, length);
		}
	sys_close((int)fd);
	return size;
}

static const char *names_differ(const struct image_guard *row, const char *path)
{
	uint64_t sum;
	long result = sum_names(path, &sum);

	if (result < 0)
		return is_absent(result) ? "is gone:" : "can't be looked at:";
	return sum == row->size ? NULL : "has other modules:";
}

/* NULL, or how the file differs from its row. */
static const char *differs(const struct image_guard *row, const char *path)
{
	struct sys_stat stat;
	long result;

	if (row->kind == IMAGE_GUARD_MODULES)
		return names_differ(row, path);
	result = sys_statx(SYS_AT_FDCWD, path, 0, GUARD_STATX, &stat);
	if (row->kind == IMAGE_GUARD_ABSENT)
		return is_absent(result) ? NULL : "is there now:";
	if ((row->kind == IMAGE_GUARD_DPKG || row->kind == IMAGE_GUARD_TIMEZONE)
	    && was_absent(row))
		return is_absent(result) ? NULL : "is there now:";
	if (result < 0)
		return is_absent(result) ? "is gone:" : "can't be looked at:";
	/* dpkg's records are a file and a folder: told by size and mtime alone */
	if (row->kind != IMAGE_GUARD_DPKG && (stat.mode & SYS_S_IFMT)
	    != (row->kind == IMAGE_GUARD_FOLDER ? SYS_S_IFDIR : SYS_S_IFREG))
		return "is of another kind:";
	if (stat.mtime.sec != row->mtime_sec || stat.mtime.nsec != row->mtime_nsec
	    || (row->kind != IMAGE_GUARD_FOLDER && stat.size != row->size))
		return "has changed:";
	return NULL;
}

/* Whether there are dpkg rows and all of them hold. */
static int dpkg_holds(const void *meta, const struct image_header *header)
{
	const struct image_guard *row = image_rows(meta, &header->guards);
	int holds = 0;

	for (uint32_t i = 0; i < header->guards.count; i++, row++) {
		const char *path;

		if (row->kind != IMAGE_GUARD_DPKG)
			continue;
		path = image_string(meta, header, row->path);
		if (!path || differs(row, path))
			return 0;
		holds = 1;
	}
	return holds;
}

static int stale(struct reason *reason, const char *why, const char *path)
{
	say_reason(reason, "stale", why, 0);
	reason->detail = path;
	reason->advice = "build it anew with pydump build";
	return -1;
}

static int in_the_way(struct reason *reason, const char *name)
{
	say_reason(reason, "the working folder", "it has a file that imports would have read:", 0);
	reason->detail = name;
	return -1;
}

int guard_check(const void *meta, const struct image_header *header, int local,
	int *timezone_changed, struct reason *reason)
{
	const struct image_guard *row = image_rows(meta, &header->guards);
	int dpkg = dpkg_holds(meta, header);
	const char *path, *why;

	for (uint32_t i = 0; i < header->guards.count; i++, row++) {
		if (row->kind == IMAGE_GUARD_DPKG
		    || (dpkg && (row->flags & IMAGE_GUARD_BY_DPKG))
		    || (row->kind == IMAGE_GUARD_TIMEZONE && !local))
			continue;
		if (row->kind < IMAGE_GUARD_DPKG || row->kind > IMAGE_GUARD_MODULES)
			return say_reason(reason, "damaged", "a guard of unknown kind", 0);
		path = image_string(meta, header, row->path);
		if (!path)
			return say_reason(reason, "damaged", "a guard without a path", 0);
		why = differs(row, path);
		if (why && row->kind == IMAGE_GUARD_TIMEZONE)
			*timezone_changed = 1;
		else if (why && path[0] != '/')
			return in_the_way(reason, path);
		else if (why)
			return stale(reason, why, path);
	}
	return 0;
}
