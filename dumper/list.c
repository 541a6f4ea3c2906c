/*
 * Lists of strings; see list.h.
 */
#include "list.h"

#include "alloc.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void take(struct list *list, char *text)
{
	/* room for one more: the NULL at the end */
	list->items = alloc_grow(list->items, list->count + 1, &list->room,
				 sizeof(*list->items));
	list->items[list->count++] = text;
	list->items[list->count] = NULL;
}

void list_add(struct list *list, const char *text)
{
	take(list, alloc_copy(text));
}

void list_print(struct list *list, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	take(list, alloc_vprint(format, args));
	va_end(args);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void list_sort(struct list *list)
{
	size_t kept = 0;

	if (!list->count)
		return;
	qsort(list->items, list->count, sizeof(*list->items), compare);
	for (size_t i = 1; i < list->count; i++) {
		if (strcmp(list->items[kept], list->items[i]) == 0)
			free(list->items[i]);
		else
			list->items[++kept] = list->items[i];
	}
	list->count = kept + 1;
	list->items[list->count] = NULL;
}

int list_has(const struct list *list, const char *text)
{
	return list->count && bsearch(&text, list->items, list->count,
				      sizeof(*list->items), compare);
}

void list_free(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct list){0};
}
