/*
 * Messages to stderr. They are rare and end the restore, so the buffer lies on
 * the stack: no page of the image is written for it.
 * Linked into pyimage and into every image.
 */
#include "say.h"
#include "sys.h"
#include "text.h"

#define SAY_MAX 4096	/* bytes of a message: what a pipe takes in one piece */
#define SAY_ERROR 32	/* bytes of "error N" */

static const struct {
	int error;
	const char *text;
} say_errors[] = {
	{ SYS_EPERM, "Operation not permitted" },
	{ SYS_ENOENT, "No such file or directory" },
	{ SYS_EIO, "Input/output error" },
	{ SYS_E2BIG, "Argument list too long" },
	{ SYS_ENOEXEC, "Exec format error" },
	{ SYS_EBADF, "Bad file descriptor" },
	{ SYS_EAGAIN, "Resource temporarily unavailable" },
	{ SYS_ENOMEM, "Cannot allocate memory" },
	{ SYS_EACCES, "Permission denied" },
	{ SYS_EEXIST, "the address is taken" },
	{ SYS_ENODEV, "No such device" },
	{ SYS_ENOTDIR, "Not a directory" },
	{ SYS_EISDIR, "Is a directory" },
	{ SYS_EINVAL, "Invalid argument" },
	{ SYS_ENFILE, "Too many open files in system" },
	{ SYS_EMFILE, "Too many open files" },
	{ SYS_ETXTBSY, "Text file busy" },
	{ SYS_ENAMETOOLONG, "File name too long" },
	{ SYS_ENOSYS, "Function not implemented" },
	{ SYS_ELOOP, "Too many levels of symbolic links" },
	{ SYS_EOVERFLOW, "Value too large" },
};

int say_reason(struct reason *reason, const char *what, const char *why, long error)
{
	reason->what = what;
	reason->why = why;
	reason->detail = NULL;
	reason->error = error;
	reason->advice = NULL;
	return -1;
}

void say_text(int fd, const char *const *strings)
{
	char line[SAY_MAX];
	size_t used = 0;
	long done;

	for (; *strings; strings++)
		used = text_append(line, sizeof(line), used, *strings);
	for (size_t start = 0; start < used; start += (size_t)done) {
		done = sys_write(fd, line + start, used - start);
		if (done <= 0)
			return;		/* nobody left to tell */
	}
}

/* The error's text; where the table has none, "error N" in `buffer`. */
static const char *error_text(long error, char buffer[SAY_ERROR])
{
	char digits[TEXT_DECIMAL];
	size_t used;

	for (size_t i = 0; i < sizeof(say_errors) / sizeof(*say_errors); i++)
		if (say_errors[i].error == -error)
			return say_errors[i].text;
	used = text_append(buffer, SAY_ERROR, 0, "error ");
	text_append(buffer, SAY_ERROR, used, text_decimal((unsigned long)-error, digits));
	return buffer;
}

void say_refusal(const char *image, const struct reason *reason, const char *after)
{
	const char *parts[20];
	char error[SAY_ERROR];
	int count = 0;

	parts[count++] = "pyimage: ";
	if (image) {
		parts[count++] = image;
		parts[count++] = ": ";
	}
	parts[count++] = reason->what;
	if (reason->why) {
		parts[count++] = ": ";
		parts[count++] = reason->why;
	}
	if (reason->detail) {
		parts[count++] = " ";
		parts[count++] = reason->detail;
	}
	if (reason->error) {
		parts[count++] = ": ";
		parts[count++] = error_text(reason->error, error);
	}
	if (reason->advice) {
		parts[count++] = "; ";
		parts[count++] = reason->advice;
	}
	if (after) {
		parts[count++] = "; ";
		parts[count++] = after;
	}
	parts[count++] = "\n";
	parts[count] = NULL;
	say_text(2, parts);
}

void say_line(const char *image, const char *text)
{
	const char *const parts[] = { "pyimage: ", image, ": ", text, "\n", NULL };

	say_text(2, parts);
}
