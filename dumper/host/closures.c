/*
 * libffi keeps closures in pages that are writable and executable at once, in
 * a heap of its own inside them (src/closures.c, dlmalloc.c). An image has no
 * such pages. So in the image they are read-only code; libffi's .bss, where the
 * heap's root is, is zero as at its start, so that the next closure gets a new
 * page, as in python3; and whoever would free a frozen one (ffi_closure_free
 * writes to it) gets a function that leaves those alone.
 */
#include "closures.h"
#include "libc_state.h"
#include "patches.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAPPINGS 64

static struct range { uint64_t from, to; } sealed[MAPPINGS];
static int sealed_count;
static void (*original_free)(void *);

static void closure_free(void *closure)
{
	uint64_t at = (uint64_t)closure;

	for (int i = 0; i < sealed_count; i++)
		if (at >= sealed[i].from && at < sealed[i].to)
			return;
	original_free(closure);
}

struct libffi {
	uint64_t bss, bss_end;
	char name[4096];
};

static int find_libffi(struct dl_phdr_info *info, size_t size, void *data)
{
	const char *slash = strrchr(info->dlpi_name, '/');
	struct libffi *found = data;

	(void)size;
	if (!slash || strncmp(slash + 1, "libffi.so.", 10))
		return 0;
	snprintf(found->name, sizeof found->name, "%s", info->dlpi_name);
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && (p->p_flags & PF_W)) {
			found->bss = (info->dlpi_addr + p->p_vaddr + p->p_filesz + 7) & ~7ull;
			found->bss_end = (info->dlpi_addr + p->p_vaddr + p->p_memsz) & ~7ull;
		}
	}
	return 1;
}

/* Whether the words in [from, to) point into the range: then it is libffi's,
 * and not some compiler's. */
static int points_into(uint64_t from, uint64_t to, const struct range *range)
{
	for (; from < to; from += 8)
		if (*(uint64_t *)from >= range->from && *(uint64_t *)from < range->to)
			return 1;
	return 0;
}

static void seal(const struct range *range)
{
	if (sealed_count == MAPPINGS)
		return;	/* pydump refuses what stays writable */
	patches_protect(range->from, PROT_READ | PROT_EXEC);
	sealed[sealed_count++] = *range;
}

static void seal_mappings(const struct libffi *libffi)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[4096 + 200], mode[5], name[2];
	struct range range;

	while (maps && fgets(line, sizeof line, maps)) {
		int known = 0;

		if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %1s", &range.from, &range.to,
				mode, name) != 3 || strcmp(mode, "rwxp"))
			continue;
		known = points_into(libffi->bss, libffi->bss_end, &range);
		for (int i = 0; i < sealed_count && !known; i++)
			known = points_into(sealed[i].from, sealed[i].to, &range);
		if (known)
			seal(&range);
	}
	if (maps)
		fclose(maps);
}

void closures_seal(void)
{
	struct libffi libffi = { 0, 0, "" };
	void *handle, *zero;
	uint64_t size;

	if (!dl_iterate_phdr(find_libffi, &libffi) || libffi.bss >= libffi.bss_end)
		return;
	seal_mappings(&libffi);
	handle = dlopen(libffi.name, RTLD_NOLOAD | RTLD_LAZY);
	if (!sealed_count || !handle)
		return;
	original_free = (void (*)(void *))dlsym(handle, "ffi_closure_free");
	libc_state_redirect((uint64_t)original_free, (uint64_t)closure_free,
		&original_free);
	size = libffi.bss_end - libffi.bss;
	zero = calloc(1, size);
	if (zero)
		patches_add(libffi.bss, zero, size);
	free(zero);
	dlclose(handle);
}
