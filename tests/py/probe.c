/*
 * What the tests ask of libc and of the processor, below Python: built as
 * build/tests/probe.so and called through ctypes. Frozen into the images of
 * the tests, and loaded by plain python3 for comparison.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t probe_canary(void)
{
	uint64_t value;

	__asm__ volatile("mov %%fs:0x28, %0" : "=r"(value));
	return value;
}

uint64_t probe_pointer_guard(void)
{
	uint64_t value;

	__asm__ volatile("mov %%fs:0x30, %0" : "=r"(value));
	return value;
}

uint32_t probe_mxcsr(void)
{
	uint32_t value;

	__asm__ volatile("stmxcsr %0" : "=m"(value));
	return value;
}

void probe_set_mxcsr(uint32_t value)
{
	__asm__ volatile("ldmxcsr %0" : : "m"(value));
}

uint32_t probe_x87(void)
{
	uint16_t value;

	__asm__ volatile("fnstcw %0" : "=m"(value));
	return value;
}

/* The tid that libpthread believes in: it makes it a mutex's owner. */
long probe_mutex_owner(void)
{
	pthread_mutexattr_t kind;
	pthread_mutex_t mutex;
	long owner;

	pthread_mutexattr_init(&kind);
	pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&mutex, &kind);
	pthread_mutex_lock(&mutex);
	owner = mutex.__data.__owner;
	pthread_mutex_unlock(&mutex);
	return owner;
}

/* What the kernel clears when the thread ends. */
uint64_t probe_tid_address(void)
{
	uint64_t address = 0;

	prctl(PR_GET_TID_ADDRESS, &address, 0, 0, 0);
	return address;
}

uint64_t probe_robust_list(void)
{
	void *head = NULL;
	size_t length = 0;

	if (syscall(SYS_get_robust_list, 0, &head, &length))
		return 0;
	return length == 24 ? (uint64_t)head : 1;
}

/* A robust mutex in a shared file: lock it and leave it locked, or try it. */
int probe_robust_mutex(const char *path, int create)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	pthread_mutexattr_t kind;
	pthread_mutex_t *mutex;

	if (fd < 0 || ftruncate(fd, 4096))
		return -1;
	mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (mutex == MAP_FAILED)
		return -1;
	if (create) {
		pthread_mutexattr_init(&kind);
		pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
		pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
		pthread_mutex_init(mutex, &kind);
		return pthread_mutex_lock(mutex);
	}
	return pthread_mutex_trylock(mutex);
}

/* The processor as the kernel writes it into this thread's struct rseq. */
int probe_rseq_cpu(void)
{
	struct rseq *area;

	area = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
	return *(volatile int *)&area->cpu_id;
}

unsigned probe_rseq_size(void)
{
	return __rseq_size;
}

static int64_t nanoseconds(struct timespec t)
{
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* Do libc's clocks agree with the kernel's? 0, or which one does not. */
int probe_clocks(void)
{
	static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC,
		CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME, CLOCK_PROCESS_CPUTIME_ID};
	struct timespec before, now, after;
	struct timeval tv;
	time_t seconds;

	for (unsigned i = 0; i < sizeof(clocks) / sizeof(*clocks); i++) {
		syscall(SYS_clock_gettime, clocks[i], &before);
		if (clock_gettime(clocks[i], &now))
			return 10 + i;
		syscall(SYS_clock_gettime, clocks[i], &after);
		if (nanoseconds(now) < nanoseconds(before) ||
		    nanoseconds(now) > nanoseconds(after))
			return 1 + i;
		if (clock_getres(clocks[i], &now) || nanoseconds(now) <= 0)
			return 20 + i;
	}
	syscall(SYS_clock_gettime, CLOCK_REALTIME, &before);
	if (gettimeofday(&tv, NULL))
		return 30;
	syscall(SYS_clock_gettime, CLOCK_REALTIME, &after);
	if (tv.tv_sec < before.tv_sec || tv.tv_sec > after.tv_sec)
		return 31;
	/* time() may lag behind by a tick. */
	seconds = time(NULL);
	if (seconds < before.tv_sec - 1 || seconds > after.tv_sec)
		return 32;
	return 0;
}

/* Is clock_gettime() done without a system call? In a child, the call is
 * refused; -1 where a filter can't be set. */
int probe_clock_in_vdso(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof(code) / sizeof(*code), code};
	struct timespec now;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
			_exit(2);
		_exit(clock_gettime(CLOCK_MONOTONIC, &now) ? 3 : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == 0 ? 1 : -1;
	return 0;
}

struct walk {
	char *out;
	size_t size, used;
	uint64_t sum;
};

static int walk_one(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct walk *walk = arg;
	const char *name = info->dlpi_name ? info->dlpi_name : "(null)";

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const ElfW(Dyn) *d = (void *)(info->dlpi_addr + p->p_vaddr);

		if (p->p_type == PT_LOAD && p->p_memsz && p->p_flags & PF_R)
			walk->sum += *(volatile unsigned char *)d;
		if (p->p_type == PT_DYNAMIC)
			for (; d->d_tag != DT_NULL; d++)
				walk->sum += d->d_tag;
	}
	if (walk->used + strlen(name) + 2 < walk->size)
		walk->used += sprintf(walk->out + walk->used, "%s\n", name);
	return 0;
}

