/*
 * PYIMAGE_KSM=1: the kernel may merge pages of this process that are equal to
 * others' (Documentation/admin-guide/mm/ksm.rst). Two processes of one image
 * write the same to the same addresses as they start, so most of what they had
 * to copy is equal again. Only enter.c calls this, after the commit point.
 */
#ifndef KSM_H
#define KSM_H

struct program;

/* Asks for it, by the image whose meta part is `meta`. Where the kernel can't,
 * the process goes on as it is; what came of it is told where program->verbose.
 * Returns whether this has marked the process: exec keeps that, and so whoever
 * still runs plain python3 takes it back. Marked already is the parent's wish. */
int ksm_start(const void *meta, const struct program *program);

#endif
