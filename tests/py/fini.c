/* Two destructors, one of them before the compiler's own. */
#include <unistd.h>

static void say(const char *text, size_t length)
{
	if (write(1, text, length) < 0)
		_exit(99);
}

__attribute__((destructor(200))) static void early(void)
{
	say("dtor200\n", 8);
}

__attribute__((destructor)) static void late(void)
{
	say("dtor\n", 5);
}
