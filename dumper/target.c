/*
 * The process to be frozen; see target.h.
 */
#include "target.h"

#include "alloc.h"
#include "cleanup.h"
#include "control.h"
#include "environment.h"
#include "err.h"
#include "file.h"
#include "interpreter.h"
#include "process.h"
#include "progress.h"
#include "spec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A finite stack limit this large has the effect of an unlimited one. */
#define STACK_HUGE ((rlim_t)200000000000 * 1024)
/* The host's end of the socket in the interpreter, where the limit allows:
 * out of the way of the descriptors that the workload opens, whose numbers stay
 * in the image. */
#define CONTROL_FD 200
#define LISTEN_WAIT 100		/* ms between looks whether it still lives */
#define STOP_WAIT 10000		/* ms for the frozen process to stop */
#define END_WAIT 5000		/* ms for the host to end */

int target_stack_limit(const struct rlimit *now, rlim_t *soft, struct err *err)
{
	if (now->rlim_max == RLIM_INFINITY) {
		*soft = RLIM_INFINITY;
		return 0;
	}
	if (now->rlim_max >= STACK_HUGE) {
		*soft = STACK_HUGE;
		return 0;
	}
	return err_set(err, ERR_REFUSED,
		       "the hard limit of the stack is %llu kB (ulimit -Hs), but an image can "
		       "only be built where it is unlimited: raise it, as in "
		       "/etc/security/limits.conf",
		       (unsigned long long)now->rlim_max / 1024);
}

/* The socket's number; the one behind it reports a failed exec. */
static int choose_control(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < CONTROL_FD + 2 &&
	    limit.rlim_cur >= 8)
		return (int)limit.rlim_cur - 2;
	return CONTROL_FD;
}

/* In the child: what posix_spawn() can't do. Only ends by exec or by writing
 * errno to the pipe. */
static void run_child(const struct interpreter *interpreter, char *const *envp,
		      const struct rlimit *limit, pid_t parent, int control,
		      const int streams[2], int report)
{
	char *argv[] = {interpreter->name ? interpreter->name : interpreter->path, NULL};
	int number, to = choose_control();

	errno = 0;
	signal(SIGXFSZ, SIG_DFL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent ||
	    dup2(streams[0], 0) < 0 || dup2(streams[1], 1) < 0 || dup2(streams[1], 2) < 0 ||
	    dup3(control, to, 0) < 0 || dup3(report, to + 1, O_CLOEXEC) < 0)
		goto failed;
	report = to + 1;
	/* nothing that pydump's caller left open gets into an image */
	if (close_range(3, (unsigned)to - 1, 0) || close_range((unsigned)to + 2, ~0u, 0))
		goto failed;
	if (setrlimit(RLIMIT_STACK, limit))
		goto failed;
	execve(interpreter->path, argv, envp);
failed:
	number = errno ? errno : ESRCH;
	if (write(report, &number, sizeof(number)) < 0)
		_exit(127);
	_exit(127);
}

/* Reads what run_child() reported; nothing means that exec succeeded. */
static int read_errno(int fd)
{
	int number = 0;
	ssize_t n;

	do
		n = read(fd, &number, sizeof(number));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(number) ? number : 0;
}

static int launch(struct target *target, const struct interpreter *interpreter,
		  char *const *envp, const struct rlimit *limit, int control,
		  struct err *err)
{
	int report[2] = {-1, -1};
	pid_t parent = getpid(), pid;
	int result = -1;

	if (pipe2(report, O_CLOEXEC)) {
		err_sys(err, "start %s", interpreter->path);
		goto done;
	}
	pid = fork();
	if (pid == 0)
		run_child(interpreter, envp, limit, parent, control,
			  target->console.theirs, report[1]);
	if (pid < 0) {
		err_sys(err, "start %s", interpreter->path);
		goto done;
	}
	target->host = pid;
	cleanup_add_process(pid);
	console_started(&target->console);
	close(report[1]);
	report[1] = -1;
	errno = read_errno(report[0]);
	result = errno ? err_sys(err, "start %s", interpreter->path) : 0;
done:
	for (int i = 0; i < 2; i++)
		if (report[i] >= 0)
			close(report[i]);
	return result;
}

static int send_spec(struct target *target, const struct spec *spec,
		     const struct interpreter *interpreter,
		     const struct rlimit *limit, const char *trace, const char *gather,
		     struct err *err)
{
	struct list strings = {0};
	int result;

