#include "web/http/head.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

static const struct {
	const char *name;
	bool may_repeat; /* the last counts (X-Forwarded-For: what the nearest proxy wrote), Connection is read line by
			    line */
} fields[HEAD_FIELDS] = {
	[HEAD_HOST] = {"host", false},
	[HEAD_CONTENT_LENGTH] = {"content-length", false},
	[HEAD_TRANSFER_ENCODING] = {"transfer-encoding", false},
	[HEAD_CONTENT_TYPE] = {"content-type", false},
	[HEAD_ORIGIN] = {"origin", false},
	[HEAD_FETCH_SITE] = {"sec-fetch-site", false},
	[HEAD_FETCH_MODE] = {"sec-fetch-mode", false},
	[HEAD_AUTHORIZATION] = {"authorization", false},
	[HEAD_COOKIE] = {"cookie", false},
	[HEAD_IF_NONE_MATCH] = {"if-none-match", false},
	[HEAD_USER_AGENT] = {"user-agent", false},
	[HEAD_ADMIN_ACCESS] = {"x-admin-access", false},
	[HEAD_CSRF] = {"x-enrgdaq-csrf", false},
	[HEAD_IDEMPOTENCY_KEY] = {"idempotency-key", false},
	[HEAD_CONNECTION] = {"connection", true},
	[HEAD_UPGRADE] = {"upgrade", false},
	[HEAD_SOCKET_KEY] = {"sec-websocket-key", false},
	[HEAD_SOCKET_VERSION] = {"sec-websocket-version", false},
	[HEAD_SOCKET_PROTOCOL] = {"sec-websocket-protocol", false},
	[HEAD_EXPECT] = {"expect", false},
	[HEAD_FORWARDED_FOR] = {"x-forwarded-for", true},
	[HEAD_FORWARDED_PROTO] = {"x-forwarded-proto", false},
};

struct reader {
	struct head head;
	struct head_refusal refusal;
	bool is_old; /* HTTP/1.0 */
	bool says_close, says_keep, says_upgrade;
};

static bool refuse(struct reader *reader, int status, const char *detail)
{
	reader->refusal = (struct head_refusal){status, detail};
	return false;
}

size_t head_find_end(const char *bytes, size_t count, size_t from)
{
	from = from > 3 ? from - 3 : 0;
	if (count < from)
		return 0;
	const char *end = memmem(bytes + from, count - from, "\r\n\r\n", 4);
	return end ? (size_t)(end - bytes) + 4 : 0;
}

/* RFC 9110, 5.6.2 */
static bool is_token_character(char character)
{
	return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
	       (character >= '0' && character <= '9') || (character && strchr("!#$%&'*+-.^_`|~", character));
}

static bool is_token(const char *text)
{
	if (!*text)
		return false;
	for (; *text; text++)
		if (!is_token_character(*text))
			return false;
	return true;
}

/* Is `word` in the list "a, b"? */
static bool list_has(const char *list, const char *word)
{
	while (*list) {
		list += strspn(list, ", \t");
		size_t bytes = strcspn(list, ", \t");
		if (bytes == strlen(word) && strncasecmp(list, word, bytes) == 0)
			return true;
		list += bytes;
	}
	return false;
}

static bool parse_version(struct reader *reader, const char *version)
{
	if (strcmp(version, "HTTP/1.1") == 0)
		return true;
	reader->is_old = true;
	if (strcmp(version, "HTTP/1.0") == 0)
		return true;
	if (strncmp(version, "HTTP/", 5) == 0)
		return refuse(reader, 505, "this server speaks HTTP/1.1 and HTTP/1.0");
	return refuse(reader, 400, "the request line does not end with a version of HTTP");
}

static bool parse_request_line(struct reader *reader, char *line)
{
	char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;

	if (!version || strchr(version + 1, ' '))
		return refuse(reader, 400, "the request line is not METHOD PATH VERSION");
	*target++ = '\0';
	*version++ = '\0';
	if (!is_token(line))
		return refuse(reader, 400, "the request begins with no method");
	if (!parse_version(reader, version))
		return false;
	if (strlen(target) > HEAD_TARGET_MAX)
		return refuse(reader, 414, "the path is longer than 8 KiB");
	reader->head.has_no_body_back = strcmp(line, "HEAD") == 0;
	if (strcmp(line, "POST") == 0)
		reader->head.method = WEB_POST;
	else
		reader->head.method =
			strcmp(line, "GET") == 0 || reader->head.has_no_body_back ? WEB_GET : WEB_OTHER_METHOD;
	const char *detail = NULL;
	if (target_parse(target, &reader->head.target, &detail))
		return refuse(reader, 400, detail);
	return true;
}

static bool check_value(struct reader *reader, const char *value)
{
	for (const char *left = value; *left;) {
		size_t bytes = text_character(left, strlen(left));
		if (!bytes)
			return refuse(reader, 400, "a header that is read here is not UTF-8 text");
		left += bytes;
	}
	return true;
}

static void read_connection(struct reader *reader, const char *value)
{
	reader->says_close |= list_has(value, "close");
	reader->says_keep |= list_has(value, "keep-alive");
	reader->says_upgrade |= list_has(value, "upgrade");
}

