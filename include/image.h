/*
 * The image file, as pyimage(5) specifies it: what pydump writes and what
 * pyimage, the code inside the image and `pydump info` read.
 *
 * An image is an ELF ET_EXEC file. One PT_LOAD holds the "meta" part of the
 * file, [0, meta_size), at IMAGE_META_BASE: ELF header, notes, program headers. Every note has the name "pyimage"; its type is enum image_note.
 * All numbers are little endian, all offsets count from the start of the file,
 * which for everything in the meta part is also the distance from
 * IMAGE_META_BASE once it is mapped.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <stdint.h>

#define IMAGE_PAGE 4096u

/* Raised whenever a reader of the former format would misread the new one. */
#define IMAGE_FORMAT 4u

#define IMAGE_NOTE_NAME "pyimage"	/* 8 bytes with its NUL */

/* Fixed addresses. Nothing of a process with default limits lives there, nor
 * of the process that is frozen (docs/design.md, "Addresses"). */
#define IMAGE_META_BASE 0x1f0000000000ull
#define IMAGE_RESTORER_BASE 0x200000000000ull
#define IMAGE_RESTORER_SPAN 0x1000000ull
/* Segments lie in [IMAGE_LOWEST, IMAGE_HIGHEST). The kernel's x86-64 user
 * addresses end one page below 2^47; its stack lies right below that. */
#define IMAGE_LOWEST 0x10000ull
#define IMAGE_HIGHEST 0x7fff00000000ull

/* The kernel reads at most 64 KiB of program headers. */
#define IMAGE_MAX_SEGMENTS 1160u
#define IMAGE_MAX_META 0x4000000ull

enum image_note {
	IMAGE_NOTE_PREFIX = 1,	/* struct image_prefix */
	IMAGE_NOTE_HEADER = 2,	/* struct image_header */
	IMAGE_NOTE_GUARDS = 3,	/* struct image_guard[] */
	IMAGE_NOTE_HOT = 4,	/* struct image_range[], IMAGE_MAX_HOT entries */
	IMAGE_NOTE_RESERVES = 5,/* struct image_range[] */
	IMAGE_NOTE_FILES = 6,	/* struct image_file[] */
	IMAGE_NOTE_NAMES = 7,	/* uint32_t[], offsets of sorted strings */
	IMAGE_NOTE_CPU = 8,	/* struct image_cpu */
	IMAGE_NOTE_STRINGS = 9,	/* NUL-terminated strings */
	IMAGE_NOTE_REPORT = 10,	/* "key=value" strings for `pydump info` */
	IMAGE_NOTE_VARIABLES = 11,/* struct image_variable[], sorted by hash */
};

/*
 * The stable prefix. It is the content of the first note and its place and
 * layout never change, whatever the format: a pyimage that can't restore an
 * image of another format still learns which interpreter to run instead.
 */
#define IMAGE_PREFIX_NOTE 0x44u		/* offset of the note's Elf64_Nhdr */
#define IMAGE_PREFIX_OFFSET 0x58u	/* offset of struct image_prefix */
#define IMAGE_PYTHON_MAX 2048u		/* bytes of path, options and entry, with NULs */

#define IMAGE_MAGIC "PYIMAGE\n"
#define IMAGE_MAGIC_PARTIAL "!yimage\n"	/* the file is not whole yet */

struct image_prefix {
	char magic[8] __attribute__((nonstring));
	uint64_t checksum;	/* image_hash of the `size` bytes from `size` on */
	uint32_t size;		/* bytes from this field to the last NUL */
	uint32_t format;	/* IMAGE_FORMAT */
	uint64_t file_size;	/* of the whole image; a shorter one is truncated */
	uint64_t entry;		/* e_entry again */
	char python[];		/* absolute path of the plain interpreter, NUL;
				   then the options that it is to be given before
				   the caller's arguments, each with its NUL; then,
				   where the image has an entry, what it is to run:
				   "-m" and a module, "-c" and code, or a file */
};

