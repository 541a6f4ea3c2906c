/*
 * deny NAME[,NAME]... COMMAND [ARG...]: runs COMMAND under no_new_privs and a
 * seccomp filter that refuses the named system calls, as containers do and as
 * older kernels would.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

static const struct refusal {
	const char *name;
	unsigned number, error;
	int argument, value;	/* refused where that argument is it; -1: always */
} refusals[] = {
	{"personality", SYS_personality, EPERM, -1, 0},
	{"ptrace", SYS_ptrace, EPERM, -1, 0},
	{"process_madvise", SYS_process_madvise, ENOSYS, -1, 0},
	{"rseq", SYS_rseq, ENOSYS, -1, 0},
	{"set_mm", SYS_prctl, EINVAL, 0, PR_SET_MM},
	{"memory_merge", SYS_prctl, EINVAL, 0, 67},	/* PR_SET_MEMORY_MERGE */
	{"mergeable", SYS_madvise, EINVAL, 2, MADV_MERGEABLE},
	{"get_robust_list", SYS_get_robust_list, ENOSYS, -1, 0},
	{"memfd_create", SYS_memfd_create, ENOSYS, -1, 0},
	{"clone3", SYS_clone3, ENOSYS, -1, 0},
	{"statx", SYS_statx, ENOSYS, -1, 0},
	{"mremap", SYS_mremap, EPERM, -1, 0},
	{"pidfd_open", SYS_pidfd_open, ENOSYS, -1, 0},
	{"nothing", 0xffff, EPERM, -1, 0},
};

static const struct refusal *find(const char *name)
{
	for (unsigned i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		if (!strcmp(refusals[i].name, name))
			return &refusals[i];
	return NULL;
}

static int refuse(const struct refusal *r)
{
	unsigned any = r->argument < 0;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, r->number, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)
			+ (any ? 0 : (unsigned)r->argument * sizeof(__u64))),
		BPF_JUMP(any ? BPF_JMP | BPF_JGE | BPF_K : BPF_JMP | BPF_JEQ | BPF_K,
			any ? 0 : (unsigned)r->value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | r->error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof(code) / sizeof(*code), code};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 125;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		perror("deny: no_new_privs");
		return 125;
	}
	for (char *name = strtok(argv[1], ","); name; name = strtok(NULL, ",")) {
		const struct refusal *r = find(name);

		if (!r || refuse(r)) {
			fprintf(stderr, "deny: %s: %s\n", name, strerror(r ? errno : EINVAL));
			return 125;
		}
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 125;
}
