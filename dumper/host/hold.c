/*
 * PYIMAGE_HOLD, as enter.c read it (include/handoff.h).
 */
#include "hold.h"
#include "enter.h"
#include "handoff.h"

#include <unistd.h>

static void hold(void)
{
	char byte = 0;

	if (handoff.startup.hold < 0 || handoff.startup.tid != (int)getpid())
		return;
	if (write(handoff.startup.hold, &byte, 1) == 1)
		while (read(handoff.startup.hold, &byte, 1) > 0)
			;
}

void hold_at_start(void)
{
	if (handoff.startup.hold_at_start)
		hold();
}

void hold_at_end(void)
{
	if (!handoff.startup.hold_at_start)
		hold();
}
