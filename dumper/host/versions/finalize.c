/*
 * Where the interpreter's end begins. Up to 3.12 that is Py_FinalizeEx, which
 * Py_Finalize and Py_Exit call. Since 3.13 (pylifecycle.c, _Py_Finalize) the three
 * call a static function. The first two do nothing else, so that optimised code of
 * x86-64 jumps to it; Py_Exit calls it, not Py_FinalizeEx. Py_FinalizeEx is nine
 * bytes long there, with another function behind it.
 */
#include "cpython.h"

#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

#if PY_VERSION_HEX >= 0x030d0000

static const unsigned char *skip(const unsigned char *at, const char *bytes, size_t size,
	size_t whole)
{
	return memcmp(at, bytes, size) == 0 ? at + whole : at;
}

/* Where the compiler has taken the question whether the runtime is initialized out of
 * the static function (_Py_Finalize.part.0), it stands in both callers. */
static const unsigned char *skip_question(const unsigned char *at)
{
	const unsigned char *jump;

	at = skip(at, "\x48\x8b\x05", 3, 7);		/* mov rel32(%rip), %rax */
	jump = skip(at, "\x8b\x80", 2, 6);		/* mov disp32(%rax), %eax */
	jump = skip(jump, "\x8b\x05", 2, 6);		/* mov rel32(%rip), %eax */
	if (jump == at || memcmp(jump, "\x85\xc0\x75", 3) != 0)
		return at;				/* test %eax, %eax; jne rel8 */
	return jump + 4 + (signed char)jump[3];
}

/* Behind endbr64 and what makes &_PyRuntime the argument: jmp rel32. */
static void *hands_on_to(const unsigned char *at)
{
	int32_t distance;

	at = skip(at, "\xf3\x0f\x1e\xfa", 4, 4);	/* endbr64 */
	at = skip_question(at);
	at = skip(at, "\xbf", 1, 5);			/* mov $imm32, %edi */
	at = skip(at, "\x48\x8d\x3d", 3, 7);		/* lea rel32(%rip), %rdi */
	at = skip(at, "\x48\x8b\x3d", 3, 7);		/* mov rel32(%rip), %rdi */
	if (*at != 0xe9)
		return NULL;
	memcpy(&distance, at + 1, sizeof distance);
	return (void *)(at + 5 + distance);
}

void *cpython_finalize_address(void)
{
	unsigned char *from = dlsym(RTLD_DEFAULT, "Py_FinalizeEx");
	void *to = from ? hands_on_to(from) : NULL;
	Dl_info one, other;

	return to && dladdr(from, &one) && dladdr(to, &other) &&
		one.dli_fbase == other.dli_fbase ? to : NULL;
}

#else

void *cpython_finalize_address(void)
{
	return dlsym(RTLD_DEFAULT, "Py_FinalizeEx");
}

#endif
