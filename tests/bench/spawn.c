/*
 * spawn ROUNDS EVERY COMMAND [ARG...] [';;' EVERY COMMAND [ARG...]]...
 *
 * Times commands from before posix_spawn to after wait4, one after the other
 * in each round, so that a change of the machine's pace meets all of them
 * alike. A command with EVERY n runs in each n-th round. Its streams are
 * /dev/null. Prints "index nanoseconds minor-faults user+system-us" for each
 * run but those of two rounds at the start. A command that fails ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define MAX_ROWS 64
#define WARM_UP 2

extern char **environ;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int64_t micro(struct timeval t)
{
	return t.tv_sec * 1000000ll + t.tv_usec;
}

static void run(int row, char **argv, posix_spawn_file_actions_t *streams, int show)
{
	struct rusage usage;
	int64_t start = now(), end;
	int status, error;
	pid_t pid;

	error = posix_spawn(&pid, argv[0], streams, NULL, argv, environ);
	if (error) {
		fprintf(stderr, "spawn: %s: %s\n", argv[0], strerror(error));
		exit(1);
	}
	if (wait4(pid, &status, 0, &usage) != pid) {
		perror("spawn: wait4");
		exit(1);
	}
	end = now();
	if (status) {
		fprintf(stderr, "spawn: %s ended with status %#x\n", argv[0], status);
		exit(1);
	}
	if (show)
		printf("%d %lld %ld %lld\n", row, (long long)(end - start), usage.ru_minflt,
			(long long)(micro(usage.ru_utime) + micro(usage.ru_stime)));
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t streams;
	char **rows[MAX_ROWS];
	int every[MAX_ROWS], count = 0, rounds;

	if (argc < 4)
		return 2;
	rounds = atoi(argv[1]);
	for (int i = 2; i + 1 < argc && count < MAX_ROWS; count++) {
		every[count] = atoi(argv[i++]);
		rows[count] = argv + i;
		while (i < argc && strcmp(argv[i], ";;"))
			i++;
		if (i < argc)
			argv[i++] = NULL;
		if (every[count] < 1 || !rows[count][0])
			return 2;
	}
	posix_spawn_file_actions_init(&streams);
	posix_spawn_file_actions_addopen(&streams, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&streams, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&streams, 2, "/dev/null", O_WRONLY, 0);
	for (int round = -WARM_UP; round < rounds; round++)
		for (int row = 0; row < count; row++)
			if (round < 0 || round % every[row] == 0)
				run(row, rows[row], &streams, round >= 0);
	return fflush(stdout) ? 1 : 0;
}
