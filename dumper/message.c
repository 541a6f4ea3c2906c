/*
 * Framing of messages; see message.h.
 */
#include "message.h"

#include "control.h"
#include "err.h"
#include "list.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int send_all(int socket, const char *data, size_t size, struct err *err)
{
	while (size) {
		/* no SIGPIPE: the host may just have been killed */
		ssize_t n = send(socket, data, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "send to the interpreter");
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

int message_send(int socket, uint32_t type, const struct list *strings,
		 struct err *err)
{
	struct control_head head = {.type = type};
	struct buffer out = {0};
	int result;

	buffer_add(&out, &head, sizeof(head));
	for (size_t i = 0; i < strings->count; i++)
		buffer_string(&out, strings->items[i]);
	head.length = (uint32_t)(out.used - sizeof(head));
	memcpy(out.data, &head, sizeof(head));
	result = send_all(socket, out.data, out.used, err);
	buffer_free(&out);
	return result;
}

static int parse_head(struct message *message, struct err *err)
{
	struct control_head head;

	memcpy(&head, message->body.data, sizeof(head));
	if (head.length > CONTROL_MAX)
		return err_set(err, ERR_REFUSED,
			       "the interpreter sent a message of %u bytes, more than %u",
			       head.length, CONTROL_MAX);
	message->type = head.type;
	message->length = head.length;
	return 0;
}

/* Reads what is there, but not past the message's end. */
static int read_some(int socket, struct message *message, struct err *err)
{
	size_t head = sizeof(struct control_head);
	size_t want = message->got < head ? head - message->got :
		head + message->length - message->got;
	ssize_t n;

	buffer_add(&message->body, NULL, want + 1);
	n = read(socket, message->body.data + message->got, want);
	message->body.used = message->got + (n > 0 ? (size_t)n : 0);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return MESSAGE_WAIT;
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return MESSAGE_CLOSED;
	if (n < 0)
		return err_sys(err, "read from the interpreter");
	message->got += (size_t)n;
	if (message->got == head && parse_head(message, err))
		return -1;
	if (message->got < head || message->got < head + message->length)
		return MESSAGE_WAIT;
	return MESSAGE_WHOLE;
}

int message_receive(int socket, struct message *message, int wait, struct err *err)
{
	size_t head = sizeof(struct control_head);
	int state = MESSAGE_WAIT;

	if (message->got && message->got == head + message->length)
		message->got = message->body.used = 0;
	while (state == MESSAGE_WAIT) {
		struct pollfd poll_fd = {.fd = socket, .events = POLLIN};
		int ready = poll(&poll_fd, 1, wait);

		if (ready < 0 && errno != EINTR)
			return err_sys(err, "wait for the interpreter");
		if (ready <= 0)
			return MESSAGE_WAIT;
		state = read_some(socket, message, err);
	}
	if (state == MESSAGE_WHOLE) {
		struct buffer *body = &message->body;

		/* the head goes, a NUL comes */
		memmove(body->data, body->data + head, message->length);
		body->used = message->length;
		body->data[body->used] = '\0';
	}
	return state;
}

void message_free(struct message *message)
{
	buffer_free(&message->body);
	*message = (struct message){0};
}
