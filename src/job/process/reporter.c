/* reporter.c: one poll loop over signals, the supervisor's lifeline, the bus and a clock of 1 s. Runs as a thread of
 * its own in every job process; the main thread only leaves alerts in its queue. */
#include "job/process/reporter.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fresh.h"
#include "base/log.h"
#include "bus/bus.h"
#include "config/types_message.h"
#include "handover/order.h"
#include "handover/statistics.h"
#include "enrgdaq/message.h"
#include "job/process/alerts.h"
#include "job/process/mailbox.h"

#define REPORTER_IDLE_S       10
#define REPORTER_UNREAD_S     60    /* light work, and nobody reads its reports */
#define REPORTER_IDLE_CPU     0.002 /* of a core: less is no work */
#define REPORTER_ALERTS_KEPT  128u
#define REPORTER_MESSAGES_MAX 64 /* taken from the bus before other descriptors get their turn */

enum reporter_slot { SLOT_SIGNAL, SLOT_LIFELINE, SLOT_EVENT, SLOT_TIMER, SLOT_BUS, SLOT_WISHES, SLOT_COUNT };

struct reporter {
	struct process *process;
	pthread_t thread;
	struct pollfd polls[SLOT_COUNT];
	struct bus_client *bus; /* of the thread */
	char stats_topic[TOPIC_BYTES_MAX], traces_topic[TOPIC_BYTES_MAX];
	bool is_read;          /* somebody has subscribed to the reports */
	struct traces *traces; /* made when somebody subscribes to them first */
	_Atomic uint32_t is_ending;

	struct alerts alerts;

	struct enrg_job_type listener; /* what its type hears */
	struct wanted {
		struct wanted *next;
		char topic[];
	} * wanted; /* topics whose messages the job is to hear */
	struct {
		uint32_t count, next;
		uint8_t ids[REPORTER_ALERTS_KEPT][16];
	} heard;          /* the last alerts: one that comes late as well is the same */
	uint64_t unheard; /* messages that found its mailbox full, and that have not been told */

	/* figures of the last report */
	uint64_t last_mono_ns, last_cpu_ns;
	struct page_counts last_counts;
	uint32_t last_state;
	struct histogram last_latency, now_latency, interval_latency;
};

/* --- outgoing messages ------------------------------------------------------------------------------------------- */

/* Takes the body. A failure is of no consequence: the next report comes in a second, an alert is in the log. */
static void send_body(struct reporter *reporter, const char *topic, const char *kind, json_t *body)
{
	struct enrg_error err = {0};

	if (body && reporter->bus && bus_client_send(reporter->bus, topic, kind, body, &err) < 0)
		log_line(ENRG_DEBUG, "can't send %s: %s", kind, err.text);
	if (reporter->bus)
		atomic_store_explicit(&reporter->process->page->control_out_bytes, bus_client_sent_bytes(reporter->bus),
			memory_order_relaxed);
	json_decref(body);
}

static const char *severity_name(enum enrg_level level)
{
	return level >= ENRG_ERROR ? "error" : level == ENRG_WARNING ? "warning" : "info";
}

static void send_alerts(struct reporter *reporter)
{
	struct alert alert;

	while (alerts_take(&reporter->alerts, &alert))
		send_body(reporter, "alerts", "alert",
			json_pack("{s:s,s:s,s:s,s:f}", "daq_job", reporter->process->plan->name, "severity",
				severity_name(alert.level), "message", alert.text, "timestamp",
				(double)alert.wall_ns / 1e9));
}

static void send_started(struct reporter *reporter)
{
	const struct plan *plan = reporter->process->plan;
	char topic[TOPIC_BYTES_MAX];

	topic_format(topic, sizeof(topic), "supervisor.%s.internal", plan->supervisor);
	send_body(reporter, topic, "started",
		json_pack("{s:s,s:s,s:I,s:I}", "daq_job", plan->name, "daq_job_type", plan->type, "pid",
			(json_int_t)getpid(), "life", (json_int_t)plan->life));
}

