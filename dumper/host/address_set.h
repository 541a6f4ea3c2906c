/*
 * A set of objects by their addresses, quick to fill and to ask while these come
 * roughly page by page.
 */
#ifndef ADDRESS_SET_H
#define ADDRESS_SET_H

struct address_set;

/* NULL: out of memory; later ones make an add fail. Freed by address_set_free(). */
struct address_set *address_set_new(void);

/* An address that is a multiple of 16. 0, or -1: out of memory. */
int address_set_add(struct address_set *set, const void *address);

int address_set_has(struct address_set *set, const void *address);

void address_set_free(struct address_set *set);

#endif
