/*
 * The main thread's own registers and the words of its control block that
 * belong to them, on x86-64 with glibc.
 */
#ifndef THREAD_H
#define THREAD_H

#include <stdint.h>

#include "syscall.h"

enum { THREAD_ARCH_SET_FS = 0x1002 };	/* asm/prctl.h */

/* Makes `tcb` the thread control block. */
static inline long thread_set(uint64_t tcb)
{
	return syscall_2(SYS_arch_prctl, THREAD_ARCH_SET_FS, (long)tcb);
}

/* A new stack protector canary, as glibc makes it (sysdeps/generic/dl-osinfo.h:
 * the first word of AT_RANDOM, its lowest byte 0). It lies at fs:0x28; gcc has
 * that from the TLS ABI. No frame that holds the old one will be returned from.
 * The pointer guard behind it stays: mangled pointers were made with it. */
static inline void thread_set_canary(uint64_t tcb, const void *random)
{
	const uint64_t *word = random;
	uint64_t *canary = (uint64_t *)(tcb + 0x28);

	*canary = *word & ~0xffull;
}

/* The floating point units' control words. */
static inline void thread_set_float(uint32_t mxcsr, uint32_t x87)
{
	uint16_t control = (uint16_t)x87;

	__asm__ volatile ("ldmxcsr %0" : : "m"(mxcsr));
	__asm__ volatile ("fldcw %0" : : "m"(control));
}

#endif
