/* utf8.c: is a text UTF-8? Pure, any process and thread. */
#include "arrow/utf8.h"

/* Bytes of the UTF-8 sequence at `text` (at most `left` of them), 0 where it is not well formed. */
static size_t utf8_sequence(const unsigned char *text, size_t left)
{
	size_t length = text[0] < 0x80 ? 1 : text[0] < 0xC2 ? 0 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;

	if (length == 0 || length > left || text[0] > 0xF4)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xC0) != 0x80)
			return 0;
	/* Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte. */
	if ((text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xED && text[1] > 0x9F) ||
		(text[0] == 0xF0 && text[1] < 0x90) || (text[0] == 0xF4 && text[1] > 0x8F))
		return 0;
	return length;
}

bool utf8_is_valid(const char *text, size_t count)
{
	for (size_t at = 0, step; at < count; at += step) {
		step = utf8_sequence((const unsigned char *)text + at, count - at);
		if (step == 0)
			return false;
	}
	return true;
}
