/*
 * ELF output; see elfout.h. ELF_F_LAYOUT: every offset is ours, since file
 * offsets have to be congruent to addresses modulo 2 MiB.
 */
#include "elfout.h"

#include "elfdebug.h"
#include "err.h"
#include "image.h"
#include "maps.h"
#include "meta.h"
#include "plan.h"

#include <errno.h>
#include <libelf.h>
#include <string.h>

/* META, PT_NOTE and PT_GNU_STACK come to the plan's segments. */
#define OWN_SEGMENTS 3
/* The null section, that of the program headers and .shstrtab come to those of
 * notes and segments. The second one is there for libelf, which would fill the
 * program headers with zeroes where it takes them for a gap. */
#define OWN_SECTIONS 3
#define HEADERS_SECTION ".pyimage.segments"
#define NAMES_SECTION ".shstrtab"

static uint64_t round_up(uint64_t number, uint64_t unit)
{
	return (number + unit - 1) / unit * unit;
}

/* .shstrtab, rebuilt wherever it is needed: a NUL, then one name each. */
static void add_names(const struct elfout *elfout, struct buffer *names)
{
	buffer_string(names, "");
	for (size_t i = 0; i < META_NOTES; i++)
		buffer_string(names, elfout->meta->notes[i].name);
	buffer_string(names, HEADERS_SECTION);
	for (size_t i = 0; i < elfout->plan->count; i++)
		buffer_string(names, elfout->plan->segments[i].name);
	for (size_t i = 0; i < elfout->debug->count; i++)
		buffer_string(names, elfout->debug->sections[i].name);
	buffer_string(names, NAMES_SECTION);
}

static size_t count_sections(const struct elfout *elfout)
{
	return META_NOTES + elfout->plan->count + OWN_SECTIONS + elfout->debug->count;
}

void elfout_lay_out(struct elfout *elfout)
{
	size_t segments = elfout->plan->count + OWN_SEGMENTS;
	size_t sections = count_sections(elfout);
	struct buffer names = {0};

	elfout->segment_headers = round_up(elfout->meta->bytes.used, 8);
	elfout->meta_size = round_up(elfout->segment_headers +
				     segments * sizeof(Elf64_Phdr), IMAGE_PAGE);
	elfout->names = plan_place(elfout->plan, elfout->meta_size, elfout->entry,
				   elfout->handoff);
	add_names(elfout, &names);
	elfout->section_headers = round_up(elfout->names + names.used, 8);
	elfout->file_size = elfout->section_headers + sections * sizeof(Elf64_Shdr);
	meta_finish(elfout->meta, elfout->meta_size, elfout->file_size);
	buffer_free(&names);
}

static int elf_failed(struct err *err, const char *what)
{
	return err_set(err, ERR_IO, "write the image (%s): %s%s%s", what,
		       elf_errmsg(-1), errno ? ": " : "",
		       errno ? strerror(errno) : "");
}

static int add_header(const struct elfout *elfout, Elf *elf, struct err *err)
{
	Elf64_Ehdr *header = elf64_newehdr(elf);

	if (!header)
		return elf_failed(err, "ELF header");
	memcpy(header->e_ident, ELFMAG, SELFMAG);
	header->e_ident[EI_CLASS] = ELFCLASS64;
	header->e_ident[EI_DATA] = ELFDATA2LSB;
	header->e_ident[EI_VERSION] = EV_CURRENT;
	header->e_type = ET_EXEC;
	header->e_machine = EM_X86_64;
	header->e_version = EV_CURRENT;
	header->e_entry = elfout->entry;
	header->e_phoff = elfout->segment_headers;
	header->e_shoff = elfout->section_headers;
	header->e_ehsize = sizeof(Elf64_Ehdr);
	header->e_phentsize = sizeof(Elf64_Phdr);
	header->e_shentsize = sizeof(Elf64_Shdr);
	header->e_shstrndx = (Elf64_Half)(count_sections(elfout) - 1);
	return 0;
}

