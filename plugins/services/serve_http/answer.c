/* answer.c: see the header. In the process of DAQJobServeHTTP, on its main thread. */
#include "answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "resource.h"
#include "folder.h"

#define BLOCK_BYTES   (128u << 10)
#define RECENT_S      2 /* a file that changed so lately may change again without another time */
#define HEADERS_COUNT 3

/* A part of a file on its way. */
struct part {
	int descriptor;
	uint64_t first;
	struct visit *visit;
};

static const struct {
	const char *ending, *type;
} types[] = {
	{".html", "text/html; charset=utf-8"},
	{".htm", "text/html; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".mjs", "text/javascript; charset=utf-8"},
	{".json", "application/json"},
	{".csv", "text/csv; charset=utf-8"},
	{".txt", "text/plain; charset=utf-8"},
	{".log", "text/plain; charset=utf-8"},
	{".md", "text/plain; charset=utf-8"},
	{".toml", "text/plain; charset=utf-8"},
	{".png", "image/png"},
	{".jpg", "image/jpeg"},
	{".jpeg", "image/jpeg"},
	{".gif", "image/gif"},
	{".svg", "image/svg+xml"},
	{".pdf", "application/pdf"},
	{".arrows", "application/vnd.apache.arrow.stream"},
	{".arrow", "application/vnd.apache.arrow.file"},
	{".wasm", "application/wasm"},
};

static const char *type_of(const char *path)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t bytes = strlen(types[i].ending);
		if (length > bytes && strcasecmp(path + length - bytes, types[i].ending) == 0)
			return types[i].type;
	}
	return "application/octet-stream";
}

static const char *header_of(const struct answer_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* Headers of all answers, then it goes out. */
static enum MHD_Result queue(const struct answer_request *request, unsigned status, struct MHD_Response *response)
{
	static const char *const headers[HEADERS_COUNT][2] = {
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
	};

	if (!response)
		return MHD_NO;
	for (int i = 0; i < HEADERS_COUNT; i++)
		MHD_add_response_header(response, headers[i][0], headers[i][1]);
	enum MHD_Result rc = MHD_queue_response(request->connection, status, response);
	MHD_destroy_response(response);
	return rc;
}

static enum MHD_Result send_text(const struct answer_request *request, unsigned status, const char *text)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", "text/plain; charset=utf-8");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	if (status >= 400) /* nothing that may still come is waited for */
		MHD_add_response_header(response, "Connection", "close");
	return queue(request, status, response);
}

static enum MHD_Result send_failure(const struct answer_request *request, int rc)
{
	if (rc == -ENOENT)
		return send_text(request, MHD_HTTP_NOT_FOUND, "404: there is no such file\n");
	if (rc == -ENOTDIR)
		return send_text(
			request, MHD_HTTP_SERVICE_UNAVAILABLE, "503: the folder that is to be served is not there\n");
	if (rc == -EACCES || rc == -EPERM)
		return send_text(request, MHD_HTTP_FORBIDDEN, "403: the server may not read this\n");
	return send_text(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "500: the file can't be read\n");
}

/* --- files ------------------------------------------------------------------------------------------------------- */

/* Of the size that the file had when it was opened; one that became shorter ends the connection, so that nobody takes
 * what came for all of it. */
static ssize_t read_part(void *context, uint64_t at, char *buffer, size_t bytes_max)
{
	struct part *part = context;
	ssize_t got;

	do
		got = pread(part->descriptor, buffer, bytes_max, (off_t)(part->first + at));
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	part->visit->bytes += (uint64_t)got;
	return got;
}

static void close_part(void *context)
{
	struct part *part = context;

	close(part->descriptor);
	free(part);
}

struct file {
	const char *path;
	int descriptor;
	uint64_t size, first, count;
	time_t changed;
	char etag[80], date[RESOURCE_DATE_BYTES];
};

static void describe(struct file *file, const struct stat *status)
{
	bool is_recent = time(NULL) - status->st_mtime < RECENT_S;

	file->size = (uint64_t)status->st_size;
	file->changed = status->st_mtime;
	snprintf(file->etag, sizeof(file->etag), "%s\"%jx-%jx-%jx.%lx\"", is_recent ? "W/" : "",
		(uintmax_t)status->st_ino, (uintmax_t)status->st_size, (uintmax_t)status->st_mtime,
		(unsigned long)status->st_mtim.tv_nsec);
	resource_format_date(status->st_mtime, file->date);
}

/* Has who asks the file as it is? */
static bool is_known(const struct answer_request *request, const struct file *file)
{
	const char *tags = header_of(request, "If-None-Match");
	time_t since;

	if (tags)
		return resource_has_etag(tags, file->etag);
	return resource_parse_date(header_of(request, "If-Modified-Since"), &since) && file->changed <= since;
}

/* May a range be sent, or has the file changed since its other parts were fetched? */
static bool is_same(const struct answer_request *request, const struct file *file)
{
	const char *condition = header_of(request, "If-Range");
	time_t since;

	if (!condition)
		return true;
	if (file->etag[0] == 'W')
		return false;
	if (condition[0] == '"')
		return strcmp(condition, file->etag) == 0;
	return resource_parse_date(condition, &since) && file->changed == since;
}

