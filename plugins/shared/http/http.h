/* http.h: one request to where a configuration says, and nowhere else: http and https, no redirects, no proxy of the
 * environment, to the very address that address.h has judged; a time limit over all of it; what is answered beyond the
 * status is neither kept nor shown. On any thread (a device's); several threads at once. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/option.h"

#define HTTP_HEADERS_MAX 32u

/* Keys that all who send have; included in their tables. */
struct http_options {
	double timeout_seconds;
	struct enrg_string_list allow_private;
	const char *ca_file;
};

extern const struct enrg_table http_table;

struct http_request {
	const struct http_options *options;
	const char *url;
	const char *body; /* NULL: GET, else POST */
	size_t body_bytes;
	const char *const *headers; /* "Name: value", checked by http_check_header */
	size_t header_count;
	const _Atomic bool *is_ending; /* set by another thread: give up within a second; NULL: never */
	const char *resolve;           /* for tests: "HOST:PORT:ADDRESS", as if the name had resolved so */
};

struct http_result {
	long status;            /* 0: none came */
	uint32_t retry_after_s; /* what the receiver asks for; 0: nothing */
	bool is_sent;           /* some of the request went out */
};

/* Once, before the first thread that sends. 0 or -EIO. */
int http_init(struct enrg_error *err);

/* 0: it was taken (2xx). -EBADMSG: refused for what it says, the same again is of no use. -EACCES: the address is not
 * allowed. -EXDEV: a redirect. Other codes: not reached, no or another answer: later perhaps. The text names the host
 * alone, since the rest of a URL may be secret. */
int http_send(const struct http_request *request, struct http_result *ret_result, struct enrg_error *err);

/* For checks: ENRG_E_CONFIG with a text that begins with `key`. */
int http_check_url(const char *url, const char *key, const struct http_options *options, struct enrg_error *err);
int http_check_header(const char *name, const char *value, const char *key, struct enrg_error *err);
int http_check_options(const struct http_options *options, struct enrg_error *err);

#endif
