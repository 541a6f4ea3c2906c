/*
 * GNU readline asks for the terminal's kind and size, the locale and inputrc
 * once, in rl_initialize(), and sets LINES and COLUMNS by what it found
 * (readline.c, terminal.c). CPython calls it at the import of its module
 * readline (Modules/readline.c, setup_readline). All that belongs to the process
 * that edits lines: an import in the build defers the call to the restore. The
 * functions here stand before readline's own (interpose.h) and pass on all other
 * calls.
 */
#include "readline.h"
#include "interpose.h"
#include "talk.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

typedef int (*initialize_function)(void);
typedef int (*line_function)(char *line);
typedef int (*file_function)(const char *name);
typedef int (*variable_function)(const char *name, const char *value);

EXPORT int rl_initialize(void);
EXPORT int rl_parse_and_bind(char *line);
EXPORT int rl_read_init_file(const char *name);
EXPORT int rl_variable_bind(const char *name, const char *value);

/* What the module asked for since, to be done after it and in this order. */
static struct request {
	enum { LINE, INIT_FILE, VARIABLE } kind;
	char *text, *value;
	struct request *next;
} *requests, **last = &requests;

static int building;
static void *module;		/* dlopen's handle, where it is deferred */
static initialize_function initialize;
static line_function parse_line;
static file_function read_file;
static variable_function bind_variable;

void readline_watch(void)
{
	building = 1;
}

/* Such as get_line_buffer() would otherwise read through a null pointer. A length
 * of 0 that goes with it makes readline extend it before it writes. */
static void provide_line(void *object)
{
	char **line = dlsym(object, "rl_line_buffer");

	if (line && !*line)
		*line = calloc(1, 256);
}

static int defer(void *caller)
{
	void *object = building && !module ? interpose_object(caller) : NULL;

	if (!object || !dlsym(object, "PyInit_readline"))
		return 0;
	initialize = (initialize_function)dlsym(object, "rl_initialize");
	parse_line = (line_function)dlsym(object, "rl_parse_and_bind");
	read_file = (file_function)dlsym(object, "rl_read_init_file");
	bind_variable = (variable_function)dlsym(object, "rl_variable_bind");
	if (!initialize || !parse_line || !read_file || !bind_variable)
		return 0;
	provide_line(object);
	module = object;
	return 1;
}

static char *copy(const char *text)
{
	char *made = text ? strdup(text) : NULL;

	if (text && !made)
		talk_refuse("out of memory");
	return made;
}

/* Whether the call comes from the module and was put down for later. */
static int put_down(void *caller, int kind, const char *text, const char *value)
{
	struct request *made;

	if (!building || !module || interpose_object(caller) != module)
		return 0;
	made = calloc(1, sizeof *made);
	if (!made)
		talk_refuse("out of memory");
	made->kind = kind;
	made->text = copy(text);
	made->value = copy(value);
	*last = made;
	last = &made->next;
	return 1;
}

#define CALLER __builtin_return_address(0)

int rl_initialize(void)
{
	if (defer(CALLER) || (building && module && interpose_object(CALLER) == module))
		return 0;
	return ((initialize_function)interpose_next(CALLER, "rl_initialize"))();
}

int rl_parse_and_bind(char *line)
{
	if (put_down(CALLER, LINE, line, NULL))
		return 0;
	return ((line_function)interpose_next(CALLER, "rl_parse_and_bind"))(line);
}

int rl_read_init_file(const char *name)
{
	if (put_down(CALLER, INIT_FILE, name, NULL))
		return 0;
	return ((file_function)interpose_next(CALLER, "rl_read_init_file"))(name);
}

int rl_variable_bind(const char *name, const char *value)
{
	if (put_down(CALLER, VARIABLE, name, value))
		return 0;
	return ((variable_function)interpose_next(CALLER, "rl_variable_bind"))(name, value);
}

void readline_resume(void)
{
	building = 0;
	if (!module)
		return;
	/* setup_readline() does so before, by what stdout is */
	bind_variable("enable-meta-key", isatty(STDOUT_FILENO) ? "on" : "off");
	initialize();
	for (const struct request *r = requests; r; r = r->next)
		switch (r->kind) {
		case LINE:
			parse_line(r->text);
			break;
		case INIT_FILE:
			read_file(r->text);
			break;
		case VARIABLE:
			bind_variable(r->text, r->value);
			break;
		}
}
