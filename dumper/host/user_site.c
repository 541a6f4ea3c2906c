/*
 * site's view of the running user: the names that it made of $HOME, and the
 * user's folder where restorer/site.c found that it may be added.
 */
#include "user_site.h"
#include "cpython.h"
#include "imports.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	PyObject *site;		/* module, or NULL: built with -S */
	char *home;		/* NULL: was not set */
	uid_t uid;
	long site_index;	/* where the user's folder goes in sys.path */
} built;

void user_site_prepare(void)
{
	built.site = PyDict_GetItemString(PyImport_GetModuleDict(), "site");
	Py_XINCREF(built.site);
	built.home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
	built.uid = getuid();
	built.site_index = report_site_index();
}

void user_site_release(void)
{
	Py_CLEAR(built.site);
}

/* site.py, getuserbase() and _get_path(): strings made of $HOME as expanduser()
 * has it. Without HOME that asks the password database, by importing pwd. */
static int renew_user_names(const char *home)
{
	PyObject *text = NULL, *base = NULL, *folder = NULL;
	int length = home ? (int)strlen(home) : 0, failed = 1;

	while (length && home[length - 1] == '/')
		length--;
	if (home) {
		text = PyUnicode_DecodeFSDefaultAndSize(home, length);
		base = text ? PyUnicode_FromFormat("%U/.local", text) : NULL;
		folder = base ? PyUnicode_FromFormat("%U/lib/python%d.%d/site-packages",
			base, PY_MAJOR_VERSION, PY_MINOR_VERSION) : NULL;
	} else {
		Py_INCREF(base = Py_None);
		Py_INCREF(folder = Py_None);
	}
	if (base && folder)
		failed = PyObject_SetAttrString(built.site, "USER_BASE", base) ||
			PyObject_SetAttrString(built.site, "USER_SITE", folder);
	Py_XDECREF(text);
	Py_XDECREF(base);
	Py_XDECREF(folder);
	if (!failed && !home) {
		folder = PyObject_CallMethod(built.site, "getusersitepackages", NULL);
		failed = !folder;
		Py_XDECREF(folder);
	}
	return failed ? -1 : 0;
}

/* A folder that exists comes before site-packages, as site.main() has it. */
static int add_user_site(const char *folder)
{
	static const char code[] =
		"tail = sys.path[index:]\n"
		"del sys.path[index:]\n"
		"site.addsitedir(folder)\n"
		"sys.path += [p for p in tail if p not in sys.path]\n"
		"try:\n"
		"    import usercustomize\n"
		"except ImportError:\n"
		"    pass\n";
	PyObject *names;
	int failed;

	names = Py_BuildValue("{s:s,s:l,s:O,s:O}", "folder", folder,
		"index", built.site_index, "site", built.site,
		"sys", PyImport_AddModule("sys"));
	failed = imports_run(code, names);
	Py_XDECREF(names);
	return failed;
}

int user_site_resume(const char *folder)
{
	const char *home = getenv("HOME");

	if (!built.site)
		return 0;
	if (home ? !built.home || strcmp(home, built.home) :
	    built.home || getuid() != built.uid)
		if (renew_user_names(home))
			return -1;
	return folder ? add_user_site(folder) : 0;
}
