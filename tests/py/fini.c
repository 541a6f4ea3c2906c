/* Two destructors, one of them before the compiler's own. Built under more names: top
 * needs middle, which needs low; closer closes a library that it has opened. */
#include <dlfcn.h>
#include <unistd.h>

#ifndef NAME
#define NAME ""
#endif

static void say(const char *text, size_t length)
{
	if (write(1, text, length) < 0)
		_exit(99);
}

__attribute__((destructor(200))) static void early(void)
{
	say(NAME "dtor200\n", sizeof(NAME) + 7);
}

static void *opened;

#ifdef CLOSES
__attribute__((constructor)) static void begin(void)
{
	opened = dlopen(CLOSES, RTLD_NOW);
}
#endif

__attribute__((destructor)) static void late(void)
{
	if (opened)
		dlclose(opened);
	say(NAME "dtor\n", sizeof(NAME) + 4);
}