static void set_latency(struct reporter *reporter, struct statistics *statistics)
{
	struct page *page = reporter->process->page;
	const struct histogram *interval = &reporter->interval_latency;

	/* Zero in sources: their histograms stay untouched memory. */
	if (atomic_load_explicit(&page->latency.count, memory_order_relaxed)) {
		memset(&reporter->now_latency, 0, sizeof(reporter->now_latency));
		histogram_merge(&reporter->now_latency, &page->latency);
		histogram_subtract(&reporter->interval_latency, &reporter->now_latency, &reporter->last_latency);
		reporter->last_latency = reporter->now_latency;
	}
	statistics_set_count(
		statistics, STATISTIC_LATENCY_COUNT, atomic_load_explicit(&interval->count, memory_order_relaxed));
	statistics_set(statistics, STATISTIC_LATENCY_MIN_MS, (double)histogram_quantile(interval, 0.0) / 1e6);
	statistics_set(statistics, STATISTIC_LATENCY_MAX_MS, (double)histogram_quantile(interval, 1.0) / 1e6);
	statistics_set(statistics, STATISTIC_LATENCY_AVG_MS, histogram_mean(interval) / 1e6);
	statistics_set(statistics, STATISTIC_LATENCY_P95_MS, (double)histogram_quantile(interval, 0.95) / 1e6);
	statistics_set(statistics, STATISTIC_LATENCY_P99_MS, (double)histogram_quantile(interval, 0.99) / 1e6);
}

static void arm_timer(struct reporter *reporter, time_t seconds)
{
	const struct itimerspec next = {.it_value = {.tv_sec = seconds}};

	timerfd_settime(reporter->polls[SLOT_TIMER].fd, 0, &next, NULL);
}

/* Each second while the job does something, else seldom: a thousand idle jobs are a thousand wake-ups. Where nobody
 * reads reports, all that is left to do is to look how large the process is, and that is no matter of seconds where the
 * work is light; the main thread wakes who dozes when there is more. */
static void set_timer(struct reporter *reporter)
{
	struct page *page = reporter->process->page;
	uint32_t page_state = atomic_load_explicit(&page->state, memory_order_relaxed);
	uint64_t cpu_ns = clock_cpu_ns() - reporter->last_cpu_ns, span_ns = clock_mono_ns() - reporter->last_mono_ns;
	struct page_counts counts;

	page_counts_get(page, &counts);
	bool is_news = page_counts_differ(&counts, &reporter->last_counts) || page_state != reporter->last_state;
	bool is_idle = !is_news && (double)cpu_ns < REPORTER_IDLE_CPU * (double)span_ns;
	bool is_light = cpu_ns < span_ns / PROCESS_LIGHT_CPU;
	bool is_read = reporter->is_read || process_traces(reporter->process);

	reporter->last_counts = counts;
	reporter->last_state = page_state;
	atomic_store_explicit(&reporter->process->is_dozing, !is_read && is_light, memory_order_relaxed);
	if (is_read)
		arm_timer(reporter, is_idle ? REPORTER_IDLE_S : 1);
	else
		arm_timer(reporter, is_light ? REPORTER_UNREAD_S : 1);
}

