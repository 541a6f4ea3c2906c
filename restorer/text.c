/*
 * Strings, without a libc. Linked into pyimage and into every image.
 */
#include "text.h"

size_t text_length(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

int text_equal(const char *left, const char *right)
{
	while (*left && *left == *right) {
		left++;
		right++;
	}
	return *left == *right;
}

int text_compare(const char *left, size_t size, const char *right)
{
	for (size_t i = 0; i < size; i++)
		if (left[i] != right[i])
			return (unsigned char)left[i] - (unsigned char)right[i];
	return -(unsigned char)right[size];
}

const char *text_after(const char *text, const char *prefix)
{
	while (*prefix)
		if (*text++ != *prefix++)
			return NULL;
	return text;
}

size_t text_append(char *buffer, size_t size, size_t used, const char *text)
{
	while (used < size) {
		buffer[used] = *text++;
		if (!buffer[used])
			break;
		used++;
	}
	return used;
}

int text_number(const char *text)
{
	int number = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		if (__builtin_mul_overflow(number, 10, &number)
		    || __builtin_add_overflow(number, *text - '0', &number))
			return -1;
	}
	return number;
}

const char *text_decimal(unsigned long number, char buffer[TEXT_DECIMAL])
{
	char *digit = buffer + TEXT_DECIMAL - 1;

	*digit = '\0';
	do
		*--digit = (char)('0' + number % 10);
	while (number /= 10);
	return digit;
}
