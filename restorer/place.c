/*
 * The place of an image; see place.h. Linked into pyimage and into every image.
 */
#include "place.h"

#include "fallback.h"
#include "image.h"
#include "say.h"
#include "sys.h"
#include "text.h"
#include "venv.h"

_Static_assert(PLACE_PATH > IMAGE_PYTHON_MAX, "any path of a prefix has to fit");

/* The image's own path, as the kernel knows it; 0 where nobody can tell. */
static int find_self(struct place *place)
{
	long length = sys_readlink("/proc/self/exe", place->self, sizeof(place->self) - 1);

	if (length <= 0 || length >= (long)sizeof(place->self) - 1)
		return 0;
	place->self[length] = '\0';
	return 1;
}

static int is_there(const char *path)
{
	struct sys_stat stat;

	return sys_statx(SYS_AT_FDCWD, path, 0, SYS_STATX_TYPE, &stat) == 0;
}

/* The environment that this file stands in is not the one it was built for. */
static int use_own(struct program *program, struct place *place, size_t root,
	struct reason *reason)
{
	if (!venv_path(place->self, root, VENV_PLAIN, place->python, PLACE_PATH)
	    || !is_there(place->python))
		return 0;
	program->python = place->python;
	program->name = place->self;
	say_reason(reason, "stale", "the virtual environment was moved or copied from", 0);
	reason->detail = program->prefix->python;
	reason->advice = "install the image anew with pydump build --venv";
	return -1;
}

int place_find(struct program *program, int by_kernel, struct place *place,
	struct reason *reason)
{
	const char *python = program->prefix->python;
	size_t root = venv_root(python, VENV_PLAIN), own;

	if (!root)
		return 0;
	program->name = venv_path(python, root, VENV_NAME, place->name, PLACE_PATH);
	if (!by_kernel || !find_self(place))
		return 0;
	own = venv_root(place->self, VENV_NAME);
	if (!own || text_equal(place->self, program->name))
		return 0;
	return use_own(program, place, own, reason);
}
