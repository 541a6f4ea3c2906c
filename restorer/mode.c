/*
 * PYIMAGE=auto|on|off. Linked into pyimage and into every image.
 */
#include "mode.h"

#include <stddef.h>

#include "text.h"

enum mode mode_read(const char *value)
{
	if (!value || !*value || text_equal(value, "auto"))
		return MODE_AUTO;
	if (text_equal(value, "on"))
		return MODE_ON;
	if (text_equal(value, "off"))
		return MODE_OFF;
	return MODE_BAD;
}
