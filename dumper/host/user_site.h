/*
 * The user site folder over the freeze.
 */
#ifndef USER_SITE_H
#define USER_SITE_H

/* Before the freeze: who builds the image. */
void user_site_prepare(void);

/* In a restored process: site's names for the running user, and his folder on
 * sys.path where `folder` is not NULL. 0, or -1 with an exception set. */
int user_site_resume(const char *folder);

/* Lets go of what was kept, for an end that destroys everything. */
void user_site_release(void);

#endif
