/*
 * Sections for debuggers; see elfdebug.h. CPython puts them there from 3.13 on, _asyncio
 * from 3.14 on (Python/remote_debug.h, Modules/_remote_debugging*). sys.remote_exec(),
 * `pdb -p` and `asyncio ps` go by them.
 */
#include "elfdebug.h"

#include "image.h"
#include "maps.h"

#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <unistd.h>

static const char *const names[] = {".PyRuntime", ".AsyncioDebug"};

static const char *known(const char *name)
{
	for (size_t i = 0; name && i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return names[i];
	return NULL;
}

/* The first page of what is loaded, as it is addressed in the file; 0 where nothing is. */
static int first_page(Elf *elf, uint64_t *page)
{
	size_t count;
	GElf_Phdr header;

	if (elf_getphdrnum(elf, &count))
		return 0;
	for (size_t i = 0; i < count && gelf_getphdr(elf, (int)i, &header); i++)
		if (header.p_type == PT_LOAD) {
			*page = header.p_vaddr & ~(uint64_t)(IMAGE_PAGE - 1);
			return 1;
		}
	return 0;
}

static void look(Elf *elf, const struct mapping *mapping, struct elfdebug *found)
{
	Elf_Scn *section = NULL;
	uint64_t page;
	size_t strings;

	if (elf_getshdrstrndx(elf, &strings) || !first_page(elf, &page))
		return;
	while (found->count < ELFDEBUG_MOST && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name = gelf_getshdr(section, &header) ?
			known(elf_strptr(elf, strings, header.sh_name)) : NULL;

		if (!name || header.sh_addr < page)
			continue;
		found->sections[found->count].name = name;
		found->sections[found->count].address = mapping->start + header.sh_addr - page;
		found->sections[found->count++].size = header.sh_size;
	}
}

void elfdebug_find(const struct maps *maps, struct elfdebug *found)
{
	*found = (struct elfdebug){0};
	elf_version(EV_CURRENT);
	for (size_t i = 0; i < maps->count; i++) {
		const struct mapping *mapping = &maps->items[i];
		int fd = mapping->kind == MAPS_FILE && mapping->offset == 0 ?
			open(mapping->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
		Elf *elf = fd >= 0 ? elf_begin(fd, ELF_C_READ_MMAP, NULL) : NULL;

		if (elf && elf_kind(elf) == ELF_K_ELF)
			look(elf, mapping, found);
		elf_end(elf);
		if (fd >= 0)
			close(fd);
	}
}
