/* message.h: for authors of jobs that are asked for something, ask others, or hear what others report.
 *
 * A *command* asks a job to do something, once: it has an id, and a job that gets the same id again gives the first
 * answer and acts no second time. It is checked by a table of options as a configuration is; where its fields are
 * wrong, all that is wrong is answered and `receive` is not called. A job that is down, starting or ending is asked
 * nothing: who asks is told so at once, and nothing is queued for later. A job that dies between action and answer
 * leaves who asked with "unknown": the state is to be read back.
 *
 * A *report* (statistics, an alert, a job that started or stopped) is sent to whoever wants it and may be lost, so what
 * counts in it is a total, never a difference.
 *
 * All functions below are called on the job's own thread: between polls, or inside of enrg_job_wait_fd in a poll; never
 * before `start` has returned, never inside of each other. At most MAILBOX (256) messages wait for a job: reports
 * beyond that are thrown away and counted, commands are refused. No sender ever waits for a receiver.
 */
#ifndef ENRGDAQ_MESSAGE_H
#define ENRGDAQ_MESSAGE_H

#include "enrgdaq/answer.h"
#include "enrgdaq/job.h"
#include "enrgdaq/statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- commands that a job takes --- */

/* Named values: of an answer that is being made, or of a command that is sent. Owned by who made them. */
struct enrg_fields;

ENRG_API struct enrg_fields *enrg_fields_create(void); /* NULL: out of memory */
ENRG_API void enrg_fields_destroy(struct enrg_fields *fields);
/* 0; -EINVAL: key or text is not UTF-8, the number is not finite, the JSON is none; -ENOMEM. */
ENRG_API int enrg_fields_set_bool(struct enrg_fields *fields, const char *key, bool value);
ENRG_API int enrg_fields_set_int(struct enrg_fields *fields, const char *key, int64_t value);
ENRG_API int enrg_fields_set_float(struct enrg_fields *fields, const char *key, double value);
ENRG_API int enrg_fields_set_string(struct enrg_fields *fields, const char *key, const char *text);
/* A list, a table or any other value, as JSON. */
ENRG_API int enrg_fields_set_json(struct enrg_fields *fields, const char *key, const char *json);

/* The answer to the command at hand; owned by the framework. */
struct enrg_answer;

