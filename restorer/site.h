/*
 * The running user's site folder, as site.py of CPython finds it. An image knows
 * the building user's at most; the running user's is honoured where nothing in
 * it would have come before a frozen module, else plain python3 runs.
 */
#ifndef SITE_H
#define SITE_H

#include <stddef.h>
#include <stdint.h>

struct image_header;
struct reason;

#define SITE_PATH 4096	/* longest path, with its NUL */

/* The user who runs the image. */
struct site_user {
	uint32_t uid;
	const char *home;	/* HOME; NULL if it is not set */
	int unwanted;		/* -s, -I or PYTHONNOUSERSITE */
};

/* Finds the folder. 0: *folder is its path, written to `path`, if it exists and
 * has to be added, else NULL; -1: the image can't be used, with the reason. */
int site_find(const void *meta, const struct image_header *header,
	const struct site_user *user, char path[SITE_PATH], const char **folder,
	struct reason *reason);

/* The home folder of `uid` in the text of a passwd(5) file, copied to `home`
 * of `size` bytes. 0, or -1 where there is none or it does not fit. Pure. */
int site_home(const char *passwd, size_t length, uint32_t uid, char *home, size_t size);

/* Whether an entry of this name in the user's site folder would change what is
 * imported: it shadows a frozen module, or site.py would run it. Pure. */
int site_shadows(const void *meta, const struct image_header *header, const char *entry);

#endif