/* Bytes of the prefix that the checksum covers besides those words. */
#define IMAGE_PREFIX_FIXED 24u

/* A table in the meta part. */
struct image_table {
	uint32_t offset;	/* of its first entry, from the start of the file */
	uint32_t count;		/* of entries (of bytes for STRINGS, REPORT) */
};

enum image_flag {
	/* LC_ALL set the legacy locale, so PEP 538's coercion did not run */
	IMAGE_LOCALE_BY_LC_ALL = 1u << 0,
	/* the building user's site folder was on sys.path: see user_site */
	IMAGE_USER_SITE_USED = 1u << 1,
	/* imports read the whole environment: a start may add nothing to it */
	IMAGE_WHOLE_ENVIRONMENT = 1u << 2,
	/* some variable's row has IMAGE_VARIABLE_PREFIX */
	IMAGE_PREFIXES = 1u << 3,
};

/* A bit for each name, by its first letters: by it most variables of a start are
 * told to be none of the image's. */
#define IMAGE_FILTER_WORDS 8u
#define IMAGE_FILTER_LETTERS 4	/* of a name, at most */

#define IMAGE_MAX_VARIABLES 2048u

/* Second note. Strings are offsets from the start of the file. */
struct image_header {
	uint64_t meta_size;	/* multiple of IMAGE_PAGE */
	uint64_t handoff;	/* address of struct handoff in the image */
	uint64_t mapped;	/* sum of the segments' sizes in memory, less meta */
	uint32_t python_hex;	/* PY_VERSION_HEX */
	uint32_t flags;		/* enum image_flag */
	uint32_t locale;	/* string: LC_CTYPE in effect, "C" if none was set */
	uint32_t user_site;	/* string: the user site folder behind $HOME, as
				   "/.local/lib/python3.11/site-packages"; with
				   IMAGE_USER_SITE_USED the absolute path */
	uint32_t timezone;	/* string: TZ while building, "" if unset */
	uint32_t segments;	/* image_hash_words of the program headers */
	struct image_table guards;
	struct image_table hot;		/* count: entries in use */
	struct image_table reserves;
	struct image_table files;
	struct image_table names;
	struct image_table cpu;
	struct image_table strings;
	struct image_table report;
	struct image_table variables;	/* at most IMAGE_MAX_VARIABLES rows */
	uint64_t variable_filter[IMAGE_FILTER_WORDS];	/* of their names */
};

enum image_guard_kind {
	IMAGE_GUARD_DPKG = 1,	/* dpkg's own records: while they hold, guards
				   with IMAGE_GUARD_BY_DPKG need no look */
	IMAGE_GUARD_FILE = 2,	/* regular file: size and mtime */
	IMAGE_GUARD_FOLDER = 3,	/* folder: mtime */
	IMAGE_GUARD_ABSENT = 4,	/* nothing may be there; without a slash it is
				   a name in the working folder */
	IMAGE_GUARD_TIMEZONE = 5,/* /etc/localtime: tzset() where it differs;
				   never stale */
	IMAGE_GUARD_MODULES = 6,/* folder: the names that an import could find
				   in it; size is their sum (module_names.h) */
};

#define IMAGE_GUARD_BY_DPKG 1u	/* flag: owned by a dpkg package */

struct image_guard {
	uint32_t kind;		/* enum image_guard_kind */
	uint32_t flags;
	uint32_t path;		/* string, absolute */
	uint32_t mtime_nsec;
	int64_t mtime_sec;	/* both 0 and size 0: was absent (DPKG, TIMEZONE) */
	uint64_t size;
};

enum image_variable_flag {
	IMAGE_VARIABLE_SET = 1u << 0,	/* it has this value; else it is not set */
	/* It counts only which language it chooses: not set, "", C, POSIX and C.UTF-8
	 * choose none. Without IMAGE_VARIABLE_SET it is any of these. */
	IMAGE_VARIABLE_LANGUAGE = 1u << 1,
	/* It stands for all whose names begin like this, without a row of their own:
	 * none is set. At least IMAGE_FILTER_LETTERS long. */
	IMAGE_VARIABLE_PREFIX = 1u << 2,
};

