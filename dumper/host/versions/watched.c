/*
 * Who hears of what the interpreter does: audit hooks, trace and profile
 * functions, the collector's callbacks and debug flags. These fields have the
 * same names in 3.11 to 3.15.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>

#include "versions/audit.h"

#include <string.h>

static int has_items(PyObject *list)
{
	return list && PyList_Check(list) && PyList_GET_SIZE(list);
}

int cpython_is_watched(PyThreadState *tstate)
{
	PyInterpreterState *interp = tstate->interp;
	void *hooks;

	memcpy(&hooks, audit_list(), sizeof hooks);
	return hooks || tstate->c_tracefunc || tstate->c_profilefunc || interp->audit_hooks ||
		interp->gc.debug || has_items(interp->gc.callbacks) ||
		has_items(interp->gc.garbage);
}

static struct {
	void *c_audit;
	PyObject *audit, *callbacks, *trace_object, *profile_object;
	Py_tracefunc trace, profile;
} silenced;

void cpython_silence(void)
{
	PyThreadState *tstate = PyThreadState_Get();
	PyInterpreterState *interp = PyInterpreterState_Get();

	memcpy(&silenced.c_audit, audit_list(), sizeof silenced.c_audit);
	memset(audit_list(), 0, sizeof silenced.c_audit);
	silenced.audit = interp->audit_hooks;
	interp->audit_hooks = NULL;
	silenced.callbacks = interp->gc.callbacks;
	interp->gc.callbacks = PyList_New(0);	/* module gc needs one */
	silenced.trace = tstate->c_tracefunc;
	silenced.trace_object = tstate->c_traceobj;
	Py_XINCREF(silenced.trace_object);
	PyEval_SetTrace(NULL, NULL);
	silenced.profile = tstate->c_profilefunc;
	silenced.profile_object = tstate->c_profileobj;
	Py_XINCREF(silenced.profile_object);
	PyEval_SetProfile(NULL, NULL);
}

void cpython_unsilence(void)
{
	PyInterpreterState *interp = PyInterpreterState_Get();

	if (silenced.trace)
		PyEval_SetTrace(silenced.trace, silenced.trace_object);
	if (silenced.profile)
		PyEval_SetProfile(silenced.profile, silenced.profile_object);
	Py_XDECREF(silenced.trace_object);
	Py_XDECREF(silenced.profile_object);
	Py_XSETREF(interp->gc.callbacks, silenced.callbacks);
	interp->audit_hooks = silenced.audit;
	memcpy(audit_list(), &silenced.c_audit, sizeof silenced.c_audit);
}
