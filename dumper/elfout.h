/*
 * Writes the ELF file with libelf: headers, notes, segments and a section for
 * each, so that readelf shows what is in it and strip keeps it. Knows nothing
 * of where notes and segments come from.
 */
#ifndef ELFOUT_H
#define ELFOUT_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct meta;
struct plan;

struct elfout {
	struct meta *meta;
	struct plan *plan;
	uint64_t handoff;	/* address */
	uint64_t entry;
	const struct elfdebug *debug;	/* sections of the files that were mapped */
	/* filled by elfout_lay_out() */
	uint64_t segment_headers;	/* e_phoff */
	uint64_t meta_size;
	uint64_t names;			/* .shstrtab */
	uint64_t section_headers;	/* e_shoff */
	uint64_t file_size;
};

/* Decides where everything goes: places the plan's segments and finishes the
 * meta part. */
void elfout_lay_out(struct elfout *elfout);

/* Writes the file to an empty descriptor. contents[i] holds the bytes of the
 * plan's i-th segment, NULL for an anonymous one. */
int elfout_write(const struct elfout *elfout, char *const *contents, int fd,
		 struct err *err);

#endif