/* A variable that has to be as it was while building. */
struct image_variable {
	uint32_t hash;		/* image_hash_name() of the name; ascending */
	uint32_t name;		/* string */
	uint32_t value;		/* string; "" where it was not set */
	uint32_t flags;		/* enum image_variable_flag */
};

/* A stretch of the address space; laid out as struct iovec. */
struct image_range {
	uint64_t start;
	uint64_t length;	/* bytes */
};

/* More than this many hot ranges do not fit one process_madvise(). */
#define IMAGE_MAX_HOT 1024u

/* A descriptor that was open on a regular file, on /dev/null or on a random device. */
struct image_file {
	int32_t fd;
	int32_t flags;		/* within IMAGE_FILE_FLAGS: O_RDONLY, or
				   O_WRONLY|O_APPEND, and what else open(2) took */
	uint32_t path;		/* string, absolute */
	uint32_t mtime_nsec;	/* inode, size, mtime count for O_RDONLY only */
	int64_t mtime_sec;
	uint64_t size;
	uint64_t offset;	/* O_APPEND: `size` means the end, wherever it is */
	uint64_t inode;
	uint32_t original;	/* row of which it is a copy by dup(2), so that both
				   share one offset; its own: of none */
	uint32_t device;	/* 0: a regular file; 3, 8 or 9: the character device
				   1:3, 1:8 or 1:9, /dev/null, random or urandom:
				   nothing of the above but fd, flags, path, original
				   counts */
};

/* O_ACCMODE, O_APPEND, O_NONBLOCK, O_DSYNC, O_DIRECT, O_NOFOLLOW, O_NOATIME,
 * O_CLOEXEC, O_SYNC, as asm-generic/fcntl.h numbers them */
#define IMAGE_FILE_FLAGS 07456003

/* What the code in the image relies on. See arch/x86_64/cpu.h. */
#define IMAGE_CPU_LEAVES 8u
#define IMAGE_BOOT_ID 36u

struct image_cpuid {
	uint32_t leaf, subleaf;
	uint32_t regs[4];	/* eax, ebx, ecx, edx, less what may vary */
};

struct image_cpu {
	uint64_t xcr0;
	uint64_t hwcap, hwcap2;
	char boot_id[IMAGE_BOOT_ID + 4];	/* where it was built; NUL-padded */
	struct image_cpuid leaves[IMAGE_CPU_LEAVES];
};

/* Over whole 8-byte words; folded to 32 bits. Quick enough for 64 KiB. */
static inline uint32_t image_hash_words(const uint64_t *words, uint64_t count)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (uint64_t i = 0; i < count; i++) {
		hash = (hash ^ words[i]) * 0x100000001b3ull;
		hash ^= hash >> 29;
	}
	return (uint32_t)(hash ^ hash >> 32);
}

/* FNV-1a, 64 bits: guards against accidents, not against attackers. */
static inline uint64_t image_hash(const void *data, uint64_t size)
{
	const unsigned char *bytes = data;
	uint64_t hash = 0xcbf29ce484222325ull;

	for (uint64_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ull;
	return hash;
}

/* 32 bits of FNV-1a, over a name of `length` bytes. */
static inline uint32_t image_hash_name(const char *name, uint64_t length)
{
	uint32_t hash = 0x811c9dc5u;

	for (uint64_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)name[i]) * 0x01000193u;
	return hash;
}

/* The bit of variable_filter for a name, which ends at '=' or NUL: by up to four of
 * its letters. */
static inline uint32_t image_filter_bit(const char *name)
{
	uint32_t sum = 0;

	for (int i = 0; i < IMAGE_FILTER_LETTERS && name[i] && name[i] != '='; i++)
		sum = sum * 37 + (unsigned char)name[i];
	return sum % (IMAGE_FILTER_WORDS * 64);
}

#endif
