/*
 * What an image holds, for people or as one JSON object.
 */
#ifndef INFO_H
#define INFO_H

#include <stdio.h>

struct elfin;

void info_print(const struct elfin *elfin, const char *path, FILE *stream);
void info_print_json(const struct elfin *elfin, const char *path, FILE *stream);

#endif
