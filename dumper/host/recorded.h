/*
 * Importing what a run of the command imported.
 */
#ifndef RECORDED_H
#define RECORDED_H

/* Imports the modules of the lines "NAME TAB LOADER TAB ORIGIN" (NULL-terminated),
 * each where importing it here finds the same module as the run did. What does not
 * can't be part of the image, and is left to the program; so is what raises. */
void recorded_import(char **lines);

#endif
