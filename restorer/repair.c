/*
 * State that exec made anew and that the frozen process knows otherwise: the
 * thread's registrations with the kernel, pointers into the old stack and vDSO,
 * the heap's end, signals. Order matters: the thread control block first, the
 * signal handlers last.
 */
#include "repair.h"

#include <stddef.h>

#include "handoff.h"
#include "image_check.h"
#include "say.h"
#include "stack.h"
#include "sys.h"
#include "text.h"
#include "thread.h"
#include "vdso.h"

/* From this many hot ranges on, a call for each costs more than it saves. */
#define REPAIR_HOT_CALLS 32

/* Copies the pages that a start dirties in one go: the list was learned. A
 * failure costs time only. */
static void populate_hot(const void *meta, const struct image_header *header)
{
	const struct image_range *range = image_rows(meta, &header->hot);
	uint32_t count = header->hot.count;

	if (!count)
		return;
	if (sys_process_madvise(SYS_PIDFD_SELF, range, count, SYS_MADV_POPULATE_WRITE) >= 0)
		return;
	if (count > REPAIR_HOT_CALLS)
		return;
	for (uint32_t i = 0; i < count; i++)
		if (sys_madvise(range[i].start, range[i].length, SYS_MADV_POPULATE_WRITE))
			return;
}

/* struct rseq, linux/rseq.h. glibc marks failure by cpu_id -2 (its
 * RSEQ_CPU_ID_REGISTRATION_FAILED), for sched_getcpu() to see. */
static void register_rseq(const struct handoff *handoff)
{
	struct {
		uint32_t cpu_id_start, cpu_id;
		uint64_t critical;
	} *rseq = (void *)handoff->rseq;

	if (!rseq)
		return;
	rseq->cpu_id_start = 0;
	rseq->cpu_id = UINT32_MAX;
	rseq->critical = 0;
	if (syscall_4(SYS_rseq, (long)handoff->rseq, handoff->rseq_length, 0,
		      handoff->rseq_signature))
		rseq->cpu_id = UINT32_MAX - 1;
}

static void repair_thread(struct handoff *handoff, const struct stack *stack)
{
	long tid;

	thread_set(handoff->fs_base);
	thread_set_canary(handoff->fs_base, stack_pointer(stack, SYS_AT_RANDOM));
	thread_set_float(handoff->mxcsr, handoff->x87_control);
	tid = syscall_1(SYS_set_tid_address, (long)handoff->tid_cleared);
	*(uint32_t *)handoff->tid_address = (uint32_t)tid;
	handoff->startup.tid = (int32_t)tid;
	syscall_2(SYS_set_robust_list, (long)handoff->robust_list,
		(long)handoff->robust_length);
	if (handoff->alternate[0])
		syscall_2(SYS_sigaltstack, (long)handoff->alternate, 0);
	register_rseq(handoff);
}

/* The value that getauxval() is to give: the executable and its loader are
 * those in memory, what they point to is copied off the stack. */
static uint64_t auxiliary(const struct handoff *handoff, uint64_t type, uint64_t value)
{
	switch (type) {
	case SYS_AT_PHDR: case SYS_AT_PHENT: case SYS_AT_PHNUM:
	case SYS_AT_BASE: case SYS_AT_ENTRY:
		break;
	case SYS_AT_RANDOM:
		return (uintptr_t)handoff->random;
	case SYS_AT_PLATFORM:
		return (uintptr_t)handoff->platform;
	default:
		return value;
	}
	for (unsigned int i = 0; i < HANDOFF_AUXV && handoff->old_auxv[i][0]; i++)
		if (handoff->old_auxv[i][0] == type)
			return handoff->old_auxv[i][1];
	return value;
}

static void repair_auxv(struct handoff *handoff, const struct stack *stack)
{
	const char *platform = stack_pointer(stack, SYS_AT_PLATFORM);
	const char *random = stack_pointer(stack, SYS_AT_RANDOM);
	unsigned int i;

	for (i = 0; i < HANDOFF_AUXV - 1 && stack->auxv[i][0]; i++) {
		handoff->auxv[i][0] = stack->auxv[i][0];
		handoff->auxv[i][1] = auxiliary(handoff, stack->auxv[i][0],
			stack->auxv[i][1]);
	}
	handoff->auxv[i][0] = SYS_AT_NULL;
	handoff->auxv[i][1] = 0;
	for (i = 0; i < sizeof(handoff->random); i++)
		handoff->random[i] = random[i];
	for (i = 0; i < sizeof(handoff->platform) - 1 && platform && platform[i]; i++)
		handoff->platform[i] = platform[i];
	handoff->platform[i] = '\0';
}

