/* delivery.c: see the header. */
#include "delivery.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "enrgdaq/device.h"
#include "choose.h"
#include "draft.h"
#include "outbox.h"
#include "quota.h"

#define SECOND_NS 1000000000ull
#define RETRY_NS  SECOND_NS /* the first one */
#define STOP_NS   (2 * SECOND_NS)
#define ALERT_NS  (60 * SECOND_NS)   /* an outage that lasts so long is an alert … */
#define AGAIN_NS  (3600 * SECOND_NS) /* … and again */
#define HANG_S    30                 /* beyond its time-out, before a call counts as hung */

#define AT(member) offsetof(struct delivery_options, member)

static const struct enrg_choice severities[] = {
	{"info", ENRG_INFO}, {"warning", ENRG_WARNING}, {"error", ENRG_ERROR}, {NULL, 0}};

static const struct enrg_option delivery_option_list[] = {
	{.key = "min_severity",
		.kind = ENRG_OPTION_CHOICE,
		.offset = AT(min_severity),
		.default_value = "\"info\"",
		.choices = severities,
		.help = "Alerts below this severity are not sent."},
	{.key = "max_per_minute",
		.kind = ENRG_OPTION_INT,
		.offset = AT(max_per_minute),
		.default_value = "20",
		.min = 1,
		.max = 600,
		.help = "So many messages a minute; what is beyond goes out as one in the next minute."},
	{.key = "max_per_minute_of_job",
		.kind = ENRG_OPTION_INT,
		.offset = AT(max_per_minute_of_job),
		.default_value = "5",
		.min = 1,
		.max = 600,
		.help = "The same for alerts about one job, so that it does not silence the others."},
	{.key = "retry_max_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(retry_max_seconds),
		.default_value = "300.0",
		.min = 0.1,
		.max = 86400,
		.unit = "s",
		.help = "What could not be sent is tried again after 1, 2, 4 … s, and at this interval in the end."},
	{.key = "give_up_hours",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(give_up_hours),
		.default_value = "72.0",
		.min = 0,
		.max = 8760,
		.unit = "h",
		.help = "An alert that could not be sent for so long is given up, and counted."},
	{.key = "state_file",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(state_file),
		.runs_code = true,
		.help = "Where alerts are kept until they are sent; without the key out/state/SUPERVISOR.JOB.outbox."},
	{.key = NULL},
};

const struct enrg_table delivery_table = {.size = sizeof(struct delivery_options), .options = delivery_option_list};

struct delivery {
	struct enrg_job *job;
	struct delivery_way way;
	const struct delivery_options *options;
	struct outbox outbox;
	struct quota quota;
	struct enrg_device *device;
	_Atomic bool is_ending;

	/* On its way: nobody but the device's thread touches it. */
	void *letter; /* NULL: nothing is */
	struct delivery_hint hint;
	uint64_t told_overflow;
	const char *quota_job;

	uint64_t next_try_ns;        /* CLOCK_MONOTONIC */
	uint32_t failures;           /* in a row */
	uint64_t succeeded_ns;       /* the last time; 0: never */
	uint64_t outage_ns, told_ns; /* since when nothing gets through, and the last alert about it; 0: it does */
	uint64_t sent, given_up;
	bool is_full_told, is_disk_told;
};

const char *notice_severity(enum enrg_level severity)
{
	switch (severity) {
	case ENRG_WARNING:
		return "warning";
	case ENRG_ERROR:
		return "error";
	case ENRG_DEBUG:
	case ENRG_INFO:
		break;
	}
	return "info";
}

