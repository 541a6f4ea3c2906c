/*
 * Whether an image may be believed. Linked into pyimage and into every image.
 */
#include "trust.h"

#include "say.h"
#include "sys.h"

int trust_check(const struct sys_stat *stat, uint32_t euid, struct reason *reason)
{
	if ((stat->mode & SYS_S_IFMT) != SYS_S_IFREG)
		return say_reason(reason, "not a regular file", NULL, 0);
	if (stat->uid && stat->uid != euid) {
		say_reason(reason, "refused", "it belongs to another user", 0);
		reason->advice = "build your own, or have root install it";
		return -1;
	}
	if (stat->mode & (SYS_S_IWGRP | SYS_S_IWOTH)) {
		say_reason(reason, "refused", "other users may write to it", 0);
		reason->advice = "see that nobody has changed it, then chmod go-w";
		return -1;
	}
	return 0;
}
