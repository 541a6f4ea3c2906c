/*
 * The vDSO's functions by name. Its dynamic section is not relocated: addresses
 * in it count from its first segment's vaddr.
 */
#include "vdso.h"

#include <stddef.h>

#include "elf64.h"
#include "sys.h"
#include "text.h"

/* A vDSO is two pages; more than this is none. */
#define VDSO_MAX (1u << 20)

/* What is needed of a vDSO. Places count from its beginning and lie, with all
 * that they hold, below `size`. */
struct vdso {
	const unsigned char *base;
	uint64_t size;
	uint64_t vaddr;		/* what its own addresses count from */
	uint64_t symbols, strings, hash, gnu_hash;
	uint32_t count;		/* of symbols */
};

static long stub_clock_gettime(long clock, void *time)
{
	return syscall_2(SYS_clock_gettime, clock, (long)time);
}

static long stub_gettimeofday(void *time, void *zone)
{
	return syscall_2(SYS_gettimeofday, (long)time, (long)zone);
}

static long stub_time(void *time)
{
	return syscall_1(SYS_time, (long)time);
}

static long stub_clock_getres(long clock, void *resolution)
{
	return syscall_2(SYS_clock_getres, clock, (long)resolution);
}

static long stub_getcpu(void *cpu, void *node, void *unused)
{
	return syscall_3(SYS_getcpu, (long)cpu, (long)node, (long)unused);
}

/* With `length` of ~0 it is asked for the size of its state: it has none. */
static long stub_getrandom(void *buffer, size_t size, unsigned int flags, void *state,
	size_t length)
{
	(void)state;
	if (length == ~(size_t)0)
		return -SYS_ENOSYS;
	return syscall_3(SYS_getrandom, (long)buffer, (long)size, (long)flags);
}

/* An enclave can only be entered through the vDSO. */
static long stub_sgx(void)
{
	return -SYS_ENOSYS;
}

static const struct {
	const char *name;	/* behind "__vdso_" */
	uint64_t slot;
} vdso_names[HANDOFF_VDSO_COUNT] = {
	{ "clock_gettime", HANDOFF_CLOCK_GETTIME },
	{ "gettimeofday", HANDOFF_GETTIMEOFDAY },
	{ "time", HANDOFF_TIME },
	{ "clock_getres", HANDOFF_CLOCK_GETRES },
	{ "getcpu", HANDOFF_GETCPU },
	{ "getrandom", HANDOFF_GETRANDOM },
	{ "sgx_enter_enclave", HANDOFF_SGX },
};

static void fill_stubs(uint64_t slots[HANDOFF_VDSO_COUNT])
{
	slots[HANDOFF_CLOCK_GETTIME] = (uintptr_t)stub_clock_gettime;
	slots[HANDOFF_GETTIMEOFDAY] = (uintptr_t)stub_gettimeofday;
	slots[HANDOFF_TIME] = (uintptr_t)stub_time;
	slots[HANDOFF_CLOCK_GETRES] = (uintptr_t)stub_clock_getres;
	slots[HANDOFF_GETCPU] = (uintptr_t)stub_getcpu;
	slots[HANDOFF_GETRANDOM] = (uintptr_t)stub_getrandom;
	slots[HANDOFF_SGX] = (uintptr_t)stub_sgx;
}

/* The `size` bytes at `place`, aligned to `align`; or NULL. */
static const void *at(const struct vdso *vdso, uint64_t place, uint64_t size, uint64_t align)
{
	if (place > vdso->size || size > vdso->size - place || place % align)
		return NULL;
	return vdso->base + place;
}

/* Finds size and vaddr; the place of the dynamic section, or 0. */
static uint64_t read_segments(struct vdso *vdso)
{
	const struct elf64_header *elf = (const void *)vdso->base;
	const struct elf64_segment *segment;
	uint64_t dynamic = 0, count = elf->phnum;

	/* Its headers lie in its first page, so they can be read before the
	 * segment's size is known. */
	vdso->size = 4096;
	if (elf->ident[0] != 0x7f || elf->ident[1] != 'E' || elf->ident[2] != 'L'
	    || elf->ident[3] != 'F' || elf->ident[ELF64_CLASS] != 2
	    || elf->phentsize != sizeof(*segment))
		return 0;
	segment = at(vdso, elf->phoff, count * sizeof(*segment), 8);
	if (!segment)
		return 0;
	vdso->size = 0;
	for (; count; count--, segment++)
		if (segment->type == ELF64_LOAD && !vdso->size) {
			vdso->size = segment->memsz;
			vdso->vaddr = segment->vaddr;
		} else if (segment->type == ELF64_DYNAMIC) {
			dynamic = segment->vaddr;
		}
	dynamic -= vdso->vaddr;
	return vdso->size <= VDSO_MAX && dynamic < vdso->size ? dynamic : 0;
}

