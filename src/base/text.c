/* text.c: UTF-8 that is shown or quoted. */
#include "base/text.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Of the first byte: 0 = it begins no character. */
static size_t wanted_bytes(unsigned char first)
{
	return first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

size_t text_character(const char *text, size_t bytes)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t count = bytes ? wanted_bytes(at[0]) : 0;

	if (!count || count > bytes)
		return 0;
	for (size_t i = 1; i < count; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	/* forms that are longer than needed, surrogates, beyond the last character */
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
		(at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	return count;
}

/* Line and paragraph separators, and what turns the direction of the text behind it: U+2028 to U+202E, U+2066 to
 * U+2069. */
static int is_format(const char *text, size_t count)
{
	unsigned char third = count == 3 ? (unsigned char)text[2] : 0;

	if (count != 3 || text[0] != '\xe2')
		return 0;
	return (text[1] == '\x80' && third >= 0xa8 && third <= 0xae) ||
	       (text[1] == '\x81' && third >= 0xa6 && third <= 0xa9);
}

static int is_control(const char *text, size_t count)
{
	unsigned char first = (unsigned char)text[0], second = count > 1 ? (unsigned char)text[1] : 0;

	return first < 0x20 || first == 0x7f || (first == 0xc2 && second < 0xa0) || is_format(text, count);
}

void text_make_safe(char *text, size_t bytes)
{
	for (size_t i = 0, count; i < bytes; i += count ? count : 1) {
		count = text_character(text + i, bytes - i);
		if (!count)
			text[i] = '?';
		else if (is_control(text + i, count))
			memset(text + i, ' ', count);
	}
}

size_t text_format_json(const char *text, size_t bytes, char *ret_json, size_t json_bytes)
{
	size_t used = 0;

	for (size_t i = 0, count; i < bytes; i += count ? count : 1) {
		char piece[8];
		size_t length;

		count = text_character(text + i, bytes - i);
		if (!count)
			length = (size_t)snprintf(piece, sizeof(piece), "\\ufffd");
		else if (text[i] == '"' || text[i] == '\\')
			length = (size_t)snprintf(piece, sizeof(piece), "\\%c", text[i]);
		else if (count == 1 && is_control(text + i, 1))
			length = (size_t)snprintf(piece, sizeof(piece), "\\u%04x", (unsigned)text[i]);
		else
			memcpy(piece, text + i, length = count);
		if (used + length + 1 > json_bytes)
			break;
		memcpy(ret_json + used, piece, length);
		used += length;
	}
	ret_json[used] = '\0';
	return used;
}

void text_format_hex(const void *bytes, size_t count, char *ret_hex)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = bytes;

	for (size_t i = 0; i < count; i++) {
		ret_hex[2 * i] = digits[from[i] >> 4];
		ret_hex[2 * i + 1] = digits[from[i] & 15];
	}
	ret_hex[2 * count] = '\0';
}

int text_hex_digit(char letter)
{
	if (letter >= '0' && letter <= '9')
		return letter - '0';
	letter = (char)(letter | 0x20);
	return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

static int digit_of(char letter)
{
	return letter >= 'A' && letter <= 'F' ? -1 : text_hex_digit(letter);
}

void text_format_uuid(const void *bytes, unsigned version, char ret_uuid[37])
{
	uint8_t own[16];
	char hex[33];

	memcpy(own, bytes, sizeof(own));
	own[6] = (uint8_t)((own[6] & 0x0f) | version << 4);
	own[8] = (uint8_t)((own[8] & 0x3f) | 0x80); /* the variant of RFC 9562 */
	text_format_hex(own, sizeof(own), hex);
	snprintf(ret_uuid, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

int text_parse_hex(const char *hex, size_t count, void *ret_bytes)
{
	uint8_t *to = ret_bytes;

	if (strlen(hex) != 2 * count)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		int high = digit_of(hex[2 * i]), low = digit_of(hex[2 * i + 1]);
		if (high < 0 || low < 0)
			return -EINVAL;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

const char *text_format_bytes(double bytes, char ret_text[32])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	size_t unit = 0;

	while (bytes >= 999.5 && unit < sizeof(units) / sizeof(units[0]) - 1) {
		bytes /= 1000;
		unit++;
	}
	snprintf(ret_text, 32, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
	return ret_text;
}

void text_copy(char *ret_text, size_t text_bytes, const char *text)
{
	size_t count = strlen(text);

	if (!text_bytes)
		return;
	if (count >= text_bytes) {
		count = text_bytes - 1;
		while (count && ((unsigned char)text[count] & 0xc0) == 0x80)
			count--;
	}
	memcpy(ret_text, text, count);
	ret_text[count] = 0;
}
