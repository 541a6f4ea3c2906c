/*
 * Messages between pydump and the host, framed as include/control.h says.
 * What comes in was written by a process that ran foreign code: every length
 * is bounded here, the content is for report.c and target.c to check.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "buffer.h"

#include <stdint.h>

struct err;
struct list;

enum message_state {
	MESSAGE_WHOLE,		/* one is there: type and body */
	MESSAGE_WAIT,		/* not yet */
	MESSAGE_CLOSED,		/* the other end is closed */
};

/* A message on its way in. Zeroed before the first one. */
struct message {
	uint32_t type;		/* enum control_type */
	struct buffer body;	/* body.data[body.used] is a NUL */
	size_t got;		/* bytes read so far, with the head */
	uint32_t length;
};

/* Sends the strings of the list as one message. */
int message_send(int socket, uint32_t type, const struct list *strings,
		 struct err *err);

/* Waits for at most `wait` milliseconds for the next message. Returns an
 * enum message_state, or -1. After MESSAGE_WHOLE the next call starts anew. */
int message_receive(int socket, struct message *message, int wait, struct err *err);

void message_free(struct message *message);

#endif
