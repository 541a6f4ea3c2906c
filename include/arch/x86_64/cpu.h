/*
 * What the code in an image relies on of the x86-64 it was built on, read and
 * compared. IFUNCs, numpy and OpenBLAS chose their routines while building, so
 * every feature must be there again; and ld.so's lazy binding trampoline saves
 * an area whose size follows from XCR0, so that must be the same.
 *
 * Each cpuid traps on virtual machines (5-8 us); xgetbv does not.
 * Bits: Intel SDM vol. 2A "CPUID", AMD APM vol. 3 appendix E.
 */
#ifndef CPU_H
#define CPU_H

#include <stddef.h>
#include <stdint.h>

#include "image.h"

/* The leaves that count, and in them only what a program in user mode can
 * see: features of the kernel's side, of the hypervisor and of microcode
 * (OSXSAVE excepted) come and go. Registers: eax, ebx, ecx, edx. */
static const struct image_cpuid cpu_leaves[IMAGE_CPU_LEAVES] = {
	{ 1, 0, { 0, 0, 0x7ed83203, 0x07888111 } },
	{ 7, 0, { 0, 0xfdef0b39, 0x3ac05ffb, 0x03d1413c } },
	{ 7, 1, { 0x80a01cbf, 0, 0, 0x0028c530 } },
	{ 0xd, 1, { 0x00000007, 0, 0, 0 } },
	{ 0x80000001, 0, { 0, 0, 0x002189e1, 0xe8400800 } },
};

#define CPU_OSXSAVE (1u << 27)	/* leaf 1, ecx: xgetbv may be used */

static inline void cpu_id(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	__asm__ volatile ("cpuid"
		: "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
		: "0"(leaf), "2"(subleaf));
}

/* XCR0; only where the CPU has OSXSAVE. */
static inline uint64_t cpu_xcr0(void)
{
	uint32_t low, high;

	__asm__ volatile ("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

/* Fills xcr0 and leaves; the rest is the caller's. A leaf that the CPU lacks
 * is all zero. */
static inline void cpu_read(struct image_cpu *cpu)
{
	uint32_t highest = 0, highest_extended, sub = 0, regs[4];

	cpu_id(0, 0, regs);
	highest = regs[0];
	cpu_id(0x80000000, 0, regs);
	highest_extended = regs[0];
	cpu->xcr0 = 0;
	for (unsigned int i = 0; i < IMAGE_CPU_LEAVES; i++) {
		const struct image_cpuid *wanted = &cpu_leaves[i];
		struct image_cpuid *row = &cpu->leaves[i];
		int extended = wanted->leaf >= 0x80000000;

		row->leaf = wanted->leaf;
		row->subleaf = wanted->subleaf;
		for (unsigned int reg = 0; reg < 4; reg++)
			regs[reg] = 0;
		/* Leaf 7 tells in eax how many subleaves it has. */
		if (wanted->leaf && wanted->leaf <= (extended ? highest_extended : highest)
		    && !(wanted->leaf == 7 && wanted->subleaf > sub))
			cpu_id(wanted->leaf, wanted->subleaf, regs);
		if (wanted->leaf == 7 && !wanted->subleaf)
			sub = regs[0];
		if (wanted->leaf == 1 && (regs[2] & CPU_OSXSAVE))
			cpu->xcr0 = cpu_xcr0();
		for (unsigned int reg = 0; reg < 4; reg++)
			row->regs[reg] = regs[reg] & wanted->regs[reg];
	}
}

/* Whether an image built on `image` runs on `here`: NULL, or what differs. */
static inline const char *cpu_compare(const struct image_cpu *image,
	const struct image_cpu *here)
{
	if (image->xcr0 != here->xcr0)
		return "the CPU saves other register state (XCR0)";
	for (unsigned int i = 0; i < IMAGE_CPU_LEAVES; i++) {
		const struct image_cpuid *row = &image->leaves[i];

		if (row->leaf != here->leaves[i].leaf
		    || row->subleaf != here->leaves[i].subleaf)
			return "its list of CPU features is another one";
		for (unsigned int reg = 0; reg < 4; reg++)
			if (row->regs[reg] & ~here->leaves[i].regs[reg])
				return "the CPU lacks features that it uses";
	}
	return NULL;
}

#endif
