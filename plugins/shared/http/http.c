/* http.c: see the header. libcurl, a handle a request: no connection outlives it. */
#include "http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "address.h"

#define ANSWER_BYTES_MAX  65536u /* of an answer that nobody reads */
#define HOST_BYTES        256u
#define RETRY_AFTER_MAX_S 3600

#define AT(member) offsetof(struct http_options, member)

static const struct enrg_option http_option_list[] = {
	{.key = "timeout_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(timeout_seconds),
		.default_value = "5.0",
		.min = 0.1,
		.max = 60,
		.unit = "s",
		.help = "How long one request may take, from the look-up of the name to the answer."},
	{.key = "allow_private",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = AT(allow_private),
		.default_value = "[]",
		.help = "Loopback and private addresses or networks (\"192.168.1.0/24\") that may be connected to; "
			"without an entry none is."},
	{.key = "ca_file",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(ca_file),
		.runs_code = true,
		.help = "Certificates (PEM) that https is checked against; without the key those of the system."},
	{.key = NULL},
};

const struct enrg_table http_table = {.size = sizeof(struct http_options), .options = http_option_list};

/* What the callbacks of one request share. */
struct exchange {
	const struct http_request *request;
	char host[HOST_BYTES];
	size_t answer_bytes;
	bool is_refused;
	struct enrg_error refusal;
	char text[CURL_ERROR_SIZE];
};

/* A look-up that a server of names never answers is left behind by libcurl on a thread of its own: its code has to stay
 * where it is when this module is unloaded. */
static void keep_library_loaded(void)
{
	Dl_info info;

	if (dladdr((const void *)(uintptr_t)curl_easy_init, &info))
		(void)dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

int http_init(struct enrg_error *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return enrg_error_set(err, -EIO, "libcurl can't be used on this machine");
	keep_library_loaded();
	return 0;
}

/* --- callbacks of libcurl ---------------------------------------------------------------------------------------- */

/* libcurl connects this socket to `address`, the bytes that were judged. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct exchange *exchange = context;

	if (purpose != CURLSOCKTYPE_IPCXN || address_judge(&address->addr, address->addrlen,
						     &exchange->request->options->allow_private, &exchange->refusal)) {
		exchange->is_refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t count_answer(char *bytes, size_t size, size_t count, void *context)
{
	struct exchange *exchange = context;

	(void)bytes;
	exchange->answer_bytes += size * count;
	return exchange->answer_bytes > ANSWER_BYTES_MAX ? 0 : size * count; /* 0 ends it; the status is known */
}

static int is_to_end(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct exchange *exchange = context;
	const _Atomic bool *is_ending = exchange->request->is_ending;

	(void)a, (void)b, (void)c, (void)d;
	return is_ending && atomic_load_explicit(is_ending, memory_order_relaxed);
}

/* --- one request ------------------------------------------------------------------------------------------------- */

static void find_host(const char *url, char ret_host[HOST_BYTES])
{
	CURLU *parts = curl_url();
	char *host = NULL;

	snprintf(ret_host, HOST_BYTES, "the receiver");
	if (parts && !curl_url_set(parts, CURLUPART_URL, url, 0) && !curl_url_get(parts, CURLUPART_HOST, &host, 0))
		snprintf(ret_host, HOST_BYTES, "%s", host);
	curl_free(host);
	curl_url_cleanup(parts);
}

static void set_limits(CURL *handle, struct exchange *exchange)
{
	const struct http_options *options = exchange->request->options;
	long timeout_ms = (long)(options->timeout_seconds * 1e3);

	curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(handle, CURLOPT_PROXY, ""); /* that of the environment would connect to what it likes */
	curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
	curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, exchange);
	curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, count_answer);
	curl_easy_setopt(handle, CURLOPT_WRITEDATA, exchange);
	curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, is_to_end);
	curl_easy_setopt(handle, CURLOPT_XFERINFODATA, exchange);
	curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, exchange->text);
	if (options->ca_file)
		curl_easy_setopt(handle, CURLOPT_CAINFO, options->ca_file);
}

/* The list, or NULL: out of memory. */
static struct curl_slist *list_headers(const struct http_request *request)
{
	struct curl_slist *list = curl_slist_append(NULL, "User-Agent: enrgdaq"), *longer;

	for (size_t i = 0; list && i < request->header_count; i++) {
		longer = curl_slist_append(list, request->headers[i]);
		if (!longer)
			curl_slist_free_all(list);
		list = longer;
	}
	return list;
}

/* What is wrong with what a message says, as opposed to where it was sent and how it is there now. */
static bool is_about_content(long status)
{
	return status == 400 || status == 406 || (status >= 411 && status <= 417) || status == 422 || status == 431;
}

static int judge_status(const struct exchange *exchange, long status, struct enrg_error *err)
{
	if (status >= 200 && status < 300)
		return 0;
	if (status >= 300 && status < 400)
		return enrg_error_set(err, -EXDEV,
			"%s answers %ld, a redirect, and none is followed: give the address that it leads to",
			exchange->host, status);
	if (is_about_content(status))
		return enrg_error_set(err, -EBADMSG, "%s refuses what was sent (status %ld)", exchange->host, status);
	if (status == 401 || status == 403 || status == 404 || status == 410)
		return enrg_error_set(err, -EPERM,
			"%s answers %ld: the address or the key of the receiver is wrong, or was revoked",
			exchange->host, status);
	return enrg_error_set(err, -EREMOTEIO, "%s answers %ld", exchange->host, status);
}

