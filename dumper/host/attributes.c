/*
 * umask, working folder, blocked signals and resource limits are inherited by a
 * restored process from whoever starts it. A program that sets them at import
 * relies on them.
 */
#include "attributes.h"
#include "talk.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static struct attributes {
	mode_t mask;
	char folder[PATH_MAX];
	sigset_t blocked;
	struct rlimit limits[RLIM_NLIMITS];
	int nice;
	int no_new_privs;
	char name[17];
} before;

static void read_attributes(struct attributes *a)
{
	memset(a, 0, sizeof *a);
	a->mask = umask(077);
	umask(a->mask);
	if (!getcwd(a->folder, sizeof a->folder))
		a->folder[0] = 0;
	pthread_sigmask(SIG_BLOCK, NULL, &a->blocked);
	for (int i = 0; i < RLIM_NLIMITS; i++)
		getrlimit((__rlimit_resource_t)i, &a->limits[i]);
	a->nice = getpriority(PRIO_PROCESS, 0);
	a->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	prctl(PR_GET_NAME, a->name);
}

/* Who builds under nohup, or in a script's background, ignores signals. A restored
 * process asks anew, so what is ignored at the freeze has to be the workload's
 * wish. glibc refuses its own two. */
void attributes_hear_signals(void)
{
	struct sigaction old;

	for (int n = 1; n < NSIG; n++)
		if (sigaction(n, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
			signal(n, SIG_DFL);
}

void attributes_keep(void)
{
	read_attributes(&before);
}

static void refuse(const char *what)
{
	talk_refuse("the workload changed its process's %s, which an image does not hold; "
		"let it do so after the restore", what);
}

static int has_timer(void)
{
	struct itimerval timer;

	for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++)
		if (getitimer((__itimer_which_t)which, &timer) == 0 &&
		    (timer.it_value.tv_sec || timer.it_value.tv_usec))
			return 1;
	return 0;
}

/* Running, or ended and not waited for. */
static int has_child(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

void attributes_check(void)
{
	static struct attributes now;

	read_attributes(&now);
	if (now.mask != before.mask)
		refuse("umask");
	if (strcmp(now.folder, before.folder))
		refuse("working folder");
	if (memcmp(&now.blocked, &before.blocked, sizeof now.blocked))
		refuse("blocked signals");
	if (memcmp(now.limits, before.limits, sizeof now.limits))
		refuse("resource limits");
	if (now.nice != before.nice)
		refuse("priority");
	if (now.no_new_privs != before.no_new_privs)
		refuse("no_new_privs");
	if (strcmp(now.name, before.name))
		refuse("name");
	if (has_timer())
		refuse("timers");
	if (has_child())
		talk_refuse("the workload left a child process, which is no child of a "
			"restored one; start it after the restore, or wait for its end");
}
