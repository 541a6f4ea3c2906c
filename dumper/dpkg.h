/*
 * Asks dpkg which files belong to packages.
 */
#ifndef DPKG_H
#define DPKG_H

struct err;
struct list;

/* Adds those of the paths (absolute, sorted) that a package owns to `owned`
 * and sorts it. `records` is dpkg's folder (/var/lib/dpkg); where there is no
 * dpkg or it can't answer, nothing is owned. Merged /usr: /lib/x and
 * /usr/lib/x are one file. What lies below /etc counts as nobody's: who runs
 * the machine may change it. */
int dpkg_find_owned(const char *records, const struct list *paths,
		    char *const *environment, struct list *owned, struct err *err);

/* Adds the paths in the text that `dpkg-query --search` printed to `found`. */
void dpkg_parse_search(const char *text, struct list *found);

#endif
