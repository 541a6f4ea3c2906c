/*
 * Python stacks as text, for refusals.
 */
#ifndef STACK_TEXT_H
#define STACK_TEXT_H

/* The stack of the calling thread as a traceback shows it, less what import
 * itself calls. Ends with a newline; owned by the callee. */
const char *stack_text_here(void);

/* Name and stack of the thread with this threading.get_ident(), ending with a
 * newline; without one where it runs no Python code; "" where Python does not know
 * it. Owned by the callee. */
const char *stack_text_of_thread(unsigned long ident);

#endif
