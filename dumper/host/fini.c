/*
 * ld.so's _dl_fini runs the destructors of every library. Nearly all have but
 * one, the compiler's own (crtbegin.o's __do_global_dtors_aux), which calls __cxa_finalize for functions that exit() has run
 * already and then marks itself as done: a page written in each library, and
 * in each link map, for nothing. So of what is frozen only libraries with more
 * than one are run, and of what was loaded since all.
 */
#include "fini.h"
#include "enter.h"
#include "hold.h"
#include "hooks.h"
#include "library_order.h"
#include "talk.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <unistd.h>

typedef void (*destructor)(void);

struct fini {
	destructor *array;
	size_t count;
	destructor function;	/* DT_FINI */
};

static struct link_map *newest;	/* the last that is frozen */
static struct fini *frozen;	/* those with something to do */
static size_t frozen_count;

static struct fini fini_of(const struct link_map *map)
{
	struct fini found = { NULL, 0, NULL };

	for (const ElfW(Dyn) *d = map->l_ld; d && d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_FINI_ARRAY)
			found.array = (destructor *)(map->l_addr + d->d_un.d_ptr);
		else if (d->d_tag == DT_FINI_ARRAYSZ)
			found.count = d->d_un.d_val / sizeof(destructor);
		else if (d->d_tag == DT_FINI)
			found.function = (destructor)(map->l_addr + d->d_un.d_ptr);
	}
	return found;
}

static void keep(const struct link_map *map)
{
	struct fini found = fini_of(map);

	if (found.count < 2 || hooks_fini_is_idle(map->l_name))
		return;
	frozen = realloc(frozen, (frozen_count + 1) * sizeof *frozen);
	if (!frozen)
		talk_refuse("out of memory");
	frozen[frozen_count++] = found;
}

/* Never unloaded from here on. */
static void hold(const struct link_map *map)
{
	if (map->l_name[0] == '/')
		dlopen(map->l_name, RTLD_NOLOAD | RTLD_LAZY);
}

void fini_prepare(void)
{
	struct link_map *map, **order;
	size_t count;

	for (map = _r_debug.r_map; map; map = map->l_next) {
		newest = map;
		hold(map);
	}
	order = library_order(_r_debug.r_map, &count);
	if (!order)
		talk_refuse("out of memory");
	for (size_t i = 0; i < count; i++)
		keep(order[i]);
	free(order);
}

static void run_array(const struct fini *fini)
{
	for (size_t i = fini->count; i-- > 0;)
		fini->array[i]();
}

static void (*loader_fini)(void);	/* ld.so's, which fini_run() stands for */
static int left;

void fini_keep(void (*rtld_fini)(void))
{
	loader_fini = rtld_fini;
}

void fini_leave(void)
{
	left = 1;
}

/* A destructor may close other libraries, which _dl_fini takes care of, too. */
static void run_new(void)
{
	size_t count;
	struct link_map **order = library_order(newest->l_next, &count);

	for (size_t i = 0; i < count; i++)
		hold(order[i]);
	for (size_t i = 0; i < count; i++) {
		struct fini found = fini_of(order[i]);

		run_array(&found);
		if (found.function)
			found.function();
	}
	free(order);
}

void fini_run(void)
{
	if (left && loader_fini)
		loader_fini();
	if (!newest)		/* the host's own process */
		return;
	run_new();
	for (size_t i = 0; i < frozen_count; i++)
		run_array(&frozen[i]);
	hold_at_end();
}
