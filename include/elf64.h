/*
 * The few ELF structures and numbers that the programs share, for code that
 * may not include <elf.h>. Names of our own, so that both can be included.
 * From the System V ABI, chapter "Object Files", and its x86-64 supplement.
 */
#ifndef ELF64_H
#define ELF64_H

#include <stdint.h>

struct elf64_header {
	unsigned char ident[16];
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint64_t entry;
	uint64_t phoff;
	uint64_t shoff;
	uint32_t flags;
	uint16_t ehsize;
	uint16_t phentsize;
	uint16_t phnum;
	uint16_t shentsize;
	uint16_t shnum;
	uint16_t shstrndx;
};

struct elf64_segment {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t filesz;
	uint64_t memsz;
	uint64_t align;
};

struct elf64_note {
	uint32_t namesz;
	uint32_t descsz;
	uint32_t type;
};

struct elf64_dynamic {
	int64_t tag;
	uint64_t value;
};

struct elf64_symbol {
	uint32_t name;
	unsigned char info;
	unsigned char other;
	uint16_t shndx;
	uint64_t value;
	uint64_t size;
};

enum {
	ELF64_CLASS = 4,	/* index in ident: 2 is 64 bits */
	ELF64_DATA = 5,		/* 1 is little endian */
	ELF64_VERSION = 6,	/* 1 */

	ELF64_EXEC = 2,		/* type */
	ELF64_X86_64 = 62,	/* machine */

	ELF64_LOAD = 1,		/* segment types */
	ELF64_DYNAMIC = 2,
	ELF64_INTERP = 3,
	ELF64_NOTE = 4,

	ELF64_X = 1,		/* segment flags */
	ELF64_W = 2,
	ELF64_R = 4,

	ELF64_DT_NULL = 0,	/* dynamic tags */
	ELF64_DT_HASH = 4,
	ELF64_DT_STRTAB = 5,
	ELF64_DT_SYMTAB = 6,
	ELF64_DT_STRSZ = 10,
	ELF64_DT_GNU_HASH = 0x6ffffef5,

	ELF64_NOTYPE = 0,	/* symbol types, info & 15 */
	ELF64_FUNC = 2,
};

#endif
