/*
 * What a build did, on one screen or as one JSON object.
 */
#ifndef SUMMARY_H
#define SUMMARY_H

#include <stdio.h>

struct build_result;

void summary_print(const struct build_result *result, FILE *stream);
/* Warnings alone. */
void summary_warn(const struct build_result *result, FILE *stream);

void summary_print_json(const struct build_result *result, FILE *stream);

#endif
