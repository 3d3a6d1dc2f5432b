#include "web/http/target.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

static int refuse(const char *detail, const char **ret_detail)
{
	*ret_detail = detail;
	return -EINVAL;
}

static bool is_utf8(const char *text)
{
	size_t left = strlen(text);

	while (left) {
		size_t bytes = text_character(text, left);
		/* U+0080 to U+009F are control characters, too */
		if (!bytes || (bytes == 2 && (unsigned char)text[0] == 0xC2 && (unsigned char)text[1] < 0xA0))
			return false;
		text += bytes;
		left -= bytes;
	}
	return true;
}

static int decode(char *text, const char **ret_detail)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		char byte = *from;
		if (byte == '%') {
			int high = text_hex_digit(from[1]), low = high < 0 ? -1 : text_hex_digit(from[2]);
			if (low < 0)
				return refuse(
					"the path has a % that is followed by no two hexadecimal digits", ret_detail);
			byte = (char)(high * 16 + low);
			from += 2;
			if (byte == '/')
				return refuse("the path has an encoded slash", ret_detail);
		}
		if ((unsigned char)byte < ' ' || byte == 127)
			return refuse("the path has a control character", ret_detail);
		*to++ = byte;
	}
	*to = '\0';
	return is_utf8(text) ? 0 : refuse("the path is not UTF-8 text", ret_detail);
}

/* Leaves out empty parts and "."; the text never grows. */
static int normalise(char *text, const char **ret_detail)
{
	char *to = text;

	for (const char *part = text; *part;) {
		part += strspn(part, "/");
		size_t bytes = strcspn(part, "/");
		if (bytes == 2 && part[0] == '.' && part[1] == '.')
			return refuse("the path has a part \"..\"", ret_detail);
		if (bytes && !(bytes == 1 && part[0] == '.')) {
			const char *next = part + bytes;
			*to++ = '/';
			memmove(to, part, bytes);
			to += bytes;
			part = next;
		} else {
			part += bytes;
		}
	}
	if (to == text)
		*to++ = '/';
	*to = '\0';
	return 0;
}

/* "/t/TOKEN/rest": the token moves three bytes to the front, so that a NUL fits behind it. */
static void take_token(char *text, struct target *target)
{
	target->path = text;
	if (strncmp(text, "/t/", 3) != 0)
		return;
	size_t bytes = strcspn(text + 3, "/");
	memmove(text, text + 3, bytes);
	text[bytes] = '\0';
	target->token = text;
	target->path = text[3 + bytes] ? text + 3 + bytes : "/";
}

int target_parse(char *text, struct target *ret_target, const char **ret_detail)
{
	struct target target = {.query = ""};
	char *query = strchr(text, '?');

	if (text[0] != '/')
		return refuse("the request asks for something other than a path of this server", ret_detail);
	if (strchr(text, '#'))
		return refuse("the request asks for a fragment", ret_detail);
	for (const char *byte = text; *byte; byte++)
		if ((unsigned char)*byte <= ' ' || *byte == 127)
			return refuse("the path has a control character", ret_detail);
	if (query) {
		*query++ = '\0';
		target.query = query;
		if (!is_utf8(query))
			return refuse("the query is not UTF-8 text", ret_detail);
	}
	if (decode(text, ret_detail) || normalise(text, ret_detail))
		return -EINVAL;
	take_token(text, &target);
	*ret_target = target;
	return 0;
}
