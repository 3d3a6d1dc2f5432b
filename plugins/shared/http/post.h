/* post.h: a letter of outgoing/delivery.h that is a request by POST. */
#ifndef HTTP_POST_H
#define HTTP_POST_H

#include <stdatomic.h>
#include <stdbool.h>

#include "http.h"

struct delivery_hint;

struct post;

/* Takes the body, also where it fails (NULL: out of memory) and where it is NULL itself. URL and options live longer
 * than it; `is_ending` as http_request has it. */
struct post *post_create(
	const char *url, const struct http_options *options, char *body, const _Atomic bool *is_ending);
/* "Name: value", checked by http_check_header; at most HTTP_HEADERS_MAX. 0, -ENOMEM. */
int post_add_header(struct post *post, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For struct delivery_way. */
int post_send(void *post, struct delivery_hint *ret_hint, struct enrg_error *err);
void post_discard(void *post);

#endif
