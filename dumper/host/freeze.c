/*
 * What survives fork() survives the freeze: fork handlers bring libraries to
 * rest. The child is frozen with nothing of Python running, so that no frame of
 * its C stack is needed again. What it wants to tell pydump goes through a pipe
 * to its parent, so that it has no descriptor open when it is read.
 */
#include "freeze.h"
#include "arena.h"
#include "callbacks.h"
#include "closures.h"
#include "control.h"
#include "collector.h"
#include "cpython.h"
#include "enter.h"
#include "gc_view.h"
#include "heap_view.h"
#include "hooks.h"
#include "libc_state.h"
#include "patches.h"
#include "pyimage.h"
#include "quiesce.h"
#include "reads_libc.h"
#include "rehearse.h"
#include "streams.h"
#include "talk.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char threads[1024];	/* names of those that were there at the fork */

static void add_thread(const char *tid)
{
	char path[64], name[64] = "?";
	FILE *file;
	size_t used = strlen(threads);

	snprintf(path, sizeof path, "/proc/self/task/%.20s/comm", tid);
	file = fopen(path, "re");
	if (file) {
		if (fgets(name, sizeof name, file))
			name[strcspn(name, "\n")] = 0;
		fclose(file);
	}
	snprintf(threads + used, sizeof threads - used, "%s%s (thread %s)",
		used ? ", " : "", name, tid);
}

static int watching;		/* not in a restored process */

static void look_at_threads(void)
{
	DIR *tasks = watching ? opendir("/proc/self/task") : NULL;
	struct dirent *entry;

	threads[0] = 0;
	while (tasks && (entry = readdir(tasks)))
		if (entry->d_name[0] != '.' && atoi(entry->d_name) != (int)getpid())
			add_thread(entry->d_name);
	if (tasks)
		closedir(tasks);
}

/* pthread_atfork(3): prepare handlers run in the reverse order of their
 * registration, so the first one registered sees what the others left. */
void freeze_watch_threads(void)
{
	watching = 1;
	pthread_atfork(look_at_threads, NULL, NULL);
}

/* Threads that Python knows of, by name. */
static const char *python_threads(void)
{
	static const char code[] =
		"import threading\n"
		"names = ', '.join(repr(t.name) for t in threading.enumerate()\n"
		"    if t is not threading.main_thread())\n";
	PyObject *names = PyDict_New(), *result, *text;
	const char *found = NULL;

	if (!names || !PyDict_GetItemString(PyImport_GetModuleDict(), "threading"))
		return "";
	PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins());
	result = PyRun_String(code, Py_file_input, names, names);
	text = result ? PyDict_GetItemString(names, "names") : NULL;
	if (text)
		found = PyUnicode_AsUTF8(text);
	PyErr_Clear();
	return found ? found : "";
}

void freeze_check_threads(void)
{
	const char *names = python_threads();

	if (*names)
		talk_refuse("threads of Python's are still running that the image could not "
			"hold: %s; let the workload start them after the restore", names);
}

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

static void stand_still(int to)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	quiesce_collect();
	rehearse(2);
	streams_flush();
	quiesce_collect();
	cpython_unsilence();
	gc_view_replace();
	quiesce_plug();
	heap_view_replace();
	arena_open();
	collector_reset(PyImport_AddModule("__main__"));
	hooks_uninstantiate();
	callbacks_freeze();
	pyimage_freeze();
	closures_seal();
	reads_libc_seal();
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

void freeze(void)
{
	int ends[2], status;
	size_t length;
	char *message;
	pid_t child;

	if (pipe(ends))
		talk_refuse("make a pipe: %m");
	quiesce_collect();
	PyOS_BeforeFork();
	child = fork();
	if (child == 0) {
		PyOS_AfterFork_Child();
		hooks_forked();
		gc_view_note();		/* threading's handler makes locks anew */
		close(ends[0]);
		watching = 0;
		if (threads[0])		/* the parent refuses */
			_exit(1);
		stand_still(ends[1]);
	}
	PyOS_AfterFork_Parent();
	if (child < 0)
		talk_refuse("fork: %m");
	if (threads[0])
		talk_refuse("threads are still running that the image could not hold: %s"
			"%s%s; let the workload start them after the restore",
			threads, *python_threads() ? "; Python's: " : "", python_threads());
	close(ends[1]);
	message = read_message(ends[0], &length);
	close(ends[0]);
	if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status))
		talk_refuse("the process to freeze ended before it stood still (%s %d)",
			WIFSIGNALED(status) ? "signal" : "status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	talk_send(CONTROL_FROZEN, message, length);
	talk_wait();
	kill(child, SIGKILL);
	_exit(0);
}
