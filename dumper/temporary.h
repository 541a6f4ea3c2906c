/*
 * Temporary files and folders that imports left: a process of the image that removes
 * them at its end takes them from all others.
 */
#ifndef TEMPORARY_H
#define TEMPORARY_H

struct err;
struct list;

/* Of "MODULE PATH"... those that are there. */
void temporary_find(const struct list *reported, struct list *left);

/* Whether they are still there, after the image ran. Refuses where one is not. */
int temporary_check(const struct list *left, struct err *err);

#endif
