/*
 * An image in place of a virtual environment's python, and back (include/venv.h).
 *
 *	DIR/bin/python		the image, a file: `python3 -m venv` and pip leave it alone
 *	DIR/bin/python3, ...	links to python
 *	DIR/.pyimage/NAME	what each of these was
 *
 * Each step is one rename(2), and after each of them every name is some python.
 */
#ifndef VENV_INSTALL_H
#define VENV_INSTALL_H

struct err;
struct spec;

struct venv_install {
	char *root;		/* DIR, its real path */
	char *python;		/* DIR/bin/python */
	char *plain;		/* DIR/.pyimage/python */
	int made;		/* DIR/.pyimage was not there before */
};

/* Checks the folder and moves nothing yet: makes copies of the links aside and sets
 * where the image is to be written and what it is made of. venv_install_abandon() where the
 * build fails. venv_install_free() in either case. */
int venv_install_prepare(struct spec *spec, struct venv_install *venv, struct err *err);

/* The image stands at DIR/bin/python: has the other names lead to it. */
int venv_install_finish(const struct venv_install *venv, struct err *err);

/* Takes back what venv_install_prepare() did. */
void venv_install_abandon(const struct venv_install *venv);

/* Puts back what venv_install_prepare() moved aside. Refuses where there is nothing. */
int venv_install_undo(const char *folder, struct err *err);

void venv_install_free(struct venv_install *venv);

#endif
