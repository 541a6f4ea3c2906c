/*
 * The prompt, and a script that comes from standard input.
 */
#ifndef REPL_H
#define REPL_H

struct startup;

/* readline, where a prompt may follow: before sys.path has the script's folder. */
void repl_import_readline(const struct startup *startup);

/* The lines with version and copyright, where a prompt follows. */
void repl_header(const struct startup *startup);

/* Runs standard input: the prompt, or a script. The exit status. */
int repl_run_stdin(const struct startup *startup);

/* After the program: the prompt, where it was asked for; the exit status, which
 * was `code`. */
int repl_inspect(const struct startup *startup, int code);

#endif
