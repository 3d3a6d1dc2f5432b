#include "web/http/answer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/sha256.h"
#include "base/text.h"

static const char fixed_headers[] =
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
	"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"Cross-Origin-Opener-Policy: same-origin\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n";

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{101, "Switching Protocols"},
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{204, "No Content"},
	{302, "Found"},
	{303, "See Other"},
	{304, "Not Modified"},
	{307, "Temporary Redirect"},
	{308, "Permanent Redirect"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{412, "Precondition Failed"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{417, "Expectation Failed"},
	{422, "Unprocessable Content"},
	{426, "Upgrade Required"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
};

const char *answer_reason(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return status < 400 ? "OK" : "Error";
}

struct writer {
	char *text;
	size_t count;
};

/* A whole line or nothing. */
static void add(struct writer *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct writer *writer, const char *format, ...)
{
	size_t left = ANSWER_HEAD_MAX - 2 - writer->count; /* the empty line always fits */
	va_list arguments;

	va_start(arguments, format);
	int bytes = vsnprintf(writer->text + writer->count, left, format, arguments);
	va_end(arguments);
	if (bytes > 0 && (size_t)bytes < left)
		writer->count += (size_t)bytes;
}

static bool is_safe(const char *value)
{
	for (; *value; value++)
		if (((unsigned char)*value < ' ' && *value != '\t') || *value == 127)
			return false;
	return true;
}

/* Returns whether there was one that says how the answer may be kept. */
static bool add_own(struct writer *writer, const struct web_response *response)
{
	bool says_cache = false;

	for (int i = 0; i < WEB_HEADERS_MAX && response->headers[i].name && *response->headers[i].name; i++) {
		if (!is_safe(response->headers[i].value))
			continue;
		says_cache |= strcasecmp(response->headers[i].name, "Cache-Control") == 0;
		add(writer, "%s: %s\r\n", response->headers[i].name, response->headers[i].value);
	}
	return says_cache;
}

size_t answer_format(const struct answer *answer, char ret_head[ANSWER_HEAD_MAX])
{
	const struct web_response *response = answer->response;
	struct writer writer = {.text = ret_head};
	bool has_body = response->status >= 200 && response->status != 204 && response->status != 304;

	add(&writer, "HTTP/1.1 %d %s\r\nDate: %s\r\n", response->status, answer_reason(response->status), answer->date);
	if (response->status == 101)
		add(&writer, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n",
			answer->accept);
	else
		add(&writer, "Connection: %s\r\n", answer->keeps_open ? "keep-alive" : "close");
	if (has_body) {
		if (answer->body_bytes)
			add(&writer, "Content-Type: %s\r\n", response->type ? response->type : "application/json");
		add(&writer, "Content-Length: %" PRIu64 "\r\n", answer->body_bytes);
	}
	if (answer->etag)
		add(&writer, "ETag: %s\r\n", answer->etag);
	if (response->retry_after_s)
		add(&writer, "Retry-After: %" PRIu32 "\r\n", response->retry_after_s);
	add(&writer, "%s", fixed_headers);
	if (!add_own(&writer, response))
		add(&writer, "Cache-Control: %s\r\n", answer->etag ? "no-cache" : "no-store");
	memcpy(ret_head + writer.count, "\r\n", 2);
	return writer.count + 2;
}

struct web_bytes *answer_detail(const char *detail)
{
	char text[600], safe[500];

	text_format_json(detail, strlen(detail), safe, sizeof(safe));
	int bytes = snprintf(text, sizeof(text), "{\"detail\": \"%s\"}", safe);
	return web_bytes_create(text, (size_t)bytes);
}

const char *answer_etag(struct web_bytes *bytes)
{
	struct sha256 sha256;
	uint8_t digest[SHA256_BYTES];

	if (!bytes->etag[0]) {
		sha256_init(&sha256);
		sha256_add(&sha256, bytes->data, bytes->count);
		sha256_finish(&sha256, digest);
		text_format_hex(digest, 8, bytes->etag + 1);
		bytes->etag[17] = '"';
		bytes->etag[18] = '\0';
		bytes->etag[0] = '"';
	}
	return bytes->etag;
}

bool answer_has_etag(const char *list, const char *etag)
{
	size_t bytes = strlen(etag);

	while (*list) {
		list += strspn(list, ", \t");
		if (*list == '*')
			return true;
		if (strncmp(list, "W/", 2) == 0)
			list += 2;
		if (strncmp(list, etag, bytes) == 0 && (!list[bytes] || strchr(", \t", list[bytes])))
			return true;
		const char *end = *list == '"' ? strchr(list + 1, '"') : NULL;
		list = end ? end + 1 : list + strcspn(list, ",");
	}
	return false;
}
