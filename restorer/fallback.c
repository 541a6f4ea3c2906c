/*
 * What happens instead of a restore. exec drops every mapping made so far and,
 * since they are all close-on-exec, every descriptor.
 * Linked into pyimage and into every image.
 */
#include "fallback.h"

#include <stddef.h>

#include "say.h"
#include "sys.h"

_Noreturn void fallback_die(const struct program *program, const struct reason *reason,
	int status)
{
	say_refusal(program->image, reason, NULL);
	sys_exit(status);
}

_Noreturn void fallback_run(const struct program *program)
{
	struct reason reason;
	long error;

	/* Python finds its prefix by argv[0], so it is the whole path. */
	program->argv[0] = (char *)(size_t)program->python;
	error = sys_execve(program->python, program->argv, program->envp);
	say_reason(&reason, "can't run", program->python, error);
	reason.advice = "build the image anew with an interpreter that is there";
	fallback_die(program, &reason, EXIT_REFUSED);
}

_Noreturn void fallback_refuse(const struct program *program, const struct reason *reason)
{
	if (!program->python || program->mode == MODE_ON) {
		say_refusal(program->image, reason,
			program->python ? "PYIMAGE=auto runs plain Python instead" : NULL);
		sys_exit(EXIT_REFUSED);
	}
	if (program->verbose)
		say_refusal(program->image, reason, "running plain Python instead");
	fallback_run(program);
}
