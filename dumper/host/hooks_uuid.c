/*
 * libuuid's gen_uuid.c draws a clock sequence and, on a machine without an address, a
 * node for a process's first identifier, and keeps them: the sequence in variables of
 * the thread's, the node in .bss. All processes of an image would have the same ones,
 * and what keeps their identifiers apart within a microsecond is the sequence. Where
 * /var/lib/libuuid can be written, it also keeps a file open for writing. So all of its
 * variables are as when it was loaded, and the file is closed.
 */
#include "hooks_uuid.h"

#include <dirent.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void close_clock(void)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;
	char link[300], target[64];

	while (folder && (entry = readdir(folder))) {
		ssize_t length;

		snprintf(link, sizeof link, "/proc/self/fd/%s", entry->d_name);
		length = readlink(link, target, sizeof target - 1);
		target[length > 0 ? length : 0] = '\0';
		if (strcmp(target, "/var/lib/libuuid/clock.txt") == 0)
			close(atoi(entry->d_name));
	}
	if (folder)
		closedir(folder);
}

static int begin_anew(struct dl_phdr_info *info, size_t size, void *unused)
{
	const char *slash = strrchr(info->dlpi_name, '/');

	(void)size;
	(void)unused;
	if (!slash || strncmp(slash + 1, "libuuid.so.", 11))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		char *from = (char *)(uintptr_t)(info->dlpi_addr + p->p_vaddr);
		char *to = p->p_type == PT_TLS ? info->dlpi_tls_data : from;

		if (!to || (p->p_type != PT_TLS &&
			    (p->p_type != PT_LOAD || !(p->p_flags & PF_W))))
			continue;
		if (p->p_type == PT_TLS)
			memcpy(to, from, p->p_filesz);
		memset(to + p->p_filesz, 0, p->p_memsz - p->p_filesz);
	}
	close_clock();
	return 1;
}

void hooks_uuid_before(void)
{
	dl_iterate_phdr(begin_anew, NULL);
}
