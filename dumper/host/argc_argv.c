/*
 * "The original command line arguments, before Python modified them": CPython keeps a
 * copy, which is the build's. Who asks by C finds by it the kernel's own copy, in front
 * of the variables, and writes another name there (setproctitle). So these are the words
 * that the kernel gave the process, the image's name and not python3's as in
 * sys.orig_argv. They are decoded when they are first asked for.
 */
#include "argc_argv.h"
#include "cpython.h"
#include "patches.h"
#include "talk.h"

#include <dlfcn.h>
#include <stdint.h>

static void *const *stack_end;	/* ld.so's: the address of argc, renewed by each start */
static wchar_t **words;
static int count;

static void decode(void)
{
	const intptr_t *argc = *stack_end;
	char *const *argv = (char *const *)(argc + 1);
	wchar_t **all = PyMem_RawCalloc((size_t)*argc + 1, sizeof *all);

	if (!all)
		return;
	while (count < *argc && (all[count] = Py_DecodeLocale(argv[count], NULL)))
		count++;
	words = all;
}

static void get_argc_argv(int *argc, wchar_t ***argv)
{
	if (!words)
		decode();
	*argc = count;
	*argv = words;
}

void argc_argv_replace(void)
{
	stack_end = dlsym(RTLD_DEFAULT, "__libc_stack_end");
	if (!stack_end)
		talk_refuse("find the process's words: this libc is not known");
	patches_add_jump((uint64_t)Py_GetArgcArgv, (uint64_t)get_argc_argv);
}
