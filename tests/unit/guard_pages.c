/*
 * dumper/host/guard_pages.c: a guard, and a page that is swapped out, which pagemap
 * shows alike. The host is no part of what unit tests are linked with.
 */
#include "unit.h"

#include "host/guard_pages.c"
#include "host/talk.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define SWAPPED (1ull << 62)
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102	/* asm-generic/mman-common.h, 6.13 */
#endif

void talk_refuse(const char *format, ...)
{
	ck_abort_msg("%s", format);
}

static char *make_page(void)
{
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	ck_assert_ptr_ne(page, MAP_FAILED);
	*page = 'x';
	return page;
}

/* As a container may, or a kernel without CONFIG_CROSS_MEMORY_ATTACH. */
static void refuse_reading(unsigned error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof(code) / sizeof(*code), code};

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
}

START_TEST(a_guard_becomes_plain)
{
	char *page = make_page();

	/* before Linux 6.13 what is as unreadable */
	if (madvise(page, PAGE, MADV_GUARD_INSTALL))
		ck_assert_int_eq(mprotect(page, PAGE, PROT_NONE), 0);
	ck_assert(guard_pages_made_plain((uint64_t)page, SWAPPED));
	ck_assert(!is_readable((uint64_t)page));
}
END_TEST

START_TEST(other_pages_stay)
{
	char *page = make_page();

	ck_assert(!guard_pages_made_plain((uint64_t)page, PRESENT));
	ck_assert(!guard_pages_made_plain((uint64_t)page, SWAPPED));
	ck_assert_int_eq(*page, 'x');
}
END_TEST

START_TEST(what_nobody_tells_stays)
{
	char *page = make_page();

	refuse_reading(EPERM);
	ck_assert(!guard_pages_made_plain((uint64_t)page, SWAPPED));
	ck_assert_int_eq(*page, 'x');
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_guard_becomes_plain, other_pages_stay, what_nobody_tells_stays, NULL,
	};

	return unit_run("guard_pages", tests);
}
