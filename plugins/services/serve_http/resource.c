/* resource.c: see the header. In the process of DAQJobServeHTTP, on its main thread. */
#include "resource.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- paths ------------------------------------------------------------------------------------------------------- */

static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* The next byte that the URL means, or -1. */
static int decode(const char **url)
{
	int high, low;

	if (**url != '%')
		return (unsigned char)*(*url)++;
	high = hex_digit((*url)[1]);
	low = high < 0 ? -1 : hex_digit((*url)[2]);
	*url += 3;
	return low < 0 ? -1 : high * 16 + low;
}

struct target {
	char *path;
	size_t count;
};

static bool put(struct target *target, const char *bytes, size_t count)
{
	if (target->count + count >= RESOURCE_PATH_BYTES)
		return false;
	memcpy(target->path + target->count, bytes, count);
	target->count += count;
	target->path[target->count] = '\0';
	return true;
}

static bool put_day(struct target *target, time_t now, int days_back)
{
	struct tm day;
	char text[16];

	if (!localtime_r(&now, &day))
		return false;
	day.tm_mday -= days_back;
	day.tm_hour = 12; /* a day has 23 to 25 hours */
	day.tm_isdst = -1;
	if (mktime(&day) == (time_t)-1)
		return false;
	size_t count = strftime(text, sizeof(text), "%Y-%m-%d", &day);
	return count > 0 && put(target, text, count);
}

/* The path with the days in their places. */
static bool put_path(struct target *target, const char *path, time_t now)
{
	bool is_good = true;

	while (is_good && *path) {
		if (strncmp(path, "TODAY", 5) == 0) {
			is_good = put_day(target, now, 0);
			path += 5;
		} else if (strncmp(path, "YESTERDAY", 9) == 0) {
			is_good = put_day(target, now, 1);
			path += 9;
		} else {
			is_good = put(target, path++, 1);
		}
	}
	return is_good;
}

static bool has_ending(const char *name, size_t length, const char *ending)
{
	size_t bytes = strlen(ending);

	return length > bytes && strncmp(name + length - bytes, ending, bytes) == 0;
}

/* With notes, who began runs, and from where. */
static bool is_run_book(const char *name, size_t length)
{
	return length > 5 && !strncmp(name, "runs_", 5) && memmem(name, length, ".sqlite", 7);
}

static bool is_hidden(const char *name, size_t length)
{
	return is_run_book(name, length) || name[0] == '.' || (length == 5 && strncmp(name, "state", 5) == 0) ||
	       has_ending(name, length, ".outbox") || has_ending(name, length, ".journal");
}

bool resource_is_hidden(const char *name)
{
	return is_hidden(name, strlen(name));
}

static bool has_hidden(const char *path)
{
	while (*path) {
		size_t length = strcspn(path, "/");
		if (is_hidden(path, length))
			return true;
		path += length;
		path += *path == '/';
	}
	return false;
}

bool resource_parse_path(const char *url, time_t now, char ret_path[RESOURCE_PATH_BYTES])
{
	char plain[RESOURCE_PATH_BYTES];
	struct target whole = {.path = ret_path};
	size_t count = 0;

	ret_path[0] = '\0';
	while (*url) {
		int byte = decode(&url);
		bool begins_part = count == 0 || plain[count - 1] == '/';
		if (byte < ' ' || byte == 127 || (byte == '.' && begins_part))
			return false;
		if (byte == '/' && begins_part)
			continue;
		if (count == sizeof(plain) - 1)
			return false;
		plain[count++] = (char)byte;
	}
	while (count && plain[count - 1] == '/')
		count--;
	plain[count] = '\0';
	if (has_hidden(plain))
		return false;
	return count ? put_path(&whole, plain, now) : put(&whole, ".", 1);
}

