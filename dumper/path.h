/*
 * File names: pure text work, no symbolic link is followed.
 */
#ifndef PATH_H
#define PATH_H

struct err;

/* The name made absolute by the working directory, without "." parts and
 * doubled slashes; ".." and symbolic links stay as they are. To be freed.
 * NULL where the working directory is unknown. */
char *path_absolute(const char *name, struct err *err);

/* The folder of an absolute path ("/" for "/x"). To be freed. */
char *path_folder(const char *path);

/* The part behind the last slash; points into the path. */
const char *path_base(const char *path);

/* Does the path have a part with this name among its folders or at its end? */
int path_has_part(const char *path, const char *part);

#endif
