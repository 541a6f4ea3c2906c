/*
 * For functions of the host that stand before a library's own: a preloaded
 * object comes first where symbols are looked up.
 */
#ifndef INTERPOSE_H
#define INTERPOSE_H

/* dlopen's handle of the object that the address lies in; NULL: the executable. */
void *interpose_object(void *address);

/* The function of this name that the caller, an address in its code, would have
 * got without the host's; NULL: there is none. */
void *interpose_next(void *caller, const char *name);

#endif