static void send_stats(struct reporter *reporter)
{
	struct page *page = reporter->process->page;
	struct page_counts counts;
	struct statistics statistics;
	uint64_t now = clock_mono_ns();

	page_refresh(page);
	page_counts_get(page, &counts);
	double span = (double)(now - reporter->last_mono_ns);
	double percent = span > 0 ? 100.0 * (double)(counts.cpu_ns - reporter->last_cpu_ns) / span : 0.0;
	reporter->last_mono_ns = now;
	reporter->last_cpu_ns = counts.cpu_ns;
	if (!reporter->is_read)
		return;
	statistics_init(&statistics);
	statistics_set_counts(&statistics, &counts, NULL);
	set_latency(reporter, &statistics);
	statistics_set(&statistics, STATISTIC_CPU_PERCENT, percent);
	statistics_set(&statistics, STATISTIC_RSS_MB,
		(double)atomic_load_explicit(&page->rss_bytes, memory_order_relaxed) / 1e6);
	json_t *body =
		json_pack("{s:I}", "state", (json_int_t)atomic_load_explicit(&page->state, memory_order_relaxed));
	if (body)
		statistics_format(&statistics, STATISTICS_REPORT, body);
	send_body(reporter, reporter->stats_topic, "stats", body);
}

static void send_traces(struct reporter *reporter)
{
	json_t *body = process_traces(reporter->process) ? traces_take(reporter->traces) : NULL;

	if (body)
		send_body(reporter, reporter->traces_topic, "traces", body);
}

/* The memory stays until the end: the main thread may be writing into it. true: they are noted from now on. */
static bool switch_traces(struct reporter *reporter, bool is_wanted)
{
	bool was_wanted = process_traces(reporter->process) != NULL;

	if (is_wanted && !reporter->traces)
		reporter->traces = traces_create();
	if (was_wanted && !is_wanted)
		traces_clear(reporter->traces);
	/* pairs with the acquire in process_traces */
	atomic_store_explicit(&reporter->process->traces, is_wanted ? reporter->traces : NULL, memory_order_release);
	return is_wanted && !was_wanted;
}

/* Who subscribes now need not wait for the timer of an idle job. */
static void note_readers(struct reporter *reporter)
{
	bool was_read = reporter->is_read;

	reporter->is_read = reporter->bus && bus_client_is_wanted(reporter->bus, reporter->stats_topic);
	bool is_new =
		switch_traces(reporter, reporter->bus && bus_client_is_wanted(reporter->bus, reporter->traces_topic));
	if (is_new || (reporter->is_read && !was_read))
		arm_timer(reporter, 1);
}

/* --- incoming ---------------------------------------------------------------------------------------------------- */

static void subscribe(struct reporter *reporter, const char *topic)
{
	struct enrg_error err = {0};

	if (bus_client_subscribe(reporter->bus, topic, &err) < 0)
		log_line(ENRG_WARNING, "can't subscribe to %s: %s", topic, err.text);
}

/* A topic whose messages the job itself hears. */
static void want(struct reporter *reporter, const char *topic)
{
	struct wanted *wanted = malloc(sizeof(*wanted) + strlen(topic) + 1);

	if (!wanted)
		return;
	strcpy(wanted->topic, topic);
	wanted->next = reporter->wanted;
	reporter->wanted = wanted;
	subscribe(reporter, topic);
}

/* What the functions of its type need. */
static void want_reports(struct reporter *reporter)
{
	const struct enrg_job_type *job = &reporter->listener;
	const char *supervisor = reporter->process->plan->supervisor;
	char topic[TOPIC_BYTES_MAX];

	if (job->on_alert)
		want(reporter, "alerts");
	topic_format(topic, sizeof(topic), "stats.supervisor.%s", supervisor);
	if (job->on_stats)
		want(reporter, topic);
	topic_format(topic, sizeof(topic), "stats.combined.supervisor.%s", supervisor);
	if (job->on_combined_stats)
		want(reporter, topic);
	topic_format(topic, sizeof(topic), "traces.supervisor.%s", supervisor);
	if (job->on_trace)
		want(reporter, topic);
	topic_format(topic, sizeof(topic), "supervisor.%s.internal", supervisor);
	if (job->on_started || job->on_stopped)
		want(reporter, topic);
}

