/*
 * libuuid, by which uuid.uuid1() makes its identifiers.
 */
#ifndef HOOKS_UUID_H
#define HOOKS_UUID_H

/* Before the freeze, in the thread that stays: the next identifier is a process's first. */
void hooks_uuid_before(void);

#endif
