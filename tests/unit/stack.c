/*
 * restorer/stack.c, trust.c, processor.c and say.c: what the kernel hands over,
 * who may be believed, which CPU will do, and how a refusal reads.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "cpu.h"
#include "processor.h"
#include "say.h"
#include "stack.h"
#include "sys.h"
#include "trust.h"

static struct reason reason;

START_TEST(full)
{
	static char program[] = "program", one[] = "one", variable[] = "A=b";
	uint64_t words[] = {
		2, (uintptr_t)program, (uintptr_t)one, 0, (uintptr_t)variable, 0,
		SYS_AT_UID, 1000, SYS_AT_EXECFN, (uintptr_t)program, 0, 0,
	};
	struct stack stack;

	stack_read(words, &stack);
	ck_assert_int_eq(stack.argc, 2);
	ck_assert_str_eq(stack.argv[1], "one");
	ck_assert_ptr_null(stack.argv[2]);
	ck_assert_int_eq(stack.envc, 1);
	ck_assert_str_eq(stack.envp[0], "A=b");
	ck_assert_uint_eq(stack_aux(&stack, SYS_AT_UID), 1000);
	ck_assert_uint_eq(stack_aux(&stack, SYS_AT_SECURE), 0);
	ck_assert_str_eq(stack_pointer(&stack, SYS_AT_EXECFN), "program");
	ck_assert_ptr_null(stack_pointer(&stack, SYS_AT_PLATFORM));
	ck_assert_ptr_eq(stack.start, words);
}
END_TEST

START_TEST(empty)
{
	uint64_t words[] = { 0, 0, 0, 0, 0 };
	struct stack stack;

	stack_read(words, &stack);
	ck_assert_int_eq(stack.argc, 0);
	ck_assert_int_eq(stack.envc, 0);
	ck_assert_uint_eq(stack_aux(&stack, SYS_AT_UID), 0);
}
END_TEST

static const struct {
	uint16_t mode;
	uint32_t uid, euid;
	int trusted;
} files[] = {
	{ SYS_S_IFREG | 0755, 0, 1000, 1 }, { SYS_S_IFREG | 0755, 1000, 1000, 1 },
	{ SYS_S_IFREG | 0755, 0, 0, 1 }, { SYS_S_IFREG | 0400, 1000, 1000, 1 },
	{ SYS_S_IFREG | 0755, 1001, 1000, 0 }, { SYS_S_IFREG | 0755, 1000, 0, 0 },
	{ SYS_S_IFREG | 0775, 1000, 1000, 0 }, { SYS_S_IFREG | 0757, 0, 0, 0 },
	{ SYS_S_IFDIR | 0755, 0, 0, 0 }, { 0010000 | 0600, 0, 0, 0 },
};

START_TEST(trust)
{
	const struct sys_stat stat = { .mode = files[_i].mode, .uid = files[_i].uid };

	ck_assert_int_eq(trust_check(&stat, files[_i].euid, &reason),
		files[_i].trusted ? 0 : -1);
}
END_TEST

static void read_cpu(struct image_cpu *cpu, int same_boot)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");

	memset(cpu, 0, sizeof(*cpu));
	cpu_read(cpu);
	cpu->hwcap2 = getauxval(AT_HWCAP2);
	if (same_boot && file)
		ck_assert_uint_eq(fread(cpu->boot_id, 1, IMAGE_BOOT_ID, file), IMAGE_BOOT_ID);
	if (file)
		fclose(file);
}

/* With the boot id nothing else is looked at, without it each bit counts. */
START_TEST(processor)
{
	uint64_t hwcap2 = getauxval(AT_HWCAP2);
	struct image_cpu cpu;

	read_cpu(&cpu, 0);
	ck_assert_int_eq(processor_check(&cpu, hwcap2, &reason), 0);
	cpu.leaves[1].regs[1] ^= 1u << 5;	/* AVX2, or the lack of it */
	if (cpu.leaves[1].regs[1] & 1u << 5)
		ck_assert_int_eq(processor_check(&cpu, hwcap2, &reason), -1);
	else
		ck_assert_int_eq(processor_check(&cpu, hwcap2, &reason), 0);
	read_cpu(&cpu, 0);
	cpu.leaves[4].regs[2] |= 1u << 3;
	ck_assert_int_eq(processor_check(&cpu, hwcap2, &reason), -1);
	read_cpu(&cpu, 0);
	cpu.xcr0 ^= 1u << 30;
	ck_assert_int_eq(processor_check(&cpu, hwcap2, &reason), -1);
	read_cpu(&cpu, 0);
	cpu.leaves[0].leaf = 99;
	ck_assert_int_eq(processor_check(&cpu, hwcap2, &reason), -1);
	read_cpu(&cpu, 0);
	cpu.hwcap2 |= 1ull << 40;
	ck_assert_int_eq(processor_check(&cpu, hwcap2, &reason), -1);
}
END_TEST

START_TEST(processor_same_boot)
{
	uint64_t hwcap2 = getauxval(AT_HWCAP2);
	struct image_cpu cpu;

	read_cpu(&cpu, 1);
	if (!cpu.boot_id[0] || !cpu.xcr0)
		return;		/* no /proc, or no xgetbv: always in full */
	cpu.leaves[4].regs[2] |= 1u << 3;
	ck_assert_int_eq(processor_check(&cpu, hwcap2, &reason), 0);
	cpu.boot_id[35] ^= 1;
	ck_assert_int_eq(processor_check(&cpu, hwcap2, &reason), -1);
	read_cpu(&cpu, 1);
	cpu.xcr0 ^= 1u << 30;
	ck_assert_int_eq(processor_check(&cpu, hwcap2, &reason), -1);
}
END_TEST

/* What a function writes to stderr. */
static const char *written(void (*say)(void))
{
	static char text[8192];
	int ends[2], saved = dup(2);
	ssize_t size;

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], 2), 2);
	say();
	ck_assert_int_eq(dup2(saved, 2), 2);
	close(saved);
	close(ends[1]);
	size = read(ends[0], text, sizeof(text) - 1);
	close(ends[0]);
	text[size > 0 ? size : 0] = '\0';
	return text;
}

static void say_all(void)
{
	say_reason(&reason, "what", "why:", -SYS_ENOENT);
	reason.detail = "detail";
	reason.advice = "advice";
	say_refusal("image", &reason, "after");
}

static void say_least(void)
{
	say_reason(&reason, "what", NULL, 0);
	say_refusal(NULL, &reason, NULL);
}

static void say_number(void)
{
	say_reason(&reason, "what", NULL, -3021);
	say_refusal("image", &reason, NULL);
}

static void say_long(void)
{
	static char name[5000];

	memset(name, 'x', sizeof(name) - 1);
	say_line(name, "y");
}

START_TEST(messages)
{
	ck_assert_str_eq(written(say_all), "pyimage: image: what: why: detail: "
		"No such file or directory; advice; after\n");
	ck_assert_str_eq(written(say_least), "pyimage: what\n");
	ck_assert_str_eq(written(say_number), "pyimage: image: what: error 3021\n");
	ck_assert_uint_eq(strlen(written(say_long)), 4096);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stack");
	TCase *tcase = tcase_create("stack");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, full);
	tcase_add_test(tcase, empty);
	tcase_add_loop_test(tcase, trust, 0, sizeof(files) / sizeof(*files));
	tcase_add_test(tcase, processor);
	tcase_add_test(tcase, processor_same_boot);
	tcase_add_test(tcase, messages);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
