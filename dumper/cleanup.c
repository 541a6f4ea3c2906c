/*
 * Cleaning up on signals; see cleanup.h. The handler only makes calls that
 * signal-safety(7) lists.
 */
#include "cleanup.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static char path[PATH_MAX];
static volatile sig_atomic_t has_path;
static volatile pid_t processes[CLEANUP_PROCESSES];

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

static void handle(int number)
{
	sigset_t set;

	for (int i = 0; i < CLEANUP_PROCESSES; i++)
		if (processes[i] > 1)
			kill(processes[i], SIGKILL);
	if (has_path)
		unlink(path);
	/* die by the same signal, so that a shell sees why */
	signal(number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, number);
	raise(number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void cleanup_install(void)
{
	struct sigaction action = {.sa_handler = handle}, old;

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&action.sa_mask, signals[i]);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
}

void cleanup_set_path(const char *new_path)
{
	has_path = 0;
	if (!new_path || strlen(new_path) >= sizeof(path))
		return;
	strcpy(path, new_path);
	has_path = 1;
}

void cleanup_add_process(pid_t pid)
{
	for (int i = 0; i < CLEANUP_PROCESSES; i++) {
		if (!processes[i]) {
			processes[i] = pid;
			return;
		}
	}
}

void cleanup_forget_process(pid_t pid)
{
	for (int i = 0; i < CLEANUP_PROCESSES; i++)
		if (processes[i] == pid)
			processes[i] = 0;
}
