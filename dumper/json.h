/*
 * Writes JSON, one object, to a stream. Text that is not UTF-8 (file names)
 * is written as Python's surrogateescape would, so that nothing is lost.
 */
#ifndef JSON_H
#define JSON_H

#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *stream;
	int depth;
	int filled;		/* the current object or array has an entry */
};

/* Opens an object or array: key is NULL inside an array and at the top. */
void json_open(struct json *json, const char *key, char bracket);

/* Closes it; at the top the line ends. */
void json_close(struct json *json, char bracket);

void json_string(struct json *json, const char *key, const char *text);
void json_number(struct json *json, const char *key, uint64_t number);
void json_signed(struct json *json, const char *key, int64_t number);
void json_bool(struct json *json, const char *key, int truth);

/* A number as "0x..." text, for addresses. */
void json_hex(struct json *json, const char *key, uint64_t number);

#endif
