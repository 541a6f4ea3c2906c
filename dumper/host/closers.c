/*
 * What a tp_dealloc does nobody can tell, but those of the interpreter itself only
 * free memory, or the type has a finalizer, too. So it is the address that decides,
 * and whether there is a close() that a program could have called. (Without the
 * latter half of what Cython makes would be such: pandas ended in 250 ms, not 20.)
 */
#include "closers.h"
#include "talk.h"

#include <link.h>
#include <stdint.h>

static uintptr_t first, last;	/* the interpreter's code */
static PyObject *close_name;
static destructor of_classes;	/* subtype_dealloc(), which goes on with the base's */

static int find(struct dl_phdr_info *info, size_t size, void *unused)
{
	uintptr_t inside = (uintptr_t)of_classes;

	(void)size;
	(void)unused;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

		if (info->dlpi_phdr[i].p_type != PT_LOAD || inside < from ||
		    inside - from >= info->dlpi_phdr[i].p_memsz)
			continue;
		first = from;
		last = from + info->dlpi_phdr[i].p_memsz;
		return 1;
	}
	return 0;
}

void closers_prepare(void)
{
	PyObject *module = PyImport_ImportModule("_frozen_importlib");
	PyObject *class = module ? PyObject_GetAttrString(module, "ModuleSpec") : NULL;

	if (!class)
		talk_refuse("prepare for the end: importlib has no ModuleSpec");
	of_classes = ((PyTypeObject *)class)->tp_dealloc;
	Py_DECREF(class);
	Py_DECREF(module);
	close_name = PyUnicode_InternFromString("close");
	if (!close_name)
		talk_refuse("prepare for the end: out of memory");
	dl_iterate_phdr(find, NULL);
}

/* Without touching a reference. From 3.12 on built-in types have no dict here. */
static int has_close(const PyTypeObject *type)
{
	for (Py_ssize_t i = 0; type->tp_mro && i < PyTuple_GET_SIZE(type->tp_mro); i++) {
		PyObject *dict = ((PyTypeObject *)PyTuple_GET_ITEM(type->tp_mro, i))->tp_dict;

		if (dict && PyDict_GetItem(dict, close_name))
			return 1;
	}
	return 0;
}

void closers_release(void)
{
	Py_CLEAR(close_name);
}

static const PyTypeObject *freeing(const PyTypeObject *type)
{
	while (type->tp_dealloc == of_classes && type->tp_base)
		type = type->tp_base;
	return type;
}

int closers_has_code(const PyTypeObject *type)
{
	uintptr_t code = (uintptr_t)freeing(type)->tp_dealloc;

	return code < first || code >= last;
}

int closers_is(const PyTypeObject *type)
{
	return !freeing(type)->tp_finalize && closers_has_code(type) && has_close(type);
}