static Elf64_Phdr describe(const struct plan_segment *segment)
{
	Elf64_Phdr header = {
		.p_type = PT_LOAD,
		.p_flags = PF_R,
		.p_offset = segment->offset,
		.p_vaddr = segment->start,
		.p_paddr = segment->start,
		.p_filesz = segment->anonymous ? 0 : segment->length,
		.p_memsz = segment->length,
		.p_align = IMAGE_PAGE,
	};

	if (segment->protection & MAPS_WRITE)
		header.p_flags |= PF_W;
	if (segment->protection & MAPS_EXECUTE)
		header.p_flags |= PF_X;
	return header;
}

/* PT_LOADs have to ascend: kernels before 6.6 map the anonymous ones right
 * when they come to the next, and only there. */
static int add_segments(const struct elfout *elfout, Elf *elf, struct err *err)
{
	const struct plan *plan = elfout->plan;
	const struct meta_note *notes = elfout->meta->notes;
	Elf64_Phdr *at = elf64_newphdr(elf, plan->count + OWN_SEGMENTS);
	Elf64_Phdr meta = {
		.p_type = PT_LOAD,
		.p_flags = PF_R,
		.p_vaddr = IMAGE_META_BASE,
		.p_paddr = IMAGE_META_BASE,
		.p_filesz = elfout->meta_size,
		.p_memsz = elfout->meta_size,
		.p_align = IMAGE_PAGE,
	};
	int done = 0;

	if (!at)
		return elf_failed(err, "program headers");
	for (size_t i = 0; i < plan->count; i++) {
		if (!done && plan->segments[i].start > IMAGE_META_BASE) {
			*at++ = meta;
			done = 1;
		}
		*at++ = describe(&plan->segments[i]);
	}
	if (!done)
		*at++ = meta;
	*at++ = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_flags = PF_R,
		.p_offset = notes[0].offset,
		.p_vaddr = IMAGE_META_BASE + notes[0].offset,
		.p_paddr = IMAGE_META_BASE + notes[0].offset,
		.p_filesz = elfout->meta->bytes.used - notes[0].offset,
		.p_memsz = elfout->meta->bytes.used - notes[0].offset,
		.p_align = 4,
	};
	/* present and not executable: else the kernel makes the stack so */
	*at = (Elf64_Phdr){
		.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W, .p_align = 16,
	};
	meta_set_segments(elfout->meta, image_hash_words((const void *)elf64_getphdr(elf),
		(plan->count + OWN_SEGMENTS) * sizeof(Elf64_Phdr) / 8));
	return 0;
}

static int add_section(Elf *elf, const Elf64_Shdr *header, void *content,
		       struct err *err)
{
	Elf_Scn *section = elf_newscn(elf);
	Elf_Data *data = section ? elf_newdata(section) : NULL;
	Elf64_Shdr *target = section ? elf64_getshdr(section) : NULL;

	if (!data || !target)
		return elf_failed(err, "sections");
	data->d_buf = content;
	data->d_size = header->sh_size;
	data->d_type = ELF_T_BYTE;
	data->d_align = 1;
	data->d_version = EV_CURRENT;
	*target = *header;
	return 0;
}

static int add_notes(const struct elfout *elfout, Elf *elf, Elf64_Word *name,
		     struct err *err)
{
	for (size_t i = 0; i < META_NOTES; i++) {
		const struct meta_note *note = &elfout->meta->notes[i];
		Elf64_Shdr header = {
			.sh_name = *name,
			.sh_type = SHT_NOTE,
			.sh_flags = SHF_ALLOC,
			.sh_addr = IMAGE_META_BASE + note->offset,
			.sh_offset = note->offset,
			.sh_size = note->size,
			.sh_addralign = 4,
		};

		if (add_section(elf, &header, elfout->meta->bytes.data + note->offset, err))
			return -1;
		*name += (Elf64_Word)strlen(note->name) + 1;
	}
	return 0;
}

