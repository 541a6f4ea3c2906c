/*
 * The text of -c. From 3.14 on (main.c, pymain_run_command) python3 takes the blanks
 * away that all lines of it begin with, as textwrap.dedent() does: lines of blanks
 * alone do not count, and become empty. Its function is not exported.
 */
#include "cpython.h"

#include <string.h>

#define BLANKS " \t"

static size_t in_both(const char *one, const char *other, size_t most)
{
	size_t count = 0;

	while (count < most && one[count] == other[count])
		count++;
	return count;
}

/* How many bytes all lines begin with that are more than blanks. */
static size_t common_blanks(const char *text)
{
	const char *first = NULL;
	size_t common = 0;

	while (*text) {
		size_t blanks = strspn(text, BLANKS), length = strcspn(text, "\n");

		if (blanks < length) {
			common = first ? in_both(first, text, common < blanks ? common : blanks) :
				blanks;
			first = first ? first : text;
		}
		text += length + (text[length] == '\n');
	}
	return common;
}

static void take_away(char *text, size_t common)
{
	char *to = text;

	while (*text) {
		size_t length = strcspn(text, "\n");
		size_t gone = strspn(text, BLANKS) >= length ? length : common;

		length += text[length] == '\n';
		memmove(to, text + gone, length - gone);
		to += length - gone;
		text += length;
	}
	*to = '\0';
}

void cpython_dedent(char *text)
{
	size_t common = PY_VERSION_HEX >= 0x030e0000 ? common_blanks(text) : 0;

	if (common)
		take_away(text, common);
}