static void read_dynamic(struct vdso *vdso, uint64_t place)
{
	const struct elf64_dynamic *entry;

	for (; (entry = at(vdso, place, sizeof(*entry), 8)); place += sizeof(*entry)) {
		uint64_t value = entry->value - vdso->vaddr;

		switch (entry->tag) {
		case ELF64_DT_NULL:
			return;
		case ELF64_DT_SYMTAB:
			vdso->symbols = value;
			break;
		case ELF64_DT_STRTAB:
			vdso->strings = value;
			break;
		case ELF64_DT_HASH:
			vdso->hash = value;
			break;
		case ELF64_DT_GNU_HASH:
			vdso->gnu_hash = value;
			break;
		}
	}
}

/* Symbols that DT_GNU_HASH knows: one more than the last of the chain that
 * begins last. Layout: counts of buckets, first symbol, Bloom words, shift;
 * Bloom words; buckets; chains, of which an odd word is the last. */
static uint32_t count_gnu(const struct vdso *vdso)
{
	const uint32_t *head = at(vdso, vdso->gnu_hash, 16, 4);
	uint64_t place = vdso->gnu_hash + 16;
	const uint32_t *word;
	uint32_t last = 0;

	if (!head)
		return 0;
	place += 8ull * head[2];
	for (uint32_t i = 0; i < head[0]; i++, place += 4) {
		word = at(vdso, place, 4, 4);
		if (!word)
			return 0;
		if (*word > last)
			last = *word;
	}
	if (last < head[1])
		return 0;
	for (place += 4ull * (last - head[1]); (word = at(vdso, place, 4, 4)); place += 4) {
		last++;
		if (*word & 1)
			return last;
	}
	return 0;
}

static int read_vdso(struct vdso *vdso)
{
	uint64_t dynamic = read_segments(vdso);
	const uint32_t *head;

	if (!dynamic)
		return -1;
	read_dynamic(vdso, dynamic);
	if (!vdso->symbols || !vdso->strings)
		return -1;
	head = vdso->hash ? at(vdso, vdso->hash, 8, 4) : NULL;
	if (head)
		vdso->count = head[1];	/* nchain: one for each symbol */
	else if (vdso->gnu_hash)
		vdso->count = count_gnu(vdso);
	return at(vdso, vdso->symbols, vdso->count * sizeof(struct elf64_symbol), 8) ? 0 : -1;
}

/* Whether the string at `place` is `name`; it ends inside the vDSO. */
static int is_string(const struct vdso *vdso, uint64_t place, const char *name)
{
	const char *string = at(vdso, place, text_length(name) + 1, 1);

	return string && text_equal(string, name);
}

static void take_symbol(const struct vdso *vdso, const struct elf64_symbol *symbol,
	uint64_t slots[HANDOFF_VDSO_COUNT])
{
	static const char prefix[] = "__vdso_";
	uint64_t place = vdso->strings + symbol->name;
	const char *string = at(vdso, place, sizeof(prefix), 1);
	uint64_t value = symbol->value - vdso->vaddr;
	unsigned int type = symbol->info & 15;

	if (!symbol->shndx || (type != ELF64_FUNC && type != ELF64_NOTYPE)
	    || value >= vdso->size || !string || !text_after(string, prefix))
		return;
	place += sizeof(prefix) - 1;
	for (unsigned int i = 0; i < HANDOFF_VDSO_COUNT; i++)
		if (is_string(vdso, place, vdso_names[i].name))
			slots[vdso_names[i].slot] = (uintptr_t)(vdso->base + value);
}

void vdso_resolve(const void *base, uint64_t slots[HANDOFF_VDSO_COUNT])
{
	struct vdso vdso = { .base = base };
	const struct elf64_symbol *symbol;

	fill_stubs(slots);
	if (!base || read_vdso(&vdso))
		return;
	symbol = (const void *)(vdso.base + vdso.symbols);
	for (uint32_t i = 0; i < vdso.count; i++)
		take_symbol(&vdso, symbol + i, slots);
}
