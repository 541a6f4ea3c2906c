/*
 * `pydump build`; see cmd.h.
 */
#include "cmd.h"

#include "build.h"
#include "cleanup.h"
#include "err.h"
#include "progress.h"
#include "spec.h"
#include "summary.h"
#include "venv_install.h"

#include <stdio.h>
#include <unistd.h>

static const char help[] =
"usage: pydump build [-i MODULE]... [-w FILE] [-e ENTRY] -o IMAGE [OPTION]...\n"
"       pydump build -o IMAGE [OPTION]... --for -- COMMAND [ARG...]\n"
"       pydump build --venv DIR --install [OPTION]...\n"
"       pydump build --venv DIR --uninstall\n"
"\n"
"Starts Python, imports the modules, and writes the whole process to IMAGE, an\n"
"executable that goes on from there.\n"
"\n"
"  -i, --import MODULE   import it before the freeze; may be repeated\n"
"  -w, --warm-up FILE    run FILE before the freeze, in a namespace that is\n"
"                        thrown away; may be repeated\n"
"  -e, --entry ENTRY     what the image runs, with all its arguments: a script's\n"
"                        path (with a slash, or ending in .py), MODULE or\n"
"                        MODULE:FUNCTION; without it the image is a python3\n"
"      --for             run the Python command behind -- once, really; import\n"
"                        what it imported; the image then is that command\n"
"      --measure         run that command sixteen times more, to learn which pages\n"
"                        it writes and to show how much faster the image is\n"
"      --pack            build twice, with the objects that a start writes to side\n"
"                        by side: less memory for each process, faster starts\n"
"  -f, --spec FILE       all of these options from a TOML file, by their long names;\n"
"                        those of the command line are added, or count instead\n"
"  -o, --output IMAGE    the image to write\n"
"      --venv DIR        the virtual environment that the next two are about\n"
"      --install         put the image behind DIR/bin/python: all that starts\n"
"                        there starts from it\n"
"      --uninstall       put back what was there\n"
"      --python PYTHON   a version (3.11) or an interpreter's path; default:\n"
"                        /usr/bin/python3\n"
"      --python-option OPT\n"
"                        an option of python3 (-O, -I, '-X dev', ...) that\n"
"                        becomes part of the image; may be repeated\n"
"      --keep-env NAME[=VALUE]\n"
"                        let this variable into the build's clean environment\n"
"                        (PATH, HOME, LANG, LC_ALL, LC_CTYPE); may be repeated\n"
"      --guard-env NAME  start only where this variable is as in the build, also\n"
"                        if no import was seen to read it; may be repeated\n"
"      --no-guard-env NAME\n"
"                        start whatever it is, though an import read it; '*': the\n"
"                        environment as a whole; may be repeated\n"
"      --freshness HOW   what makes the image stale: dpkg (default: dpkg's\n"
"                        records for what it owns, else files and folders),\n"
"                        stat (every file), libs (shared libraries), none\n"
"      --io POLICY       what imports and warm-up files may touch while building:\n"
"                        strict (only what import itself reads), local (default:\n"
"                        files), network (connections and other programs, too)\n"
"      --terminal        let imports see a terminal; without it they see none, wherever\n"
"                        pydump runs\n"
"      --no-immortal     let frozen objects have reference counts, as in python3\n"
"                        (3.12, 3.13: most have none, so that their memory stays shared)\n"
"      --json            the result as JSON on stdout\n"
"  -q, --quiet           no result, no progress\n"
"  -v, --verbose         every step on a line of its own\n"
"  -h, --help            this text\n"
"\n"
"Exit status: 0 built, 1 refused, 2 usage, 74 I/O error.\n";

static int build(struct spec *spec, struct err *err)
{
	struct build_result result;
	struct progress progress;
	int failed;

	cleanup_install();
	progress_init(&progress, stderr,
		      progress_choose(STDERR_FILENO, spec->quiet, spec->verbose));
	failed = build_make(spec, environ, &progress, &result, err);
	if (!failed && spec->json)
		summary_print_json(&result, stdout);
	else if (!failed && spec->quiet)
		summary_warn(&result, stderr);
	else if (!failed)
		summary_print(&result, stdout);
	build_free(&result);
	return failed;
}

/* In place of a virtual environment's python. */
static int install(struct spec *spec, struct err *err)
{
	struct venv_install venv = {0};
	int result = venv_install_prepare(spec, &venv, err);

	if (!result) {
		result = build(spec, err);
		if (result)
			venv_install_abandon(&venv);
		else
			result = venv_install_finish(&venv, err);
	}
	venv_install_free(&venv);
	return result;
}

int cmd_flush(struct err *err)
{
	if (fflush(stdout) || ferror(stdout))
		return err_sys(err, "write to stdout");
	return 0;
}

int cmd_build(int argc, char **argv, struct err *err)
{
	struct spec spec;
	int result = spec_parse(argc, argv, &spec, err);

	if (!result && spec.help)
		fputs(help, stdout);
	else if (!result && spec.uninstall)
		result = venv_install_undo(spec.venv, err);
	else if (!result && spec.install)
		result = install(&spec, err);
	else if (!result)
		result = build(&spec, err);
	spec_free(&spec);
	return result ? result : cmd_flush(err);
}
