/*
 * A draft: an image that is only made to be watched, so that the dump after it can put
 * side by side what its processes write to (--pack).
 */
#ifndef DRAFT_H
#define DRAFT_H

struct dump;
struct err;
struct gather;
struct list;

/* Makes a draft of what `final`, whose file is not begun, is to dump, and watches what
 * a start, the warm-up files and, to be measured, the command write to; `gather` is
 * then begun for `final`. Programs that can't be watched are warnings. Leaves no file. */
int draft_make(const struct dump *final, struct gather *gather, struct list *warnings,
	       struct err *err);

#endif
