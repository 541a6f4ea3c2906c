/*
 * Other threads at the freeze; see threads.h. What a thread does is asked of
 * itself, by a signal: only its own registers tell where its stack is. All of
 * that happens in a process that is refused.
 */
#include "threads.h"
#include "stack_text.h"
#include "talk.h"

#include <dirent.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MOST 10			/* that are described */
#define DEEP 64			/* frames of a stack */
#define WAIT 1000		/* ms for one to answer; the kernel's own never do */
/* nptl's SIGCANCEL: what glibc lets nobody block (internal-signals.h). */
#define ASK 32

static int watching;		/* not in a restored process */
static pid_t left[MOST];
static size_t left_count;	/* may be more than MOST */

static struct {
	pthread_t self;
	void *frames[DEEP];
	int depth;
	int done;
} answer;

/* --- which --- */

void threads_look(void)
{
	pid_t self = (pid_t)syscall(SYS_gettid);
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;

	left_count = 0;
	while (tasks && (entry = readdir(tasks))) {
		pid_t tid = atoi(entry->d_name);

		if (tid <= 0 || tid == self)
			continue;
		if (left_count < MOST)
			left[left_count] = tid;
		left_count++;
	}
	if (tasks)
		closedir(tasks);
}

static void look_if_watching(void)
{
	if (watching)
		threads_look();
}

/* Prepare handlers run in the reverse order of their registration, so the first
 * one registered sees what the others left. */
void threads_watch(void)
{
	watching = 1;
	pthread_atfork(look_if_watching, NULL, NULL);
}

void threads_unwatch(void)
{
	watching = 0;
}

int threads_left(void)
{
	return left_count != 0;
}

/* --- what one is doing --- */

static void tell(int number)
{
	(void)number;
	answer.self = pthread_self();
	answer.depth = backtrace(answer.frames, DEEP);
	__atomic_store_n(&answer.done, 1, __ATOMIC_RELEASE);
}

/* What the kernel takes. glibc's sigaction() refuses this signal, but for any
 * other it fills in the return code that the kernel needs. */
struct kernel_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};

static void listen_to_threads(void)
{
	struct sigaction usual = { .sa_handler = tell, .sa_flags = SA_RESTART };
	struct kernel_sigaction action;
	void *unused[1];

	backtrace(unused, 1);	/* loads libgcc_s; no handler may do that */
	sigaction(SIGUSR2, &usual, NULL);
	syscall(SYS_rt_sigaction, SIGUSR2, NULL, &action, 8);
	syscall(SYS_rt_sigaction, ASK, &action, NULL, 8);
}

static int is_there(pid_t tid)
{
	return syscall(SYS_tgkill, getpid(), tid, 0) == 0;
}

/* 1: it answered, 0: it is there and does not, -1: it has ended. */
static int ask(pid_t tid)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	answer.done = 0;
	if (syscall(SYS_tgkill, getpid(), tid, ASK))
		return -1;
	for (int i = 0; i < WAIT; i++) {
		if (__atomic_load_n(&answer.done, __ATOMIC_ACQUIRE))
			return 1;
		if (!is_there(tid))
			return -1;
		nanosleep(&pause, NULL);
	}
	return is_there(tid) ? 0 : -1;
}

/* --- in words --- */

static void add(char **text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add(char **text, const char *format, ...)
{
	char *more = NULL, *both = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&more, format, args) < 0 ||
	    asprintf(&both, "%s%s", *text ? *text : "", more) < 0)
		_exit(1);
	va_end(args);
	free(*text);
	free(more);
	*text = both;
}

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "function (library)"; a function that is not exported has no name there. */
static void add_place(char **text, void *address)
{
	Dl_info info;

	if (!dladdr(address, &info) || !info.dli_fname)
		add(text, "%p", address);
	else if (info.dli_sname)
		add(text, "%s (%s)", info.dli_sname, base(info.dli_fname));
	else
		add(text, "+0x%zx (%s)", (size_t)((char *)address - (char *)info.dli_fbase),
			base(info.dli_fname));
}

static int is_of_libc(void *address)
{
	Dl_info info, libc;

	return dladdr(address, &info) && dladdr((void *)getpid, &libc) &&
		info.dli_fbase == libc.dli_fbase;
}

/* Outermost first, as in a traceback. The outermost ones are libc's way to start
 * a thread; the innermost two are the handler and the code it returns to. A return
 * address may lie behind its function's end: the call lies before it. */
static void add_c_stack(char **text)
{
	int outermost = answer.depth - 1, innermost = 2;

	while (outermost > innermost && is_of_libc((char *)answer.frames[outermost] - 1))
		outermost--;
	if (outermost < innermost) {
		add(text, "no stack that can be read\n");
		return;
	}
	add(text, "started in ");
	add_place(text, (char *)answer.frames[outermost] - (outermost > innermost));
	add(text, ":\n");
	for (int i = outermost; i >= innermost; i--) {
		add(text, "  in ");
		add_place(text, (char *)answer.frames[i] - (i > innermost));
		add(text, "\n");
	}
}

static void read_name(pid_t tid, char *name, int size)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof path, "/proc/self/task/%d/comm", (int)tid);
	snprintf(name, (size_t)size, "?");
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(name, size, file))
		name[strcspn(name, "\n")] = 0;
	fclose(file);
}

/* thread_run() of Modules/_threadmodule.c deletes its thread's state last, when who
 * joins it has been woken: such a thread is over. */
static int is_ending(void)
{
	Dl_info info;

	for (int i = 0; i < answer.depth; i++)
		if (dladdr((char *)answer.frames[i] - 1, &info) && info.dli_sname &&
		    strcmp(info.dli_sname, "_PyThreadState_DeleteCurrent") == 0)
			return 1;
	return 0;
}

static void add_thread(char **text, pid_t tid)
{
	const char *python;
	char name[32];
	int answered;

	read_name(tid, name, sizeof name);	/* the signal may make it end */
	answered = ask(tid);
	if (answered < 0 || (answered && is_ending()))
		return;
	add(text, "thread %d (%s), ", (int)tid, name);
	python = answered ? stack_text_of_thread((unsigned long)answer.self) : "";
	add(text, "%s", python);
	if (!answered)
		add(text, "which answers no signal\n");
	else if (!*python || python[strlen(python) - 1] != '\n')
		add_c_stack(text);
}

void threads_refuse(void)
{
	char *text = NULL;
	size_t count = left_count;

	listen_to_threads();
	for (size_t i = 0; i < count && i < MOST; i++)
		add_thread(&text, left[i]);
	if (!text)
		return;
	if (count > MOST)
		add(&text, "and %zu more\n", count - MOST);
	talk_refuse("threads are still running, and an image holds one only:\n%s"
		"let the workload start them after the restore, when they are needed, or "
		"end them before the freeze (os.register_at_fork, pthread_atfork)", text);
}
