/*
 * GTK 3 opens its display in the restored process, not where it is imported.
 */
#ifndef HOOKS_GTK_H
#define HOOKS_GTK_H

/* Before any import. */
void hooks_gtk_watch(void);

/* Before the freeze, when all is imported. */
void hooks_gtk_prepare(void);

/* In the restored process, whose arguments, environment and locale have to be its
 * own: opens the display if frozen modules may use it. -1 with an exception set. */
int hooks_gtk_resume(void);

void hooks_gtk_release(void);

#endif
