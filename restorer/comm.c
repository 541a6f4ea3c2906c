/*
 * The name of the process; see comm.h. Writes to no memory but the stack.
 */
#include "comm.h"

#include "fallback.h"
#include "stack.h"
#include "sys.h"
#include "text.h"

/* Of a script's arguments the kernel lets those of its first line go before: each
 * time the interpreter and at most one more; an interpreter may be a script, four
 * times (exec_binprm() of fs/exec.c). */
#define COMM_SCRIPT_DEPTH 10

/* AT_EXECFN is the name that exec was given, which a script is an argument by. */
static int may_be_script(const struct stack *stack, const char *name)
{
	for (int i = 1; i < stack->argc && i <= COMM_SCRIPT_DEPTH; i++)
		if (text_equal(stack->argv[i], name))
			return 1;
	return 0;
}

/* execveat() without a path: the kernel then names the process by the file that runs
 * last, or by the number. */
static int is_descriptor(const char *name)
{
	const char *number = text_after(name, "/dev/fd/");

	return number && text_number(number) >= 0;
}

/* Whether a script was executed, or another file that the kernel has an interpreter
 * for (binfmt_misc). By its name alone it could also be an image that was given its
 * own name as an argument. What can't be read is taken for a script. */
static int is_script(const struct stack *stack)
{
	const char *name = stack_pointer(stack, SYS_AT_EXECFN);
	char start[4] = { 0 };
	long fd;

	if (!name || !may_be_script(stack, name) || is_descriptor(name))
		return 0;
	fd = sys_open(name, SYS_O_RDONLY | SYS_O_CLOEXEC);
	if (fd >= 0) {
		sys_read((int)fd, start, sizeof(start));
		sys_close((int)fd);
	}
	return !(start[0] == 0x7f && start[1] == 'E' && start[2] == 'L' && start[3] == 'F');
}

/* Which file python3's process would be named by; NULL: as it is. In a virtual
 * environment whose python is the image (place.h), that is the one executed. */
static const char *file_of(const struct program *program, int by_kernel, int entry)
{
	if (by_kernel && (entry || program->name))
		return NULL;
	if (entry || program->name)
		return program->image;
	return program->python;
}

void comm_set(const struct program *program, const struct stack *stack, int by_kernel,
	int entry)
{
	const char *file = file_of(program, by_kernel, entry);
	const char *name = file;

	if (!file || is_script(stack))
		return;
	for (; *file; file++)
		if (*file == '/')
			name = file + 1;
	sys_prctl_name(name);
}
