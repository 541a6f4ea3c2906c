/*
 * dumper/frozen.c, report.c, message.c: what the host sends, and what it
 * never should.
 */
#include "unit.h"

#include "control.h"
#include "err.h"
#include "frozen.h"
#include "list.h"
#include "message.h"
#include "report.h"

#include <string.h>
#include <sys/socket.h>

static size_t make_frozen(char *data)
{
	struct control_frozen head = {
		.pid = 42, .patches = 2, .handoff = 0x1000, .entry = 0x2000, .protects = 1,
	};
	struct control_patch patches[2] = {{0x100, 3}, {0x200, 8}};
	struct control_protect protect = {0x300, 3};
	char *at = data;

	at = mempcpy(at, &head, sizeof(head));
	at = mempcpy(at, &patches[0], sizeof(*patches));
	at = mempcpy(at, "abc\0\0\0\0\0", 8);
	at = mempcpy(at, &patches[1], sizeof(*patches));
	at = mempcpy(at, "01234567", 8);
	at = mempcpy(at, &protect, sizeof(protect));
	return (size_t)(at - data);
}

START_TEST(parses_the_last_message)
{
	char data[256];
	size_t size = make_frozen(data);
	struct frozen frozen;
	struct err err = {0};

	ck_assert(!frozen_parse(data, size, &frozen, &err));
	ck_assert_int_eq(frozen.pid, 42);
	ck_assert_uint_eq(frozen.handoff, 0x1000);
	ck_assert_uint_eq(frozen.entry, 0x2000);
	ck_assert_uint_eq(frozen.patch_count, 2);
	ck_assert_uint_eq(frozen.patches[0].length, 3);
	ck_assert(memcmp(frozen.patches[1].bytes, "01234567", 8) == 0);
	ck_assert_uint_eq(frozen.protect_count, 1);
	ck_assert_uint_eq(frozen.protects[0].address, 0x300);
	frozen_free(&frozen);
}
END_TEST

START_TEST(refuses_any_cut_and_survives_any_flip)
{
	char data[256];
	size_t size = make_frozen(data);
	struct frozen frozen;

	for (size_t length = 0; length < size; length++) {
		struct err err = {0};
		char *exact = malloc(length ? length : 1);

		memcpy(exact, data, length);
		ck_assert_int_eq(frozen_parse(exact, length, &frozen, &err), -1);
		frozen_free(&frozen);
		err_clear(&err);
		free(exact);
	}
	for (size_t bit = 0; bit < size * 8; bit++) {
		struct err err = {0};
		char *exact = malloc(size);

		memcpy(exact, data, size);
		exact[bit / 8] = (char)(exact[bit / 8] ^ 1 << bit % 8);
		frozen_parse(exact, size, &frozen, &err);
		frozen_free(&frozen);
		err_clear(&err);
		free(exact);
	}
}
END_TEST

static const char text[] =
	"version=3.11.2\0hexversion=51052272\0path=/a\0path=\0module=sys\0"
	"origin=built-in\0module=os\0origin=/usr/lib/os.py\0read=/x=y\0"
	"locale=C\0locale_by_lc_all=1\0user_site_suffix=/s\0timezone=\0new=1";

START_TEST(parses_the_report)
{
	struct report report;
	struct err err = {0};

	ck_assert_msg(!report_parse(text, sizeof(text), &report, &err), "%s", err.text);
	ck_assert_str_eq(report.version, "3.11.2");
	ck_assert_uint_eq(report.hexversion, 51052272);
	ck_assert_uint_eq(report.path.count, 2);
	ck_assert_uint_eq(report.count, 2);
	ck_assert_ptr_null(report.modules[0].origin);
	ck_assert_str_eq(report.modules[1].origin, "/usr/lib/os.py");
	ck_assert_str_eq(report.read.items[0], "/x=y");
	ck_assert_int_eq(report.locale_by_lc_all, 1);
	ck_assert_ptr_null(report.user_site);
	ck_assert_str_eq(report.timezone, "");
	report_free(&report);
}
END_TEST

START_TEST(refuses_a_broken_report)
{
	static const struct { const char *data; size_t size; } cases[] = {
		{"", 0}, {"version=3.11.2", 14}, {"version=3.11.2", 15}, {"x", 2},
		{"origin=/x", 10}, {"", 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct report report;
		struct err err = {0};

		ck_assert_int_eq(report_parse(cases[i].data, cases[i].size, &report, &err), -1);
		report_free(&report);
		err_clear(&err);
	}
}
END_TEST

START_TEST(messages_come_in_pieces)
{
	struct control_head head = {CONTROL_PROGRESS, 5};
	struct message message = {0};
	struct list strings = {0};
	struct err err = {0};
	int sockets[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	ck_assert_int_eq(message_receive(sockets[0], &message, 0, &err), MESSAGE_WAIT);
	ck_assert_int_eq(write(sockets[1], &head, 3), 3);
	ck_assert_int_eq(message_receive(sockets[0], &message, 0, &err), MESSAGE_WAIT);
	ck_assert_int_eq(write(sockets[1], (char *)&head + 3, 5), 5);
	ck_assert_int_eq(message_receive(sockets[0], &message, 0, &err), MESSAGE_WAIT);
	ck_assert_int_eq(write(sockets[1], "hello", 5), 5);
	/* the next one is there already; an empty one behind it */
	list_add(&strings, "a=b");
	ck_assert(!message_send(sockets[1], CONTROL_REPORT, &strings, &err));
	list_free(&strings);
	ck_assert(!message_send(sockets[1], CONTROL_REFUSED, &strings, &err));
	ck_assert_int_eq(message_receive(sockets[0], &message, 0, &err), MESSAGE_WHOLE);
	ck_assert_uint_eq(message.type, CONTROL_PROGRESS);
	ck_assert_str_eq(message.body.data, "hello");
	ck_assert_int_eq(message_receive(sockets[0], &message, 0, &err), MESSAGE_WHOLE);
	ck_assert_uint_eq(message.type, CONTROL_REPORT);
	ck_assert_uint_eq(message.body.used, 4);
	ck_assert_str_eq(message.body.data, "a=b");
	ck_assert_int_eq(message_receive(sockets[0], &message, 0, &err), MESSAGE_WHOLE);
	ck_assert_uint_eq(message.type, CONTROL_REFUSED);
	ck_assert_uint_eq(message.body.used, 0);
	close(sockets[1]);
	ck_assert_int_eq(message_receive(sockets[0], &message, 0, &err), MESSAGE_CLOSED);
	message_free(&message);
	close(sockets[0]);
}
END_TEST

START_TEST(messages_have_a_limit)
{
	struct control_head head = {CONTROL_REPORT, CONTROL_MAX + 1};
	struct message message = {0};
	struct err err = {0};
	int sockets[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	ck_assert_int_eq(write(sockets[1], &head, sizeof(head)), sizeof(head));
	ck_assert_int_eq(message_receive(sockets[0], &message, 0, &err), -1);
	ck_assert_int_eq(err.status, ERR_REFUSED);
	err_clear(&err);
	message_free(&message);
	close(sockets[1]);
	ck_assert_int_eq(message_send(sockets[0], 1, &(struct list){0}, &err), -1);
	ck_assert_int_eq(err.status, ERR_IO);
	err_clear(&err);
	close(sockets[0]);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		parses_the_last_message, refuses_any_cut_and_survives_any_flip,
		parses_the_report, refuses_a_broken_report, messages_come_in_pieces,
		messages_have_a_limit, NULL,
	};

	return unit_run("frozen", tests);
}