/* Its fields: the state after the command, say. Valid during `receive`. */
ENRG_API struct enrg_fields *enrg_answer_fields(struct enrg_answer *answer);
/* One sentence for a human. */
ENRG_API void enrg_answer_set_text(struct enrg_answer *answer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

struct enrg_message_type {
	size_t size;            /* sizeof(struct enrg_message_type): what its author knew of it */
	const char *kind;       /* "set_channel": letters, digits, '_', '-', '.' */
	const char *summary;    /* one sentence */
	struct enrg_table body; /* its fields */
	bool runs_code;         /* what it says may run programs: who may send it from outside is decided by role */

	/* `body`: a struct of the table, valid during the call. May block as long as `poll` may. 0: done. A negative
	 * code with its text in `err` is the answer, and the job continues: ENRG_E_CONFIG: its fields are wrong;
	 * -EPERM, -EBUSY, -EAGAIN: refused, nothing was done; all others: it failed. */
	int (*receive)(struct enrg_job *job, void *state, const void *body, struct enrg_answer *answer,
		struct enrg_error *err);
};

/* --- commands that a job gives --- */

/* Made by the framework, valid during the call that gets it. */
struct enrg_reply {
	enum enrg_answer_code code;
	const char *text;
	const char *json; /* its fields: "{}" where there are none */
};

typedef void enrg_reply_function(struct enrg_job *job, void *context, const struct enrg_reply *reply);

struct enrg_request {
	const char *to; /* "job NAME", "type DAQJobX" (all jobs of it), "all", "supervisor" */
	const char *kind;
	const struct enrg_fields *fields; /* copied; NULL: none */
	uint64_t patience_ns;             /* it may be begun for so long; 0 = 10 s, at most an hour */
	enrg_reply_function *on_answer;   /* called once, with ENRG_ANSWER_UNKNOWN where none comes; NULL: not wanted */
	void *context;
};

/* Gives a command; does not wait. To several jobs: one answer comes, with a field for each job. 0; -EINVAL; -EAGAIN:
 * too many are under way; -ENOTCONN: this process has no supervisor, or is a store. */
ENRG_API int enrg_job_send(struct enrg_job *job, const struct enrg_request *request, struct enrg_error *err);

/* --- reports that a job hears --- */

/* Who sent a report, and when. Made by the framework, as all structs below; valid during the call. */
struct enrg_sender {
	const char *supervisor, *job, *job_type;
	int64_t pid;
	uint64_t sent_ns; /* wall clock */
};

enum enrg_alert_event {
	ENRG_ALERT_ONCE = 0,   /* stands for itself */
	ENRG_ALERT_BEGINS = 1, /* a state has begun that will be told again, until it is over */
	ENRG_ALERT_AGAIN = 2,  /* it is still so */
	ENRG_ALERT_ENDS = 3,   /* it is over */
};

struct enrg_alert {
	struct enrg_sender sender;
	const char *job; /* that it is about */
	enum enrg_level severity;
	const char *message;
	uint64_t time_ns; /* wall clock, when it was raised */
	const char *key;  /* "silent/camera": the same when it begins, comes again and ends; "" = ENRG_ALERT_ONCE */
	enum enrg_alert_event event;
	bool is_late; /* it was raised while this job was not there: one of the last 64 since its last instance ended */
};

/* Totals of one instance of a job: they begin at 0 again when it is started again. Each second while something happens,
 * seldom while nothing does. */
struct enrg_stats {
	struct enrg_sender sender;
	uint64_t processed_batches, processed_rows, processed_bytes; /* of a store */
	uint64_t sent_batches, sent_rows, sent_bytes;                /* of a source */
	uint64_t lost, duplicated, corrupted, missed_ticks;
	/* of the batches since the last report: from the commit of the producer until stored */
	uint64_t latency_count;
	double latency_min_ms, latency_max_ms, latency_avg_ms, latency_p95_ms, latency_p99_ms;
	double cpu_percent, rss_mb;
	uint32_t value_count;                      /* all of these, and what later versions add: values[i] is that of */
	const struct enrg_statistic_value *values; /* enrg_statistics_get(i), NaN where a report does not have it */
};

/* One job, as its supervisor sees it: totals of all its instances in this run, so they outlive that job and who hears
 * it. `in` is what a store or processor has consumed, `out` what a source or processor has produced. */
struct enrg_job_figures {
	const char *job, *job_type;
	bool is_alive; /* its process runs */
	uint64_t in_batches, in_bytes, out_batches, out_bytes;
	uint64_t in_waiting, out_waiting; /* batches: for it; in its stream, for the slowest that reads them */
	uint64_t last_in_ns, last_out_ns; /* wall clock; 0 = not in this instance */
	uint64_t last_restart_ns;         /* 0 = never, or it is not up again */
	uint64_t restarts;
	double cpu_percent, rss_mb;
};

/* All jobs of a supervisor, about once a second. */
struct enrg_combined_stats {
	struct enrg_sender sender; /* the supervisor */
	uint32_t count;
	const struct enrg_job_figures *const *jobs;
};

/* A job is ready. */
struct enrg_started {
	struct enrg_sender sender;
	const char *job, *job_type;
	int64_t pid;
	uint64_t life; /* how often it was started before, in this run */
};

/* An instance of a job has ended, whatever ended it. */
struct enrg_stopped {
	struct enrg_sender sender;
	const char *job, *job_type;
	const char *how;     /* "exit code 1", "killed by signal 9 (Killed)" */
	const char *reason;  /* what it said itself, or "" */
	bool is_coming_back; /* it will be started again */
};

enum enrg_trace_event {
	ENRG_TRACE_SENT = 0,     /* its producer has committed it */
	ENRG_TRACE_RECEIVED = 1, /* a store has written it, a processor has processed it: once for each of them */
};

/* One batch on its way. A job reports at most 128 a second: of each of its streams every `sampled_every`th batch, those
 * whose sequence number it divides. It is a power of two, so what a slow consumer samples is among what its producer
 * samples. `seen` and `told` are totals of one instance of the reporting job: they begin at 0 again when it is started
 * again. Batches from before somebody asked for traces are not among them. */
struct enrg_trace {
	struct enrg_sender sender; /* of the report, which comes once a second */
	enum enrg_trace_event event;
	const char *message_id; /* the same in all events of a batch, and of no other batch: its stream and sequence */
	const char *message_type; /* "table", "bytes" */
	const char *source_job, *source_supervisor;
	const char *dest_job, *dest_supervisor; /* "" in ENRG_TRACE_SENT: it may have several readers, or none */
	uint64_t sent_ns, received_ns;          /* wall clock; received_ns is 0 in ENRG_TRACE_SENT */
	double latency_ms;                      /* by a clock that nobody sets; 0 in ENRG_TRACE_SENT */
	uint64_t size_bytes, rows;
	uint64_t sampled_every; /* 1: each batch of this stream was reported in this second */
	uint64_t seen, told;    /* events, up to and with this report */
};

/* Any other message of a topic that this job has subscribed to. */
struct enrg_message {
	struct enrg_sender sender;
	const char *topic, *kind;
	const char *json; /* its body */
};

/* Adds a topic (a prefix: "stats." brings all that begin so) beside topics_to_subscribe of the job's file. Topics that
 * on_alert, on_stats, on_combined_stats, on_started, on_stopped and on_trace need are subscribed to already, for this
 * job's own supervisor, and count for nothing here. -EINVAL, -ENOTCONN; -ENOSPC: more than 64. */
ENRG_API int enrg_job_subscribe(struct enrg_job *job, const char *topic, struct enrg_error *err);

#ifdef __cplusplus
}
#endif

#endif
