/*
 * The system calls that the restorer makes, each returning a negative errno
 * where it fails, and the constants and structures they need. Numbers that
 * are the same on every CPU are from the kernel's include/uapi.
 * Nothing here touches thread-local storage.
 */
#ifndef SYS_H
#define SYS_H

#include <stddef.h>
#include <stdint.h>

#include "syscall.h"

/* asm-generic/errno-base.h, errno.h */
enum {
	SYS_EPERM = 1, SYS_ENOENT = 2, SYS_EIO = 5, SYS_E2BIG = 7, SYS_ENOEXEC = 8,
	SYS_EBADF = 9, SYS_EAGAIN = 11, SYS_ENOMEM = 12, SYS_EACCES = 13,
	SYS_EEXIST = 17, SYS_ENODEV = 19, SYS_ENOTDIR = 20, SYS_EISDIR = 21,
	SYS_EINVAL = 22, SYS_ENFILE = 23, SYS_EMFILE = 24, SYS_ETXTBSY = 26,
	SYS_ENAMETOOLONG = 36, SYS_ENOSYS = 38, SYS_ELOOP = 40, SYS_EOVERFLOW = 75,
};

/* asm-generic/fcntl.h; x86 has no numbers of its own here. */
enum {
	SYS_O_RDONLY = 0,
	SYS_O_NONBLOCK = 04000,
	SYS_O_WRONLY = 1,
	SYS_O_ACCMODE = 3,
	SYS_O_APPEND = 02000,
	SYS_SEEK_SET = 0,
	SYS_SEEK_END = 2,
	SYS_O_DIRECTORY = 0200000,
	SYS_O_CLOEXEC = 02000000,
	SYS_F_GETFD = 1,
	SYS_F_SETFD = 2,
	SYS_AT_FDCWD = -100,
	SYS_AT_EMPTY_PATH = 0x1000,
};

/* asm-generic/mman-common.h */
enum {
	SYS_PROT_READ = 1,
	SYS_PROT_WRITE = 2,
	SYS_PROT_EXEC = 4,
	SYS_MAP_PRIVATE = 2,
	SYS_MAP_ANONYMOUS = 0x20,
	SYS_MAP_NORESERVE = 0x4000,
	SYS_MAP_FIXED_NOREPLACE = 0x100000,	/* Linux 4.17 */
	SYS_MADV_MERGEABLE = 12,
	SYS_MADV_POPULATE_WRITE = 23,		/* Linux 5.14 */
	SYS_PIDFD_SELF = -10000,		/* linux/pidfd.h, Linux 6.14 */
};

/* linux/stat.h */
enum {
	SYS_S_IFMT = 0170000,
	SYS_S_IFDIR = 0040000,
	SYS_S_IFCHR = 0020000,
	SYS_S_IFREG = 0100000,
	SYS_S_IWGRP = 0020,
	SYS_S_IWOTH = 0002,
	SYS_STATX_TYPE = 1,
	SYS_STATX_MODE = 2,
	SYS_STATX_UID = 8,
	SYS_STATX_MTIME = 0x40,
	SYS_STATX_INO = 0x100,
	SYS_STATX_SIZE = 0x200,
};

struct sys_time {
	int64_t sec;
	uint32_t nsec;
	int32_t reserved;
};

/* struct statx, linux/stat.h: 256 bytes for ever. */
struct sys_stat {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, reserved;
	uint64_t ino, size, blocks, attributes_mask;
	struct sys_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t rest[14];
};

/* struct linux_dirent64 */
struct sys_entry {
	uint64_t ino;
	int64_t off;
	uint16_t length;	/* of this entry */
	uint8_t type;
	char name[];
};

struct sys_limit {
	uint64_t soft, hard;
};

enum { SYS_RLIMIT_AS = 9 };

/* struct prctl_mm_map, linux/prctl.h */
struct sys_mm_map {
	uint64_t start_code, end_code, start_data, end_data;
	uint64_t start_brk, brk, start_stack;
	uint64_t arg_start, arg_end, env_start, env_end;
	uint64_t auxv;
	uint32_t auxv_size, exe_fd;
};

enum {
	SYS_PR_SET_NAME = 15,
	SYS_PR_SET_MM = 35,
	SYS_PR_SET_MM_MAP = 14,
	SYS_PR_SET_MEMORY_MERGE = 67,	/* Linux 6.4 */
	SYS_PR_GET_MEMORY_MERGE = 68,
};

