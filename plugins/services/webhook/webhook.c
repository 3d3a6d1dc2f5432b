/* webhook.c: DAQJobAlertWebhook: posts each alert as JSON to a URL. A service: alerts are heard on its main thread,
 * requests are made on a device's. */
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "body.h"
#include "enrgdaq/job.h"
#include "http/post.h"
#include "outgoing/delivery.h"

#define OWN_HEADERS 5u /* of HTTP_HEADERS_MAX */

#define AT(member) offsetof(struct webhook_options, member)

struct webhook_options {
	const char *webhook_url, *authorization, *secret;
	struct enrg_map headers;
	struct http_options http;
	struct delivery_options delivery;
};

static const struct enrg_option webhook_option_list[] = {
	{.key = "webhook_url",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(webhook_url),
		.required = true,
		.secret = true,
		.help = "Where alerts are posted to.",
		.example = "\"https://example.org/alerts\""},
	{.key = "secret",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(secret),
		.secret = true,
		.help = "Signs what is sent: the header X-Enrgdaq-Signature is an HMAC-SHA256 with it."},
	{.key = "authorization",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(authorization),
		.secret = true,
		.help = "Value of the header Authorization, such as \"Bearer …\"."},
	{.key = "headers",
		.kind = ENRG_OPTION_MAP,
		.offset = AT(headers),
		.help = "Further headers; nothing secret, since values are shown."},
	{.key = "http", .kind = ENRG_OPTION_INCLUDE, .offset = AT(http), .table = &http_table},
	{.key = "delivery", .kind = ENRG_OPTION_INCLUDE, .offset = AT(delivery), .table = &delivery_table},
	{.key = NULL},
};

static int webhook_check(const void *options, struct enrg_error *err)
{
	const struct webhook_options *chosen = options;
	int rc = http_check_options(&chosen->http, err);

	if (!rc)
		rc = http_check_url(chosen->webhook_url, "webhook_url", &chosen->http, err);
	if (!rc && chosen->authorization)
		rc = http_check_header("Authorization", chosen->authorization, "authorization", err);
	if (!rc && chosen->secret && !chosen->secret[0])
		rc = enrg_error_set(err, ENRG_E_CONFIG, "secret: expected a secret, found \"\"");
	if (!rc && chosen->headers.count > HTTP_HEADERS_MAX - OWN_HEADERS)
		rc = enrg_error_set(err, ENRG_E_CONFIG, "headers: expected %u at most, found %zu",
			HTTP_HEADERS_MAX - OWN_HEADERS, chosen->headers.count);
	for (size_t i = 0; !rc && i < chosen->headers.count; i++)
		rc = http_check_header(chosen->headers.entries[i].key, chosen->headers.entries[i].text, "headers", err);
	return rc;
}

/* --- letters ----------------------------------------------------------------------------------------------------- */

static uint64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int add_signature(struct post *post, const char *secret, uint64_t seconds, const char *body)
{
	char *signature = secret ? body_sign(secret, seconds, body) : NULL;
	int rc = secret && !signature ? -1 : 0;

	if (signature)
		rc = post_add_header(post, "X-Enrgdaq-Signature: %s", signature);
	free(signature);
	return rc;
}

static int add_headers(
	struct post *post, const struct webhook_options *options, const struct notice *notice, uint64_t seconds)
{
	int rc = post_add_header(post, "Content-Type: application/json; charset=utf-8");

	if (!rc)
		rc = post_add_header(post, "X-Enrgdaq-Id: %s", notice->id);
	if (!rc)
		rc = post_add_header(post, "X-Enrgdaq-Timestamp: %" PRIu64, seconds);
	if (!rc && options->authorization)
		rc = post_add_header(post, "Authorization: %s", options->authorization);
	for (size_t i = 0; !rc && i < options->headers.count; i++)
		rc = post_add_header(post, "%s: %s", options->headers.entries[i].key, options->headers.entries[i].text);
	return rc;
}

static void *compose(void *context, const struct notice *notice, const _Atomic bool *is_ending)
{
	const struct webhook_options *options = context;
	uint64_t now_ns = wall_ns(), seconds = now_ns / 1000000000u;
	char *body = body_format(notice, now_ns);
	struct post *post = post_create(options->webhook_url, &options->http, body, is_ending);

	if (!post)
		return NULL;
	if (add_headers(post, options, notice, seconds) == 0 &&
		add_signature(post, options->secret, seconds, body) == 0)
		return post;
	post_discard(post);
	return NULL;
}

/* --- the job ----------------------------------------------------------------------------------------------------- */

static int webhook_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	const struct webhook_options *chosen = options;
	const struct delivery_way way = {
		.name = "the webhook",
		.timeout_seconds = chosen->http.timeout_seconds,
		.compose = compose,
		.send = post_send,
		.discard = post_discard,
		.context = (void *)(uintptr_t)options,
	};
	struct delivery *delivery;
	int rc = http_init(err);

	if (!rc)
		rc = delivery_create(job, &way, &chosen->delivery, &delivery, err);
	if (!rc)
		*ret_state = delivery;
	return rc;
}

static const struct enrg_job_type webhook_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobAlertWebhook",
	.summary = "Posts the alerts of all jobs to a URL, as JSON.",
	.options = {.size = sizeof(struct webhook_options), .options = webhook_option_list},
	.start = webhook_start,
	.poll = delivery_poll,
	.stop = delivery_stop,
	.destroy = delivery_destroy,
	.check = webhook_check,
	.on_alert = delivery_hear,
	.is_service = true,
};

static const struct enrg_job_type *const webhook_jobs[] = {&webhook_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "webhook", .jobs = webhook_jobs};
