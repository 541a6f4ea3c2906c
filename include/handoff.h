/*
 * What the host leaves in the image's memory for the code that enters it, and
 * what that code leaves for the host in return. One struct in the host's data,
 * page-aligned, so that a restore writes one page for nearly all of it.
 *
 * The host fills the first half before the freeze (dumper/host/libc_state.c);
 * restorer/enter.c reads it and fills struct startup; then it calls resume()
 * on the stack that the kernel gave the process.
 */
#ifndef HANDOFF_H
#define HANDOFF_H

#include <stdint.h>

#include "python_options.h"

#define HANDOFF_MAGIC 0x66646e61486d6950ull

/* Functions of the vDSO. The image keeps a copy of the vDSO it was frozen
 * with, whose functions are stubs that jump through handoff.vdso; so no
 * pointer to them needs a repair, and any kernel's vDSO will do. */
enum handoff_vdso {
	HANDOFF_CLOCK_GETTIME,
	HANDOFF_GETTIMEOFDAY,
	HANDOFF_TIME,
	HANDOFF_CLOCK_GETRES,
	HANDOFF_GETCPU,
	HANDOFF_GETRANDOM,
	HANDOFF_SGX,
	HANDOFF_VDSO_COUNT
};

#define HANDOFF_AUXV 64		/* entries, two words each */
#define HANDOFF_ENVIRON 1024	/* pointers, with the NULL */
#define HANDOFF_WORDS 16
#define HANDOFF_SIGNALS 65	/* index is the signal's number */

/* The kernel's struct sigaction on x86-64. */
struct handoff_sigaction {
	uint64_t handler;	/* 0: SIG_DFL, 1: SIG_IGN */
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

/* What is to be run: python3's own forms of the command line. */
enum startup_mode {
	STARTUP_STDIN,		/* nothing: a script from stdin, or the REPL */
	STARTUP_COMMAND,	/* -c; `what` is the code */
	STARTUP_MODULE,		/* -m; `what` is the module's name */
	STARTUP_FILE,		/* `what` is the file; "-" is stdin */
};

/* How the locale of this start compares with the image's. PEP 538 and 540: in
 * the C locale, unless LC_ALL sets it, CPython sets LC_CTYPE to C.UTF-8 and
 * turns its UTF-8 mode on; in C.UTF-8 it does neither. All else is the same. */
enum startup_locale {
	STARTUP_LOCALE_SAME,	/* and neither of the two */
	STARTUP_LOCALE_UTF8,	/* C.UTF-8 by the environment */
	STARTUP_LOCALE_COERCED,	/* C, so C.UTF-8 by coercion */
};

/* From enter.c to the host. Pointers point into the new stack. */
struct startup {
	uint32_t mode;		/* enum startup_mode */
	int32_t tid;
	int32_t argc;		/* of the arguments behind the image */
	int32_t rest;		/* index in argv of the first one behind `what` */
	char **argv;		/* not the image's name; argv[argc] is NULL */
	char **envp;
	const char *what;
	const char *user_site;	/* the running user's site folder where it
				   exists and is to be added, else NULL */
	uint64_t ignored;	/* bit n-1: signal n was ignored at the start */
	int32_t timezone_changed;/* TZ or /etc/localtime differ: tzset() */
	uint32_t locale;	/* enum startup_locale */
	uint32_t strict;	/* PYIMAGE=on: refuse where python3 would run */
	uint32_t full_end;	/* PYIMAGE_FINALIZE=full: destroy all at the end */
	uint32_t by_entry;	/* mode and `what` are the image's, not the caller's */
	int32_t hold;		/* descriptor for pydump's learning runs: write a
				   byte to it and wait; or -1 */
	uint32_t hold_at_start;	/* before the program begins, not at its end */
	uint32_t merged;	/* PYIMAGE_KSM has marked the process */
	uint32_t verbose;	/* PYIMAGE_VERBOSE: say why python3 runs */
	struct python_options options;	/* of the command line, the variables
					   and --python-option */
};

struct handoff {
	/* --- written by the host before the freeze --- */
	uint64_t magic;		/* HANDOFF_MAGIC */
	uint64_t fs_base;	/* the main thread's TCB */
	uint64_t tid_address;	/* of libc's copy of the tid */
	uint64_t robust_list;	/* set_robust_list(2) */
	uint64_t robust_length;
	uint64_t rseq;		/* rseq(2): struct rseq, 0: not registered */
	uint32_t rseq_length;
	uint32_t rseq_signature;
	uint64_t brk_start;	/* the heap as the kernel knew it */
	uint64_t brk;
	uint64_t curbrk;	/* address of glibc's __curbrk, 0: unknown */
	uint32_t mxcsr;
	uint32_t x87_control;
	uint64_t stack_words[HANDOFF_WORDS];	/* addresses of words that take
						   the address of argc */
	uint64_t environ_words[HANDOFF_WORDS];	/* addresses of words that are
						   environ; used when it does
						   not fit `environ` below */
	uint32_t stack_count;
	uint32_t environ_count;
	uint64_t old_auxv[HANDOFF_AUXV][2];	/* of the frozen process */
	struct handoff_sigaction actions[HANDOFF_SIGNALS];
	uint64_t caught;	/* bit n-1: actions[n] has to be installed, also
				   where the parent had the signal ignored */
	uint64_t caught_unless_ignored;	/* only where it had not (SIGINT) */
	void (*resume)(struct startup *);	/* never returns */
	struct python_options options;	/* of --python-option, what of them is done
					   at each restore */
	uint64_t fixed_hash;	/* the seed of hashes is one that was asked for */
	uint64_t alternate[3];	/* sigaltstack(2): struct sigaltstack; its
				   address is 0 where there is none */
	uint64_t entry_mode;	/* enum startup_mode of the image's entry;
				   STARTUP_STDIN: it has none */
	const char *entry_what;	/* the entry's code, module or file */
	uint64_t tid_cleared;	/* set_tid_address(2): what the kernel clears at the
				   thread's end; up to glibc 2.41 tid_address */

	/* --- written on entry: keep together, from here on --- */
	uint64_t vdso[HANDOFF_VDSO_COUNT] __attribute__((aligned(4096)));
	struct startup startup;
	char random[16];	/* what AT_RANDOM points to */
	char platform[32];	/* what AT_PLATFORM points to */
	uint64_t auxv[HANDOFF_AUXV][2];		/* getauxval() reads this */
	char *environ[HANDOFF_ENVIRON];		/* glibc's environ: this array */
};

#endif
