/*
 * The digits of an int, which 3.12 put behind a tag of sign and size.
 */
#include "cpython.h"

void cpython_set_small_long(PyObject *object, unsigned value)
{
#if PY_VERSION_HEX < 0x030c0000
	((PyLongObject *)object)->ob_digit[0] = value;
#else
	((PyLongObject *)object)->long_value.ob_digit[0] = value;
#endif
}
