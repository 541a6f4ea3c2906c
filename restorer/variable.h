/*
 * Variables that have to be as they were while the image was built, since imports
 * read them. Pure.
 */
#ifndef VARIABLE_H
#define VARIABLE_H

struct image_header;
struct reason;

/* Room for a name in a message. */
#define VARIABLE_NAME 64

/* 0, or -1 with the reason where one differs; `name` keeps what the reason points
 * to. Values are not shown: they may be secrets. The tables must be sound. */
int variable_check(const void *meta, const struct image_header *header,
	char *const *envp, char name[VARIABLE_NAME], struct reason *reason);

/* Whether "NAME=VALUE" is one of them and as it was. */
int variable_has(const void *meta, const struct image_header *header,
	const char *variable);

#endif
