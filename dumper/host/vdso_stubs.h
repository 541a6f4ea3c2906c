/*
 * The frozen process' vDSO, kept in the image as data.
 */
#ifndef VDSO_STUBS_H
#define VDSO_STUBS_H

/* Patches every function of the vDSO's copy into a jump through its slot in
 * the handoff, so that pointers to it (in libc's function table, in GOTs that
 * IFUNCs filled) and its link map stay good under every kernel. */
void vdso_stubs_add(void);

#endif
