/*
 * See path_looks.h. importlib.metadata (FastPath) and its backport list each folder of
 * sys.path. The body of pkg_resources, which passes over what is no folder, makes its
 * working_set by all of them (_initialize_master_working_set).
 */
#include "path_looks.h"
#include "asked.h"
#include "cpython.h"
#include "environment.h"
#include "frames.h"
#include "path0.h"
#include "talk.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct look {
	char *module, *name;
} *looks;
static size_t count;

static char *metadata_asker;	/* the first module that looked for metadata; or NULL */

static int is_after_metadata(void)
{
	static const char *const readers[] = { "importlib.metadata", "importlib_metadata" };
	PyFrameObject *frame = frames_innermost();
	int is = frame && frames_is_of(frame, readers, sizeof readers / sizeof *readers);

	Py_XDECREF(frame);
	return is;
}

static void note_file(const char *module, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(looks[i].name, name) == 0)
			return;
	looks = realloc(looks, (count + 1) * sizeof *looks);
	if (!looks)
		talk_refuse("out of memory");
	looks[count++] = (struct look){ asked_copy(module), asked_copy(name) };
}

void path_looks_note(const char *module, const char *name)
{
	if (!*module)
		return;
	if (*name)
		note_file(module, name);
	else if (!metadata_asker && is_after_metadata())
		metadata_asker = asked_copy(module);
}

void path_looks_end(void)
{
	static const char *const names[] = { "pkg_resources", "pip._vendor.pkg_resources" };
	PyObject *modules = PyImport_GetModuleDict();

	for (size_t i = 0; i < sizeof names / sizeof *names && !path0_is_known(); i++)
		if (!metadata_asker && PyDict_GetItemString(modules, names[i]))
			metadata_asker = asked_copy(names[i]);
}

/* All of them pass over letters' case. */
static int is_metadata(const char *name)
{
	static const char *const kinds[] = { ".dist-info", ".egg-info", ".egg", ".egg-link" };
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof kinds / sizeof *kinds; i++)
		if (strcasecmp(dot, kinds[i]) == 0)
			return 1;
	return 0;
}

/* What is no folder is a zip file, which is not read. */
static int has_metadata(const char *folder)
{
	DIR *stream = opendir(folder);
	struct dirent *entry;
	int has = !stream && errno == ENOTDIR;

	while (stream && !has && (entry = readdir(stream)))
		has = is_metadata(entry->d_name);
	if (stream)
		closedir(stream);
	return has;
}

static const struct look *find_in(const char *folder)
{
	char path[2 * PATH_MAX];

	for (const struct look *look = looks; look < looks + count; look++) {
		snprintf(path, sizeof path, "%s/%s", folder, look->name);
		if (access(path, F_OK) == 0)
			return look;
	}
	return NULL;
}

const char *path_looks_differ(const struct startup *startup)
{
	static char text[3 * PATH_MAX];
	char buffer[PATH_MAX + 1];
	const char *folder, *called;
	const struct look *found;

	if ((!count && !metadata_asker) || environment_is_trial() ||
	    !(folder = path0_folder(startup, buffer)))
		return NULL;
	called = strcmp(folder, ".") == 0 ? "the working folder" : folder;
	found = find_in(folder);
	if (found)
		snprintf(text, sizeof text, "files: %s is in %s, and module %s looked for it "
			"while it was imported", found->name, called, found->module);
	else if (metadata_asker && has_metadata(folder))
		snprintf(text, sizeof text, "metadata of distributions: %s may have some, and "
			"module %s looked for it while it was imported", called, metadata_asker);
	else
		return NULL;
	return text;
}

void path_looks_report(void (*put)(const char *key, const char *value))
{
	if (metadata_asker)
		asked_need(put, "no metadata of distributions in the script's or working folder "
			"(module %s looked)", metadata_asker);
	for (const struct look *look = looks; look < looks + count; look++)
		asked_need(put, "no %s in the script's or working folder (module %s looked)",
			look->name, look->module);
}
