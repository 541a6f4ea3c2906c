/*
 * Who does something: frames of Python code, from the innermost outwards.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include "cpython.h"

/* The frame that runs, a new reference; NULL: none. */
PyFrameObject *frames_innermost(void);

/* The frame that called this one, or NULL. Takes the reference, gives a new one. */
PyFrameObject *frames_caller(PyFrameObject *frame);

/* Whether the function has this name; "<module>" is the body of a module. */
int frames_is_called(PyFrameObject *frame, const char *function);

/* The module whose code it is, as its globals have it; "?" if that is no name. Owned
 * by the globals. */
const char *frames_module(PyFrameObject *frame);

/* Whether it is code of one of these modules. */
int frames_is_of(PyFrameObject *frame, const char *const *modules, size_t count);

/* Whether it is importlib's or zipimport's. */
int frames_is_importlibs(PyFrameObject *frame);

#endif
