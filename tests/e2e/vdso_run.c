/*
 * vdso_run none|FILE COMMAND [ARG]...: runs a command as if the kernel had given
 * it no vDSO, or the one in FILE. Stops it right behind exec, maps FILE by
 * system calls that it is made to do, and changes AT_SYSINFO_EHDR on its stack.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static unsigned long peek(unsigned long address)
{
	unsigned long word;

	errno = 0;
	word = (unsigned long)ptrace(PTRACE_PEEKDATA, child, address, 0);
	if (errno)
		die("peek");
	return word;
}

static void poke(unsigned long address, unsigned long word)
{
	if (ptrace(PTRACE_POKEDATA, child, address, word))
		die("poke");
}

/* A system call in the child, at the instruction where it stands. */
static unsigned long call(long number, unsigned long a, unsigned long b,
	unsigned long c, unsigned long d, unsigned long e, unsigned long f)
{
	struct user_regs_struct saved, regs;
	unsigned long code;
	int status;

	ptrace(PTRACE_GETREGS, child, 0, &saved);
	code = peek(saved.rip);
	poke(saved.rip, (code & ~0xfffful) | 0x050f);	/* syscall */
	regs = saved;
	regs.rax = (unsigned long)number;
	regs.rdi = a;
	regs.rsi = b;
	regs.rdx = c;
	regs.r10 = d;
	regs.r8 = e;
	regs.r9 = f;
	ptrace(PTRACE_SETREGS, child, 0, &regs);
	if (ptrace(PTRACE_SINGLESTEP, child, 0, 0) || waitpid(child, &status, 0) < 0)
		die("step");
	ptrace(PTRACE_GETREGS, child, 0, &regs);
	poke(saved.rip, code);
	ptrace(PTRACE_SETREGS, child, 0, &saved);
	return regs.rax;
}

static unsigned long map_in_child(const char *path, unsigned long stack)
{
	unsigned long at = (stack - 8192) & ~7ul, fd, mapped;
	char name[256] = "";

	strncpy(name, path, sizeof(name) - 1);
	for (size_t i = 0; i < sizeof(name); i += 8) {
		unsigned long word;

		memcpy(&word, name + i, 8);
		poke(at + i, word);
	}
	fd = call(SYS_open, at, O_RDONLY, 0, 0, 0, 0);
	mapped = call(SYS_mmap, 0, 65536, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	call(SYS_close, fd, 0, 0, 0, 0, 0);
	if (mapped > -4096ul)
		die("map the vDSO");
	return mapped;
}

int main(int argc, char **argv)
{
	struct user_regs_struct regs;
	unsigned long at, vdso = 0;
	int status;

	if (argc < 3)
		return 99;
	child = fork();
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execv(argv[2], argv + 2);
		die(argv[2]);
	}
	if (waitpid(child, &status, 0) < 0 || !WIFSTOPPED(status))
		die("exec");
	ptrace(PTRACE_GETREGS, child, 0, &regs);
	at = regs.rsp + 8 * (peek(regs.rsp) + 2);
	while (peek(at))
		at += 8;
	if (strcmp(argv[1], "none"))
		vdso = map_in_child(argv[1], regs.rsp);
	for (at += 8; peek(at) != AT_NULL; at += 16)
		if (peek(at) == AT_SYSINFO_EHDR) {
			poke(at, vdso ? AT_SYSINFO_EHDR : AT_IGNORE);
			poke(at + 8, vdso);
		}
	ptrace(PTRACE_DETACH, child, 0, 0);
	if (waitpid(child, &status, 0) < 0)
		die("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
