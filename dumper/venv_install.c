/*
 * Install and uninstall; see venv_install.h.
 */
#include "venv_install.h"

#include "alloc.h"
#include "buffer.h"
#include "err.h"
#include "file.h"
#include "image_check.h"
#include "list.h"
#include "path.h"
#include "spec.h"
#include "venv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

/* Root follows no link of somebody else's, and trusts no folder that others can change. */
static int check_folder(const struct venv_install *venv, const char *below, int may_lack,
			struct err *err)
{
	char *path = alloc_print("%s%s", venv->root, below);
	struct stat status;
	int result = 0;

	if (lstat(path, &status))
		result = may_lack && errno == ENOENT ? 0 : err_sys(err, "look at %s", path);
	else if (!S_ISDIR(status.st_mode) || (status.st_uid && status.st_uid != geteuid()) ||
		 status.st_mode & S_IWOTH ||
		 (status.st_mode & S_IWGRP && status.st_gid != getegid()))
		result = err_set(err, ERR_REFUSED, "%s is no folder, or another user could "
				 "exchange what is in it", path);
	free(path);
	return result;
}

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
	else if (check_folder(venv, "", 0, err) || check_folder(venv, "/bin", 0, err) ||
		 check_folder(venv, VENV_ASIDE, 1, err))
		result = -1;
	free(config);
	return result;
}

/* Whether DIR/bin/python is an image in its place: by the stable prefix, since one of
 * another format or a damaged one is no less so. */
static int is_installed(const struct venv_install *venv)
{
	_Alignas(8) char page[IMAGE_PAGE] = "";
	int fd = open(venv->python, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t length = fd >= 0 ? read(fd, page, sizeof(page)) : -1;
	enum image_fault fault;

	if (fd >= 0)
		close(fd);
	if (length <= 0)
		return 0;
	fault = image_check_prefix(page, (uint64_t)length);
	if (fault == IMAGE_FAULT_NOT_ELF || fault == IMAGE_FAULT_NOT_IMAGE)
		return 0;
	return !image_knows_python(fault) ||
	       venv_root(image_prefix(page)->python, VENV_PLAIN);
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
	if (failed)
		err_sys(err, "make %s what %s is", to, from);
	/* also where both were one file: rename(2) leaves them then */
	unlink(temporary);
	free(temporary);
	return failed ? -1 : 0;
}

/* A link into the folder whose names become the image. */
static int leads_back(const struct venv_install *venv, const char *link)
{
	char text[PATH_MAX];
	ssize_t length = readlink(link, text, sizeof(text) - 1);
	char *path, *folder, *real, *own, *bin;
	int back;

	if (length < 0 || !memchr(text, '/', (size_t)length))
		return 0;
	text[length] = '\0';
	path = *text == '/' ? alloc_copy(text) : in_aside(venv, text);
	folder = path_folder(path);
	own = in_bin(venv, ".");
	real = realpath(folder, NULL);
	bin = realpath(own, NULL);
	back = real && bin && strcmp(real, bin) == 0 && is_name(path_base(path));
	free(bin);
	free(real);
	free(own);
	free(folder);
	free(path);
	return back;
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
			else if (!same_program(from, to) || leads_back(venv, to))
				result = err_set(err, ERR_REFUSED, "%s leads elsewhere from "
						 "%s" VENV_ASIDE ": make it an absolute link out "
						 "of the environment, or a plain name",
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
	int failed = lstat(from, &status) == 0 && is_ours(venv, name) &&
		     copy_name(from, to, err);

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
