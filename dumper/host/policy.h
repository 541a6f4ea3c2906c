/*
 * What imports and warm-up files may touch while building (--io).
 */
#ifndef POLICY_H
#define POLICY_H

/* From here on refuses the build, with the Python stack, where code of the
 * workload's does what `name` forbids: "strict", "local" or "network". */
void policy_begin(const char *name);

/* No more of that; nothing of it is left in the interpreter. */
void policy_end(void);

#endif
