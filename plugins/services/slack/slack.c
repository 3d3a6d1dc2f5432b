/* slack.c: DAQJobAlertSlack: posts each alert to an incoming webhook of Slack. A service: alerts are heard on its main
 * thread, requests are made on a device's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "enrgdaq/job.h"
#include "http/http.h"
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
		.help = "Incoming webhook of a channel: https://hooks.slack.com/services/…"},
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

struct letter {
	const struct slack_options *options;
	const _Atomic bool *is_ending;
	char *body;
};

static void discard(void *letter)
{
	free(((struct letter *)letter)->body);
	free(letter);
}

static void *compose(void *context, const struct notice *notice, const _Atomic bool *is_ending)
{
	struct letter *letter = calloc(1, sizeof(*letter));

	if (!letter)
		return NULL;
	letter->options = context;
	letter->is_ending = is_ending;
	letter->body = message_format(notice);
	if (letter->body)
		return letter;
	free(letter);
	return NULL;
}

static int send_letter(void *context, struct delivery_hint *ret_hint, struct enrg_error *err)
{
	static const char *const headers[] = {"Content-Type: application/json; charset=utf-8"};
	const struct letter *letter = context;
	const struct http_request request = {
		.options = &letter->options->http,
		.url = letter->options->slack_webhook_url,
		.body = letter->body,
		.body_bytes = strlen(letter->body),
		.headers = headers,
		.header_count = 1,
		.is_ending = letter->is_ending,
	};
	struct http_result result;
	int rc = http_send(&request, &result, err);

	ret_hint->retry_after_s = result.retry_after_s;
	return rc;
}

/* --- the job ----------------------------------------------------------------------------------------------------- */

static int slack_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	const struct slack_options *chosen = options;
	const struct delivery_way way = {
		.name = "Slack",
		.timeout_seconds = chosen->http.timeout_seconds,
		.compose = compose,
		.send = send_letter,
		.discard = discard,
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

static int slack_hear(struct enrg_job *job, void *state, const struct enrg_alert *alert, struct enrg_error *err)
{
	(void)job;
	(void)err;
	delivery_hear(state, alert);
	return 0;
}

static int slack_poll(struct enrg_job *job, void *state, struct enrg_error *err)
{
	(void)job;
	return delivery_poll(state, err);
}

static int slack_stop(struct enrg_job *job, void *state, struct enrg_error *err)
{
	(void)job;
	return delivery_stop(state, err);
}

static void slack_destroy(void *state)
{
	delivery_destroy(state);
}

static const char *const slack_old_names[] = {"alert_slack", NULL};

static const struct enrg_job_type slack_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobAlertSlack",
	.old_names = slack_old_names,
	.summary = "Posts the alerts of all jobs to a channel of Slack.",
	.options = {.size = sizeof(struct slack_options), .options = slack_option_list},
	.start = slack_start,
	.poll = slack_poll,
	.stop = slack_stop,
	.destroy = slack_destroy,
	.check = slack_check,
	.on_alert = slack_hear,
	.is_service = true,
};

static const struct enrg_job_type *const slack_jobs[] = {&slack_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "slack", .jobs = slack_jobs};