static int judge(struct exchange *exchange, CURLcode code, long status, struct enrg_error *err)
{
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return enrg_error_set(err, -ECANCELED, "%s: given up, since this job ends", exchange->host);
	if (status >= 200) /* however the rest of the answer went */
		return judge_status(exchange, status, err);
	if (exchange->is_refused && code == CURLE_COULDNT_CONNECT)
		return enrg_error_set(err, -EACCES, "%s: %s", exchange->host, exchange->refusal.text);
	return enrg_error_set(err, code == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -EHOSTUNREACH, "%s: %s",
		exchange->host, exchange->text[0] ? exchange->text : curl_easy_strerror(code));
}

static void read_retry_after(CURL *handle, struct http_result *ret_result)
{
	curl_off_t wait_s = 0;

	if (curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &wait_s) == CURLE_OK && wait_s > 0)
		ret_result->retry_after_s = (uint32_t)(wait_s < RETRY_AFTER_MAX_S ? wait_s : RETRY_AFTER_MAX_S);
}

static int perform(CURL *handle, struct exchange *exchange, struct http_result *ret_result, struct enrg_error *err)
{
	const struct http_request *request = exchange->request;
	struct curl_slist *headers = list_headers(request);
	long sent = 0;
	struct curl_slist *resolve = request->resolve ? curl_slist_append(NULL, request->resolve) : NULL;

	if (!headers)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	set_limits(handle, exchange);
	curl_easy_setopt(handle, CURLOPT_URL, request->url);
	curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(handle, CURLOPT_RESOLVE, resolve);
	if (request->body) {
		curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request->body);
		curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_bytes);
	}
	CURLcode code = curl_easy_perform(handle);
	curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &ret_result->status);
	curl_easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &sent);
	ret_result->is_sent = sent > 0;
	read_retry_after(handle, ret_result);
	curl_slist_free_all(headers);
	curl_slist_free_all(resolve);
	return judge(exchange, code, ret_result->status, err);
}

int http_send(const struct http_request *request, struct http_result *ret_result, struct enrg_error *err)
{
	struct exchange exchange = {.request = request};
	CURL *handle = curl_easy_init();

	*ret_result = (struct http_result){0};
	if (!handle)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	find_host(request->url, exchange.host);
	int rc = perform(handle, &exchange, ret_result, err);
	curl_easy_cleanup(handle);
	return rc;
}

/* --- checks ------------------------------------------------------------------------------------------------------ */

/* A host that is an address by itself needs no look-up to be judged. libcurl has brought every odd form of an IPv4
 * address (2130706433, 0x7f.1) to the usual one. */
static int check_host(const char *host, const char *key, const struct http_options *options, struct enrg_error *err)
{
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	char bare[HOST_BYTES];
	int rc = 0;

	snprintf(bare, sizeof(bare), "%s", host[0] == '[' ? host + 1 : host);
	bare[strcspn(bare, "]%")] = '\0';
	if (inet_pton(AF_INET, bare, &four.sin_addr) == 1)
		rc = address_judge((const struct sockaddr *)&four, sizeof(four), &options->allow_private, err);
	else if (inet_pton(AF_INET6, bare, &six.sin6_addr) == 1)
		rc = address_judge((const struct sockaddr *)&six, sizeof(six), &options->allow_private, err);
	return rc ? enrg_error_add(err, ENRG_E_CONFIG, "%s", key) : 0;
}

int http_check_url(const char *url, const char *key, const struct http_options *options, struct enrg_error *err)
{
	CURLU *parts = curl_url();
	char *scheme = NULL, *host = NULL;
	int rc = 0;

	if (!parts)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	if (strpbrk(url, " \t\r\n") || curl_url_set(parts, CURLUPART_URL, url, 0) ||
		curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) || curl_url_get(parts, CURLUPART_HOST, &host, 0))
		rc = enrg_error_set(err, ENRG_E_CONFIG, "%s: expected a URL such as https://hooks.example.org/…", key);
	else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		rc = enrg_error_set(err, ENRG_E_CONFIG, "%s: expected http:// or https://, found %s://", key, scheme);
	else
		rc = check_host(host, key, options, err);
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(parts);
	return rc;
}

int http_check_header(const char *name, const char *value, const char *key, struct enrg_error *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

	if (!name[0] || name[strspn(name, letters)] != '\0')
		return enrg_error_set(err, ENRG_E_CONFIG,
			"%s: expected a name of a header (letters, digits, - and _), found \"%s\"", key, name);
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return enrg_error_set(err, ENRG_E_CONFIG,
				"%s: the value of %s holds a control character, such as a line end", key, name);
	return 0;
}

int http_check_options(const struct http_options *options, struct enrg_error *err)
{
	return address_check_list(&options->allow_private, "allow_private", err);
}