const char *notice_event(enum enrg_alert_event event)
{
	switch (event) {
	case ENRG_ALERT_BEGINS:
		return "begins";
	case ENRG_ALERT_AGAIN:
		return "again";
	case ENRG_ALERT_ENDS:
		return "ends";
	case ENRG_ALERT_ONCE:
		break;
	}
	return "once";
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* --- its life ---------------------------------------------------------------------------------------------------- */

/* A state that can't be kept is no reason to send nothing. One that somebody else keeps is. */
static int open_outbox(struct delivery *delivery, struct enrg_error *err)
{
	char path[PATH_MAX];
	struct enrg_error why = {0};

	state_format_path(delivery->job, delivery->options->state_file, "outbox", path);
	int rc = outbox_open(&delivery->outbox, path, &why);
	if (rc == -EBUSY)
		return enrg_error_set(err, rc, "%s", why.text);
	if (rc)
		enrg_job_alert(delivery->job, ENRG_WARNING,
			"%s: what %s is to be told is kept in memory alone, and lost if this job is killed before it "
			"was "
			"sent; make the folder writable, or set state_file",
			why.text, delivery->way.name);
	else if (delivery->outbox.count)
		enrg_job_log(delivery->job, ENRG_INFO, "%" PRIu32 " alert(s) of before wait for %s and are sent now",
			delivery->outbox.count, delivery->way.name);
	return 0;
}

int delivery_create(struct enrg_job *job, const struct delivery_way *way, const struct delivery_options *options,
	struct delivery **ret_delivery, struct enrg_error *err)
{
	struct delivery *delivery = calloc(1, sizeof(*delivery));

	if (!delivery)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	delivery->job = job;
	delivery->way = *way;
	delivery->options = options;
	delivery->quota = (struct quota){.most = (uint32_t)options->max_per_minute,
		.most_of_job = (uint32_t)options->max_per_minute_of_job,
		.window_ns = QUOTA_WINDOW_NS};
	int rc = open_outbox(delivery, err);
	if (!rc)
		rc = enrg_device_create(job, way->name, 1, &delivery->device, err);
	if (rc) {
		outbox_close(&delivery->outbox);
		free(delivery);
		return rc;
	}
	*ret_delivery = delivery;
	return 0;
}

void delivery_destroy(void *state)
{
	struct delivery *delivery = state;

	if (!delivery)
		return;
	atomic_store_explicit(&delivery->is_ending, true, memory_order_relaxed);
	if (!enrg_device_destroy(delivery->device))
		return; /* its thread hangs, and may still look at all that is here */
	if (delivery->letter)
		delivery->way.discard(delivery->letter);
	outbox_close(&delivery->outbox);
	free(delivery);
}

/* --- what is heard ----------------------------------------------------------------------------------------------- */

static bool is_own(const struct delivery *delivery, const struct enrg_alert *alert)
{
	return !strcmp(alert->sender.job, enrg_job_name(delivery->job)) &&
	       !strcmp(alert->sender.supervisor, enrg_job_supervisor(delivery->job));
}

/* The end of an alarm goes where its begin went, though an end is no more than information. */
static bool is_wanted(struct delivery *delivery, const struct enrg_alert *alert)
{
	bool is_enough = (int)alert->severity >= delivery->options->min_severity;

	if (alert->event == ENRG_ALERT_ENDS)
		return outbox_end_alarm(&delivery->outbox, alert->key) || is_enough;
	if (is_enough && alert->event != ENRG_ALERT_ONCE)
		outbox_note_alarm(&delivery->outbox, alert->key);
	return is_enough;
}

static void keep(struct delivery *delivery, const struct enrg_alert *alert)
{
	struct enrg_error err = {0};
	int rc = outbox_put(&delivery->outbox, alert, &err);
	if (rc == -ENOBUFS && !delivery->is_full_told) {
		delivery->is_full_told = true;
		enrg_job_alert(delivery->job, ENRG_WARNING,
			"%s: more are counted, and %s is told how many; each stands in the log", err.text,
			delivery->way.name);
	} else if (rc && rc != -ENOBUFS && !delivery->is_disk_told) {
		delivery->is_disk_told = true;
		enrg_job_alert(delivery->job, ENRG_WARNING,
			"%s: alerts for %s are kept in memory alone until that is repaired, and lost if this job is "
			"killed before they were sent",
			err.text, delivery->way.name);
	} else if (!rc) {
		delivery->is_disk_told = false;
	}
}

int delivery_hear(struct enrg_job *job, void *state, const struct enrg_alert *alert, struct enrg_error *err)
{
	struct delivery *delivery = state;

	(void)job;
	(void)err;
	if (!is_own(delivery, alert) && is_wanted(delivery, alert))
		keep(delivery, alert);
	return 0;
}

/* --- what goes out ----------------------------------------------------------------------------------------------- */

/* The context of the device's work is the delivery: letter, hint and the file are its own until it is back. */
static int send_letter(void *context, struct enrg_error *err)
{
	struct delivery *delivery = context;

	(void)outbox_sync(&delivery->outbox); /* where it can't be, a power cut may lose it: sending it is better */
	return delivery->way.send(delivery->letter, &delivery->hint, err);
}

/* Composes what was chosen, and hands it to the device's thread. */
static void post(struct delivery *delivery, const struct choice *choice)
{
	const struct enrg_device_work work = {.name = delivery->way.name,
		.run = send_letter,
		.context = delivery,
		.deadline_ns = (uint64_t)((delivery->way.timeout_seconds + HANG_S) * 1e9)};
	struct notice notice = {.sent_by = enrg_job_supervisor(delivery->job)};
	char *text = choice_describe(choice, &delivery->outbox, &notice);

	delivery->letter = text ? delivery->way.compose(delivery->way.context, &notice, &delivery->is_ending) : NULL;
	free(text);
	if (!delivery->letter) {
		delivery->next_try_ns = clock_ns(CLOCK_MONOTONIC) + RETRY_NS;
		quota_give_back(&delivery->quota, choice->job);
		choice_undo(&delivery->outbox);
		return;
	}
	outbox_note_begin(&delivery->outbox);
	delivery->told_overflow = choice->overflow;
	delivery->quota_job = choice->job;
	delivery->hint = (struct delivery_hint){0};
	(void)enrg_device_post(delivery->device, &work); /* its one place is free */
}

/* Sends the next letter, if there is one and it may go. When to look again, CLOCK_MONOTONIC. */
static uint64_t send_next(struct delivery *delivery, bool is_last_chance)
{
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	struct choice choice;

	if (delivery->letter)
		return UINT64_MAX;
	if (now_ns < delivery->next_try_ns)
		return delivery->next_try_ns;
	if (!choose(&delivery->outbox, &delivery->quota, is_last_chance, now_ns, &choice))
		return delivery->outbox.count ? quota_due(&delivery->quota) : UINT64_MAX;
	post(delivery, &choice);
	return delivery->letter ? UINT64_MAX : delivery->next_try_ns;
}

/* --- what came of it --------------------------------------------------------------------------------------------- */

static void note_success(struct delivery *delivery, uint64_t now_ns)
{
	outbox_note_end(&delivery->outbox);
	if (delivery->told_overflow)
		outbox_note_overflow_told(&delivery->outbox, delivery->told_overflow);
	if (delivery->outbox.count < OUTBOX_MAX)
		delivery->is_full_told = false;
	delivery->sent++;
	delivery->succeeded_ns = now_ns;
	if (delivery->outage_ns)
		enrg_job_log(delivery->job, delivery->told_ns ? ENRG_WARNING : ENRG_INFO,
			"%s takes alerts again, after %.0f s; %" PRIu32 " wait and follow", delivery->way.name,
			(double)(now_ns - delivery->outage_ns) / 1e9, delivery->outbox.count);
	delivery->failures = 0;
	delivery->next_try_ns = delivery->outage_ns = delivery->told_ns = 0;
}

static void tell_outage(struct delivery *delivery, const char *why, uint64_t wait_ns, uint64_t now_ns)
{
	bool is_first = !delivery->outage_ns;

	if (is_first)
		delivery->outage_ns = now_ns;
	bool is_due =
		delivery->told_ns ? now_ns - delivery->told_ns >= AGAIN_NS : now_ns - delivery->outage_ns >= ALERT_NS;
	if (is_due) {
		delivery->told_ns = now_ns;
		enrg_job_alert(delivery->job, ENRG_WARNING,
			"%s gets no alerts for %.0f s: %s; %" PRIu32
			" wait and are sent when it takes them (tried again "
			"every %.0f s); data are not touched by it",
			delivery->way.name, (double)(now_ns - delivery->outage_ns) / 1e9, why, delivery->outbox.count,
			(double)wait_ns / 1e9);
	} else if (is_first) {
		enrg_job_log(delivery->job, ENRG_WARNING, "an alert could not be sent to %s: %s; it is tried again",
			delivery->way.name, why);
	}
}

/* Those of a letter are judged one by one: what has waited for days does not take along what was heard just now. */
static uint32_t give_up_hopeless(struct delivery *delivery, int rc, const struct enrg_error *why, uint64_t now_ns)
{
	const struct choice_failure failure = {.is_refused = rc == -EBADMSG,
		.may_have_arrived = delivery->hint.may_have_arrived,
		.now_ns = now_ns,
		.succeeded_ns = delivery->succeeded_ns,
		.wall_ns = clock_ns(CLOCK_REALTIME),
		.patience_ns = (uint64_t)(delivery->options->give_up_hours * 3600e9)};
	uint32_t count = choice_keep_hopeless(&delivery->outbox, &failure);

	if (!count)
		return 0;
	outbox_note_end(&delivery->outbox);
	delivery->given_up += count;
	enrg_job_alert(delivery->job, ENRG_WARNING,
		"%" PRIu32 " alert(s) for %s are given up: %s; they stand in the log (%" PRIu64 " in all)", count,
		delivery->way.name, why->text, delivery->given_up);
	return count;
}

static void note_failure(struct delivery *delivery, int rc, const struct enrg_error *why, uint64_t now_ns)
{
	double most_ns = delivery->options->retry_max_seconds * 1e9;
	double wait_ns = (double)RETRY_NS * (double)(1u << (delivery->failures < 20 ? delivery->failures : 20));

	wait_ns = wait_ns < most_ns ? wait_ns : most_ns;
	wait_ns = wait_ns > delivery->hint.retry_after_s * 1e9 ? wait_ns : delivery->hint.retry_after_s * 1e9;
	delivery->failures++;
	quota_give_back(&delivery->quota, delivery->quota_job);
	if (rc == -ECANCELED) {
		choice_undo(&delivery->outbox);
		return;
	}
	uint32_t given_up = give_up_hopeless(delivery, rc, why, now_ns);
	choice_undo(&delivery->outbox);
	if (given_up && rc == -EBADMSG) { /* the receiver is there: the next letter goes without delay */
		delivery->failures = 0;
		return;
	}
	delivery->next_try_ns = now_ns + (uint64_t)wait_ns;
	tell_outage(delivery, why->text, (uint64_t)wait_ns, now_ns);
}

static void take_result(struct delivery *delivery)
{
	struct enrg_device_result result;

	if (!delivery->letter || enrg_device_take(delivery->device, &result) != 1)
		return;
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	delivery->way.discard(delivery->letter);
	delivery->letter = NULL;
	if (result.rc == 0)
		note_success(delivery, now_ns);
	else
		note_failure(delivery, result.rc, &result.err, now_ns);
}

/* --- the loop ---------------------------------------------------------------------------------------------------- */

static int wait_until(struct delivery *delivery, uint64_t due_ns, struct enrg_error *err)
{
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	struct pollfd entries[2] = {{.fd = enrg_device_descriptor(delivery->device), .events = POLLIN}};
	uint64_t timeout_ns = due_ns == UINT64_MAX ? UINT64_MAX : due_ns > now_ns ? due_ns - now_ns : 0;

	return enrg_job_wait_fd(delivery->job, entries, 1, timeout_ns, err);
}

int delivery_poll(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct delivery *delivery = state;

	(void)job;
	take_result(delivery);
	int rc = wait_until(delivery, send_next(delivery, false), err);
	return rc < 0 ? rc : ENRG_POLL_AGAIN;
}

int delivery_stop(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct delivery *delivery = state;
	uint64_t end_ns = clock_ns(CLOCK_MONOTONIC) + STOP_NS;
	int rc = 0;

	(void)job;
	while (rc >= 0 && clock_ns(CLOCK_MONOTONIC) < end_ns) {
		take_result(delivery);
		if (!delivery->letter && (!delivery->outbox.count || delivery->failures))
			break;
		uint64_t due_ns = send_next(delivery, true);
		rc = wait_until(delivery, due_ns < end_ns ? due_ns : end_ns, err);
	}
	take_result(delivery);
	if (delivery->outbox.count)
		enrg_job_log(delivery->job, ENRG_WARNING,
			"%" PRIu32 " alert(s) could not be sent to %s before the end; they are sent by the next start",
			delivery->outbox.count, delivery->way.name);
	return rc == ENRG_E_STOPPED ? 0 : rc < 0 ? rc : 0;
}
