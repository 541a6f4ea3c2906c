/*
 * The running user's site folder. See Lib/site.py: getuserbase,
 * addusersitepackages, execsitecustomize.
 */
#include "site.h"

#include "image_check.h"
#include "say.h"
#include "sys.h"
#include "text.h"

#define SITE_PASSWD 32768	/* bytes of /etc/passwd that are looked at */

/* The number that `*text` begins with, up to a ':', which is passed over;
 * -1 for anything else. */
static int64_t field_number(const char **text, const char *end)
{
	const char *at = *text;
	int64_t number = 0;

	while (at < end && *at >= '0' && *at <= '9' && number <= UINT32_MAX)
		number = number * 10 + (*at++ - '0');
	if (at == *text || at == end || *at != ':')
		return -1;
	*text = at + 1;
	return number;
}

/* What stands behind the next `count` colons of a line, or `end`. */
static const char *skip_fields(const char *text, const char *end, int count)
{
	while (text < end && count > 0)
		if (*text++ == ':')
			count--;
	return count ? end : text;
}

int site_home(const char *passwd, size_t length, uint32_t uid, char *home, size_t size)
{
	const char *file_end = passwd + length;

	/* name:password:uid:gid:comment:home:shell */
	for (const char *line = passwd, *end; line < file_end; line = end + 1) {
		const char *field;
		size_t used = 0;

		for (end = line; end < file_end && *end != '\n'; end++)
			;
		field = skip_fields(line, end, 2);
		if (field_number(&field, end) != (int64_t)uid)
			continue;
		field = skip_fields(field, end, 2);
		while (field < end && *field != ':' && used < size)
			home[used++] = *field++;
		if (field == end || used == size)
			return -1;
		home[used] = '\0';
		return 0;
	}
	return -1;
}

/* HOME, or what the user's passwd entry says. */
static int find_home(const struct site_user *user, char *path, struct reason *reason)
{
	char passwd[SITE_PASSWD];
	long fd, size;

	if (user->home) {
		if (text_append(path, SITE_PATH, 0, user->home) < SITE_PATH)
			return 0;
		return say_reason(reason, "HOME", "too long", 0);
	}
	fd = sys_open("/etc/passwd", SYS_O_RDONLY | SYS_O_CLOEXEC);
	if (fd < 0)
		return say_reason(reason, "HOME is not set", "/etc/passwd", fd);
	size = sys_read((int)fd, passwd, sizeof(passwd));
	sys_close((int)fd);
	if (size >= 0 && !site_home(passwd, (size_t)size, user->uid, path, SITE_PATH))
		return 0;
	return say_reason(reason, "HOME is not set", "no such user in /etc/passwd", 0);
}

/* The folder behind `home` for this Python, where the image does not say. */
static size_t append_version(char *path, size_t used, uint32_t hex)
{
	char digits[TEXT_DECIMAL];

	used = text_append(path, SITE_PATH, used, "/.local/lib/python");
	used = text_append(path, SITE_PATH, used, text_decimal(hex >> 24, digits));
	used = text_append(path, SITE_PATH, used, ".");
	used = text_append(path, SITE_PATH, used, text_decimal(hex >> 16 & 255, digits));
	return text_append(path, SITE_PATH, used, "/site-packages");
}

/* Whether `name` of `size` bytes is a frozen module's: the table is sorted. */
static int is_frozen(const void *meta, const struct image_header *header,
	const char *name, size_t size)
{
	const uint32_t *names = image_rows(meta, &header->names);
	uint32_t low = 0, high = header->names.count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const char *frozen = image_string(meta, header, names[middle]);
		int order = frozen ? text_compare(name, size, frozen) : 0;

		if (!order)
			return 1;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return 0;
}

int site_shadows(const void *meta, const struct image_header *header, const char *entry)
{
	const char *stem = entry, *end;
	size_t size;

	while (*stem && *stem != '.')
		stem++;
	size = (size_t)(stem - entry);
	end = entry + text_length(entry);
	/* A .pth file adds folders, or runs code, before anything is imported. */
	if (header->names.count && end - entry > 4 && text_equal(end - 4, ".pth"))
		return 1;
	/* site.py imports it where no folder before this one has it. */
	if (!text_compare(entry, size, "sitecustomize"))
		return 1;
	return is_frozen(meta, header, entry, size);
}

/* Reads the open folder: 0, or -1 if an entry is in the way. */
static int read_folder(const void *meta, const struct image_header *header, int fd,
	const char *path, struct reason *reason)
{
	_Alignas(8) char buffer[4096];
	long size;

	while ((size = sys_getdents(fd, buffer, sizeof(buffer))) > 0)
		for (long at = 0; at < size;) {
			const struct sys_entry *entry = (const void *)(buffer + at);

			at += entry->length;
			if (!site_shadows(meta, header, entry->name))
				continue;
			say_reason(reason, "the user site folder",
				"an entry of it comes before a frozen module, in", 0);
			reason->detail = path;
			return -1;
		}
	if (size < 0)
		return say_reason(reason, "the user site folder", "can't be read", size);
	return 0;
}

/* The folder was not used while building. */
static int check_folder(const void *meta, const struct image_header *header,
	const char *path, const char **folder, struct reason *reason)
{
	long fd = sys_open(path, SYS_O_RDONLY | SYS_O_DIRECTORY | SYS_O_CLOEXEC);
	struct sys_stat stat;
	int result;

	if (fd == -SYS_ENOENT || fd == -SYS_ENOTDIR)
		return 0;
	/* As for site.py, what can't even be seen is not there: HOME of root's
	 * in a program that nobody runs. */
	if (fd == -SYS_EACCES
	    && sys_statx(SYS_AT_FDCWD, path, 0, SYS_STATX_TYPE, &stat) == -SYS_EACCES)
		return 0;
	if (fd < 0)
		return say_reason(reason, "the user site folder", "can't be opened", fd);
	result = read_folder(meta, header, (int)fd, path, reason);
	sys_close((int)fd);
	if (!result)
		*folder = path;
	return result;
}

int site_find(const void *meta, const struct image_header *header,
	const struct site_user *user, char path[SITE_PATH], const char **folder,
	struct reason *reason)
{
	const char *frozen = image_string(meta, header, header->user_site);
	int used_by_image = header->flags & IMAGE_USER_SITE_USED;
	size_t used;

	*folder = NULL;
	if (!frozen || !*frozen)
		return 0;	/* this interpreter has none: a virtual environment */
	if (user->unwanted && used_by_image)
		return say_reason(reason, "command line",
			"it holds a user site folder, and none is wanted", 0);
	if (find_home(user, path, reason))
		return -1;
	/* os.path.expanduser takes the slashes off. */
	for (used = text_length(path); used && path[used - 1] == '/'; used--)
		path[used - 1] = '\0';
	if (used && *path != '/')
		return say_reason(reason, "HOME", "not an absolute path", 0);
	used = used_by_image ? append_version(path, used, header->python_hex)
		: text_append(path, SITE_PATH, used, frozen);
	if (used >= SITE_PATH)
		return say_reason(reason, "HOME", "too long", 0);
	if (user->unwanted)
		return 0;
	if (!used_by_image)
		return check_folder(meta, header, path, folder, reason);
	if (text_equal(path, frozen))
		return 0;
	return say_reason(reason, "refused", "it holds another user's site folder", 0);
}
