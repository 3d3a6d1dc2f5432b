/* post.c: see the header. Made and freed on the main thread, sent on a device's. */
#include "post.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outgoing/delivery.h"

struct post {
	const char *url;
	const struct http_options *options;
	const _Atomic bool *is_ending;
	char *body;
	size_t header_count;
	char *headers[HTTP_HEADERS_MAX];
};

struct post *post_create(const char *url, const struct http_options *options, char *body, const _Atomic bool *is_ending)
{
	struct post *post = body ? calloc(1, sizeof(*post)) : NULL;

	if (!post) {
		free(body);
		return NULL;
	}
	*post = (struct post){.url = url, .options = options, .is_ending = is_ending, .body = body};
	return post;
}

int post_add_header(struct post *post, const char *format, ...)
{
	va_list arguments;
	char *header = NULL;

	if (post->header_count == HTTP_HEADERS_MAX)
		return -ENOMEM;
	va_start(arguments, format);
	int length = vasprintf(&header, format, arguments);
	va_end(arguments);
	if (length < 0)
		return -ENOMEM;
	post->headers[post->header_count++] = header;
	return 0;
}

int post_send(void *context, struct delivery_hint *ret_hint, struct enrg_error *err)
{
	const struct post *post = context;
	const struct http_request request = {
		.options = post->options,
		.url = post->url,
		.body = post->body,
		.body_bytes = strlen(post->body),
		.headers = (const char *const *)post->headers,
		.header_count = post->header_count,
		.is_ending = post->is_ending,
	};
	struct http_result result;
	int rc = http_send(&request, &result, err);

	ret_hint->retry_after_s = result.retry_after_s;
	/* no answer, or one of somebody between us */
	ret_hint->may_have_arrived =
		result.is_sent && (result.status < 200 || result.status == 502 || result.status == 504);
	return rc;
}

void post_discard(void *context)
{
	struct post *post = context;

	for (size_t i = 0; i < post->header_count; i++)
		free(post->headers[i]);
	free(post->body);
	free(post);
}
