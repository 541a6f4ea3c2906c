/*
 * The way back to Py_FinalizeEx, which is a jump to finish_python in the image.
 * It walks over the frozen heap and copies nearly every page of it, but nothing
 * is left out: frozen objects are destroyed, too, in python3's order.
 */
#include "full.h"
#include "answers.h"
#include "arguments.h"
#include "callbacks.h"
#include "collector.h"
#include "cpython.h"
#include "entry.h"
#include "environment.h"
#include "finish.h"
#include "gc_view.h"
#include "hooks.h"
#include "immortal.h"
#include "main_file.h"
#include "patches.h"
#include "rehearse.h"
#include "resume.h"
#include "run.h"
#include "streams.h"
#include "talk.h"
#include "writes.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define JUMP 12

static unsigned char original[JUMP];	/* of Py_FinalizeEx, or what it calls */
static unsigned char *code;		/* where they belong */

/* movabs $instead, %rax; jmp *%rax. Py_FinalizeEx is called by extensions, Py_Exit
 * by PyErr_Print for SystemExit: both come by there. */
void full_replace(int (*instead)(void))
{
	unsigned char jump[JUMP] = { 0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0 };
	uint64_t target = (uint64_t)instead;

	code = cpython_finalize_address();
	if (!code)
		talk_refuse("take over the end of this python3: its Py_FinalizeEx is not "
			"compiled as known ones are; use the distribution's python3");
	memcpy(original, code, sizeof original);
	memcpy(jump + 2, &target, sizeof target);
	patches_add((uint64_t)code, jump, sizeof jump);
}

static int put_back(void)
{
	uintptr_t from = (uintptr_t)code & ~(uintptr_t)4095;
	uintptr_t to = ((uintptr_t)code + JUMP + 4095) & ~(uintptr_t)4095;

	if (mprotect((void *)from, to - from, PROT_READ | PROT_WRITE | PROT_EXEC))
		return -1;
	memcpy(code, original, sizeof original);
	mprotect((void *)from, to - from, PROT_READ | PROT_EXEC);
	return 0;
}

int full_finish(void)
{
	if (put_back())
		return 1;
	writes_end();		/* all is written here, at last */
	if (immortal_any()) {
		/* other threads' frames hold references that are not counted */
		cpython_set_finalizing(PyThreadState_Get());
		immortal_end();
	}
	hooks_release();
	callbacks_release();
	environment_release();
	answers_release();
	arguments_release();
	resume_release();
	main_file_release();
	run_release();
	entry_release();
	rehearse_release();
	streams_release();
	finish_release();
	if (!gc_view_program_froze())
		collector_unfreeze();	/* else no collection looks at them there, either */
	cpython_allow_guards(PyThreadState_Get());
	return Py_FinalizeEx();
}
