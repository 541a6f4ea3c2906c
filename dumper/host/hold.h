/*
 * Where pydump's learning runs are looked at.
 */
#ifndef HOLD_H
#define HOLD_H

/* When the program would begin, and where nothing but the kernel's exit is left: if
 * this is where pydump wants to look, writes it a byte and waits for it. */
void hold_at_start(void);
void hold_at_end(void);

#endif
