/*
 * What happens instead of a restore. exec drops every mapping made so far and,
 * since they are all close-on-exec, every descriptor.
 * Linked into pyimage and into every image.
 */
#include "fallback.h"

#include <stddef.h>

#include "image_check.h"
#include "python_options.h"
#include "say.h"
#include "sys.h"

_Noreturn void fallback_die(const struct program *program, const struct reason *reason,
	int status)
{
	say_refusal(program->image, reason, NULL);
	sys_exit(status);
}

/* The interpreter's name, the options that are part of the image, its entry unless
 * that is not wanted, the caller's arguments. Python finds its prefix by argv[0],
 * so it is the whole path. */
static char **arguments(const struct program *program)
{
	const char *word = program->prefix->python;
	uint64_t count = 0, words = 0, mapped;
	char **argv;

	program->argv[0] = (char *)(size_t)(program->name ? program->name : program->python);
	while ((word = image_next_word(program->prefix, word)))
		words++;
	if (!words)
		return program->argv;
	while (program->argv[count])
		count++;
	mapped = sys_mmap(0, (count + words + 1) * sizeof(*argv),
		SYS_PROT_READ | SYS_PROT_WRITE, SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0);
	if (sys_is_error(mapped))
		return NULL;
	argv = (char **)mapped;
	argv[0] = program->argv[0];
	word = program->prefix->python;
	for (uint64_t i = 1; i <= words; i++)
		argv[i] = (char *)(size_t)(word = image_next_word(program->prefix, word));
	if (program->entry_off)
		words = (uint64_t)python_find_entry((int)words, argv + 1);
	for (uint64_t i = 1; i <= count; i++)
		argv[words + i] = program->argv[i];
	return argv;
}

_Noreturn void fallback_run(const struct program *program)
{
	struct reason reason;
	char **argv = arguments(program);
	long error = -SYS_ENOMEM;

	if (argv)
		error = sys_execve(program->python, argv, program->envp);
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
