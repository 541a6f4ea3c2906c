/*
 * What imported modules asked about the process that they were imported in: whose
 * it is, and its working folder. A module may keep the answer for ever.
 */
#ifndef ASKED_H
#define ASKED_H

/* Takes down, until watch_end(), who asks os.getuid() and its like, or os.getcwd(),
 * from the body of a module. Not counted are warm-up files, importlib, and modules
 * whose row in the hooks' table renews the answer. After watch_start(). */
void asked_watch(void);

/* A relative path was used: as if the working folder had been asked for. */
void asked_folder(void);

/* NULL if every answer that was given would be given here, too; else a sentence
 * on the first that would not. */
const char *asked_differs(void);

#endif
