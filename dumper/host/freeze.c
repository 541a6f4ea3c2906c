/*
 * What survives fork() survives the freeze: fork handlers bring libraries to
 * rest. The child is frozen with nothing of Python running, so that no frame of
 * its C stack is needed again. What it wants to tell pydump goes through a pipe
 * to its parent, so that it has no descriptor open when it is read.
 */
#include "freeze.h"
#include "arena.h"
#include "argc_argv.h"
#include "callbacks.h"
#include "closures.h"
#include "control.h"
#include "collector.h"
#include "cpython.h"
#include "enter.h"
#include "gather.h"
#include "gather_malloc.h"
#include "gc_view.h"
#include "forked.h"
#include "heap_view.h"
#include "hooks.h"
#include "immortal.h"
#include "libc_state.h"
#include "patches.h"
#include "pyimage.h"
#include "quiesce.h"
#include "reads_libc.h"
#include "rehearse.h"
#include "streams.h"
#include "talk.h"
#include "threads.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void send_to_parent(int to)
{
	size_t length, done = 0;
	char *message;

	message = patches_message((int)getpid(), (uint64_t)&handoff,
		(uint64_t)image_entry, &length);
	while (done < length) {
		ssize_t n = write(to, message + done, length - done);

		if (n < 0 && errno != EINTR)
			_exit(1);
		if (n > 0)
			done += (size_t)n;
	}
	free(message);
	close(to);
}

static void stand_still(int to, int immortal)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	threads_look();		/* a fork handler may have started one anew */
	if (threads_left())
		threads_refuse();
	threads_unwatch();
	quiesce_collect();
	if (!immortal)
		cpython_forget_lookups();
	rehearse(2);
	streams_flush();
	forked_freeze();
	quiesce_collect();
	cpython_unsilence();
	gc_view_replace();
	gather_malloc_end();
	quiesce_plug();
	heap_view_replace();
	argc_argv_replace();
	arena_open();
	gather_end();
	collector_reset(PyImport_AddModule("__main__"));
	hooks_uninstantiate();
	callbacks_freeze();
	pyimage_freeze();
	closures_seal();
	reads_libc_seal();
	if (immortal) {
		immortal_make();
		cpython_forget_mortal_lookups();
	}
	cpython_begin_main();
	libc_state_save();
	talk_close();
	send_to_parent(to);
	for (;;)
		syscall(SYS_kill, getpid(), SIGSTOP);
}

static char *read_message(int from, size_t *length)
{
	char *message = NULL;
	size_t size = 0;

	*length = 0;
	for (;;) {
		ssize_t n;

		if (size - *length < 65536) {
			size += 1 << 20;
			message = realloc(message, size);
			if (!message)
				talk_refuse("out of memory");
		}
		n = read(from, message + *length, size - *length);
		if (n == 0)
			return message;
		if (n > 0)
			*length += (size_t)n;
		else if (errno != EINTR)
			talk_refuse("read from the frozen process: %m");
	}
}

/* Forks the process that is to stand still. Its message comes through *from. */
static pid_t fork_it(int *from, int immortal)
{
	int ends[2];
	pid_t child;

	if (pipe(ends))
		talk_refuse("make a pipe: %m");
	quiesce_collect();
	PyOS_BeforeFork();
	child = fork();
	if (child == 0) {
		gather_go_on();
		PyOS_AfterFork_Child();
		hooks_forked();
		gc_view_note();		/* threading's handler makes locks anew */
		close(ends[0]);
		if (threads_left())	/* the parent refuses */
			_exit(1);
		stand_still(ends[1], immortal);
	}
	PyOS_AfterFork_Parent();
	if (child < 0)
		talk_refuse("fork: %m");
	close(ends[1]);
	*from = ends[0];
	return child;
}

/* A thread that has been joined may be on its last steps yet (CPython wakes up
 * who joins before them): then once more, without it. */
static pid_t fork_alone(int *from, int immortal)
{
	for (int tries = 0;; tries++) {
		pid_t child = fork_it(from, immortal);

		if (!threads_left())
			return child;
		threads_refuse();
		if (tries == 10)
			talk_refuse("threads come and go that the image could not hold");
		waitpid(child, NULL, 0);
		close(*from);
	}
}

void freeze(int immortal)
{
	int from, status;
	size_t length;
	char *message;
	pid_t child;

	if (!cpython_may_fork())
		talk_refuse("another interpreter is left (of module _interpreters, or made by "
			"a C library), with which a forked child of this Python ends: let it "
			"end before, or make it when it is needed");
	child = fork_alone(&from, immortal);
	message = read_message(from, &length);
	close(from);
	if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status))
		talk_refuse("the process to freeze ended before it stood still (%s %d)",
			WIFSIGNALED(status) ? "signal" : "status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	talk_send(CONTROL_FROZEN, message, length);
	talk_wait();
	kill(child, SIGKILL);
	_exit(0);
}
