/* draft.c: see the header. */
#include "draft.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DRAFT_BYTES_MAX (16u << 20)
#define WORD_BYTES      42 /* of UTF-8 in one encoded word of a header, which has at most 75 letters */

void draft_fini(struct draft *draft)
{
	free(draft->text);
	*draft = (struct draft){0};
}

char *draft_take(struct draft *draft)
{
	char *text = draft->text;

	if (draft->is_failed || !text) {
		draft_fini(draft);
		return NULL;
	}
	*draft = (struct draft){0};
	return text;
}

static bool make_room(struct draft *draft, size_t more)
{
	size_t capacity = draft->capacity ? draft->capacity : 512;

	while (capacity < draft->byte_count + more + 1)
		capacity *= 2;
	if (capacity == draft->capacity)
		return true;
	char *longer = capacity <= DRAFT_BYTES_MAX ? realloc(draft->text, capacity) : NULL;
	if (!longer) {
		draft->is_failed = true;
		return false;
	}
	draft->text = longer;
	draft->capacity = capacity;
	return true;
}

static void add_bytes(struct draft *draft, const char *bytes, size_t byte_count)
{
	if (!make_room(draft, byte_count))
		return;
	memcpy(draft->text + draft->byte_count, bytes, byte_count);
	draft->byte_count += byte_count;
	draft->text[draft->byte_count] = '\0';
}

void draft_add(struct draft *draft, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0 || !make_room(draft, (size_t)length))
		return;
	va_start(arguments, format);
	vsnprintf(draft->text + draft->byte_count, (size_t)length + 1, format, arguments);
	va_end(arguments);
	draft->byte_count += (size_t)length;
}

/* Bytes of the character at `c`; 0: that is not UTF-8 text. */
static size_t character_bytes(const unsigned char *c)
{
	size_t count = c[0] < 0x80                   ? 1
		       : c[0] >= 0xc2 && c[0] < 0xe0 ? 2
		       : (c[0] & 0xf0) == 0xe0       ? 3
		       : c[0] >= 0xf0 && c[0] < 0xf5 ? 4
						     : 0;

	for (size_t i = 1; i < count; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] >= 0xa0) || (c[0] == 0xf0 && c[1] < 0x90) ||
		(c[0] == 0xf4 && c[1] >= 0x90))
		return 0;
	return count;
}

void draft_add_json(struct draft *draft, const char *text)
{
	add_bytes(draft, "\"", 1);
	while (*text) {
		size_t count = character_bytes((const unsigned char *)text);
		if (!count)
			draft_add(draft, "?");
		else if (*text == '"' || *text == '\\')
			draft_add(draft, "\\%c", *text);
		else if ((unsigned char)*text < 0x20 || *text == 0x7f)
			draft_add(draft, "\\u%04x", (unsigned)*text);
		else
			add_bytes(draft, text, count);
		text += count ? count : 1;
	}
	add_bytes(draft, "\"", 1);
}

void draft_add_slack(struct draft *draft, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			draft_add(draft, "&amp;");
		else if (*text == '<')
			draft_add(draft, "&lt;");
		else if (*text == '>')
			draft_add(draft, "&gt;");
		else
			add_bytes(draft, text, 1);
	}
}

void draft_add_line(struct draft *draft, const char *text)
{
	while (*text) {
		size_t count = character_bytes((const unsigned char *)text);
		if (!count)
			add_bytes(draft, "?", 1);
		else if ((unsigned char)*text < 0x20 || *text == 0x7f)
			add_bytes(draft, " ", 1);
		else
			add_bytes(draft, text, count);
		text += count ? count : 1;
	}
}

static void add_base64(struct draft *draft, const unsigned char *bytes, size_t byte_count)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < byte_count; i += 3) {
		size_t left = byte_count - i;
		unsigned group = (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
				 (left > 2 ? bytes[i + 2] : 0);
		char four[4] = {letters[group >> 18 & 63], letters[group >> 12 & 63],
			left > 1 ? letters[group >> 6 & 63] : '=', left > 2 ? letters[group & 63] : '='};
		add_bytes(draft, four, 4);
	}
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

void draft_add_header(struct draft *draft, const char *text)
{
	struct draft line = {0};
	size_t at = 0;

	draft_add_line(&line, text);
	if (line.is_failed || !line.text || is_ascii(line.text)) {
		draft->is_failed = draft->is_failed || line.is_failed;
		add_bytes(draft, line.text ? line.text : "", line.byte_count);
		draft_fini(&line);
		return;
	}
	while (at < line.byte_count) {
		size_t count = draft_cut(line.text + at, WORD_BYTES);
		draft_add(draft, at ? "\n =?UTF-8?B?" : "=?UTF-8?B?");
		add_base64(draft, (const unsigned char *)line.text + at, count);
		draft_add(draft, "?=");
		at += count;
	}
	draft_fini(&line);
}

size_t draft_cut(const char *text, size_t most)
{
	size_t count = 0;

	while (text[count]) {
		size_t next = character_bytes((const unsigned char *)text + count);
		next = next ? next : 1;
		if (count + next > most)
			break;
		count += next;
	}
	return count;
}

void draft_add_utc(struct draft *draft, uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / 1000000000u);
	char text[40];
	struct tm parts;

	gmtime_r(&seconds, &parts);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
	draft_add(draft, "%s.%03uZ", text, (unsigned)(time_ns / 1000000u % 1000u));
}

void draft_add_local(struct draft *draft, uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / 1000000000u);
	char text[40];
	struct tm parts;

	tzset(); /* localtime_r need not */
	localtime_r(&seconds, &parts);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &parts);
	draft_add(draft, "%s", text);
}
