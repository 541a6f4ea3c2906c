/*
 * A list of strings that owns its strings.
 */
#ifndef LIST_H
#define LIST_H

#include <stddef.h>

struct list {
	char **items;		/* items[count] is NULL once one was added */
	size_t count;
	size_t room;
};

/* Adds a copy of the text at the end. */
void list_add(struct list *list, const char *text);

/* Adds a formatted string at the end. */
void list_print(struct list *list, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Sorts by strcmp and drops doubles. */
void list_sort(struct list *list);

/* Is the text in a list that list_sort() has sorted? */
int list_has(const struct list *list, const char *text);

/* Frees the strings; the list is empty again. */
void list_free(struct list *list);

#endif
