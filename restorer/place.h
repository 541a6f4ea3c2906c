/*
 * Where an image stands that takes the place of a virtual environment's python
 * (include/venv.h), and so which plain interpreter runs instead of it.
 */
#ifndef PLACE_H
#define PLACE_H

struct program;
struct reason;

/* Room for a path of the prefix with another end. */
#define PLACE_PATH 2064

struct place {
	char self[PLACE_PATH];		/* the image's own path */
	char python[PLACE_PATH];
	char name[PLACE_PATH];
};

/* Sets program->name where the image is one of those. `by_kernel`: it is the file
 * that /proc/self/exe names; where that is another environment's, the fallback is that
 * one's. 0, or -1 and the reason: the environment was moved or copied. `place` holds
 * what program then points to. */
int place_find(struct program *program, int by_kernel, struct place *place,
	struct reason *reason);

#endif