static void add_headers(struct MHD_Response *response, const struct file *file)
{
	MHD_add_response_header(response, "ETag", file->etag);
	MHD_add_response_header(response, "Last-Modified", file->date);
	MHD_add_response_header(response, "Cache-Control", "no-cache"); /* asked again each time, with these two */
	MHD_add_response_header(response, "Accept-Ranges", "bytes");
}

static enum MHD_Result send_known(const struct answer_request *request, const struct file *file)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

	close(file->descriptor);
	if (!response)
		return MHD_NO;
	add_headers(response, file);
	return queue(request, MHD_HTTP_NOT_MODIFIED, response);
}

static enum MHD_Result send_outside(const struct answer_request *request, const struct file *file)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	char range[64];

	close(file->descriptor);
	if (!response)
		return MHD_NO;
	snprintf(range, sizeof(range), "bytes */%" PRIu64, file->size);
	MHD_add_response_header(response, "Content-Range", range);
	return queue(request, MHD_HTTP_RANGE_NOT_SATISFIABLE, response);
}

/* Takes the descriptor. */
static enum MHD_Result send_part(const struct answer_request *request, const struct file *file, bool is_part)
{
	struct part *part = malloc(sizeof(*part));
	char range[96];

	if (!part) {
		close(file->descriptor);
		return MHD_NO;
	}
	*part = (struct part){.descriptor = file->descriptor, .first = file->first, .visit = request->visit};
	struct MHD_Response *response =
		MHD_create_response_from_callback(file->count, BLOCK_BYTES, read_part, part, close_part);
	if (!response) {
		close_part(part);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", type_of(file->path));
	add_headers(response, file);
	if (!is_part)
		return queue(request, MHD_HTTP_OK, response);
	snprintf(range, sizeof(range), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, file->first,
		file->first + file->count - 1, file->size);
	MHD_add_response_header(response, "Content-Range", range);
	return queue(request, MHD_HTTP_PARTIAL_CONTENT, response);
}

static enum MHD_Result send_file(
	const struct answer_request *request, const char *path, int descriptor, const struct stat *status)
{
	struct file file = {.path = path, .descriptor = descriptor};
	enum resource_range range = RESOURCE_WHOLE;

	describe(&file, status);
	file.count = file.size;
	if (is_known(request, &file))
		return send_known(request, &file);
	if (strcmp(request->method, "GET") == 0 && is_same(request, &file))
		range = resource_parse_range(header_of(request, "Range"), file.size, &file.first, &file.count);
	if (range == RESOURCE_OUTSIDE)
		return send_outside(request, &file);
	return send_part(request, &file, range == RESOURCE_PART);
}

/* --- folders ----------------------------------------------------------------------------------------------------- */

/* Its index.html, or a list of what is in it. Takes the descriptor. */
static enum MHD_Result send_folder(const struct answer_request *request, const char *path, int descriptor)
{
	char index[RESOURCE_PATH_BYTES + 16], *html;
	struct stat status;
	size_t bytes;

	snprintf(index, sizeof(index), "%s/index.html", path);
	int file = folder_open(request->root, index, &status);
	if (file >= 0 && S_ISREG(status.st_mode)) {
		close(descriptor);
		return send_file(request, index, file, &status);
	}
	if (file >= 0)
		close(file);
	int rc = folder_list(descriptor, request->root, path, &html, &bytes);
	close(descriptor);
	if (rc < 0)
		return send_failure(request, rc);
	struct MHD_Response *response = MHD_create_response_from_buffer(bytes, html, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(html);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", "text/html; charset=utf-8");
	MHD_add_response_header(response, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
	MHD_add_response_header(response, "Cache-Control", "no-store");
	return queue(request, MHD_HTTP_OK, response);
}

/* --- requests ---------------------------------------------------------------------------------------------------- */

struct header_count {
	unsigned hosts;
	bool has_body;
};

static enum MHD_Result count_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct header_count *count = context;

	(void)kind;
	(void)value;
	count->hosts += strcasecmp(name, "Host") == 0;
	count->has_body = count->has_body || strcasecmp(name, "Content-Length") == 0 ||
			  strcasecmp(name, "Transfer-Encoding") == 0;
	return MHD_YES;
}

bool answer_refuse(const struct answer_request *request, enum MHD_Result *ret_result)
{
	struct header_count count = {0};

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, count_header, &count);
	if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0)
		*ret_result =
			send_text(request, MHD_HTTP_METHOD_NOT_ALLOWED, "405: files can be read here, nothing else\n");
	else if (count.hosts > 1 || count.has_body) /* what proxies and servers read differently */
		*ret_result = send_text(
			request, MHD_HTTP_BAD_REQUEST, "400: a request without a body and with one Host, please\n");
	else if (request->host && !resource_is_own(header_of(request, "Host"), request->host))
		*ret_result = send_text(request, MHD_HTTP_FORBIDDEN,
			"403: this server answers to localhost alone; set `host` to let others in\n");
	else
		return false;
	return true;
}

enum MHD_Result answer_send(const struct answer_request *request)
{
	char path[RESOURCE_PATH_BYTES];
	struct stat status;

	if (!resource_parse_path(request->url, time(NULL), path))
		return send_failure(request, -ENOENT);
	int descriptor = folder_open(request->root, path, &status);
	if (descriptor < 0)
		return send_failure(request, descriptor);
	return S_ISDIR(status.st_mode) ? send_folder(request, path, descriptor)
				       : send_file(request, path, descriptor, &status);
}
