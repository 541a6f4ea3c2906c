/*
 * Install and uninstall; see venv_install.h.
 */
#include "venv_install.h"

#include "alloc.h"
#include "buffer.h"
#include "elfin.h"
#include "err.h"
#include "file.h"
#include "image.h"
#include "list.h"
#include "spec.h"
#include "venv.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASIDE_MODE 0755

static char *in_bin(const struct venv_install *venv, const char *name)
{
	return alloc_print("%s/bin/%s", venv->root, name);
}

static char *in_aside(const struct venv_install *venv, const char *name)
{
	return alloc_print("%s" VENV_ASIDE "/%s", venv->root, name);
}

/* "python", "python3", "python3.11": names of interpreters. */
static int is_name(const char *name)
{
	return strncmp(name, "python", 6) == 0 &&
	       !name[6 + strspn(name + 6, "0123456789.")];
}

/* --- the folder --- */

static int find_root(const char *folder, struct venv_install *venv, struct err *err)
{
	char *config;
	int result = 0;

	*venv = (struct venv_install){.root = realpath(folder, NULL)};
	if (!venv->root)
		return err_sys(err, "find the virtual environment %s", folder);
	venv->python = in_bin(venv, "python");
	venv->plain = in_aside(venv, "python");
	config = alloc_print("%s/pyvenv.cfg", venv->root);
	if (access(config, R_OK))
		result = err_set(err, ERR_REFUSED, "%s is no virtual environment: %s: %s (make "
				 "one with python3 -m venv)", folder, config, strerror(errno));
	else if (strlen(venv->plain) >= IMAGE_PYTHON_MAX)
		result = err_set(err, ERR_REFUSED, "%s: its path is too long", venv->root);
	free(config);
	return result;
}

/* Whether DIR/bin/python is an image in its place. */
static int is_installed(const struct venv_install *venv)
{
	struct elfin elfin;
	struct err err = {0};
	struct stat status;
	int is = 0;

	if (lstat(venv->python, &status) == 0 && S_ISREG(status.st_mode))
		is = elfin_read(venv->python, &elfin, &err) == 0 &&
		     venv_root(elfin.prefix->python, VENV_PLAIN);
	else
		return 0;
	elfin_free(&elfin);
	err_clear(&err);
	return is;
}

/* A link to "python" that venv_install_finish() made. */
static int is_ours(const struct venv_install *venv, const char *name)
{
	char *path, text[16];
	ssize_t length;

	if (strcmp(name, "python") == 0)
		return is_installed(venv);
	path = in_bin(venv, name);
	length = readlink(path, text, sizeof(text));
	free(path);
	return length == 6 && memcmp(text, "python", 6) == 0 && is_installed(venv);
}

/* Names in a folder, sorted. */
static int list_names(const char *folder, struct list *names, struct err *err)
{
	DIR *stream = opendir(folder);
	struct dirent *entry;

	if (!stream)
		return err_sys(err, "look into %s", folder);
	while ((entry = readdir(stream)))
		if (is_name(entry->d_name))
			list_add(names, entry->d_name);
	closedir(stream);
	list_sort(names);
	return 0;
}

/* Whether both are one file, or copies (python3 -m venv --copies). */
static int same_program(const char *left, const char *right)
{
	struct buffer a = {0}, b = {0};
	struct err unread = {0};
	struct stat one, other;
	int same;

	if (stat(left, &one) || stat(right, &other) || !S_ISREG(one.st_mode) ||
	    !S_ISREG(other.st_mode) || one.st_size != other.st_size)
		return 0;
	if (one.st_dev == other.st_dev && one.st_ino == other.st_ino)
		return 1;
	same = !file_read(left, &a, &unread) && !file_read(right, &b, &unread) &&
	       a.used == b.used && memcmp(a.data, b.data, a.used) == 0;
	err_clear(&unread);
	buffer_free(&a);
	buffer_free(&b);
	return same;
}

/* Those of DIR/bin that are the same program as python. */
static int list_twins(const struct venv_install *venv, struct list *names, struct err *err)
{
	char *bin = alloc_print("%s/bin", venv->root);
	struct list all = {0};
	struct stat status;
	int result = list_names(bin, &all, err);

	if (!result && stat(venv->python, &status))
		result = err_sys(err, "look at %s", venv->python);
	for (size_t i = 0; !result && i < all.count; i++) {
		char *path = in_bin(venv, all.items[i]);

		if (same_program(path, venv->python))
			list_add(names, all.items[i]);
		free(path);
	}
	list_free(&all);
	free(bin);
	return result;
}

/* --- aside --- */

/* Makes `to` what `from` is: a link of the same text, or another name of the file. */
static int copy_name(const char *from, const char *to, struct err *err)
{
	char text[PATH_MAX], *temporary = alloc_print("%s.new", to);
	ssize_t length = readlink(from, text, sizeof(text) - 1);
	int failed;

	unlink(temporary);
	if (length >= 0)
		text[length] = '\0';
	failed = length >= 0 ? symlink(text, temporary) : link(from, temporary);
	if (!failed)
		failed = rename(temporary, to);
	if (failed) {
		err_sys(err, "keep %s as %s", from, to);
		unlink(temporary);
	}
	free(temporary);
	return failed ? -1 : 0;
}

