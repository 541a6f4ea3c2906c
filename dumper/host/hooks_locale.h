/*
 * The locale of all categories but LC_CTYPE: where it was taken from the environment,
 * it is the one of the restored process's.
 */
#ifndef HOOKS_LOCALE_H
#define HOOKS_LOCALE_H

/* Before the workload. */
void hooks_locale_watch(void);

/* Before the freeze. */
void hooks_locale_before(void);

/* In the restored process, when libc is whole and nothing of Python's has been
 * changed. `coerced`: python3 would coerce its locale (PEP 538). The name of a locale
 * that an import would have failed to set, else NULL. */
const char *hooks_locale_resume(int coerced);

#endif
