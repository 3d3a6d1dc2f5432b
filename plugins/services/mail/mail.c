/* mail.c: DAQJobAlertMail: sends each alert by the mail program of this machine. A service: alerts are heard on its
 * main thread, the program is started on a device's. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "enrgdaq/job.h"
#include "mail_text.h"
#include "outgoing/delivery.h"
#include "sendmail.h"

#define AT(member) offsetof(struct mail_options, member)

struct mail_options {
	struct enrg_string_list to;
	const char *from, *subject, *sendmail_path;
	double timeout_seconds;
	struct delivery_options delivery;
};

static const struct enrg_option mail_option_list[] = {
	{.key = "to",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = AT(to),
		.required = true,
		.help = "Addresses that get each alert.",
		.example = "[\"shift@example.org\"]"},
	{.key = "from",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(from),
		.help = "Address in the header From; without the key the mail program puts that of its user."},
	{.key = "subject",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(subject),
		.default_value = "\"[ENRGDAQ]\"",
		.help = "How the subject begins; supervisor, severity, job and message follow."},
	{.key = "sendmail_path",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(sendmail_path),
		.default_value = "\"/usr/sbin/sendmail\"",
		.runs_code = true,
		.help = "Program that sends a mail: it is run as PATH -i -- ADDRESS… (sendmail, postfix, msmtp, "
			"exim)."},
	{.key = "timeout_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(timeout_seconds),
		.default_value = "60.0",
		.min = 0.1,
		.max = 3600,
		.unit = "s",
		.help = "The program is killed after so long."},
	{.key = "delivery", .kind = ENRG_OPTION_INCLUDE, .offset = AT(delivery), .table = &delivery_table},
	{.key = NULL},
};

static int mail_check(const void *options, struct enrg_error *err)
{
	const struct mail_options *chosen = options;

	if (!chosen->to.count || chosen->to.count > MAIL_RECIPIENTS_MAX)
		return enrg_error_set(err, ENRG_E_CONFIG, "to: expected 1 to %u addresses, found %zu",
			MAIL_RECIPIENTS_MAX, chosen->to.count);
	for (size_t i = 0; i < chosen->to.count; i++)
		if (!mail_is_address(chosen->to.items[i]))
			return enrg_error_set(err, ENRG_E_CONFIG,
				"to: expected addresses such as shift@example.org, found \"%s\"", chosen->to.items[i]);
	if (chosen->from && !mail_is_address(chosen->from))
		return enrg_error_set(err, ENRG_E_CONFIG,
			"from: expected an address such as daq@example.org, found \"%s\"", chosen->from);
	for (const char *c = chosen->subject; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return enrg_error_set(
				err, ENRG_E_CONFIG, "subject: expected one line, found a control character in it");
	if (chosen->sendmail_path[0] != '/')
		return enrg_error_set(err, ENRG_E_CONFIG,
			"sendmail_path: expected a path from / on, such as /usr/sbin/sendmail, found \"%s\"",
			chosen->sendmail_path);
	return 0;
}

/* --- letters ----------------------------------------------------------------------------------------------------- */

struct letter {
	struct sendmail_params params;
	char *text;
};

static void discard(void *context)
{
	struct letter *letter = context;

	free(letter->text);
	free(letter);
}

static void *compose(void *context, const struct notice *notice, const _Atomic bool *is_ending)
{
	const struct mail_options *options = context;
	const struct mail_head head = {.from = options->from, .subject = options->subject, .to = options->to};
	struct letter *letter = calloc(1, sizeof(*letter));
	struct timespec now;

	if (!letter)
		return NULL;
	clock_gettime(CLOCK_REALTIME, &now);
	letter->params = (struct sendmail_params){.program = options->sendmail_path,
		.to = &options->to,
		.timeout_seconds = options->timeout_seconds,
		.is_ending = is_ending};
	letter->text = mail_format(&head, notice, (uint64_t)now.tv_sec * 1000000000u);
	if (letter->text)
		return letter;
	free(letter);
	return NULL;
}

static int send_letter(void *context, struct delivery_hint *ret_hint, struct enrg_error *err)
{
	const struct letter *letter = context;

	int rc = sendmail_run(&letter->params, letter->text, err);
	ret_hint->may_have_arrived = rc == -ETIMEDOUT; /* it was killed, and may have passed it on */
	return rc;
}

/* --- the job ----------------------------------------------------------------------------------------------------- */

static int mail_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	const struct mail_options *chosen = options;
	const struct delivery_way way = {
		.name = "the mail program",
		.timeout_seconds = chosen->timeout_seconds,
		.compose = compose,
		.send = send_letter,
		.discard = discard,
		.context = (void *)(uintptr_t)options,
	};
	struct delivery *delivery;
	int rc = delivery_create(job, &way, &chosen->delivery, &delivery, err);

	if (!rc)
		*ret_state = delivery;
	return rc;
}

static const struct enrg_job_type mail_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobAlertMail",
	.summary = "Sends the alerts of all jobs by mail.",
	.options = {.size = sizeof(struct mail_options), .options = mail_option_list},
	.start = mail_start,
	.poll = delivery_poll,
	.stop = delivery_stop,
	.destroy = delivery_destroy,
	.check = mail_check,
	.on_alert = delivery_hear,
	.is_service = true,
};

static const struct enrg_job_type *const mail_jobs[] = {&mail_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "mail", .jobs = mail_jobs};
