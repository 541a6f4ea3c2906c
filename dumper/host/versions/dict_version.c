/*
 * PEP 509's version tag, which 3.12 deprecated.
 */
#include "cpython.h"

unsigned long long cpython_dict_version(PyObject *dict)
{
#if PY_VERSION_HEX >= 0x030c0000
_Py_COMP_DIAG_PUSH
_Py_COMP_DIAG_IGNORE_DEPR_DECLS
	return ((PyDictObject *)dict)->ma_version_tag;
_Py_COMP_DIAG_POP
#else
	return ((PyDictObject *)dict)->ma_version_tag;
#endif
}