/* What the main thread has posted. */
static void send_mail(struct reporter *reporter)
{
	struct mailbox *mailbox = reporter->process->mailbox;
	struct mail_out *mail;

	while (mailbox && reporter->bus && (mail = mailbox_take_out(mailbox))) {
		if (mail->kind[0])
			send_body(reporter, mail->topic, mail->kind, json_incref(mail->body));
		else
			want(reporter, mail->topic);
		mail_out_free(mail);
	}
}

static void open_bus(struct reporter *reporter)
{
	const struct plan *plan = reporter->process->plan;
	const struct bus_client_params params = {
		.publish_url = plan->publish_url,
		.subscribe_url = plan->subscribe_url,
		.supervisor = plan->supervisor,
		.job = plan->name,
		.job_type = plan->type,
	};
	const struct enrg_string_list *topics = &reporter->process->common.topics_to_subscribe;
	struct enrg_error err = {0};
	char topic[TOPIC_BYTES_MAX];

	if (!plan->publish_url || !plan->subscribe_url)
		return;
	if (bus_client_create(&params, &reporter->bus, &err) < 0) {
		log_line(ENRG_WARNING, "continues without the control plane: %s", err.text);
		return;
	}
	topic_format(topic, sizeof(topic), "daq_job.%s", plan->name);
	subscribe(reporter, topic);
	topic_format(topic, sizeof(topic), "supervisor.%s.daq_job.broadcast", plan->supervisor);
	subscribe(reporter, topic);
	for (size_t i = 0; i < topics->count; i++)
		want(reporter, topics->items[i]);
	want_reports(reporter);
	reporter->polls[SLOT_BUS].fd = bus_client_descriptor(reporter->bus);
	reporter->polls[SLOT_WISHES].fd = bus_client_wishes_descriptor(reporter->bus);
	topic_format(reporter->stats_topic, sizeof(reporter->stats_topic), "stats.supervisor.%s", plan->supervisor);
	topic_format(reporter->traces_topic, sizeof(reporter->traces_topic), "traces.supervisor.%s", plan->supervisor);
}

/* Subscriptions are prefixes: "daq_job.cam" also brings what is meant for "daq_job.cam2". */
static bool is_for_me(const struct reporter *reporter, const char *topic)
{
	const struct plan *plan = reporter->process->plan;
	char mine[TOPIC_BYTES_MAX];

	topic_format(mine, sizeof(mine), "daq_job.%s", plan->name);
	if (strcmp(topic, mine) == 0)
		return true;
	topic_format(mine, sizeof(mine), "supervisor.%s.daq_job.broadcast", plan->supervisor);
	return strcmp(topic, mine) == 0;
}

static void handle_stop(struct reporter *reporter, const struct envelope *envelope)
{
	const char *reason = json_string_value(json_object_get(envelope->body, "reason"));

	log_line(ENRG_INFO, "asked to stop by %s: %s", envelope->job[0] ? envelope->job : envelope->supervisor,
		reason ? reason : "no reason given");
	process_request_stop(reporter->process, PROCESS_DRAIN);
}

/* What asks for something is meant for one, whoever else may see it. */
static bool is_report(const char *kind)
{
	return strcmp(kind, "command") != 0 && strcmp(kind, "answer") != 0 && strcmp(kind, "stop") != 0;
}

/* Is it a report that the type of this job takes, in a topic that it wants? */
static bool is_heard(const struct reporter *reporter, const char *topic, const char *kind)
{
	const struct enrg_job_type *job = &reporter->listener;
	bool is_taken = job->on_message || (!strcmp(kind, "alert") && job->on_alert) ||
			(!strcmp(kind, "stats") && job->on_stats) || (!strcmp(kind, "started") && job->on_started) ||
			(!strcmp(kind, "stopped") && job->on_stopped) || (!strcmp(kind, "traces") && job->on_trace) ||
			(!strcmp(kind, "combined_jobs") && job->on_combined_stats);

	for (const struct wanted *wanted = reporter->wanted; is_taken && wanted; wanted = wanted->next)
		if (!strncmp(topic, wanted->topic, strlen(wanted->topic)))
			return true;
	return false;
}

