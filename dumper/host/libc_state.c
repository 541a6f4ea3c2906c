/*
 * Fills struct handoff. What libc keeps of its process is found by asking the
 * kernel (thread pointer, tid address, robust list), by exported symbols, and,
 * for words that point into the old stack, by looking at all memory: each such
 * word is redirected to a copy in the image that the entry code renews, so
 * that one page changes in a restore and not one for each word.
 */
#include "libc_state.h"
#include "guard_pages.h"
#include "enter.h"
#include "finish.h"
#include "full.h"
#include "handoff.h"
#include "patches.h"
#include "resume.h"
#include "talk.h"
#include "vdso_stubs.h"

#include <asm/prctl.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct handoff handoff __attribute__((aligned(4096))) = { .magic = HANDOFF_MAGIC };

/* The strings at the top of the old stack, for pointers into them. */
static char *strings;
static uint64_t strings_start, stack_end;
static uint64_t old_argc, old_argv, old_envp, old_auxv;
static char *frozen_argv[2];

static uint64_t symbol(const char *name)
{
	return (uint64_t)dlsym(RTLD_DEFAULT, name);
}

static void find_stack(uint64_t *start, uint64_t *end)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	*start = *end = 0;
	while (maps && fgets(line, sizeof line, maps))
		if (strstr(line, "[stack]"))
			sscanf(line, "%lx-%lx", start, end);
	if (maps)
		fclose(maps);
	if (!*end)
		talk_refuse("/proc/self/maps shows no [stack]");
}

void libc_state_keep(char **argv, char **envp)
{
	uint64_t start;
	char **end = envp;

	find_stack(&start, &stack_end);
	old_argv = (uint64_t)argv;
	old_argc = old_argv - 8;
	old_envp = (uint64_t)envp;
	prctl(PR_GET_TID_ADDRESS, &handoff.tid_cleared, 0, 0, 0);
	while (*end)
		end++;
	old_auxv = (uint64_t)(end + 1);
	strings_start = (uint64_t)argv[0];
	if (strings_start < old_auxv || strings_start >= stack_end)
		talk_refuse("the arguments are not at the top of the stack");
	strings = malloc(stack_end - strings_start);
	if (!strings)
		talk_refuse("out of memory");
	memcpy(strings, argv[0], stack_end - strings_start);
	frozen_argv[0] = strings;
}

static void save_auxv(void)
{
	const uint64_t *from = (const uint64_t *)old_auxv;

	for (int i = 0; i < HANDOFF_AUXV - 1; i++) {
		handoff.old_auxv[i][0] = from[2 * i];
		handoff.old_auxv[i][1] = from[2 * i + 1];
		if (from[2 * i] == AT_NULL)
			return;
	}
	talk_refuse("the auxiliary vector has more than %d entries", HANDOFF_AUXV - 1);
}

/* Where a word that points into the old stack has to point; 0: leave it, since
 * it points to a frame, of which none is needed any more. */
static uint64_t redirect(uint64_t word)
{
	if (word == old_argv)
		return (uint64_t)frozen_argv;
	if (word == old_envp)
		return (uint64_t)handoff.environ;
	if (word == old_auxv)
		return (uint64_t)handoff.auxv;
	if (word == getauxval(AT_RANDOM))
		return (uint64_t)handoff.random;
	if (word == getauxval(AT_PLATFORM))
		return (uint64_t)handoff.platform;
	if (word >= strings_start && word < stack_end)
		return (uint64_t)strings + (word - strings_start);
	return 0;
}

static uint64_t redirect_from, redirect_to, redirect_except;

void libc_state_redirect(uint64_t from, uint64_t to, const void *except)
{
	redirect_except = (uint64_t)except;
	redirect_from = from;
	redirect_to = to;
}

static void scan(uint64_t from, uint64_t to)
{
	uint64_t lowest = old_argc;

	for (uint64_t at = from; at < to; at += 8) {
		uint64_t word = *(const uint64_t *)at, target;

		if (word == redirect_from && word && at != redirect_except &&
		    at != (uint64_t)&redirect_from) {
			patches_add_word(at, redirect_to);
			continue;
		}
		if (word < lowest || word >= stack_end)
			continue;
		if (at >= (uint64_t)&handoff && at < (uint64_t)(&handoff + 1))
			continue;
		target = redirect(word);
		if (target)
			patches_add_word(at, target);
	}
}

/* Only pages that somebody wrote to: present or swapped, and not a file's
 * (proc(5), pagemap bits 63, 62 and 61). A reservation may be huge. */
static void scan_written(int pagemap, uint64_t from, uint64_t to)
{
	static uint64_t entries[4096];
	const uint64_t page = 4096;

	while (from < to) {
		uint64_t n = (to - from) / page;

		if (n > sizeof entries / sizeof *entries)
			n = sizeof entries / sizeof *entries;
		if (pread(pagemap, entries, n * 8, (off_t)(from / page * 8)) != (ssize_t)(n * 8))
			talk_refuse("read /proc/self/pagemap: %m");
		for (uint64_t i = 0; i < n; i++, from += page)
			if (entries[i] >> 62 && !(entries[i] >> 61 & 1) &&
			    !guard_pages_made_plain(from, entries[i]))
				scan(from, from + page);
	}
}

