/*
 * The one table of what is known about modules. A row is used where its module
 * is in sys.modules at the freeze.
 */
#include "hooks.h"
#include "cpython.h"
#include "hooks_ansible.h"
#include "hooks_awscrt.h"
#include "hooks_gtk.h"
#include "hooks_library.h"
#include "hooks_locale.h"
#include "hooks_loops.h"
#include "hooks_modules.h"
#include "hooks_numpy.h"
#include "hooks_programs.h"
#include "hooks_random.h"
#include "hooks_settings.h"
#include "hooks_stdlib.h"
#include "hooks_terminal.h"
#include "hooks_uuid.h"
#include "imports.h"
#include "talk.h"
#include "watch.h"

#include <stddef.h>
#include <string.h>

static struct hook {
	const char *module;
	PyObject *(*before)(PyObject *module);
	PyObject *(*after)(PyObject *prepared);
	PyObject *prepared;
} hooks[] = {
	{ "uuid", hooks_stdlib_before_uuid, NULL, NULL },
	{ "tempfile", hooks_stdlib_before_tempfile, NULL, NULL },
	{ "platform", hooks_stdlib_before_platform, NULL, NULL },
	{ "pkg_resources", hooks_pkg_resources_before, NULL, NULL },
	{ "pip._vendor.pkg_resources", hooks_pkg_resources_before, NULL, NULL },
	{ "random", hooks_random_before, hooks_random_after, NULL },
	{ "numpy.random", hooks_numpy_before, hooks_numpy_after, NULL },
	{ "multiprocessing.process", hooks_stdlib_before_process, hooks_stdlib_after_process, NULL },
	{ "billiard.process", hooks_stdlib_before_process, hooks_stdlib_after_process, NULL },
	{ "_ssl", hooks_library_before_ssl, hooks_library_after_ssl, NULL },
	{ "logging", hooks_stdlib_before_logging, hooks_stdlib_after_logging, NULL },
	{ "gunicorn.config", hooks_gunicorn_before, hooks_gunicorn_after, NULL },
	{ "mercurial.pycompat", hooks_mercurial_before, hooks_mercurial_after, NULL },
	{ "sysconfig", hooks_stdlib_before_sysconfig, hooks_stdlib_after_sysconfig, NULL },
	{ "warnings", hooks_stdlib_before_warnings, NULL, NULL },
};

#define HOOKS (sizeof hooks / sizeof *hooks)

static void rows_before(void)
{
	PyObject *modules = PyImport_GetModuleDict();

	for (size_t i = 0; i < HOOKS; i++) {
		PyObject *module = PyDict_GetItemString(modules, hooks[i].module);

		if (!module)
			continue;
		hooks[i].prepared = hooks[i].before(module);
		if (!hooks[i].prepared)
			talk_refuse("prepare module %s for the freeze: %s",
				hooks[i].module, imports_traceback());
	}
}

static void rows_release(void)
{
	for (size_t i = 0; i < HOOKS; i++)
		Py_CLEAR(hooks[i].prepared);
}

/* Knowledge that takes a file of its own, in the order of things. */
static const struct part {
	void (*watch)(void);
	void (*before)(void);
	void (*files)(void (*put)(const char *key, const char *value));
	const char *(*differs)(void);
	int (*resume)(void);
	void (*release)(void);
} parts[] = {
	{ .watch = hooks_random_watch },
	{ .watch = hooks_numpy_watch },
	{ .watch = hooks_locale_watch, .before = hooks_locale_before },
	{ .before = hooks_library_before },
	{ .before = hooks_uuid_before },
	{ .before = rows_before, .release = rows_release },
	{ .files = hooks_settings_files },
	{ .before = hooks_ansible_prepare,
	  .differs = hooks_ansible_differs, .resume = hooks_ansible_resume,
	  .release = hooks_ansible_release },
	{ .watch = hooks_gtk_watch, .before = hooks_gtk_prepare,
	  .resume = hooks_gtk_resume, .release = hooks_gtk_release },
	{ .watch = hooks_awscrt_watch, .resume = hooks_awscrt_resume,
	  .release = hooks_awscrt_release },
	{ .before = hooks_modules_before, .resume = hooks_modules_resume,
	  .release = hooks_modules_release },
	{ .before = hooks_loops_before, .differs = hooks_loops_differ,
	  .resume = hooks_loops_resume, .release = hooks_loops_release },
};

static int watching;

/* GLib's gslice.c until 2.74 hands out parts of pages of its own, of which each thread
 * and each size keeps some: what is taken after the restore would lie scattered over
 * them. Told so it asks malloc(), as from 2.76 on it always does. */
const char *hooks_variable(const char *name)
{
	return watching && strcmp(name, "G_SLICE") == 0 ? "always-malloc" : NULL;
}

#define FOR_PARTS(at) \
	for (const struct part *at = parts; at < parts + sizeof parts / sizeof *parts; at++)

void hooks_watch(void)
{
	watching = 1;
	watch_start();
	FOR_PARTS(part)
		if (part->watch)
			part->watch();
}

void hooks_before(void)
{
	FOR_PARTS(part)
		if (part->before)
			part->before();
}

void hooks_files(void (*put)(const char *key, const char *value))
{
	FOR_PARTS(part)
		if (part->files)
			part->files(put);
}

int hooks_after(void)
{
	for (size_t i = 0; i < HOOKS; i++) {
		PyObject *result;

		if (!hooks[i].prepared || !hooks[i].after)
			continue;
		result = hooks[i].after(hooks[i].prepared);
		if (!result)
			return -1;
		Py_DECREF(result);
	}
	return hooks_library_after();
}

const char *hooks_differ(void)
{
	const char *why = NULL;

	FOR_PARTS(part)
		if (!why && part->differs)
			why = part->differs();
	return why;
}

int hooks_resume(void)
{
	FOR_PARTS(part)
		if (part->resume && part->resume())
			return -1;
	return 0;
}

const char *hooks_check(int coerced)
{
	return hooks_locale_resume(coerced);
}

int hooks_renew_answers(const char *module)
{
	static const char *const names[] = {
		"gunicorn.config", "logging", "multiprocessing.process", "billiard.process",
		"mercurial.pycompat",
		"gi.overrides.Gdk", "gi.overrides.Gtk", NULL
	};

	for (const char *const *name = names; *name; name++)
		if (strcmp(module, *name) == 0)
			return 1;
	return hooks_modules_know(module) || hooks_ansible_renews(module);
}

int hooks_pass_folder_by(void)
{
	return hooks_stdlib_pass_folder_by();
}

int hooks_pass_file_by(const char *file)
{
	return hooks_settings_know(file);
}

int hooks_renew_terminal(int is_terminal)
{
	return hooks_terminal_renews(is_terminal);
}

int hooks_renew_terminal_type(void)
{
	return hooks_terminal_renews_type();
}

/* OpenBLAS's gotoblas_quit unmaps its buffers and frees its tables. */
int hooks_fini_is_idle(const char *library)
{
	static const char *const idle[] = { "libopenblas", NULL };
	const char *slash = strrchr(library, '/');
	const char *name = slash ? slash + 1 : library;

	for (const char *const *prefix = idle; *prefix; prefix++)
		if (strncmp(name, *prefix, strlen(*prefix)) == 0)
			return 1;
	return 0;
}

void hooks_uninstantiate(void)
{
	hooks_library_uninstantiate();
}

void hooks_forked(void)
{
	hooks_random_forked();
	hooks_loops_forked();
}

void hooks_release(void)
{
	FOR_PARTS(part)
		if (part->release)
			part->release();
}
