/*
 * Running programs; see process.h.
 */
#include "process.h"

#include "alloc.h"
#include "err.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void set_descriptor(posix_spawn_file_actions_t *actions, int from, int to)
{
	if (from < 0)
		posix_spawn_file_actions_addopen(actions, to, "/dev/null", O_RDWR, 0);
	else
		posix_spawn_file_actions_adddup2(actions, from, to);
}

pid_t process_start(const struct process *process, struct err *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t signals;
	pid_t pid = -1;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	set_descriptor(&actions, process->input, 0);
	set_descriptor(&actions, process->output, 1);
	set_descriptor(&actions, process->error, 2);
	/* onto itself: glibc takes close-on-exec off */
	if (process->keep >= 0)
		posix_spawn_file_actions_adddup2(&actions, process->keep, process->keep);
	/* pydump ignores it (output.c), its children must not */
	sigemptyset(&signals);
	sigaddset(&signals, SIGXFSZ);
	posix_spawnattr_setsigdefault(&attributes, &signals);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	errno = posix_spawn(&pid, process->argv[0], &actions, &attributes,
			    process->argv, process->envp);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (errno)
		return err_sys(err, "start %s", process->argv[0]);
	return pid;
}

/* Waits without pidfd_open(2), which an old sandbox may refuse. */
static int wait_polling(pid_t pid, int wait, int *status)
{
	struct timespec pause = {.tv_nsec = 1000000};

	for (; wait > 0; wait--) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return 0;
		nanosleep(&pause, NULL);
	}
	return -1;
}

static int wait_pidfd(int pidfd, pid_t pid, int wait, int *status)
{
	struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
	int ready;

	do
		ready = poll(&poll_fd, 1, wait);
	while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		return -1;
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return 0;
}

int process_wait(pid_t pid, int wait, int *status, struct err *err)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int result;

	if (pidfd < 0) {
		result = wait_polling(pid, wait, status);
	} else {
		result = wait_pidfd(pidfd, pid, wait, status);
		close(pidfd);
	}
	if (!result)
		return 0;
	kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return err_set(err, ERR_REFUSED, "did not end within %d s", wait / 1000);
}

static int collect(int fd, struct buffer *out, struct err *err)
{
	if (fd < 0)
		return 0;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, "read a program's output");
	return file_read_all(fd, "a program's output", out, err);
}

int process_run(const struct process *process, int wait, struct buffer *out,
		struct buffer *error, int *status, struct err *err)
{
	struct process run = *process;
	int result = -1;
	pid_t pid;

	run.input = -1;
	/* memory files: no pipe that fills up, no reader to run beside */
	run.output = out ? memfd_create("output", MFD_CLOEXEC) : -1;
	run.error = error ? memfd_create("error", MFD_CLOEXEC) : -1;
	if ((out && run.output < 0) || (error && run.error < 0)) {
		err_sys(err, "make a memory file");
		goto done;
	}
	pid = process_start(&run, err);
	if (pid < 0)
		goto done;
	result = process_wait(pid, wait, status, err);
	if (result)
		err_prefix(err, "%s", process->argv[0]);
	else
		result = collect(run.output, out, err);
	if (!result)
		result = collect(run.error, error, err);
done:
	if (run.output >= 0)
		close(run.output);
	if (run.error >= 0)
		close(run.error);
	return result;
}

char *process_describe(int status)
{
	if (WIFSIGNALED(status))
		return alloc_print("was killed by signal %d (%s)", WTERMSIG(status),
				   strsignal(WTERMSIG(status)));
	return alloc_print("ended with status %d", WEXITSTATUS(status));
}
