/*
 * JSON output; see json.h. Errors of the stream are the caller's to check.
 */
#include "json.h"

#include <inttypes.h>
#include <string.h>

/* The length of the well-formed UTF-8 sequence at p, or 0. */
static int sequence(const unsigned char *p)
{
	static const struct {
		unsigned char mask, lead, low, high, length;
	} forms[] = {
		{0xff, 0xe0, 0xa0, 0xbf, 3}, {0xff, 0xed, 0x80, 0x9f, 3},
		{0xff, 0xf0, 0x90, 0xbf, 4}, {0xff, 0xf4, 0x80, 0x8f, 4},
		{0xe0, 0xc0, 0x80, 0xbf, 2}, {0xf0, 0xe0, 0x80, 0xbf, 3},
		{0xf8, 0xf0, 0x80, 0xbf, 4},
	};

	if (*p == 0xc0 || *p == 0xc1 || *p > 0xf4)
		return 0;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if ((*p & forms[i].mask) != forms[i].lead)
			continue;
		if (p[1] < forms[i].low || p[1] > forms[i].high)
			return 0;
		for (int k = 2; k < forms[i].length; k++)
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].length;
	}
	return 0;
}

static void quote(FILE *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	putc('"', out);
	while (*p) {
		int length = *p < 0x80 ? 1 : sequence(p);

		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			fprintf(out, "\\u%04x", *p);
		else if (!length)
			fprintf(out, "\\udc%02x", *p);
		else
			fwrite(p, 1, (size_t)length, out);
		p += length ? length : 1;
	}
	putc('"', out);
}

static void start(struct json *json, const char *key)
{
	if (json->depth)
		fprintf(json->stream, "%s\n%*s", json->filled ? "," : "",
			2 * json->depth, "");
	json->filled = 1;
	if (key) {
		quote(json->stream, key);
		fputs(": ", json->stream);
	}
}

void json_open(struct json *json, const char *key, char bracket)
{
	start(json, key);
	putc(bracket, json->stream);
	json->depth++;
	json->filled = 0;
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (json->filled)
		fprintf(json->stream, "\n%*s", 2 * json->depth, "");
	putc(bracket, json->stream);
	if (!json->depth)
		putc('\n', json->stream);
	json->filled = 1;
}

void json_string(struct json *json, const char *key, const char *text)
{
	start(json, key);
	if (text)
		quote(json->stream, text);
	else
		fputs("null", json->stream);
}

void json_number(struct json *json, const char *key, uint64_t number)
{
	start(json, key);
	fprintf(json->stream, "%" PRIu64, number);
}

void json_signed(struct json *json, const char *key, int64_t number)
{
	start(json, key);
	fprintf(json->stream, "%" PRId64, number);
}

void json_bool(struct json *json, const char *key, int truth)
{
	start(json, key);
	fputs(truth ? "true" : "false", json->stream);
}

void json_hex(struct json *json, const char *key, uint64_t number)
{
	start(json, key);
	fprintf(json->stream, "\"0x%" PRIx64 "\"", number);
}
