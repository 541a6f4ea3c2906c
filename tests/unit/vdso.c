/*
 * restorer/vdso.c: the real vDSO, a made-up one, one that lacks functions, and
 * garbage. The made-up one counts its addresses from a vaddr that is not 0.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

#include "elf64.h"
#include "vdso.h"

#define SIZE 8192
#define VADDR 0xffffffffff700000ull	/* where kernels of old linked it */
#define NAMES 7

/* Offsets in the made-up vDSO. */
enum {
	PHDRS = 64, DYNAMIC = 0x100, SYMBOLS = 0x200, STRINGS = 0x400, HASH = 0x600,
	GNU_HASH = 0x700, CODE = 0x1000,
};

static const char *const names[NAMES] = {
	"__vdso_clock_gettime", "__vdso_gettimeofday", "__vdso_time",
	"__vdso_clock_getres", "__vdso_getcpu", "__vdso_getrandom",
	"__vdso_sgx_enter_enclave",
};

static uint64_t slots[HANDOFF_VDSO_COUNT], stubs[HANDOFF_VDSO_COUNT];
static unsigned char *vdso;

typedef long call_two(long, void *);
typedef long call_random(void *, size_t, unsigned int, void *, size_t);

static struct elf64_symbol *symbol(int index)
{
	return (struct elf64_symbol *)(void *)(vdso + SYMBOLS) + index;
}

static void put_symbols(void)
{
	uint32_t place = 1;

	for (int i = 0; i < NAMES; i++) {
		strcpy((char *)vdso + STRINGS + place, names[i]);
		*symbol(i + 1) = (struct elf64_symbol){
			.name = place, .info = 0x10 | ELF64_FUNC, .shndx = 1,
			.value = VADDR + CODE + 16 * (unsigned int)i, .size = 16,
		};
		place += (uint32_t)strlen(names[i]) + 1;
	}
}

/* One bucket, no Bloom words, all symbols but the first in one chain. */
static void put_hashes(void)
{
	uint32_t *hash = (void *)(vdso + HASH), *gnu = (void *)(vdso + GNU_HASH);

	hash[0] = 1;
	hash[1] = NAMES + 1;
	gnu[0] = 1;
	gnu[1] = 1;
	gnu[2] = 1;
	gnu[6] = 1;
	gnu[6 + NAMES] = 1;
}

static struct elf64_dynamic *dynamic(int index)
{
	return (struct elf64_dynamic *)(void *)(vdso + DYNAMIC) + index;
}

static struct elf64_segment *segment(int index)
{
	return (struct elf64_segment *)(void *)(vdso + PHDRS) + index;
}

static void setup(void)
{
	struct elf64_header *elf;

	vdso = aligned_alloc(4096, SIZE);
	memset(vdso, 0, SIZE);
	elf = (void *)vdso;
	memcpy(elf->ident, "\177ELF\2\1\1", 7);
	elf->phoff = PHDRS;
	elf->phentsize = sizeof(struct elf64_segment);
	elf->phnum = 2;
	*segment(0) = (struct elf64_segment){ .type = ELF64_LOAD, .vaddr = VADDR,
		.filesz = SIZE, .memsz = SIZE };
	*segment(1) = (struct elf64_segment){ .type = ELF64_DYNAMIC,
		.vaddr = VADDR + DYNAMIC };
	*dynamic(0) = (struct elf64_dynamic){ ELF64_DT_SYMTAB, VADDR + SYMBOLS };
	*dynamic(1) = (struct elf64_dynamic){ ELF64_DT_STRTAB, VADDR + STRINGS };
	*dynamic(2) = (struct elf64_dynamic){ ELF64_DT_HASH, VADDR + HASH };
	*dynamic(3) = (struct elf64_dynamic){ ELF64_DT_GNU_HASH, VADDR + GNU_HASH };
	put_symbols();
	put_hashes();
	vdso_resolve(NULL, stubs);
}

static void teardown(void)
{
	free(vdso);
}

static uint64_t function(int index)
{
	return (uintptr_t)vdso + CODE + 16 * (unsigned int)index;
}

START_TEST(real)
{
	const void *base = (const void *)getauxval(AT_SYSINFO_EHDR);
	struct timespec now, resolution;

	if (!base)
		return;		/* booted with vdso=0: stubs() covers it */
	vdso_resolve(base, slots);
	for (int i = 0; i < HANDOFF_SGX; i++)
		ck_assert_uint_ne(slots[i], 0);
	ck_assert_uint_ne(slots[HANDOFF_CLOCK_GETTIME], stubs[HANDOFF_CLOCK_GETTIME]);
	ck_assert_uint_ne(slots[HANDOFF_TIME], stubs[HANDOFF_TIME]);
	ck_assert_int_eq(((call_two *)slots[HANDOFF_CLOCK_GETTIME])(CLOCK_MONOTONIC, &now), 0);
	ck_assert_int_gt(now.tv_sec, 0);
	ck_assert_int_eq(((call_two *)slots[HANDOFF_CLOCK_GETRES])(CLOCK_REALTIME,
			&resolution), 0);
}
END_TEST

