/*
 * What became of temporary files; see temporary.h.
 */
#include "temporary.h"

#include "err.h"
#include "list.h"

#include <string.h>
#include <sys/stat.h>

/* Without a path there is nothing to look for. */
static int is_there(const char *item)
{
	const char *path = strchr(item, ' ');
	struct stat status;

	return path && lstat(path + 1, &status) == 0;
}

void temporary_find(const struct list *reported, struct list *left)
{
	for (size_t i = 0; i < reported->count; i++)
		if (is_there(reported->items[i]))
			list_add(left, reported->items[i]);
}

int temporary_check(const struct list *left, struct err *err)
{
	for (size_t i = 0; i < left->count; i++) {
		const char *item = left->items[i];

		if (!is_there(item))
			return err_set(err, ERR_REFUSED,
				       "module %.*s made %s while it was imported, and a process "
				       "of the image removed it at its end: the next one would "
				       "miss it; let the program make it, or a hook of module "
				       "pyimage", (int)strcspn(item, " "), item,
				       strchr(item, ' ') + 1);
	}
	return 0;
}
