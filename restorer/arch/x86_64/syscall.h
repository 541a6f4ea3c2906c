/*
 * System calls on x86-64: their numbers (arch/x86/entry/syscalls/syscall_64.tbl)
 * and the instruction. Only sys.h includes this.
 */
#ifndef SYSCALL_H
#define SYSCALL_H

enum syscall_number {
	SYS_read = 0,
	SYS_write = 1,
	SYS_open = 2,
	SYS_close = 3,
	SYS_lseek = 8,
	SYS_mmap = 9,
	SYS_brk = 12,
	SYS_rt_sigaction = 13,
	SYS_pread = 17,
	SYS_madvise = 28,
	SYS_execve = 59,
	SYS_fcntl = 72,
	SYS_gettimeofday = 96,
	SYS_sigaltstack = 131,
	SYS_prctl = 157,
	SYS_arch_prctl = 158,
	SYS_time = 201,
	SYS_getdents64 = 217,
	SYS_set_tid_address = 218,
	SYS_clock_gettime = 228,
	SYS_clock_getres = 229,
	SYS_exit_group = 231,
	SYS_set_robust_list = 273,
	SYS_dup3 = 292,
	SYS_prlimit64 = 302,
	SYS_getcpu = 309,
	SYS_getrandom = 318,
	SYS_readlink = 89,
	SYS_statx = 332,
	SYS_rseq = 334,
	SYS_process_madvise = 440,
};

/* The kernel takes the fourth argument in r10, and clobbers rcx and r11. */
static inline long syscall_6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile ("syscall" : "=a"(result)
		: "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		: "rcx", "r11", "memory");
	return result;
}

static inline long syscall_4(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile ("syscall" : "=a"(result)
		: "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
		: "rcx", "r11", "memory");
	return result;
}

static inline long syscall_3(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile ("syscall" : "=a"(result)
		: "0"(number), "D"(a), "S"(b), "d"(c)
		: "rcx", "r11", "memory");
	return result;
}

static inline long syscall_2(long number, long a, long b)
{
	return syscall_3(number, a, b, 0);
}

static inline long syscall_1(long number, long a)
{
	return syscall_3(number, a, 0, 0);
}

#endif