/* Auxiliary vector, linux/auxvec.h. */
enum {
	SYS_AT_NULL = 0, SYS_AT_PHDR = 3, SYS_AT_PHENT = 4, SYS_AT_PHNUM = 5,
	SYS_AT_BASE = 7, SYS_AT_ENTRY = 9, SYS_AT_UID = 11, SYS_AT_EUID = 12,
	SYS_AT_GID = 13, SYS_AT_EGID = 14, SYS_AT_PLATFORM = 15,
	SYS_AT_SECURE = 23, SYS_AT_RANDOM = 25, SYS_AT_HWCAP2 = 26,
	SYS_AT_EXECFN = 31, SYS_AT_SYSINFO_EHDR = 33,
};

static inline long sys_open(const char *path, int flags)
{
	return syscall_3(SYS_open, (long)path, flags, 0);
}

static inline long sys_readlink(const char *path, char *buffer, size_t size)
{
	return syscall_3(SYS_readlink, (long)path, (long)buffer, (long)size);
}

static inline long sys_close(int fd)
{
	return syscall_1(SYS_close, fd);
}

static inline long sys_read(int fd, void *buffer, size_t size)
{
	return syscall_3(SYS_read, fd, (long)buffer, (long)size);
}

static inline long sys_pread(int fd, void *buffer, size_t size, uint64_t offset)
{
	return syscall_4(SYS_pread, fd, (long)buffer, (long)size, (long)offset);
}

static inline long sys_write(int fd, const void *buffer, size_t size)
{
	return syscall_3(SYS_write, fd, (long)buffer, (long)size);
}

static inline long sys_lseek(int fd, uint64_t offset, int whence)
{
	return syscall_3(SYS_lseek, fd, (long)offset, whence);
}

static inline long sys_fcntl(int fd, int command, long argument)
{
	return syscall_3(SYS_fcntl, fd, command, argument);
}

static inline long sys_dup3(int from, int to, int flags)
{
	return syscall_3(SYS_dup3, from, to, flags);
}

/* `path` "" with SYS_AT_EMPTY_PATH is `fd` itself. */
static inline long sys_statx(int fd, const char *path, int flags, unsigned int mask,
	struct sys_stat *stat)
{
	return syscall_6(SYS_statx, fd, (long)path, flags, (long)mask, (long)stat, 0);
}

static inline long sys_getdents(int fd, void *buffer, size_t size)
{
	return syscall_3(SYS_getdents64, fd, (long)buffer, (long)size);
}

/* The address, or a negative errno as a very large number. */
static inline uint64_t sys_mmap(uint64_t address, uint64_t length, int protection, int flags,
	int fd, uint64_t offset)
{
	return (uint64_t)syscall_6(SYS_mmap, (long)address, (long)length, protection, flags,
		fd, (long)offset);
}

static inline int sys_is_error(uint64_t result)
{
	return result > -4096ull;
}

static inline long sys_madvise(uint64_t start, uint64_t length, int advice)
{
	return syscall_3(SYS_madvise, (long)start, (long)length, advice);
}

/* `ranges` is laid out as struct iovec. */
static inline long sys_process_madvise(int pidfd, const void *ranges, size_t count, int advice)
{
	return syscall_6(SYS_process_madvise, pidfd, (long)ranges, (long)count, advice, 0, 0);
}

static inline uint64_t sys_brk(uint64_t address)
{
	return (uint64_t)syscall_1(SYS_brk, (long)address);
}

static inline long sys_get_limit(int resource, struct sys_limit *limit)
{
	return syscall_4(SYS_prlimit64, 0, resource, 0, (long)limit);
}

static inline long sys_prctl_mm(const struct sys_mm_map *map)
{
	return syscall_6(SYS_prctl, SYS_PR_SET_MM, SYS_PR_SET_MM_MAP, (long)map,
		sizeof(*map), 0, 0);
}

/* The kernel takes the first 15 bytes. */
static inline long sys_prctl_name(const char *name)
{
	return syscall_6(SYS_prctl, SYS_PR_SET_NAME, (long)name, 0, 0, 0, 0);
}

/* All that the process has and will have. No capability is needed. */
static inline long sys_prctl_merge(void)
{
	return syscall_6(SYS_prctl, SYS_PR_SET_MEMORY_MERGE, 1, 0, 0, 0, 0);
}

/* 1: it is asked for, by this process or by who executed it. */
static inline long sys_prctl_is_merged(void)
{
	return syscall_6(SYS_prctl, SYS_PR_GET_MEMORY_MERGE, 0, 0, 0, 0, 0);
}

static inline long sys_execve(const char *path, char **argv, char **envp)
{
	return syscall_3(SYS_execve, (long)path, (long)argv, (long)envp);
}

_Noreturn static inline void sys_exit(int status)
{
	for (;;)
		syscall_1(SYS_exit_group, status);
}

#endif
