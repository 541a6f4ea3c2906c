/*
 * libc's readers of the environment; see reads_libc.h. A preloaded object comes
 * first where symbols are looked up, and LD_BIND_NOW makes that final: the image's
 * libraries call these functions for ever, so there they only jump on.
 *
 * What libc itself reads (tzset, the resolver, iconv) calls its own functions and
 * goes unseen; TZ has its rule in restorer/environ.c.
 */
#include "reads_libc.h"
#include "cpython.h"
#include "hooks.h"
#include "patches.h"
#include "reads.h"
#include "reads_os.h"

#include <dlfcn.h>
#include <link.h>
#include <locale.h>
#include <stdint.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef char *(*get_function)(const char *);
typedef char *(*set_function)(int, const char *);
typedef locale_t (*new_function)(int, const char *, locale_t);

EXPORT char *getenv(const char *name);
EXPORT char *secure_getenv(const char *name);
EXPORT char *setlocale(int category, const char *locale);
EXPORT locale_t newlocale(int mask, const char *locale, locale_t base);

static struct {
	const char *name;
	void *own, *next;
} functions[] = {
	{ "getenv", getenv, NULL },
	{ "secure_getenv", secure_getenv, NULL },
	{ "setlocale", setlocale, NULL },
	{ "newlocale", newlocale, NULL },
};

enum { GET, SECURE_GET, SET_LOCALE, NEW_LOCALE, FUNCTIONS };

static void *next_of(int which)
{
	void *next = __atomic_load_n(&functions[which].next, __ATOMIC_ACQUIRE);

	if (next)
		return next;
	next = dlsym(RTLD_NEXT, functions[which].name);
	__atomic_store_n(&functions[which].next, next, __ATOMIC_RELEASE);
	return next;
}

/* The object that holds the address. It takes no lock: a thread may read a variable
 * while another one is in dlopen(). */
static struct link_map *object_of(const void *address)
{
	struct dl_find_object found;

	return _dl_find_object((void *)(uintptr_t)address, &found) ? NULL : found.dlfo_link_map;
}

/* _cursesmodule.c: setupterm() has libtinfo ask for TERM, and keeps nothing where there is
 * none. */
static int is_renewed(const char *name, int is_set, const char *library)
{
	return !is_set && strcmp(name, "TERM") == 0 && strncmp(library, "libtinfo.so", 11) == 0 &&
		Py_IsInitialized() && PyGILState_Check() && hooks_renew_terminal_type();
}

/* Notes it under the library of the caller, or under the Python code that had the
 * interpreter call: what that reads for itself is not the workload's. */
static void note(const char *name, int is_set, const void *caller)
{
	struct link_map *object = object_of(caller);
	const char *slash;
	struct reads_by by = { .address = caller };

	if (!object || object == object_of(&functions))
		return;
	if (object == object_of((void *)Py_InitializeFromConfig)) {
		if (Py_IsInitialized() && PyGILState_Check())
			reads_os_note(name, strlen(name), is_set);
		return;
	}
	slash = strrchr(object->l_name, '/');
	by.module = slash ? slash + 1 : object->l_name;
	if (!is_renewed(name, is_set, by.module))
		reads_note(name, strlen(name), is_set, &by);
}

static void note_get(const char *name, const char *value, const void *caller)
{
	if (!reads_is_settled(name, strlen(name)))
		note(name, value != NULL, caller);
}

char *getenv(const char *name)
{
	char *value = ((get_function)next_of(GET))(name);

	note_get(name, value, __builtin_return_address(0));
	return value ? value : (char *)(uintptr_t)hooks_variable(name);
}

char *secure_getenv(const char *name)
{
	char *value = ((get_function)next_of(SECURE_GET))(name);

	note_get(name, value, __builtin_return_address(0));
	return value;
}

/* setlocale(3): LC_ALL, then the category's own, then LANG. LC_CTYPE is compared
 * at each start anyway (environ_same_locale). */
static const struct {
	int category;
	const char *name;
} categories[] = {
	{ LC_NUMERIC, "LC_NUMERIC" }, { LC_TIME, "LC_TIME" },
	{ LC_COLLATE, "LC_COLLATE" }, { LC_MONETARY, "LC_MONETARY" },
	{ LC_MESSAGES, "LC_MESSAGES" }, { LC_PAPER, "LC_PAPER" },
	{ LC_NAME, "LC_NAME" }, { LC_ADDRESS, "LC_ADDRESS" },
	{ LC_TELEPHONE, "LC_TELEPHONE" }, { LC_MEASUREMENT, "LC_MEASUREMENT" },
	{ LC_IDENTIFICATION, "LC_IDENTIFICATION" },
};

static void note_locale(unsigned mask, const void *caller)
{
	get_function get = (get_function)next_of(GET);

	if (!(mask & ~(1u << LC_CTYPE)))
		return;
	for (size_t i = 0; i < sizeof categories / sizeof *categories; i++)
		if (mask & 1u << categories[i].category)
			note(categories[i].name, get(categories[i].name) != NULL, caller);
	note("LC_ALL", get("LC_ALL") != NULL, caller);
	note("LANG", get("LANG") != NULL, caller);
}

char *setlocale(int category, const char *locale)
{
	if (locale && !*locale && category >= 0 && category <= LC_IDENTIFICATION)
		note_locale(category == LC_ALL ? ~0u : 1u << category,
			__builtin_return_address(0));
	return ((set_function)next_of(SET_LOCALE))(category, locale);
}

locale_t newlocale(int mask, const char *locale, locale_t base)
{
	if (locale && !*locale)
		note_locale((unsigned)mask, __builtin_return_address(0));
	return ((new_function)next_of(NEW_LOCALE))(mask, locale, base);
}

void reads_libc_seal(void)
{
	for (int i = 0; i < FUNCTIONS; i++)
		patches_add_jump((uint64_t)functions[i].own, (uint64_t)next_of(i));
}