START_TEST(stubs_work)
{
	unsigned char bytes[32] = { 0 }, zero[32] = { 0 };
	struct timespec now = { 0 };
	unsigned int cpu = ~0u, node = ~0u;
	call_random *random = (call_random *)stubs[HANDOFF_GETRANDOM];
	time_t seconds;

	ck_assert_int_eq(((call_two *)stubs[HANDOFF_CLOCK_GETTIME])(CLOCK_REALTIME, &now), 0);
	seconds = ((time_t (*)(time_t *))stubs[HANDOFF_TIME])(NULL);
	ck_assert_int_le(labs(seconds - now.tv_sec), 1);
	ck_assert_int_lt(((call_two *)stubs[HANDOFF_CLOCK_GETTIME])(9999, &now), 0);
	ck_assert_int_eq(((long (*)(void *, void *))stubs[HANDOFF_GETTIMEOFDAY])(&now, NULL), 0);
	ck_assert_int_eq(((call_two *)stubs[HANDOFF_CLOCK_GETRES])(CLOCK_REALTIME, &now), 0);
	ck_assert_int_eq(((long (*)(void *, void *, void *))stubs[HANDOFF_GETCPU])(&cpu,
			&node, NULL), 0);
	ck_assert_uint_ne(cpu, ~0u);
	ck_assert_int_eq(random(bytes, 32, 0, NULL, 0), 32);
	ck_assert_mem_ne(bytes, zero, 32);
	ck_assert_int_eq(random(NULL, 0, 0, NULL, ~(size_t)0), -38);
	ck_assert_int_eq(((long (*)(void))stubs[HANDOFF_SGX])(), -38);
}
END_TEST

START_TEST(made_up)
{
	vdso_resolve(vdso, slots);
	for (int i = 0; i < NAMES; i++)
		ck_assert_uint_eq(slots[i], function(i));
}
END_TEST

START_TEST(gnu_hash_only)
{
	dynamic(2)->tag = 21;	/* DT_DEBUG: nothing to us */
	vdso_resolve(vdso, slots);
	for (int i = 0; i < NAMES; i++)
		ck_assert_uint_eq(slots[i], function(i));
}
END_TEST

START_TEST(lacks_some)
{
	symbol(1 + HANDOFF_GETRANDOM)->shndx = 0;
	symbol(1 + HANDOFF_SGX)->name = 1 << 20;
	symbol(1 + HANDOFF_TIME)->info = 1;
	symbol(1 + HANDOFF_GETCPU)->value = VADDR + SIZE;
	strcpy((char *)vdso + STRINGS + symbol(1)->name, "__vdso_clock_gettimE");
	vdso_resolve(vdso, slots);
	for (int i = 0; i < NAMES; i++)
		if (i == HANDOFF_GETTIMEOFDAY || i == HANDOFF_CLOCK_GETRES)
			ck_assert_uint_eq(slots[i], function(i));
		else
			ck_assert_uint_eq(slots[i], stubs[i]);
}
END_TEST

static void breaks(int row)
{
	switch (row) {
	case 0: vdso[0] = 0; break;
	case 1: vdso[ELF64_CLASS] = 1; break;
	case 2: ((struct elf64_header *)(void *)vdso)->phoff = 1ull << 63; break;
	case 3: ((struct elf64_header *)(void *)vdso)->phnum = 0xffff; break;
	case 4: segment(0)->type = 0; break;
	case 5: segment(0)->memsz = 1ull << 40; break;
	case 6: segment(1)->type = 0; break;
	case 7: segment(1)->vaddr = VADDR + SIZE; break;
	case 8: segment(1)->vaddr = VADDR + SIZE - 8; break;
	case 9: dynamic(0)->value = 0; break;
	case 10: dynamic(1)->tag = 0; break;
	case 11: *(uint32_t *)(void *)(vdso + HASH + 4) = ~0u; break;
	case 12: dynamic(2)->value = VADDR + SIZE - 4; dynamic(3)->tag = 0; break;
	case 13: dynamic(2)->tag = 21; *(uint32_t *)(void *)(vdso + GNU_HASH) = ~0u; break;
	case 14: dynamic(2)->tag = 21; memset(vdso + GNU_HASH + 28, 0, SIZE - GNU_HASH - 28); break;
	case 15: dynamic(2)->tag = 21; *(uint32_t *)(void *)(vdso + GNU_HASH + 8) = ~0u; break;
	}
}

START_TEST(garbage)
{
	breaks(_i);
	vdso_resolve(vdso, slots);
	ck_assert_mem_eq(slots, stubs, sizeof(slots));
}
END_TEST

START_TEST(flips)
{
	unsigned int seed = 1;

	for (int round = 0; round < 20000; round++) {
		unsigned int bit = (unsigned int)rand_r(&seed) % (0x800 * 8);

		if (round % 32 == 0) {
			free(vdso);
			setup();
		}
		vdso[bit / 8] ^= (unsigned char)(1 << bit % 8);
		/* A larger first segment is believed: it is the kernel's. */
		if (segment(0)->type == ELF64_LOAD)
			segment(0)->memsz %= SIZE + 1;
		if (segment(1)->type == ELF64_LOAD)
			segment(1)->memsz %= SIZE + 1;
		((struct elf64_header *)(void *)vdso)->phoff &= 64;
		((struct elf64_header *)(void *)vdso)->phnum &= 3;
		vdso_resolve(vdso, slots);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vdso");
	TCase *tcase = tcase_create("vdso");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, real);
	tcase_add_test(tcase, stubs_work);
	tcase_add_test(tcase, made_up);
	tcase_add_test(tcase, gnu_hash_only);
	tcase_add_test(tcase, lacks_some);
	tcase_add_loop_test(tcase, garbage, 0, 16);
	tcase_add_test(tcase, flips);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