/* Links may lead to each other: all are made before one is looked at. */
static int copy_names(const struct venv_install *venv, const struct list *names, struct err *err)
{
	int result = 0;

	for (int check = 0; check < 2; check++)
		for (size_t i = 0; !result && i < names->count; i++) {
			char *from = in_bin(venv, names->items[i]);
			char *to = in_aside(venv, names->items[i]);

			if (is_ours(venv, names->items[i]))
				;
			else if (!check)
				result = copy_name(from, to, err);
			else if (!same_program(from, to))
				result = err_set(err, ERR_REFUSED, "%s leads elsewhere from "
						 "%s" VENV_ASIDE ": make it an absolute link",
						 from, venv->root);
			free(to);
			free(from);
		}
	return result;
}

static int make_aside(struct venv_install *venv, struct err *err)
{
	char *folder = alloc_print("%s" VENV_ASIDE, venv->root);
	int result = mkdir(folder, ASIDE_MODE);

	venv->made = result == 0;
	if (result && errno == EEXIST)
		result = 0;
	if (result)
		err_sys(err, "make %s", folder);
	free(folder);
	return result;
}

int venv_install_prepare(struct spec *spec, struct venv_install *venv, struct err *err)
{
	struct list names = {0};
	int result;

	if (find_root(spec->venv, venv, err) || list_twins(venv, &names, err))
		result = -1;
	else if (is_installed(venv) && access(venv->plain, X_OK))
		result = err_set(err, ERR_REFUSED, "%s is an image, but %s, which it stands for, "
				 "is not there: make the environment anew", venv->python,
				 venv->plain);
	else if (make_aside(venv, err))
		result = -1;
	else
		result = copy_names(venv, &names, err);
	list_free(&names);
	if (result) {
		venv_install_abandon(venv);
		return -1;
	}
	spec->output = alloc_copy(venv->python);
	spec->python = alloc_copy(venv->plain);
	return 0;
}

/* --- in place --- */

static int point_to_python(const struct venv_install *venv, const char *name, struct err *err)
{
	char *path = in_bin(venv, name), *temporary = alloc_print("%s.new", path);
	int failed;

	unlink(temporary);
	failed = symlink("python", temporary) || rename(temporary, path);
	if (failed) {
		err_sys(err, "have %s lead to the image (--uninstall takes it back)", path);
		unlink(temporary);
	}
	free(temporary);
	free(path);
	return failed ? -1 : 0;
}

int venv_install_finish(const struct venv_install *venv, struct err *err)
{
	char *folder = alloc_print("%s" VENV_ASIDE, venv->root);
	struct list names = {0};
	int result = list_names(folder, &names, err);

	for (size_t i = 0; !result && i < names.count; i++)
		if (strcmp(names.items[i], "python") != 0)
			result = point_to_python(venv, names.items[i], err);
	list_free(&names);
	free(folder);
	return result;
}

static void remove_aside(const struct venv_install *venv)
{
	char *folder = alloc_print("%s" VENV_ASIDE, venv->root);
	struct list names = {0};
	struct err unread = {0};

	list_names(folder, &names, &unread);
	for (size_t i = 0; i < names.count; i++) {
		char *path = in_aside(venv, names.items[i]);

		unlink(path);
		free(path);
	}
	rmdir(folder);
	err_clear(&unread);
	list_free(&names);
	free(folder);
}

void venv_install_abandon(const struct venv_install *venv)
{
	/* an image may stand on what is there */
	if (venv->made && !is_installed(venv))
		remove_aside(venv);
}

static int put_back(const struct venv_install *venv, const char *name, struct err *err)
{
	char *from = in_aside(venv, name), *to = in_bin(venv, name);
	struct stat status;
	/* itself: what the link leads to may be back already */
	int failed = lstat(from, &status) == 0 && is_ours(venv, name) && rename(from, to);

	if (failed)
		err_sys(err, "put %s back to %s", from, to);
	free(to);
	free(from);
	return failed ? -1 : 0;
}

/* The others first: what is at python works for them meanwhile. A name that is no more
 * ours (`python3 -m venv --upgrade` made it anew) stays as it is. */
static int put_all_back(const struct venv_install *venv, struct err *err)
{
	char *folder = alloc_print("%s" VENV_ASIDE, venv->root);
	struct list names = {0};
	int result = list_names(folder, &names, err);

	for (size_t i = 0; !result && i < names.count; i++)
		if (strcmp(names.items[i], "python") != 0)
			result = put_back(venv, names.items[i], err);
	if (!result)
		result = put_back(venv, "python", err);
	if (!result && is_installed(venv))
		result = err_set(err, ERR_REFUSED, "%s is an image, but what it stands for is "
				 "gone: make the environment anew", venv->python);
	if (!result)
		remove_aside(venv);
	list_free(&names);
	free(folder);
	return result;
}

int venv_install_undo(const char *folder, struct err *err)
{
	struct venv_install venv;
	struct stat status;
	int result = find_root(folder, &venv, err);

	if (!result && lstat(venv.plain, &status))
		result = err_set(err, ERR_REFUSED, "no image is installed in %s: there is no %s",
				 venv.root, venv.plain);
	if (!result)
		result = put_all_back(&venv, err);
	venv_install_free(&venv);
	return result;
}

void venv_install_free(struct venv_install *venv)
{
	free(venv->root);
	free(venv->python);
	free(venv->plain);
	*venv = (struct venv_install){0};
}
