/*
 * What of the standard streams an option or a variable can change.
 */
#ifndef STREAM_SETTINGS_H
#define STREAM_SETTINGS_H

#include <Python.h>

struct python_options;

struct stream_settings {
	PyObject *encoding, *errors;
	int unbuffered;		/* for writing: no buffer, text written through */
};

/* Makes the usual ones into those that are asked for; new references where they
 * differ. 0; or -1, with an exception set perhaps, where a codec is not known. */
int stream_settings_read(const struct python_options *options,
	const struct stream_settings *usual, struct stream_settings *settings);

#endif
