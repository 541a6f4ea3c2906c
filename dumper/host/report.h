/*
 * Tells pydump what the interpreter holds (CONTROL_REPORT).
 */
#ifndef REPORT_H
#define REPORT_H

/* Looks at the environment as it was before Python changed it. */
void report_environment(void);

/* Sends the report. `warmups`: files that were run, NULL-terminated. `immortal`: frozen
 * objects are to be. */
void report_send(char **warmups, int immortal);

/* Index in sys.path where site puts the user's folder. */
long report_site_index(void);

#endif
