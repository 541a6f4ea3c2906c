/*
 * The interpreter that is being frozen: starts it with the host preloaded,
 * talks with the host, and holds the stopped process until it has been read.
 */
#ifndef TARGET_H
#define TARGET_H

#include "console.h"
#include "frozen.h"
#include "list.h"
#include "message.h"
#include "report.h"

#include <sys/resource.h>
#include <sys/types.h>

struct err;
struct interpreter;
struct progress;
struct spec;

#define TARGET_NONE {.socket = -1, .console = CONSOLE_NONE}

struct target {
	pid_t host;		/* our child; 0: none (any more) */
	int socket;		/* the control socket; -1: none */
	struct console console;
	struct message message;
	char *doing;		/* the last progress text */
	struct report report;
	struct list warnings;	/* for the user */
	struct frozen frozen;	/* frozen.pid is 0 until it is frozen */
};

/* Starts the interpreter and tells the host what to do. `trace` is NULL, or what
 * to find out instead of a freeze, as a string of CONTROL_SPEC; `gather` the file in
 * which hot objects are learned (gather.h), or NULL. */
int target_start(const struct spec *spec, const struct interpreter *interpreter,
		 const struct list *environment, const char *trace, const char *gather,
		 struct target *target, struct err *err);

/* Waits until it is frozen: one stopped process with one thread. What the host
 * says against it becomes the error. */
int target_wait(struct target *target, struct progress *progress, struct err *err);

/* Ends the processes; report and frozen stay. */
void target_end(struct target *target);

/* Ends and frees all of it; harmless on a target that never started. */
void target_stop(struct target *target);

/* The stack limit that makes the kernel lay out a process' memory away from
 * where all others have theirs (mmap_base in arch/x86/mm/mmap.c): fills `soft`.
 * Refuses where the hard limit is too low for that. */
int target_stack_limit(const struct rlimit *now, rlim_t *soft, struct err *err);

#endif
