/*
 * What imported modules asked about the process that they were imported in: whose
 * it is, its working folder, its host's name, and which of its standard streams are
 * terminals. A module may keep the answer for ever.
 */
#ifndef ASKED_H
#define ASKED_H

#include <Python.h>

/* Takes down, until watch_end(), who asks os.getuid() and its like, os.getcwd(),
 * socket.gethostname(), isatty() or a terminal's size from the body of a module. Not
 * counted are warm-up files, importlib, and modules whose row in the hooks' table renews
 * the answer. After watch_start(). */
void asked_watch(void);

/* Who asks: the module whose body runs, "" if none that is counted. The text holds
 * until the next such question. */
const char *asked_module(void);

/* The same, but with warm-up files. */
const char *asked_keeper(void);

/* A copy of such a text, or of another, to be freed. No build goes on without it. */
char *asked_copy(const char *text);

/* Somebody asks for the working folder. */
void asked_folder(void);

/* NULL if every answer that was given would be given here, too; else a sentence
 * on the first that would not. */
const char *asked_differs(void);

/* put("needs", text) for each answer that was given, once all is imported. */
void asked_report(void (*put)(const char *key, const char *value));

/* put("needs", what this format makes): what a start has to have, for people. */
void asked_need(void (*put)(const char *key, const char *value), const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