	for (size_t i = 0; i < spec->imports.count; i++)
		list_print(&strings, "import=%s", spec->imports.items[i]);
	for (size_t i = 0; i < spec->warmups.count; i++)
		list_print(&strings, "warmup=%s", spec->warmups.items[i]);
	for (size_t i = 0; i < spec->recorded.count; i++)
		list_print(&strings, "recorded=%s", spec->recorded.items[i]);
	for (size_t i = 0; i < spec->patterns.count; i++)
		list_print(&strings, "pattern=%s", spec->patterns.items[i]);
	for (size_t i = 0; i < spec->options.count; i++)
		list_print(&strings, "option=%s", spec->options.items[i]);
	for (size_t i = 0; i < spec->entry_words.count; i++)
		list_print(&strings, "entry=%s", spec->entry_words.items[i]);
	if (interpreter->name)
		list_print(&strings, "plain=%s", interpreter->path);
	if (spec->function)
		list_print(&strings, "function=%s", spec->function);
	if (spec->argv0)
		list_print(&strings, "argv0=%s", spec->argv0);
	list_print(&strings, "stack=%llu:%llu", (unsigned long long)limit->rlim_cur,
		   (unsigned long long)limit->rlim_max);
	list_print(&strings, "io=%s", spec_io_name(spec->io));
	if (spec->no_immortal)
		list_add(&strings, "no_immortal=1");
	if (trace)
		list_add(&strings, trace);
	if (gather)
		list_print(&strings, "gather=%s", gather);
	list_add(&strings, "unset=LD_PRELOAD");
	list_add(&strings, "unset=LD_BIND_NOW");
	list_add(&strings, "unset=" CONTROL_ENV);
	result = message_send(target->socket, CONTROL_SPEC, &strings, err);
	list_free(&strings);
	return result;
}

int target_start(const struct spec *spec, const struct interpreter *interpreter,
		 const struct list *environment, const char *trace, const char *gather,
		 struct target *target, struct err *err)
{
	struct list variables = {0};
	struct rlimit limit, moved;
	int sockets[2];
	int result = -1;

	*target = (struct target)TARGET_NONE;
	if (getrlimit(RLIMIT_STACK, &limit))
		return err_sys(err, "look up the stack limit");
	moved = limit;
	if (target_stack_limit(&limit, &moved.rlim_cur, err) ||
	    console_open(&target->console, spec->terminal, err))
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return err_sys(err, "make the control socket");
	target->socket = sockets[0];
	for (size_t i = 0; i < environment->count; i++)
		list_add(&variables, environment->items[i]);
	environment_set(&variables, "LD_PRELOAD", interpreter->host);
	/* no lazily bound GOT entry left to write in a restored process */
	environment_set(&variables, "LD_BIND_NOW", "1");
	list_print(&variables, CONTROL_ENV "=%d", choose_control());
	if (!launch(target, interpreter, variables.items, &moved, sockets[1], err))
		result = send_spec(target, spec, interpreter, &limit, trace, gather, err);
	close(sockets[1]);
	list_free(&variables);
	return result;
}

/* The host's end came without the message that was expected. */
static int explain_end(struct target *target, struct err *err)
{
	int status = 0;
	struct err late = {0};
	char *how;

	if (process_wait(target->host, END_WAIT, &status, &late)) {
		err_set(err, ERR_REFUSED, "the interpreter closed the control socket%s%s",
			target->doing ? " while " : "", target->doing ? target->doing : "");
	} else {
		how = process_describe(status);
		err_set(err, ERR_REFUSED, "the interpreter %s while %s", how,
			target->doing ? target->doing :
			"starting (is the host made for it, and does it take LD_PRELOAD?)");
		free(how);
	}
	err_clear(&late);
	cleanup_forget_process(target->host);
	target->host = 0;
	return -1;
}

static int has_ended(pid_t pid)
{
	siginfo_t info = {0};

	/* WNOWAIT: explain_end() takes the status */
	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == pid;
}

/* Gets the next message. One that came before the host's end counts. */
static int receive(struct target *target, struct progress *progress, struct err *err)
{
	for (;;) {
		int ended = has_ended(target->host), state;

		console_pass(&target->console, progress, target->socket,
			     ended ? 0 : LISTEN_WAIT);
		state = message_receive(target->socket, &target->message, 0, err);
		if (state == MESSAGE_WHOLE)
			return 0;
		if (state < 0)
			return -1;
		if (state == MESSAGE_CLOSED || ended)
			return explain_end(target, err);
	}
}

/* Field 3 (state) and 4 (parent) of /proc/PID/stat; the name before them may
 * hold anything, also blanks and brackets. */
static int read_state(pid_t pid, char *state, pid_t *parent, struct err *err)
{
	char *path = alloc_print("/proc/%d/stat", (int)pid);
	struct buffer text = {0};
	int result = file_read(path, &text, err);
	const char *at = result ? NULL : strrchr(text.data, ')');

	if (!result && (!at || sscanf(at, ") %c %d", state, parent) != 2))
		result = err_set(err, ERR_REFUSED, "%s: can't read it", path);
	buffer_free(&text);
	free(path);
	return result;
}