static int add_headers(const struct elfout *elfout, Elf *elf, Elf64_Word *name,
		       struct err *err)
{
	Elf64_Shdr header = {
		.sh_name = *name,
		.sh_type = SHT_PROGBITS,
		.sh_flags = SHF_ALLOC,
		.sh_addr = IMAGE_META_BASE + elfout->segment_headers,
		.sh_offset = elfout->segment_headers,
		.sh_size = (elfout->plan->count + OWN_SEGMENTS) * sizeof(Elf64_Phdr),
		.sh_addralign = 8,
	};

	*name += (Elf64_Word)sizeof(HEADERS_SECTION);
	return add_section(elf, &header, elf64_getphdr(elf), err);
}

static int add_contents(const struct elfout *elfout, Elf *elf, char *const *contents,
			Elf64_Word *name, struct err *err)
{
	for (size_t i = 0; i < elfout->plan->count; i++) {
		const struct plan_segment *segment = &elfout->plan->segments[i];
		Elf64_Shdr header = {
			.sh_name = *name,
			.sh_type = segment->anonymous ? SHT_NOBITS : SHT_PROGBITS,
			.sh_flags = SHF_ALLOC,
			.sh_addr = segment->start,
			.sh_offset = segment->offset,
			.sh_size = segment->length,
			.sh_addralign = IMAGE_PAGE,
		};

		if (segment->protection & MAPS_WRITE)
			header.sh_flags |= SHF_WRITE;
		if (segment->protection & MAPS_EXECUTE)
			header.sh_flags |= SHF_EXECINSTR;
		if (add_section(elf, &header, contents[i], err))
			return -1;
		*name += (Elf64_Word)strlen(segment->name) + 1;
	}
	return 0;
}

/* Their addresses are all that counts: the bytes are in the content of a segment. */
static int add_debug(const struct elfout *elfout, Elf *elf, Elf64_Word *name,
		     struct err *err)
{
	for (size_t i = 0; i < elfout->debug->count; i++) {
		Elf64_Shdr header = {
			.sh_name = *name,
			.sh_type = SHT_NOBITS,
			.sh_flags = SHF_ALLOC | SHF_WRITE,
			.sh_addr = elfout->debug->sections[i].address,
			.sh_offset = elfout->names,
			.sh_size = elfout->debug->sections[i].size,
			.sh_addralign = 8,
		};

		if (add_section(elf, &header, NULL, err))
			return -1;
		*name += (Elf64_Word)strlen(elfout->debug->sections[i].name) + 1;
	}
	return 0;
}

static int fill(const struct elfout *elfout, Elf *elf, char *const *contents,
		struct buffer *names, struct err *err)
{
	Elf64_Word name = 1;
	Elf64_Shdr header = {
		.sh_type = SHT_STRTAB,
		.sh_offset = elfout->names,
		.sh_addralign = 1,
	};

	if (add_header(elfout, elf, err) || add_segments(elfout, elf, err) ||
	    add_notes(elfout, elf, &name, err) ||
	    add_headers(elfout, elf, &name, err) ||
	    add_contents(elfout, elf, contents, &name, err) ||
	    add_debug(elfout, elf, &name, err))
		return -1;
	add_names(elfout, names);
	header.sh_name = name;
	header.sh_size = names->used;
	if (add_section(elf, &header, names->data, err))
		return -1;
	elf_flagelf(elf, ELF_C_SET, ELF_F_LAYOUT | ELF_F_DIRTY);
	errno = 0;
	if (elf_update(elf, ELF_C_WRITE) != (off_t)elfout->file_size)
		return elf_failed(err, "contents");
	return 0;
}

int elfout_write(const struct elfout *elfout, char *const *contents, int fd,
		 struct err *err)
{
	struct buffer names = {0};
	Elf *elf;
	int result;

	errno = 0;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return elf_failed(err, "libelf's version");
	elf = elf_begin(fd, ELF_C_WRITE, NULL);
	if (!elf)
		return elf_failed(err, "begin");
	result = fill(elfout, elf, contents, &names, err);
	elf_end(elf);
	buffer_free(&names);
	return result;
}
