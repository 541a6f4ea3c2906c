/*
 * Recorded runs; see record.h.
 */
#include "record.h"

#include "alloc.h"
#include "cleanup.h"
#include "control.h"
#include "environment.h"
#include "err.h"
#include "file.h"
#include "interpreter.h"
#include "message.h"
#include "process.h"
#include "progress.h"
#include "spec.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LISTEN_WAIT 100		/* ms between looks whether it still lives */

/* A run at work. */
struct run {
	pid_t pid;		/* 0: none (any more) */
	int socket;
	int output;		/* memory file with what it writes, or -1: stderr */
	struct message message;
};

/* --- what it tells --- */

static int is_module(const char *line, const char *name)
{
	size_t length = strlen(name);

	return strncmp(line, name, length) == 0 && line[length] == '\t';
}

static void forget(struct list *modules, const char *name)
{
	for (size_t i = modules->count; i-- > 0;) {
		if (!is_module(modules->items[i], name))
			continue;
		free(modules->items[i]);
		memmove(modules->items + i, modules->items + i + 1,
			(modules->count - i) * sizeof(*modules->items));
		modules->count--;
	}
}

static int has_two_tabs(const char *text)
{
	const char *first = strchr(text, '\t');

	return first && strchr(first + 1, '\t');
}

void record_take(struct record *record, const char *text)
{
	if (strncmp(text, "import=", 7) == 0 && text[7] && strchr(text + 7, '\t'))
		list_add(&record->modules, text + 7);
	else if (strncmp(text, "gone=", 5) == 0)
		forget(&record->modules, text + 5);
	else if (strncmp(text, "pattern=", 8) == 0 && has_two_tabs(text))
		list_add(&record->patterns, text + 8);
}

static int has_ended(pid_t pid)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == pid;
}

/* Until it has ended; what it forked may live on and hold the socket. */
static int listen_to(struct run *run, struct progress *progress, struct record *record,
		     struct err *err)
{
	int closed = 0;

	for (;;) {
		int ended = has_ended(run->pid);
		int state = closed ? MESSAGE_WAIT : message_receive(run->socket,
			&run->message, ended ? 0 : LISTEN_WAIT, err);

		if (state < 0)
			return -1;
		if (state == MESSAGE_WHOLE && run->message.type == CONTROL_REFUSED)
			return err_set(err, ERR_REFUSED, "%s", run->message.body.data);
		if (state == MESSAGE_WHOLE && run->message.type == CONTROL_RECORD) {
			record_take(record, run->message.body.data);
			progress_show(progress, "running it: %zu modules",
				      record->modules.count);
		}
		if (state == MESSAGE_CLOSED)
			closed = 1;
		if (ended && state != MESSAGE_WHOLE)
			return 0;
		if (closed && !ended)
			usleep(LISTEN_WAIT * 1000);
	}
}

/* --- the run --- */

static int send_orders(int socket, struct err *err)
{
	struct list strings = {0};
	int result;

	list_add(&strings, "record=1");
	list_add(&strings, "unset=LD_PRELOAD");
	list_add(&strings, "unset=" CONTROL_ENV);
	result = message_send(socket, CONTROL_SPEC, &strings, err);
	list_free(&strings);
	return result;
}

void record_command(const struct spec *spec, const char *python, struct list *out)
{
	list_add(out, python);
	for (size_t i = 0; i < spec->options.count; i++)
		list_add(out, spec->options.items[i]);
	for (size_t i = 0; i < spec->entry_words.count; i++)
		list_add(out, spec->entry_words.items[i]);
	for (size_t i = 1; i < spec->command.count; i++)
		list_add(out, spec->command.items[i]);
}

static int start(struct run *run, const struct spec *spec,
		 const struct interpreter *interpreter, const struct list *environment,
		 struct err *err)
{
	struct list variables = {0}, command = {0};
	struct process process = {.input = -1};
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return err_sys(err, "make the control socket");
	run->socket = sockets[0];
	for (size_t i = 0; i < environment->count; i++)
		list_add(&variables, environment->items[i]);
	environment_set(&variables, "LD_PRELOAD", interpreter->host);
	list_print(&variables, CONTROL_ENV "=%d", sockets[1]);
	record_command(spec, interpreter->path, &command);
	process.argv = command.items;
	process.envp = variables.items;
	process.output = process.error = run->output >= 0 ? run->output : STDERR_FILENO;
	process.keep = sockets[1];
	run->pid = process_start(&process, err);
	close(sockets[1]);
	list_free(&command);
	list_free(&variables);
	if (run->pid < 0)
		return -1;
	cleanup_add_process(run->pid);
	return send_orders(run->socket, err);
}

static int read_output(const struct run *run, struct record *record, struct err *err)
{
	struct buffer out = {0};
	int result = 0;

	if (run->output < 0)
		return 0;
	if (lseek(run->output, 0, SEEK_SET) < 0)
		return err_sys(err, "read the command's output");
	result = file_read_all(run->output, "the command's output", &out, err);
	if (!result) {
		while (out.used && out.data[out.used - 1] == '\n')
			out.data[--out.used] = '\0';
		record->said = alloc_copy(out.data ? out.data : "");
	}
	buffer_free(&out);
	return result;
}

static int finish(struct run *run, struct record *record, struct err *err)
{
	pid_t pid = run->pid;
	char *how;

	while (waitpid(pid, &record->status, 0) < 0 && errno == EINTR)
		;
	cleanup_forget_process(pid);
	run->pid = 0;
	if (read_output(run, record, err))
		return -1;
	if (!WIFSIGNALED(record->status))
		return 0;
	how = process_describe(record->status);
	err_set(err, ERR_REFUSED, "the command %s%s%s", how,
		record->said && *record->said ? "\n" : "", record->said ? record->said : "");
	free(how);
	return -1;
}

int record_run(const struct spec *spec, const struct interpreter *interpreter,
	       const struct list *environment, struct progress *progress,
	       struct record *record, struct err *err)
{
	struct run run = {.socket = -1, .output = -1};
	int result = -1;

	*record = (struct record){0};
	progress_show(progress, "running %s", spec->command.items[0]);
	run.output = spec->verbose ? -1 : memfd_create("output", MFD_CLOEXEC);
	if (!spec->verbose && run.output < 0)
		return err_sys(err, "make a memory file");
	if (!start(&run, spec, interpreter, environment, err) &&
	    !listen_to(&run, progress, record, err))
		result = finish(&run, record, err);
	if (run.pid > 0) {
		kill(run.pid, SIGKILL);
		while (waitpid(run.pid, &record->status, 0) < 0 && errno == EINTR)
			;
		cleanup_forget_process(run.pid);
	}
	if (run.socket >= 0)
		close(run.socket);
	if (run.output >= 0)
		close(run.output);
	message_free(&run.message);
	return result;
}

void record_free(struct record *record)
{
	list_free(&record->modules);
	list_free(&record->patterns);
	free(record->said);
	*record = (struct record){0};
}