static int wait_stopped(pid_t pid, struct err *err)
{
	struct timespec pause = {.tv_nsec = 1000000};
	char state = 0;
	pid_t parent;

	for (int i = 0; i < STOP_WAIT; i++) {
		if (read_state(pid, &state, &parent, err))
			return -1;
		if (state == 'T')
			return 0;
		nanosleep(&pause, NULL);
	}
	return err_set(err, ERR_REFUSED, "the process to be frozen does not stop");
}

/* Names the threads besides the first one. */
static int check_threads(pid_t pid, struct err *err)
{
	char *path = alloc_print("/proc/%d/task", (int)pid);
	DIR *folder = opendir(path);
	struct list names = {0};
	struct dirent *entry;
	int result = 0;

	while (folder && (entry = readdir(folder))) {
		char *comm = alloc_print("%s/%s/comm", path, entry->d_name);
		struct buffer text = {0};
		struct err gone = {0};

		if (atoi(entry->d_name) > 0 && atoi(entry->d_name) != pid &&
		    file_read(comm, &text, &gone) == 0)
			list_print(&names, "%.*s", (int)strcspn(text.data, "\n"), text.data);
		err_clear(&gone);
		buffer_free(&text);
		free(comm);
	}
	if (!folder)
		result = err_sys(err, "open %s", path);
	else
		closedir(folder);
	if (names.count)
		result = err_set(err, ERR_REFUSED,
				 "%zu more thread%s than the first run%s (%s%s); an image holds "
				 "one thread only", names.count, names.count > 1 ? "s" : "",
				 names.count > 1 ? "" : "s", names.items[0],
				 names.count > 1 ? ", ..." : "");
	list_free(&names);
	free(path);
	return result;
}

static int take_frozen(struct target *target, struct err *err)
{
	pid_t parent = 0;
	char state;

	if (frozen_parse(target->message.body.data, target->message.body.used,
			 &target->frozen, err))
		return -1;
	if (read_state(target->frozen.pid, &state, &parent, err))
		return err_prefix(err, "the frozen process is gone");
	if (parent != target->host) {
		target->frozen.pid = 0;
		return err_set(err, ERR_REFUSED,
			       "the host named a process as frozen that is not its child");
	}
	cleanup_add_process(target->frozen.pid);
	if (wait_stopped(target->frozen.pid, err))
		return -1;
	return check_threads(target->frozen.pid, err);
}

static void take_progress(struct target *target, struct progress *progress)
{
	free(target->doing);
	target->doing = alloc_copy(target->message.body.data);
	progress_show(progress, "%s", target->doing);
}

/* The host's words, less the newlines that a traceback ends in. */
static int take_refusal(const struct buffer *body, struct err *err)
{
	size_t length = body->used;

	while (length && body->data[length - 1] == '\n')
		length--;
	return err_set(err, ERR_REFUSED, "%.*s", (int)length, body->data);
}

int target_wait(struct target *target, struct progress *progress, struct err *err)
{
	for (;;) {
		const struct buffer *body = &target->message.body;

		if (receive(target, progress, err))
			return -1;
		switch (target->message.type) {
		case CONTROL_PROGRESS:
			take_progress(target, progress);
			break;
		case CONTROL_WARNING:
			list_add(&target->warnings, body->data);
			break;
		case CONTROL_REFUSED:
			return take_refusal(body, err);
		case CONTROL_REPORT:
			report_free(&target->report);
			if (report_parse(body->data, body->used, &target->report, err))
				return -1;
			break;
		case CONTROL_FROZEN:
			if (!target->report.version)
				return err_set(err, ERR_REFUSED, "the host sent no report");
			return take_frozen(target, err);
		default:
			return err_set(err, ERR_REFUSED,
				       "the host sent message %u: pydump and host are of "
				       "different versions", target->message.type);
		}
	}
}

void target_end(struct target *target)
{
	struct err late = {0};
	int status;

	if (target->frozen.pid > 1 && target->host) {
		kill(target->frozen.pid, SIGKILL);
		cleanup_forget_process(target->frozen.pid);
	}
	if (target->socket >= 0)
		close(target->socket);
	target->socket = -1;
	if (target->host > 0) {
		/* a refusal leaves it free to be anywhere: no need to wait */
		if (!target->frozen.pid)
			kill(target->host, SIGKILL);
		process_wait(target->host, END_WAIT, &status, &late);
		cleanup_forget_process(target->host);
	}
	target->host = 0;
	console_close(&target->console);
	err_clear(&late);
}

void target_stop(struct target *target)
{
	target_end(target);
	message_free(&target->message);
	report_free(&target->report);
	list_free(&target->warnings);
	frozen_free(&target->frozen);
	free(target->doing);
	*target = (struct target)TARGET_NONE;
}
