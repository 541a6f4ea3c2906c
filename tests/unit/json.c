/*
 * dumper/json.c: what it writes is JSON, whatever the strings hold.
 */
#include "unit.h"

#include "json.h"

#include <string.h>

static char text[4096];

static struct json begin(void)
{
	FILE *stream = fmemopen(text, sizeof(text), "w");

	ck_assert_ptr_nonnull(stream);
	return (struct json){.stream = stream};
}

START_TEST(nests)
{
	struct json json = begin();

	json_open(&json, NULL, '{');
	json_number(&json, "n", UINT64_MAX);
	json_open(&json, "list", '[');
	json_signed(&json, NULL, -1);
	json_bool(&json, NULL, 1);
	json_string(&json, NULL, NULL);
	json_close(&json, ']');
	json_open(&json, "empty", '[');
	json_close(&json, ']');
	json_hex(&json, "h", 255);
	json_close(&json, '}');
	fclose(json.stream);
	ck_assert_str_eq(text,
		"{\n  \"n\": 18446744073709551615,\n  \"list\": [\n    -1,\n    true,\n"
		"    null\n  ],\n  \"empty\": [],\n  \"h\": \"0xff\"\n}\n");
}
END_TEST

static void expect(const char *in, const char *out)
{
	struct json json = begin();

	json_open(&json, NULL, '[');
	json_string(&json, NULL, in);
	json_close(&json, ']');
	fclose(json.stream);
	ck_assert_msg(strncmp(text + 4, out, strlen(out)) == 0, "%s: %s", in, text);
	ck_assert_str_eq(text + 4 + strlen(out), "\n]\n");
}

START_TEST(escapes)
{
	expect("a\"b\\c\n\x7f", "\"a\\\"b\\\\c\\u000a\\u007f\"");
	expect("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x8d",
	       "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x8d\"");
	/* not UTF-8: lone bytes, overlong, surrogate, too high, cut off */
	expect("\xff", "\"\\udcff\"");
	expect("\xc0\x80", "\"\\udcc0\\udc80\"");
	expect("\xe0\x80\x80", "\"\\udce0\\udc80\\udc80\"");
	expect("\xed\xa0\x80", "\"\\udced\\udca0\\udc80\"");
	expect("\xf4\x90\x80\x80", "\"\\udcf4\\udc90\\udc80\\udc80\"");
	expect("\xe2\x82", "\"\\udce2\\udc82\"");
	expect("\xf0\x9f\x90", "\"\\udcf0\\udc9f\\udc90\"");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {nests, escapes, NULL};

	return unit_run("json", tests);
}
