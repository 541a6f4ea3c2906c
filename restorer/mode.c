/*
 * The variables that steer the restorer. Linked into pyimage and into every image.
 */
#include "mode.h"

#include <stddef.h>

#include "environ.h"
#include "say.h"
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

enum mode_finalize mode_read_finalize(const char *value)
{
	if (!value || !*value || text_equal(value, "fast"))
		return MODE_FINALIZE_FAST;
	return text_equal(value, "full") ? MODE_FINALIZE_FULL : MODE_FINALIZE_BAD;
}

enum mode_entry mode_read_entry(const char *value)
{
	if (!value || !*value || text_equal(value, "on"))
		return MODE_ENTRY_ON;
	return text_equal(value, "off") ? MODE_ENTRY_OFF : MODE_ENTRY_BAD;
}

enum mode_ksm mode_read_ksm(const char *value)
{
	if (!value || !*value || text_equal(value, "0"))
		return MODE_KSM_OFF;
	return text_equal(value, "1") ? MODE_KSM_ON : MODE_KSM_BAD;
}

int mode_check(const struct environ_values *values, struct reason *reason)
{
	if (mode_read(values->mode) == MODE_BAD) {
		say_reason(reason, "PYIMAGE", "must be auto, on or off, not", 0);
		reason->detail = values->mode;
		return -1;
	}
	if (mode_read_finalize(values->finalize) == MODE_FINALIZE_BAD) {
		say_reason(reason, "PYIMAGE_FINALIZE", "must be fast or full, not", 0);
		reason->detail = values->finalize;
		return -1;
	}
	if (mode_read_entry(values->entry) == MODE_ENTRY_BAD) {
		say_reason(reason, "PYIMAGE_ENTRY", "must be on or off, not", 0);
		reason->detail = values->entry;
		return -1;
	}
	if (mode_read_ksm(values->ksm) == MODE_KSM_BAD) {
		say_reason(reason, "PYIMAGE_KSM", "must be 0 or 1, not", 0);
		reason->detail = values->ksm;
		return -1;
	}
	return 0;
}