/* The names of all loaded objects; reads from every segment of each. */
int probe_walk(char *out, size_t size)
{
	struct walk walk = {out, size, 0, 0};

	dl_iterate_phdr(walk_one, &walk);
	return walk.sum != 0;
}

/* Many small pieces of the heap, far past what it was before. 0 when every
 * one keeps what is written into it. */
int probe_fill(size_t total, size_t piece)
{
	size_t count = total / piece;
	uint32_t **all = malloc(count * sizeof(*all));
	size_t bad = 0;

	if (!all)
		return -1;
	for (size_t i = 0; i < count; i++) {
		all[i] = malloc(piece);
		if (!all[i])
			return -1;
		memset(all[i], (int)(i & 0x7f), piece);
		all[i][0] = (uint32_t)i;
	}
	for (size_t i = 0; i < count; i++)
		bad += all[i][0] != (uint32_t)i ||
			((unsigned char *)all[i])[piece - 1] != (i & 0x7f);
	for (size_t i = 0; i < count; i++)
		free(all[i]);
	free(all);
	return bad != 0;
}

size_t probe_default_stack(void)
{
	pthread_attr_t attr;
	size_t size = 0;

	pthread_getattr_default_np(&attr);
	pthread_attr_getstacksize(&attr, &size);
	pthread_attr_destroy(&attr);
	return size;
}

static void *tell_stack(void *out)
{
	pthread_attr_t attr;

	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstacksize(&attr, out);
	pthread_attr_destroy(&attr);
	return NULL;
}

size_t probe_thread_stack(void)
{
	pthread_t thread;
	size_t size = 0;

	if (pthread_create(&thread, NULL, tell_stack, &size))
		return 0;
	pthread_join(thread, NULL);
	return size;
}

/* Does the main thread's stack, as libpthread sees it, hold this frame? */
int probe_stack_holds_frame(void)
{
	pthread_attr_t attr;
	char *low, *frame = __builtin_frame_address(0);
	size_t size;

	if (pthread_getattr_np(pthread_self(), &attr) ||
	    pthread_attr_getstack(&attr, (void **)&low, &size))
		return 0;
	pthread_attr_destroy(&attr);
	return low < frame && frame < low + size;
}

static void *outlive(void *unused)
{
	char state[512] = "", path[64], *end;
	int fd;

	(void)unused;
	sprintf(path, "/proc/%d/stat", getpid());
	do {
		sched_yield();
		fd = open(path, O_RDONLY);
		if (fd < 0 || read(fd, state, sizeof(state) - 1) <= 0)
			_exit(8);
		close(fd);
		end = strrchr(state, ')');
	} while (!end || end[2] != 'Z');
	if (write(1, "outlived\n", 9) != 9)
		_exit(9);
	_exit(7);
}

/* End the main thread; another one notices, says "outlived" and exits 7. */
void probe_exit_main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, outlive, NULL))
		_exit(6);
	pthread_exit(NULL);
}

/* glibc's environment after many changes. 0 when all of them are there. */
int probe_setenv(int count)
{
	char name[32], value[32];

	for (int i = 0; i < count; i++) {
		sprintf(name, "PROBE_%d", i);
		sprintf(value, "value %d", i);
		if (setenv(name, value, 1))
			return 1;
	}
	for (int i = 0; i < count; i++) {
		sprintf(name, "PROBE_%d", i);
		sprintf(value, "value %d", i);
		if (!getenv(name) || strcmp(getenv(name), value))
			return 2;
		if (unsetenv(name) || getenv(name))
			return 3;
	}
	return 0;
}

/* A thread's function: sleeps for ever with all signals blocked that can be. */
void *probe_sleep_blocked(void *unused)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	for (;;)
		pause();
	return unused;
}

/* A tp_dealloc that looks at its object's type, as C++ bindings do: a count below 1 is
 * that of a type that ended before. Frees nothing. */
void probe_dealloc(const intptr_t *object)
{
	const intptr_t *type = (const intptr_t *)object[1];
	const char *text = *type > 0 ? "freed\n" : "freed behind its type\n";

	if (write(1, text, strlen(text)) < 0)
		_exit(6);
}

/* A tp_traverse as before 3.9: it does not show the type. */
int probe_traverse(void)
{
	return 0;
}

static void tell_interpreter(void)
{
	void *(*head)(void) = (void *(*)(void))dlsym(RTLD_DEFAULT, "PyInterpreterState_Head");
	int (*is_there)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "Py_IsInitialized");

	printf("%s, %s\n", head && head() ? "an interpreter" : "no interpreter",
		is_there && is_there() ? "initialised" : "not initialised");
}

/* What code that runs in exit(3) finds of Python. */
int probe_tell_interpreter_at_exit(void)
{
	return atexit(tell_interpreter);
}
