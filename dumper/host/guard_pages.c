/*
 * glibc 2.42 guards the stack of a thread with MADV_GUARD_INSTALL (Linux 6.13), in a
 * mapping that may be read otherwise; before, with a mapping that has no access. It
 * keeps stacks of threads that ended. An image knows mappings, so the guard becomes
 * what it was before; glibc only ever unmaps it, or puts another guard over it.
 */
#include "guard_pages.h"
#include "talk.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096u
#define PRESENT (1ull << 63)	/* pagemap; a guard is shown as swapped out */

/* Another error than EFAULT tells of the call and not of the page: a container may
 * refuse it. A page that is swapped out would be lost. */
static int is_readable(uint64_t address)
{
	char byte;
	struct iovec local = { &byte, 1 }, remote = { (void *)address, 1 };

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1 || errno != EFAULT;
}

int guard_pages_made_plain(uint64_t address, uint64_t entry)
{
	if (entry & PRESENT || is_readable(address))
		return 0;
	if (mprotect((void *)address, PAGE, PROT_NONE))
		talk_refuse("protect the guard of a thread's stack: %m");
	return 1;
}