/* glibc's environ points to handoff.environ in the image already; only a list
 * that does not fit stays on the stack. */
static void repair_environ(struct handoff *handoff, const struct stack *stack)
{
	if (stack->envc < HANDOFF_ENVIRON) {
		for (int i = 0; i <= stack->envc; i++)
			handoff->environ[i] = stack->envp[i];
		return;
	}
	for (unsigned int i = 0; i < handoff->environ_count && i < HANDOFF_WORDS; i++)
		*(uint64_t *)handoff->environ_words[i] = (uintptr_t)stack->envp;
}

/* Pointers into the old stack: __libc_stack_end and its copies. glibc keeps
 * there what the stack pointer was at the start, the address of argc. */
static void repair_stack_words(const struct handoff *handoff, const struct stack *stack)
{
	for (unsigned int i = 0; i < handoff->stack_count && i < HANDOFF_WORDS; i++)
		*(uint64_t *)handoff->stack_words[i] = (uintptr_t)stack->start;
}

/* Where the last of `count` strings (from `first` on) ends. The kernel lays
 * arguments and environment out one behind the other. */
static uint64_t strings_end(char *const *strings, int count, uint64_t none)
{
	const char *last = count > 0 ? strings[count - 1] : NULL;

	return last ? (uintptr_t)last + text_length(last) + 1 : none;
}

/*
 * The kernel puts the break behind the image's last segment; malloc's heap ends
 * elsewhere. glibc's brk() takes what lies above the wish for success, though
 * nothing is mapped there. PR_SET_MM_MAP (kernel/sys.c) needs no privilege, only
 * CONFIG_CHECKPOINT_RESTORE; it wants all fields, each a valid address, code not
 * empty, and, before Linux 5.10, data below the heap. Arguments and environment
 * are the kernel's own values again.
 */
static void repair_break(const struct handoff *handoff, const struct stack *stack)
{
	struct sys_mm_map map;
	uint64_t none = (uintptr_t)stack->start;

	map.start_data = map.end_data = handoff->brk_start - IMAGE_PAGE;
	map.start_code = map.start_data;
	map.end_code = map.start_code + 1;
	map.start_brk = handoff->brk_start;
	map.brk = handoff->brk;
	map.start_stack = (uintptr_t)stack->start;
	map.arg_start = stack->argc ? (uintptr_t)stack->argv[0] : none;
	map.arg_end = strings_end(stack->argv, stack->argc, map.arg_start);
	map.env_start = stack->envc ? (uintptr_t)stack->envp[0] : map.arg_end;
	map.env_end = strings_end(stack->envp, stack->envc, map.env_start);
	map.auxv = 0;
	map.auxv_size = 0;	/* as it is */
	map.exe_fd = UINT32_MAX;	/* as it is */
	if (handoff->brk_start && !sys_prctl_mm(&map))
		return;
	if (handoff->curbrk)
		*(uint64_t *)handoff->curbrk = sys_brk(0);
}

/* Installs the signal's action where it was caught; whether it was ignored. */
static int repair_signal(const struct handoff *handoff, int number)
{
	const struct handoff_sigaction *new = &handoff->actions[number];
	uint64_t bit = 1ull << (number - 1);
	struct handoff_sigaction old;

	if (!((handoff->caught | handoff->caught_unless_ignored) & bit))
		new = NULL;
	old.handler = 0;
	syscall_4(SYS_rt_sigaction, number, (long)new, (long)&old, 8);
	return old.handler == 1;	/* the host gives way where it has to */
}

static uint64_t repair_signals(const struct handoff *handoff)
{
	uint64_t ignored = 0;

	for (int number = 1; number < HANDOFF_SIGNALS; number++)
		if (number != 9 && number != 19)	/* SIGKILL, SIGSTOP */
			ignored |= (uint64_t)repair_signal(handoff, number) << (number - 1);
	return ignored;
}

void repair_process(const void *meta, const struct image_header *header,
	struct handoff *handoff, const struct stack *stack)
{
	populate_hot(meta, header);
	repair_thread(handoff, stack);
	vdso_resolve(stack_pointer(stack, SYS_AT_SYSINFO_EHDR), handoff->vdso);
	repair_stack_words(handoff, stack);
	repair_auxv(handoff, stack);
	repair_environ(handoff, stack);
	repair_break(handoff, stack);
	handoff->startup.ignored = repair_signals(handoff);
}
