/*
 * What importing ansible leaves that is of one process: its temporary
 * folder, what it knows of the terminal.
 */
#ifndef HOOKS_ANSIBLE_H
#define HOOKS_ANSIBLE_H

/* Whether what this module asked about the process is renewed or guarded here. */
int hooks_ansible_renews(const char *module);

/* Removes the build's temporary folder. */
void hooks_ansible_prepare(void);

/* Why python3 has to do it, or NULL. */
const char *hooks_ansible_differs(void);

int hooks_ansible_resume(void);

void hooks_ansible_release(void);

#endif