/* A full mailbox holds nobody back. A command that finds one comes again, as its supervisor asks again while it is
 * unanswered; a report is lost, and counted. */
static void deliver(struct reporter *reporter, const char *topic, struct envelope *envelope, bool is_report)
{
	if (mailbox_put(reporter->process->mailbox, topic, envelope)) {
		if (reporter->unheard)
			log_line(ENRG_WARNING,
				"%llu reports of others were not heard: it was busy for longer than %u messages; "
				"totals in later ones are right",
				(unsigned long long)reporter->unheard, MAILBOX_MAX);
		reporter->unheard = 0;
		process_wake(reporter->process);
	} else {
		reporter->unheard += is_report;
	}
}

/* The id of the message in which it was raised; false: a late one that says none. */
static bool find_alert_id(const struct envelope *envelope, uint8_t ret_id[16])
{
	const char *text = json_string_value(json_object_get(envelope->body, "id"));
	unsigned byte;

	memcpy(ret_id, envelope->id, 16);
	if (!json_is_true(json_object_get(envelope->body, "late")))
		return true;
	for (int i = 0; i < 16; i++) {
		if (!text || strlen(text) != 32 || sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		ret_id[i] = (uint8_t)byte;
	}
	return true;
}

/* Did it come before, when it was raised? */
static bool is_repeated_alert(struct reporter *reporter, const struct envelope *envelope)
{
	uint8_t id[16];

	if (strcmp(envelope->kind, "alert") != 0 || !find_alert_id(envelope, id))
		return false;
	for (uint32_t i = 0; i < reporter->heard.count; i++)
		if (!memcmp(reporter->heard.ids[i], id, sizeof(id)))
			return true;
	memcpy(reporter->heard.ids[reporter->heard.next], id, sizeof(id));
	reporter->heard.next = (reporter->heard.next + 1) % REPORTER_ALERTS_KEPT;
	reporter->heard.count += reporter->heard.count < REPORTER_ALERTS_KEPT;
	return false;
}

/* A report for all who want it; or an alert that was raised before this process was there. */
static bool is_for_listener(const struct reporter *reporter, const char *topic, const char *kind, bool is_mine)
{
	if (is_mine && !strcmp(kind, "alert"))
		return reporter->listener.on_alert;
	return is_report(kind) && is_heard(reporter, topic, kind);
}

static void handle_message(struct reporter *reporter, const char *topic, struct envelope *envelope)
{
	bool is_mine = is_for_me(reporter, topic);

	if (is_mine && !strcmp(envelope->kind, "stop"))
		handle_stop(reporter, envelope);
	else if (!reporter->process->mailbox)
		return;
	else if (is_mine && (!strcmp(envelope->kind, "command") || !strcmp(envelope->kind, "answer")))
		deliver(reporter, topic, envelope, false);
	else if (is_for_listener(reporter, topic, envelope->kind, is_mine) && !is_repeated_alert(reporter, envelope))
		deliver(reporter, topic, envelope, true);
}

/* Returns true where there may be more. */
static bool receive(struct reporter *reporter)
{
	char topic[TOPIC_BYTES_MAX];
	struct envelope envelope;
	struct enrg_error err = {0};

	for (int i = 0; reporter->bus && i < REPORTER_MESSAGES_MAX; i++) {
		memset(&envelope, 0, sizeof(envelope));
		int rc = bus_client_recv(reporter->bus, 0, topic, sizeof(topic), &envelope, &err);
		if (rc == ENRG_E_PROTOCOL)
			continue;
		if (rc <= 0)
			return false;
		handle_message(reporter, topic, &envelope);
		envelope_fini(&envelope);
	}
	return reporter->bus != NULL;
}

static void handle_order(struct reporter *reporter, int order)
{
	struct process *process = reporter->process;

	if (order == ORDER_DRAIN || order == ORDER_FAST) {
		atomic_store_explicit(&process->is_asked, 1, memory_order_relaxed);
		process_request_stop(process, order == ORDER_DRAIN ? PROCESS_DRAIN : PROCESS_HURRY);
	} else if (order == ORDER_PART) {
		atomic_store_explicit(&process->is_asked, 1, memory_order_relaxed);
		atomic_store_explicit(&process->is_parting, 1, memory_order_relaxed);
		process_request_stop(process, PROCESS_HURRY);
	} else if (order == ORDER_LEAVE) {
		atomic_store_explicit(&process->is_asked, 1, memory_order_relaxed);
		atomic_store_explicit(&process->is_leaving, 1, memory_order_relaxed);
		process_request_stop(process, PROCESS_DRAIN);
	} else if (order == ORDER_RUN) {
		process_wake(process);
	} else if (order == ORDER_PLAN) {
		atomic_store_explicit(&process->is_plan_due, 1, memory_order_release);
		process_wake(process);
	} else if (order >= ORDER_LOG) {
		log_reopen();
		if (!process->common.has_verbosity)
			log_set_level((enum enrg_level)(order - ORDER_LOG));
	}
}

/* SIGTERM of somebody else. Where a service manager signals everybody, the supervisor knows what is to be done; a store
 * must not end before its sources. A source ends in order, and is started again unless the run ends. */
static void handle_stranger(struct reporter *reporter, const struct signalfd_siginfo *info)
{
	struct process *process = reporter->process;

	if (atomic_load_explicit(&process->is_asked, memory_order_relaxed))
		return;
	bool is_consumer = process->plan->is_store || process->plan->is_processor;
	log_line(is_consumer ? ENRG_INFO : ENRG_WARNING,
		"SIGTERM from process %u of user %u, not from its supervisor: %s (`enrgdaq stop` ends a run)",
		info->ssi_pid, info->ssi_uid,
		is_consumer ? "stores and processors end after their sources, it continues"
			    : "ends in order, and is started again unless the run ends");
	if (!is_consumer)
		process_request_stop(process, PROCESS_DRAIN);
}

static void take_signals(struct reporter *reporter)
{
	struct signalfd_siginfo info;

	while (read(reporter->polls[SLOT_SIGNAL].fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTERM)
			handle_stranger(reporter, &info);
		else
			handle_order(reporter, order_parse(&info));
	}
}

static void watch_lifeline(struct reporter *reporter)
{
	struct pollfd *lifeline = &reporter->polls[SLOT_LIFELINE];
	char bytes[64];

	if ((lifeline->revents & POLLIN) && read(lifeline->fd, bytes, sizeof(bytes)) != 0)
		return;
	lifeline->fd = -1;
	atomic_store_explicit(&reporter->process->is_orphan, 1, memory_order_relaxed);
	log_line(ENRG_WARNING, "the supervisor is gone: ends in order");
	process_request_stop(reporter->process, PROCESS_DRAIN);
}

static void clear_counter(int descriptor)
{
	uint64_t count;

	while (read(descriptor, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

static void *run(void *context)
{
	struct reporter *reporter = context;
	bool has_more = false;

	pthread_setname_np(pthread_self(), "reporter");
	open_bus(reporter);
	note_readers(reporter);
	send_stats(reporter);
	while (!atomic_load_explicit(&reporter->is_ending, memory_order_acquire)) {
		if (poll(reporter->polls, SLOT_COUNT, has_more ? 0 : -1) < 0 && errno != EINTR)
			break;
		if (reporter->polls[SLOT_SIGNAL].revents)
			take_signals(reporter);
		if (reporter->polls[SLOT_LIFELINE].revents)
			watch_lifeline(reporter);
		if (reporter->polls[SLOT_EVENT].revents) {
			clear_counter(reporter->polls[SLOT_EVENT].fd);
			arm_timer(reporter, 1);
		}
		if (atomic_exchange_explicit(&reporter->process->is_started_due, 0, memory_order_relaxed))
			send_started(reporter);
		send_alerts(reporter);
		send_mail(reporter);
		if (reporter->polls[SLOT_TIMER].revents) {
			clear_counter(reporter->polls[SLOT_TIMER].fd);
			set_timer(reporter);
			send_stats(reporter);
			send_traces(reporter);
		}
		/* both also after sending: descriptors of the bus tell changes only once */
		note_readers(reporter);
		has_more = receive(reporter);
	}
	send_stats(reporter);
	send_traces(reporter);
	send_alerts(reporter);
	send_mail(reporter);
	bus_client_destroy(reporter->bus);
	for (struct wanted *wanted = reporter->wanted, *next; wanted; wanted = next) {
		next = wanted->next;
		free(wanted);
	}
	return NULL;
}

/* --- life -------------------------------------------------------------------------------------------------------- */

static void close_descriptors(struct reporter *reporter)
{
	static const enum reporter_slot slots[] = {SLOT_SIGNAL, SLOT_TIMER};

	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		if (reporter->polls[slots[i]].fd >= 0)
			close(reporter->polls[slots[i]].fd);
}

static int open_descriptors(struct reporter *reporter, int lifeline)
{
	const struct itimerspec second = {.it_value = {.tv_sec = 1}};
	sigset_t signals;

	sigemptyset(&signals);
	order_add_signals(&signals);
	for (int slot = 0; slot < SLOT_COUNT; slot++)
		reporter->polls[slot] = (struct pollfd){.fd = -1, .events = POLLIN};
	reporter->polls[SLOT_LIFELINE].fd = lifeline;
	reporter->polls[SLOT_SIGNAL].fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	reporter->polls[SLOT_EVENT].fd = alerts_init(&reporter->alerts);
	reporter->polls[SLOT_TIMER].fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (reporter->polls[SLOT_SIGNAL].fd < 0 || reporter->polls[SLOT_EVENT].fd < 0 ||
		reporter->polls[SLOT_TIMER].fd < 0 ||
		timerfd_settime(reporter->polls[SLOT_TIMER].fd, 0, &second, NULL) < 0)
		return -errno;
	return 0;
}

int reporter_start(struct process *process, int lifeline, struct reporter **ret_reporter, struct enrg_error *err)
{
	struct reporter *reporter = fresh_create(sizeof(*reporter));

	if (!reporter)
		return enrg_error_set(err, -ENOMEM, "reporter: out of memory");
	reporter->process = process;
	reporter->last_mono_ns = clock_mono_ns();
	reporter->last_cpu_ns = clock_cpu_ns();
	if (process->type)
		types_listen(process->type, &reporter->listener);
	int rc = open_descriptors(reporter, lifeline);
	process->alerts = &reporter->alerts;
	if (rc == 0)
		rc = -pthread_create(&reporter->thread, NULL, run, reporter);
	if (rc < 0) {
		close_descriptors(reporter);
		reporter->process->alerts = NULL;
		alerts_fini(&reporter->alerts);
		fresh_destroy(reporter, sizeof(*reporter));
		return enrg_error_set(err, rc, "reporter: %s", enrg_error_name(rc));
	}
	*ret_reporter = reporter;
	return 0;
}

void reporter_stop(struct reporter *reporter)
{
	if (!reporter)
		return;
	/* pairs with the acquire in run */
	atomic_store_explicit(&reporter->is_ending, 1, memory_order_release);
	alerts_nudge(&reporter->alerts);
	pthread_join(reporter->thread, NULL);
	close_descriptors(reporter);
	reporter->process->alerts = NULL;
	alerts_fini(&reporter->alerts);
	atomic_store_explicit(&reporter->process->traces, NULL, memory_order_relaxed); /* the caller is who notes */
	traces_destroy(reporter->traces);
	fresh_destroy(reporter, sizeof(*reporter));
}