/* Private memory that is or was writable: also RELRO pages, which are r--. */
static void scan_all(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	char line[4096 + 200], mode[5];
	uint64_t from, to;

	while (maps && fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) != 3)
			continue;
		if (mode[0] != 'r' || mode[2] == 'x' || mode[3] != 'p' ||
		    strstr(line, "[stack]") || strstr(line, "[v"))
			continue;
		scan_written(pagemap, from, to);
	}
	if (maps)
		fclose(maps);
	close(pagemap);
}

/* prctl(PR_GET_TID_ADDRESS) needs CONFIG_CHECKPOINT_RESTORE; the tid is also
 * the one word of struct pthread that holds it (nptl/descr.h). A fork has the kernel
 * clear that; so does the start of a program on glibc 2.36 and 2.41. On 2.43 that has
 * it clear another word, so the start is asked (libc_state_keep()). */
static uint64_t find_tid(void)
{
	int tid = (int)syscall(SYS_gettid);
	uint64_t found = 0;

	if (prctl(PR_GET_TID_ADDRESS, &found, 0, 0, 0) == 0 && found &&
	    *(int *)found == tid)
		return found;
	for (uint64_t at = handoff.fs_base; at < handoff.fs_base + 2304; at += 4)
		if (*(int *)at == tid)
			return at;
	talk_refuse("find where libc keeps the thread's id: this libc is not known");
}

static void save_tid_address(void)
{
	handoff.tid_address = find_tid();
	if (!handoff.tid_cleared)
		handoff.tid_cleared = handoff.tid_address;
}

static void save_thread(void)
{
	long offset = 0, *rseq_offset = (long *)symbol("__rseq_offset");
	unsigned *rseq_size = (unsigned *)symbol("__rseq_size");

	syscall(SYS_arch_prctl, ARCH_GET_FS, &handoff.fs_base);
	save_tid_address();
	syscall(SYS_get_robust_list, 0, &handoff.robust_list, &handoff.robust_length);
	syscall(SYS_sigaltstack, NULL, &handoff.alternate);
	/* glibc 2.35+: exported constants; size 0 where it is not registered.
	 * The kernel takes no area shorter than 32 bytes. */
	if (rseq_offset && rseq_size && *rseq_size) {
		offset = *rseq_offset;
		handoff.rseq = handoff.fs_base + (uint64_t)offset;
		handoff.rseq_length = *rseq_size < 32 ? 32 : *rseq_size;
		handoff.rseq_signature = 0x53053053;
	}
	__asm__("stmxcsr %0" : "=m"(handoff.mxcsr));
	__asm__("fnstcw %0" : "=m"(handoff.x87_control));
}

/* proc(5), stat: field 47 is start_brk. */
static void save_brk(void)
{
	FILE *stat = fopen("/proc/self/stat", "re");
	char text[4096], *at;
	size_t n = stat ? fread(text, 1, sizeof text - 1, stat) : 0;

	if (stat)
		fclose(stat);
	text[n] = 0;
	at = strrchr(text, ')');
	for (int field = 2; at && field < 47; field++)
		at = strchr(at + 1, ' ');
	handoff.brk_start = at ? strtoull(at, NULL, 10) : 0;
	handoff.brk = (uint64_t)sbrk(0);
	handoff.curbrk = symbol("__curbrk");
	if (!handoff.brk_start || handoff.brk_start > handoff.brk)
		talk_refuse("/proc/self/stat does not tell where the heap starts");
}

static void save_signals(void)
{
	handoff.caught = handoff.caught_unless_ignored = 0;
	for (int n = 1; n < HANDOFF_SIGNALS; n++) {
		struct handoff_sigaction *action = &handoff.actions[n];
		uint64_t bit = 1ull << (n - 1);

		memset(action, 0, sizeof *action);
		if (syscall(SYS_rt_sigaction, n, NULL, action, 8) || !action->handler)
			continue;
		/* signalmodule.c takes SIGINT only where it is not ignored */
		if (n == SIGINT && action->handler != 1)
			handoff.caught_unless_ignored |= bit;
		else
			handoff.caught |= bit;
	}
}

static void save_words(void)
{
	uint64_t end = symbol("__libc_stack_end"), env = symbol("environ");

	handoff.stack_count = handoff.environ_count = 0;
	if (end && *(uint64_t *)end) {
		handoff.stack_words[handoff.stack_count++] = end;
		patches_protect(end, PROT_READ | PROT_WRITE);
	}
	if (!env)
		talk_refuse("find libc's environ: this libc is not known");
	handoff.environ_words[handoff.environ_count++] = env;
	patches_add_word(env, (uint64_t)handoff.environ);
}

void libc_state_save(void)
{
	save_auxv();
	save_thread();
	save_brk();
	save_signals();
	handoff.resume = resume_process;
	save_words();
	scan_all();
	vdso_stubs_add();
	full_replace(finish_python);
}
