/*
 * Built-in knowledge about particular modules and libraries: state that must
 * not be the same in every process of an image.
 */
#ifndef HOOKS_H
#define HOOKS_H

/* Before the workload: some of it is told from what modules do. */
void hooks_watch(void);

/* What this variable, which is not set, is to say to a library while it is loaded for
 * an image, or NULL: nothing that a program sees depends on it. */
const char *hooks_variable(const char *name);

/* Before the freeze: takes out what is made again when it is needed next. */
void hooks_before(void);

/* Tells by put("read", PATH) of files that modules' state comes from. */
void hooks_files(void (*put)(const char *key, const char *value));

/* In the restored process, as long as python3 can take over: why it has to, or NULL. */
const char *hooks_differ(void);

/* In the restored process: renews what has to be there. -1 with an exception
 * set where that fails. */
int hooks_after(void);

/* Whether this module's row renews all that its body asks about the process (asked.h). */
int hooks_renew_answers(const char *module);

/* Whether a row renews this answer, whether a stream is a terminal, for who asks now. */
int hooks_renew_terminal(int is_terminal);

/* Whether a row renews what the one makes of it that asks now for the terminal's type,
 * by TERM, which is not set. The interpreter runs. */
int hooks_renew_terminal_type(void);

/* Whether who asks now for the working folder is known to make nothing of the answer. */
int hooks_pass_folder_by(void);

/* Whether a row tells of this file in the working folder, which is looked for now. */
int hooks_pass_file_by(const char *file);

/* In the restored process, and in no rehearsal, when all else of Python's view of it
 * is there. -1 with an exception set. */
int hooks_resume(void);

/* In the restored process, as long as python3 can take over: renews libc's locale;
 * `coerced`: it is the C locale, coerced. The one that can't be set, or NULL. */
const char *hooks_check(int coerced);

/* In the process that is frozen, after Python's own functions for a fork. */
void hooks_forked(void);

/* The last thing before the freeze, in the process that is frozen. */
void hooks_uninstantiate(void);

/* Whether the destructors of the library with this file name do nothing that is
 * seen outside the process, so that they can be left out. */
int hooks_fini_is_idle(const char *library);

/* Gives up what is held of Python's objects; so do its likes of other parts.
 * For full_finish(): nothing of the part is used afterwards. */
void hooks_release(void);

#endif
