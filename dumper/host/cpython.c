/*
 * The few internals that there is no public call for and that are the same in
 * 3.11 to 3.15. Those that are not have a file each in versions/.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_interp.h>
#include <internal/pycore_pystate.h>


PyObject *cpython_quiet_attribute(const char *module, const char *name)
{
	PyObject *modules = PyImport_GetModuleDict(), *found, *value;
	int was = PyDict_GetItemString(modules, module) != NULL;

	found = PyImport_ImportModule(module);
	value = found ? PyObject_GetAttrString(found, name) : NULL;
	if (found && !was)
		PyDict_DelItemString(modules, module);
	Py_XDECREF(found);
	return value;
}

void cpython_restore_builtins(void)
{
	PyInterpreterState *interp = PyInterpreterState_Get();

	PyDict_Copy(interp->builtins);	/* kept: nothing frozen goes */
	PyDict_Clear(interp->builtins);
	PyDict_Update(interp->builtins, interp->builtins_copy);
	PyErr_Clear();
}

static void clear_dict(PyObject *dict)
{
	PyObject *name, *value;
	Py_ssize_t i = 0;

	PyDict_Copy(dict);		/* kept */
	while (PyDict_Next(dict, &i, &name, &value))
		if (value != Py_None && PyDict_SetItem(dict, name, Py_None))
			PyErr_Clear();
}

void cpython_clear_sys_and_builtins(void)
{
	PyInterpreterState *interp = PyInterpreterState_Get();

	clear_dict(interp->sysdict);
	clear_dict(interp->builtins);
}

PyObject *cpython_sys_dict(void)
{
	return PyInterpreterState_Get()->sysdict;
}
