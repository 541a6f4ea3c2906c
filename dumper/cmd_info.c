/*
 * `pydump info`; see cmd.h.
 */
#include "cmd.h"

#include "elfin.h"
#include "err.h"
#include "info.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
"usage: pydump info IMAGE [--json]\n"
"\n"
"Shows what an image holds: for which Python, its segments, modules, guards.\n"
"\n"
"      --json            all of it as JSON on stdout\n"
"  -h, --help            this text\n"
"\n"
"Exit status: 0, 1 not an image or a damaged one, 2 usage, 74 I/O error.\n";

struct request {
	const char *path;
	int json;
	int help;
};

/* Two options in any order, "--" before names that begin with a dash. */
static int parse(int argc, char **argv, struct request *request, struct err *err)
{
	int options = 1;

	*request = (struct request){0};
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (options && strcmp(word, "--") == 0)
			options = 0;
		else if (options && strcmp(word, "--json") == 0)
			request->json = 1;
		else if (options && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0))
			request->help = 1;
		else if (options && *word == '-')
			return err_set(err, ERR_USAGE, "%s: unknown option", word);
		else if (request->path)
			return err_set(err, ERR_USAGE, "%s: one image only", word);
		else
			request->path = word;
	}
	if (!request->path && !request->help)
		return err_set(err, ERR_USAGE, "the image is missing");
	return 0;
}

static int show(const struct request *request, struct err *err)
{
	struct elfin elfin;
	int result = elfin_read(request->path, &elfin, err);

	if (!result && request->json)
		info_print_json(&elfin, request->path, stdout);
	else if (!result)
		info_print(&elfin, request->path, stdout);
	elfin_free(&elfin);
	return result;
}

int cmd_info(int argc, char **argv, struct err *err)
{
	struct request request;

	if (parse(argc, argv, &request, err))
		return -1;
	if (request.help)
		fputs(help, stdout);
	else if (show(&request, err))
		return -1;
	return cmd_flush(err);
}
