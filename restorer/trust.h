/*
 * Whether a file may be believed: an image that another unprivileged user could
 * have written names the program that would run with this user's rights. Pure.
 */
#ifndef TRUST_H
#define TRUST_H

#include <stdint.h>

struct reason;
struct sys_stat;

/* What trust_check() needs of statx(2). */
#define TRUST_STATX (SYS_STATX_TYPE | SYS_STATX_MODE | SYS_STATX_UID | SYS_STATX_SIZE)

/* 0 if it is a regular file of root's or of `euid`'s that no other user may
 * write; else -1 and the reason. */
int trust_check(const struct sys_stat *stat, uint32_t euid, struct reason *reason);

#endif
