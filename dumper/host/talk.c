/*
 * Messages to and from pydump. Knows sockets and include/control.h; nothing
 * of Python. Used by everything in the host up to the freeze.
 */
#include "talk.h"
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fd = -1;

int talk_open(void)
{
	const char *number = getenv(CONTROL_ENV);
	char *end;
	long value;

	if (!number)
		return -1;
	value = strtol(number, &end, 10);
	if (!*number || *end || value < 3 || value > 1 << 20)
		return -1;
	/* out of the way: what imports open gets the numbers it gets in python3 */
	fd = fcntl((int)value, F_DUPFD_CLOEXEC, 500);
	if (fd < 0)
		return fd = (int)value;
	close((int)value);
	return fd;
}

static void read_all(void *data, size_t length)
{
	char *p = data;

	while (length) {
		ssize_t n = read(fd, p, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(1);	/* pydump is gone: nobody to tell */
		p += n;
		length -= (size_t)n;
	}
}

static int try_write(const void *data, size_t length)
{
	const char *p = data;

	while (length) {
		/* no SIGPIPE, whatever its disposition is by now */
		ssize_t n = send(fd, p, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		length -= (size_t)n;
	}
	return 0;
}

static void write_all(const void *data, size_t length)
{
	if (try_write(data, length))
		_exit(1);
}

void talk_try_send(unsigned type, const void *data, size_t length)
{
	struct control_head head = { type, (uint32_t)length };
	int error = errno;

	if (fd >= 0 && (try_write(&head, sizeof head) || try_write(data, length)))
		fd = -1;
	errno = error;
}

void talk_send(unsigned type, const void *data, size_t length)
{
	struct control_head head = { type, (uint32_t)length };

	write_all(&head, sizeof head);
	write_all(data, length);
}

static void append(char ***list, size_t *count, char *value)
{
	*list = realloc(*list, (*count + 2) * sizeof **list);
	if (!*list)
		_exit(1);
	(*list)[(*count)++] = value;
	(*list)[*count] = NULL;
}

static char *value_of(char *string, const char *key)
{
	size_t n = strlen(key);

	return strncmp(string, key, n) || string[n] != '=' ? NULL : string + n + 1;
}

void talk_read_spec(struct talk_spec *spec)
{
	struct control_head head;
	size_t imports = 0, warmups = 0, unset = 0, options = 0, entry = 0,
		recorded = 0, patterns = 0;
	char *data, *value;

	memset(spec, 0, sizeof *spec);
	spec->trace = -1;
	spec->io = "network";
	read_all(&head, sizeof head);
	if (head.type != CONTROL_SPEC || head.length > CONTROL_MAX)
		talk_refuse("pydump sent message %u where the specification was "
			"expected: pydump and host are of different versions", head.type);
	data = calloc(head.length + 1u, 1);	/* kept */
	spec->imports = calloc(1, sizeof *spec->imports);
	spec->warmups = calloc(1, sizeof *spec->warmups);
	spec->unset = calloc(1, sizeof *spec->unset);
	spec->options = calloc(1, sizeof *spec->options);
	spec->entry = calloc(1, sizeof *spec->entry);
	spec->recorded = calloc(1, sizeof *spec->recorded);
	spec->patterns = calloc(1, sizeof *spec->patterns);
	if (!data || !spec->imports || !spec->warmups || !spec->unset || !spec->options ||
	    !spec->entry || !spec->recorded || !spec->patterns)
		talk_refuse("out of memory");
	read_all(data, head.length);
	for (char *s = data; s < data + head.length; s += strlen(s) + 1) {
		if ((value = value_of(s, "import")))
			append(&spec->imports, &imports, value);
		else if ((value = value_of(s, "unset")))
			append(&spec->unset, &unset, value);
		else if ((value = value_of(s, "warmup")))
			append(&spec->warmups, &warmups, value);
		else if ((value = value_of(s, "option")))
			append(&spec->options, &options, value);
		else if ((value = value_of(s, "entry")))
			append(&spec->entry, &entry, value);
		else if ((value = value_of(s, "plain")))
			spec->plain = value;
		else if ((value = value_of(s, "function")))
			spec->function = value;
		else if ((value = value_of(s, "argv0")))
			spec->argv0 = value;
		else if ((value = value_of(s, "recorded")))
			append(&spec->recorded, &recorded, value);
		else if ((value = value_of(s, "pattern")))
			append(&spec->patterns, &patterns, value);
		else if ((value = value_of(s, "record")))
			spec->record = 1;
		else if ((value = value_of(s, "trace")))
			spec->trace = atoi(value);
		else if ((value = value_of(s, "trace_mapping")))
			spec->trace_mapping = strtoull(value, NULL, 10);
		else if ((value = value_of(s, "no_immortal")))
			spec->no_immortal = 1;
		else if ((value = value_of(s, "gather")))
			spec->gather = value;
		else if ((value = value_of(s, "io")))
			spec->io = value;
		else if ((value = value_of(s, "stack")))
			sscanf(value, "%llu:%llu", &spec->stack_soft, &spec->stack_hard);
		else
			talk_refuse("pydump asked for \"%s\", which this host does not "
				"know: pydump and host are of different versions", s);
	}
}

static void send_line(unsigned type, const char *format, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof text, format, args);
	talk_send(type, text, strlen(text));
}

void talk_progress(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	send_line(CONTROL_PROGRESS, format, args);
	va_end(args);
}

void talk_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	send_line(CONTROL_WARNING, format, args);
	va_end(args);
}

void talk_refuse(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text)
		talk_send(CONTROL_REFUSED, text, strlen(text));
	_exit(1);
}

void talk_wait(void)
{
	char byte;

	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
}

void talk_close(void)
{
	close(fd);
	fd = -1;
}