size_t resource_format_path(const char *path, char *ret_url, size_t url_bytes)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
	size_t count = 0;

	for (; *path; path++) {
		bool is_plain = strchr(plain, *path) != NULL;
		if (count < url_bytes)
			snprintf(ret_url + count, url_bytes - count, is_plain ? "%c" : "%%%02X", (unsigned char)*path);
		count += is_plain ? 1 : 3;
	}
	if (url_bytes)
		ret_url[count < url_bytes ? count : url_bytes - 1] = '\0';
	return count;
}

/* --- ranges ------------------------------------------------------------------------------------------------------ */

/* Digits up to their end; false: there are none, or too many. */
static bool parse_number(const char **text, uint64_t *ret_number)
{
	const char *at = *text;
	uint64_t number = 0;

	for (; *at >= '0' && *at <= '9'; at++) {
		if (number > (UINT64_MAX - 9) / 10)
			return false;
		number = number * 10 + (uint64_t)(*at - '0');
	}
	if (at == *text)
		return false;
	*text = at;
	*ret_number = number;
	return true;
}

enum resource_range resource_parse_range(const char *header, uint64_t size, uint64_t *ret_first, uint64_t *ret_count)
{
	uint64_t first, last = UINT64_MAX;

	if (!header || strncasecmp(header, "bytes=", 6) != 0)
		return RESOURCE_WHOLE;
	header += 6;
	if (*header == '-') { /* the last so many bytes */
		header++;
		if (!parse_number(&header, &last) || *header)
			return RESOURCE_WHOLE;
		if (!last || !size)
			return RESOURCE_OUTSIDE;
		*ret_count = last < size ? last : size;
		*ret_first = size - *ret_count;
		return RESOURCE_PART;
	}
	if (!parse_number(&header, &first) || *header++ != '-')
		return RESOURCE_WHOLE;
	if (*header && (!parse_number(&header, &last) || *header || last < first))
		return RESOURCE_WHOLE;
	if (first >= size)
		return RESOURCE_OUTSIDE;
	*ret_first = first;
	*ret_count = last < size ? last - first + 1 : size - first;
	return RESOURCE_PART;
}

/* --- conditions -------------------------------------------------------------------------------------------------- */

bool resource_has_etag(const char *header, const char *etag)
{
	const char *bare = strncmp(etag, "W/", 2) == 0 ? etag + 2 : etag;
	size_t length = strlen(bare);

	if (!header)
		return false;
	if (strcmp(header, "*") == 0)
		return true;
	for (const char *at = header; (at = strchr(at, '"')) != NULL; at++) {
		const char *end = strchr(at + 1, '"');
		if (!end)
			return false;
		if ((size_t)(end - at) + 1 == length && strncmp(at, bare, length) == 0)
			return true;
		at = end;
	}
	return false;
}

void resource_format_date(time_t time, char ret_text[RESOURCE_DATE_BYTES])
{
	struct tm utc = {0};

	if (!gmtime_r(&time, &utc) || utc.tm_year > 8000 || utc.tm_year < 0) {
		time = 0;
		gmtime_r(&time, &utc);
	}
	strftime(ret_text, RESOURCE_DATE_BYTES, "%a, %d %b %Y %H:%M:%S GMT", &utc); /* no process sets a locale */
}

bool resource_parse_date(const char *text, time_t *ret_time)
{
	struct tm utc = {0};
	const char *end = text ? strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &utc) : NULL;

	if (!end || *end)
		return false;
	*ret_time = timegm(&utc);
	return true;
}

/* --- who is asked ------------------------------------------------------------------------------------------------ */

/* Is `name` what the header names, with or without a port? */
static bool is_name(const char *header, const char *name)
{
	size_t length = strlen(name);

	if (strncasecmp(header, name, length) != 0)
		return false;
	header += length;
	if (*header == ':') {
		header++;
		header += strspn(header, "0123456789");
	}
	return !*header;
}

bool resource_is_own(const char *header, const char *host)
{
	return header && (is_name(header, "localhost") || is_name(header, "127.0.0.1") || is_name(header, "[::1]") ||
				 is_name(header, host));
}