/* Which of them a proxy writes is its own choice (X-Forwarded-Host alone, X-Forwarded-Port), so the prefix counts. */
static bool is_of_proxy(const char *name)
{
	static const char *const names[] = {"forwarded", "via", "x-real-ip", "x-admin-access"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return strncasecmp(name, "x-forwarded-", strlen("x-forwarded-")) == 0;
}

static bool parse_line(struct reader *reader, char *line)
{
	char *value = strchr(line, ':');

	if (!value)
		return refuse(reader, 400, "a header has no colon");
	*value++ = '\0';
	if (!is_token(line)) /* also a space before the colon, and a line that continues the one before */
		return refuse(reader, 400, "the name of a header is none");
	reader->head.is_forwarded |= is_of_proxy(line);
	value += strspn(value, " \t");
	for (size_t bytes = strlen(value); bytes && (value[bytes - 1] == ' ' || value[bytes - 1] == '\t'); bytes--)
		value[bytes - 1] = '\0';
	for (int i = 0; i < HEAD_FIELDS; i++) {
		if (strcasecmp(line, fields[i].name) != 0)
			continue;
		if (reader->head.texts[i] && !fields[i].may_repeat)
			return refuse(reader, 400, "a header that may come once came twice");
		reader->head.texts[i] = value;
		if (i == HEAD_CONNECTION)
			read_connection(reader, value);
		return check_value(reader, value);
	}
	return true;
}

/* Lines end with CR LF and hold no control characters but tabs; what else there is, is read in more than one way. */
static bool parse_lines(struct reader *reader, char *text, size_t bytes)
{
	unsigned lines = 0;

	for (char *line = text; line < text + bytes - 2;) {
		char *end = memchr(line, '\r', (size_t)(text + bytes - line));
		for (char *byte = line; byte < end; byte++)
			if (((unsigned char)*byte < ' ' && *byte != '\t') || *byte == 127)
				return refuse(reader, 400, "the head of the request has a control character");
		if (end[1] != '\n')
			return refuse(reader, 400, "a line of the head does not end with CR LF");
		*end = '\0';
		if (lines++ > HEAD_LINES_MAX)
			return refuse(reader, 431, "the request has more than 100 headers");
		if (!(lines == 1 ? parse_request_line(reader, line) : parse_line(reader, line)))
			return false;
		line = end + 2;
	}
	return true;
}

static bool check_host(struct reader *reader)
{
	const char *host = reader->head.texts[HEAD_HOST];

	if (!host)
		return refuse(reader, 400, "the request has no Host");
	for (const char *byte = host; *byte; byte++)
		if (!((*byte >= 'a' && *byte <= 'z') || (*byte >= 'A' && *byte <= 'Z') ||
			    (*byte >= '0' && *byte <= '9') || strchr(".-_:[]", *byte)))
			return refuse(reader, 400, "Host is neither a name nor an address");
	return *host ? true : refuse(reader, 400, "Host is empty");
}

static bool check_length(struct reader *reader)
{
	const char *text = reader->head.texts[HEAD_CONTENT_LENGTH];

	if (reader->head.texts[HEAD_TRANSFER_ENCODING])
		return refuse(reader, 400, "a request with Transfer-Encoding is not taken; send Content-Length");
	if (!text)
		return true;
	size_t digits = strspn(text, "0123456789");
	if (!digits || text[digits] || digits > 18)
		return refuse(reader, 400, "Content-Length is not a number");
	for (; *text; text++)
		reader->head.body_bytes = reader->head.body_bytes * 10 + (uint64_t)(*text - '0');
	return true;
}

static bool is_socket_key(const char *key)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	return key && strlen(key) == 24 && strspn(key, letters) == 22 && strcmp(key + 22, "==") == 0;
}

static bool check_upgrade(struct reader *reader)
{
	const char *const *texts = reader->head.texts;

	/* any other upgrade (h2c) is an offer that a server may overlook */
	if (!texts[HEAD_UPGRADE] || !reader->says_upgrade || !list_has(texts[HEAD_UPGRADE], "websocket"))
		return true;
	if (reader->head.method != WEB_GET || reader->head.has_no_body_back || reader->is_old ||
		reader->head.body_bytes)
		return refuse(reader, 400, "a WebSocket begins with a GET of HTTP/1.1 without a body");
	if (!texts[HEAD_SOCKET_VERSION] || strcmp(texts[HEAD_SOCKET_VERSION], "13") != 0)
		return refuse(reader, 426, "Sec-WebSocket-Version is not 13");
	if (!is_socket_key(texts[HEAD_SOCKET_KEY]))
		return refuse(reader, 400, "Sec-WebSocket-Key is none");
	reader->head.is_upgrade = true;
	return true;
}

static bool check_expectation(struct reader *reader)
{
	const char *expectation = reader->head.texts[HEAD_EXPECT];

	if (!expectation)
		return true;
	if (strcasecmp(expectation, "100-continue") != 0)
		return refuse(reader, 417, "Expect is not 100-continue");
	reader->head.expects_continue = !reader->is_old;
	return true;
}

bool head_parse(char *text, size_t bytes, struct head *ret_head, struct head_refusal *ret_refusal)
{
	struct reader reader = {.head.target = {.path = "/", .query = ""}};
	bool is_good = bytes >= 4 && memcmp(text + bytes - 4, "\r\n\r\n", 4) == 0;

	if (!is_good)
		refuse(&reader, 400, "the head of the request has no end");
	is_good = is_good && parse_lines(&reader, text, bytes) && check_host(&reader) && check_length(&reader) &&
		  check_upgrade(&reader) && check_expectation(&reader);
	reader.head.keeps_open = !reader.says_close && (!reader.is_old || reader.says_keep);
	*ret_head = reader.head;
	*ret_refusal = reader.refusal;
	return is_good;
}
