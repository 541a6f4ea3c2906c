/*
 * Files of settings that imports read, or would have read.
 */
#ifndef HOOKS_SETTINGS_H
#define HOOKS_SETTINGS_H

/* put("read", PATH) for each, where its module was imported; refuses where no image
 * can be made of what it read. */
void hooks_settings_files(void (*put)(const char *key, const char *value));

/* Whether this is such a file in the working folder, looked for by its module. */
int hooks_settings_know(const char *file);

#endif
