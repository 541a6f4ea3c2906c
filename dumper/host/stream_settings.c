/*
 * PYTHONIOENCODING and -u, read as Python/initconfig.c does.
 */
#include "stream_settings.h"
#include "cpython.h"
#include "python_options.h"

#include <stdlib.h>
#include <string.h>

static PyObject *decode(const char *text, size_t length)
{
	char *copy = strndup(text, length);
	wchar_t *wide = copy ? Py_DecodeLocale(copy, NULL) : NULL;
	PyObject *decoded = wide ? PyUnicode_FromWideChar(wide, -1) : NULL;

	PyMem_RawFree(wide);
	free(copy);
	return decoded;
}

/* pylifecycle.c, init_stdio_encoding(): streams have the codec's own name. */
static PyObject *codec_name(PyObject *name)
{
	PyObject *codecs = PyImport_ImportModule("codecs");
	PyObject *codec = codecs && name ?
		PyObject_CallMethod(codecs, "lookup", "O", name) : NULL;
	PyObject *own = codec ? PyObject_GetAttrString(codec, "name") : NULL;

	Py_XDECREF(codec);
	Py_XDECREF(codecs);
	Py_XDECREF(name);
	return own;
}

/* initconfig.c, config_init_stdio_encoding(): "ENCODING:ERRORS", either of
 * which may be missing. An encoding by itself means strict. */
int stream_settings_read(const struct python_options *options,
	const struct stream_settings *usual, struct stream_settings *settings)
{
	const char *text = options->io_encoding;
	size_t length = text ? strcspn(text, ":") : 0;

	*settings = *usual;
	settings->unbuffered = !!(options->flags & PYTHON_UNBUFFERED);
	if (length) {
		settings->encoding = codec_name(decode(text, length));
		settings->errors = PyUnicode_FromString("strict");
	}
	if (text && text[length] && text[length + 1])
		settings->errors = decode(text + length + 1, strlen(text + length + 1));
	return settings->encoding && settings->errors ? 0 : -1;
}
