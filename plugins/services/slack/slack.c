/* slack.c: DAQJobAlertSlack: posts each alert to an incoming webhook of Slack. A service: alerts are heard on its main
 * thread, requests are made on a device's. */
#include <stdint.h>

#include "enrgdaq/job.h"
#include "http/post.h"
#include "message.h"
#include "outgoing/delivery.h"

#define AT(member) offsetof(struct slack_options, member)

struct slack_options {
	const char *slack_webhook_url;
	struct http_options http;
	struct delivery_options delivery;
};

static const struct enrg_option slack_option_list[] = {
	{.key = "slack_webhook_url",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(slack_webhook_url),
		.required = true,
		.secret = true,
		.help = "Incoming webhook of a channel: https://hooks.slack.com/services/…",
		.example = "\"https://hooks.slack.com/services/T000/B000/example\""},
	{.key = "http", .kind = ENRG_OPTION_INCLUDE, .offset = AT(http), .table = &http_table},
	{.key = "delivery", .kind = ENRG_OPTION_INCLUDE, .offset = AT(delivery), .table = &delivery_table},
	{.key = NULL},
};

static int slack_check(const void *options, struct enrg_error *err)
{
	const struct slack_options *chosen = options;
	int rc = http_check_options(&chosen->http, err);

	return rc ? rc : http_check_url(chosen->slack_webhook_url, "slack_webhook_url", &chosen->http, err);
}

/* --- letters ----------------------------------------------------------------------------------------------------- */

static void *compose(void *context, const struct notice *notice, const _Atomic bool *is_ending)
{
	const struct slack_options *options = context;
	struct post *post = post_create(options->slack_webhook_url, &options->http, message_format(notice), is_ending);

	if (!post || post_add_header(post, "Content-Type: application/json; charset=utf-8") == 0)
		return post;
	post_discard(post);
	return NULL;
}

/* --- the job ----------------------------------------------------------------------------------------------------- */

static int slack_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	const struct slack_options *chosen = options;
	const struct delivery_way way = {
		.name = "Slack",
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

static const char *const slack_old_names[] = {"alert_slack", NULL};

static const struct enrg_job_type slack_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobAlertSlack",
	.old_names = slack_old_names,
	.summary = "Posts the alerts of all jobs to a channel of Slack.",
	.options = {.size = sizeof(struct slack_options), .options = slack_option_list},
	.start = slack_start,
	.poll = delivery_poll,
	.stop = delivery_stop,
	.destroy = delivery_destroy,
	.check = slack_check,
	.on_alert = delivery_hear,
	.is_service = true,
};

static const struct enrg_job_type *const slack_jobs[] = {&slack_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "slack", .jobs = slack_jobs};
