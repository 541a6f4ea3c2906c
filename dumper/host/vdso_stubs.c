/*
 * Reads the running kernel's own vDSO, so its headers are taken as sound.
 */
#include "vdso_stubs.h"
#include "enter.h"
#include "handoff.h"
#include "patches.h"
#include "talk.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

static const char *const names[HANDOFF_VDSO_COUNT] = {
	[HANDOFF_CLOCK_GETTIME] = "__vdso_clock_gettime",
	[HANDOFF_GETTIMEOFDAY] = "__vdso_gettimeofday",
	[HANDOFF_TIME] = "__vdso_time",
	[HANDOFF_CLOCK_GETRES] = "__vdso_clock_getres",
	[HANDOFF_GETCPU] = "__vdso_getcpu",
	[HANDOFF_GETRANDOM] = "__vdso_getrandom",
	[HANDOFF_SGX] = "__vdso_sgx_enter_enclave",
};

/* movabs $slot, %r11; jmp *(%r11): r11 is the caller's to lose. */
static void add_jump(uint64_t address, uint64_t slot)
{
	unsigned char code[13] = { 0x49, 0xbb, 0, 0, 0, 0, 0, 0, 0, 0, 0x41, 0xff, 0x23 };

	memcpy(code + 2, &slot, sizeof slot);
	patches_add(address, code, sizeof code);
}

/* mov $-ENOSYS, %rax; ret */
static void add_enosys(uint64_t address)
{
	static const unsigned char code[8] = { 0x48, 0xc7, 0xc0, 0xda, 0xff, 0xff, 0xff, 0xc3 };

	patches_add(address, code, sizeof code);
}

/* Aliases ("clock_gettime") follow or precede their "__vdso_" names. */
static int slot_of(const char *name)
{
	for (int i = 0; i < HANDOFF_VDSO_COUNT; i++)
		if (strcmp(name, names[i]) == 0 || strcmp(name, names[i] + 7) == 0)
			return i;
	return -1;
}

struct vdso {
	uint64_t base;
	const ElfW(Sym) *symbols;
	const char *strings;
	uint64_t count;
};

static int open_vdso(struct vdso *vdso)
{
	const ElfW(Ehdr) *head = (const void *)getauxval(AT_SYSINFO_EHDR);
	const ElfW(Phdr) *program;
	const ElfW(Dyn) *dynamic = NULL;
	uint64_t load = 0;

	if (!head)
		return -1;
	program = (const void *)((const char *)head + head->e_phoff);
	for (int i = 0; i < head->e_phnum; i++) {
		if (program[i].p_type == PT_LOAD)
			load = program[i].p_vaddr;
		else if (program[i].p_type == PT_DYNAMIC)
			dynamic = (const void *)((const char *)head + program[i].p_offset);
	}
	memset(vdso, 0, sizeof *vdso);
	vdso->base = (uint64_t)head - load;
	for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
		const void *at = (const void *)(vdso->base + dynamic->d_un.d_ptr);

		if (dynamic->d_tag == DT_SYMTAB)
			vdso->symbols = at;
		else if (dynamic->d_tag == DT_STRTAB)
			vdso->strings = at;
		else if (dynamic->d_tag == DT_HASH)
			vdso->count = ((const uint32_t *)at)[1];
	}
	/* A linker that leaves DT_HASH out puts .dynstr right behind .dynsym. */
	if (!vdso->count && vdso->symbols && vdso->strings > (const char *)vdso->symbols)
		vdso->count = (uint64_t)(vdso->strings - (const char *)vdso->symbols) /
			sizeof(ElfW(Sym));
	return vdso->symbols && vdso->strings && vdso->count ? 0 : -1;
}

void vdso_stubs_add(void)
{
	struct vdso vdso;

	if (open_vdso(&vdso))
		return;	/* the kernel has none: no pointer to it either */
	for (uint64_t i = 1; i < vdso.count; i++) {
		const ElfW(Sym) *symbol = &vdso.symbols[i];
		const char *name = vdso.strings + symbol->st_name;
		uint64_t address = vdso.base + symbol->st_value;
		int slot = slot_of(name);

		if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || !symbol->st_shndx)
			continue;
		if (slot < 0)
			add_enosys(address);
		else if (symbol->st_size && symbol->st_size < 13)
			talk_refuse("the vDSO's %s is too short to be replaced", name);
		else
			add_jump(address, (uint64_t)&handoff.vdso[slot]);
	}
}
