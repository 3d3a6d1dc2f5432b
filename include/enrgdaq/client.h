/* client.h: for programs that look at a running system from outside, and steer it: what `enrgdaq status`, `stop` and
 * `watch` are made of. Link with -lenrgdaq. docs/client-library.md teaches it.
 *
 * No process of a system is asked anything for its figures: they are read from files and pages that are there anyway.
 * So a client may come, hang and be killed, and any number of them cost the data path nothing.
 *
 * Handles survive what they look at. While a supervisor or a source is not there, calls return -EAGAIN; when it comes
 * back, also as another process, they find the new one. What files, memory and other processes say is not trusted: a
 * call may fail, it does not crash. Names and sentences that are handed out are UTF-8 without control characters, safe
 * for a terminal; values in the columns of a batch are as they were measured.
 *
 * One handle belongs to one thread at a time; different handles do not disturb each other. No call writes to standard
 * output or error. Calls do not wait unless they say so. The first stream that is opened installs a handler for SIGBUS
 * (a file that another process cuts short); accesses that are not the library's get the handler of before.
 *
 * The library fills structs and owns them, with all texts and arrays in them. Each begins with `size`: bytes that this
 * library fills; members are appended in later versions, never moved. Parameters that the caller fills begin with the
 * sizeof of his own struct.
 */
#ifndef ENRGDAQ_CLIENT_H
#define ENRGDAQ_CLIENT_H

#include "enrgdaq/answer.h"
#include "enrgdaq/batch.h"
#include "enrgdaq/clock.h"
#include "enrgdaq/error.h"
#include "enrgdaq/schema.h"
#include "enrgdaq/statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- which systems there are ------------------------------------------------------------------------------------- */

struct enrg_supervisor {
	uint32_t size;
	bool is_running;    /* a supervisor process holds the folder now */
	bool is_visible;    /* its files may be read: enrg_client_open works */
	const char *name;   /* info.supervisor_id */
	const char *folder; /* its runtime folder */
	const char *run;    /* identifier of the present or last run; "" = not known */
	const char *state;  /* of that run: "running", "ended", "unfinished" (batches are left in shared memory), "gone"
			     * (its  supervisor was killed); "" = not known */
	const char *owner;  /* "daq (uid 1001)"; "" = not known */
	const char *hint;   /* where it is not visible: a sentence that says who runs it and how to see it; else "" */
	int64_t pid;        /* of the supervisor; 0: it does not run, or it is not visible */
	uint32_t orphans; /* jobs that still run although their supervisor is gone: they store what they have and end */
	int32_t exit_code;   /* of a run that is over */
	uint64_t started_ns; /* wall clock, ns since 1970; 0 = not known */
	const char *version; /* of the program that began the run */
	const char *config;  /* folder of its configuration; "" = none */
};

struct enrg_supervisors; /* a list, as it was when it was made */

/* All that have run below this user's runtime folder ($ENRGDAQ_RUNTIME_DIR, else /dev/shm/enrgdaq-UID), then those that
 * run elsewhere: of other users, or with another runtime folder. 0 (also where there are none), -errno. */
ENRG_API int enrg_supervisors_list(struct enrg_supervisors **ret_list, struct enrg_error *err);
ENRG_API uint32_t enrg_supervisors_count(const struct enrg_supervisors *list);
/* Valid until enrg_supervisors_destroy; NULL: no such index. */
ENRG_API const struct enrg_supervisor *enrg_supervisors_get(const struct enrg_supervisors *list, uint32_t index);
ENRG_API void enrg_supervisors_destroy(struct enrg_supervisors *list); /* takes NULL */

/* --- one system -------------------------------------------------------------------------------------------------- */

struct enrg_client;

/* `name`: of the supervisor; NULL: the one that runs. It need not run now. -ENOENT: none of that name has run here, or
 * none runs; -EEXIST: several run, err names them; -ESRCH (NULL only): none runs, but jobs of one that was killed do;
 * -EACCES: it is another user's. */
ENRG_API int enrg_client_open(const char *name, struct enrg_client **ret_client, struct enrg_error *err);
ENRG_API void enrg_client_close(struct enrg_client *client); /* takes NULL */

/* Who it is now. 0; -EAGAIN: it does not run; *ret_supervisor is set all the same, and err says what is left of it.
 * Valid until the next call of this function with this handle. */
ENRG_API int enrg_client_supervisor(
	struct enrg_client *client, const struct enrg_supervisor **ret_supervisor, struct enrg_error *err);

struct enrg_flow {
	uint64_t batches, rows, bytes; /* in the present instance of the job */
	double batches_per_s, rows_per_s, bytes_per_s;
};

struct enrg_job_status {
	uint32_t size;
	bool is_store;
	const char *name, *type;
	const char *file;      /* of its configuration */
	const char *state;     /* "running", "restarting", "waiting", "done", "given up" … */
	const char *reason;    /* why it waits or has failed; "" = none */
	const char *last_exit; /* how its last instance ended; "" = there was none */
	int64_t pid;           /* 0: no process now */
	uint64_t restarts;
	struct enrg_flow in, out;                /* in: of a store, committed; out: of a source, produced */
	double cpu_percent;                      /* of one core */
	double blocked_percent;                  /* of a source: time in which it waited for stores */
	uint64_t memory_bytes;                   /* without the rings, which all jobs share */
	uint64_t backlog_batches, backlog_bytes; /* that wait for it, or in its stream */
	uint64_t lost, duplicated, corrupted;    /* batches, found by a store's checks */
	uint64_t set_aside;                      /* records that killed their store, in a file now */
	uint64_t missed_ticks;                   /* polls that a slow one overslept */
	double latency_p50_ms, latency_p99_ms;   /* of a store, of the last 2 to 4 s; NaN: there were none */
	uint32_t value_count; /* all figures: values[i] is that of enrg_statistics_get(i), NaN where it has none */
	const struct enrg_statistic_value *values;
	int32_t acquires; /* a source: 1 it takes data, 0 not (between two runs, or it is not there); -1: not known, or
			   * no source */
};

/* Run control (key `runs.control`): which run is on. */
struct enrg_run_status {
	uint32_t size;
	const char *state; /* "idle": between two runs; "configuring", "configured", "starting", "running", "error": it
			    * is on, and a part has given up; "stopping" */
	const char *run;   /* that is on, begins or ends; "" = none */
	uint64_t number;   /* its number; 0 = none */
	uint64_t last_number;
	uint64_t since_ns;             /* wall clock: since when it is in that state */
	uint64_t began_ns;             /* when the run was asked for */
	const char *waits_for;         /* what a transition waits for; "" = nothing that is known yet */
	const char *refused_run;       /* the last start that failed, until a run is on; "" = none */
	const char *refused_reason;    /* why */
	uint64_t refused_ns;           /* when */
	const char *closing_run;       /* the oldest that has ended and is not all stored; "" = none */
	const char *closing_waits_for; /* which store is behind */
	const char *reason;            /* why it is in that state */
	const char *by;                /* who brought it there; "" = the engine itself */
	uint64_t deadline_ns;          /* wall clock: until when it is to leave that state; 0 = none */
	const char *type, *description;
};

struct enrg_link_status {
	uint32_t size;
	const char *source, *store;
	const char *through; /* "shared memory" or "zeromq" */
	uint64_t backlog_batches, backlog_bytes;
};

/* produced = stored + skipped + set aside + in flight; anything else is missing. Of this run. */
struct enrg_ledger_line {
	uint32_t size;
	bool is_accounted;
	const char *source, *store;
	uint64_t produced_batches, produced_rows;
	uint64_t stored_batches, stored_rows;
	uint64_t skipped_batches; /* tables that this store does not take */
	uint64_t set_aside_batches, set_aside_rows;
	uint64_t in_flight_batches, in_flight_bytes;
	uint64_t dropped_rows;   /* by the source itself, by a policy that it names */
	int64_t missing_batches; /* negative: counted twice */
	int64_t missing_rows;    /* counted when nothing is in flight, skipped or set aside; else 0 */
};

/* Rows of an input of a processor: read = in + rejected + open. Of this run. */
struct enrg_processor_line {
	uint32_t size;
	bool is_accounted; /* of all inputs of the processor */
	const char *processor, *source, *tag;
	uint64_t read_rows, in_rows, open_rows;
	uint64_t rejected_rows; /* by all of its policies; the text has each */
};

/* Something that is wrong now, or muted: `enrgdaq alarms`. */
struct enrg_alarm_status {
	uint32_t size;
	bool is_on;           /* else it is only muted */
	bool is_acknowledged; /* is not told again */
	const char *name;     /* "silent/camera" */
	const char *job, *severity;
	const char *message;     /* cause and remedy */
	uint64_t since_ns;       /* wall clock */
	uint64_t told;           /* so often */
	uint64_t muted_until_ns; /* wall clock; 0 = it is not */
	const char *mute_reason;
};

struct enrg_status {
	uint32_t size;
	bool is_accounted; /* every batch is accounted for, and no file was taken away or damaged */
	const char *supervisor, *run;
	const char *state;   /* "running", "stopping sources", "draining" … */
	const char *version; /* of the program that runs */
	const char *config;  /* folder of the configuration; "" = none */
	const char *since;   /* UTC, "2026-11-24T06:48:59.123Z" */
	const char *summary; /* one line: jobs, rates, what waits */
	double age_s; /* since the supervisor wrote it: once a second, or each interval_s; more: it stands still */
	double interval_s;
	uint32_t job_count, link_count, ledger_count;
	const struct enrg_job_status *const *jobs;
	const struct enrg_link_status *const *links;
	const struct enrg_ledger_line *const *ledger; /* a line a source and store */
	uint32_t processor_count;
	const struct enrg_processor_line *const *processors; /* a line an input */
	const char
		*json; /* all of it, and what has no member here: one JSON object in one line, as of `status --json` */
	const struct enrg_run_status *run_control; /* NULL: it is off, and a run lasts from start to stop */
	uint32_t alarm_count;
	const struct enrg_alarm_status *const *alarms;
	const struct enrg_host_clock *clock; /* of the machine that it runs on; NULL: not known */
};

enum {
	ENRG_STATUS_FILES = 1, /* json gets `files`, `disks` and `program` too: looked for in /proc, a few µs a file */
};

/* What the system does, as its supervisor wrote it last. `flags`: ENRG_STATUS_… or 0. 0; -EAGAIN: it does not run, or
 * has not written its state yet (less than a second after its start); ENRG_E_CORRUPT. Valid until the next call of this
 * function with this handle. */
ENRG_API int enrg_client_status(
	struct enrg_client *client, uint32_t flags, const struct enrg_status **ret_status, struct enrg_error *err);

/* Asks the supervisor to end in order: sources stop, stores store what is left and close their files. `is_fast`: asks a
 * second time (waits 0.6 s for that, unless it ends before): what is not stored in 2 s stays in shared memory for the
 * next start. 0; -EAGAIN: it does not run; -EPERM. Waiting for the end is enrg_client_wait's matter. */
ENRG_API int enrg_client_stop(struct enrg_client *client, bool is_fast, struct enrg_error *err);

/* Waits up to `timeout_ms` (-1: for ever) until the supervisor process that enrg_client_stop has asked, or that ran at
 * the first call, has ended. 0: it has; -ETIMEDOUT; -EAGAIN: there is none to wait for. */
ENRG_API int enrg_client_wait(struct enrg_client *client, int timeout_ms, struct enrg_error *err);

/* --- commands ---------------------------------------------------------------------------------------------------- */

struct enrg_client_command {
	uint32_t size;       /* sizeof(struct enrg_client_command) */
	uint32_t timeout_ms; /* how long it may be carried out, and waited for; 0: 10 s */
	const char *to;      /* "supervisor", "job NAME", "type DAQJobX" (all of a type), "all" (jobs) */
	const char *kind;
	const char *fields; /* a JSON object; NULL: none */
	const char *sender; /* what this program calls itself, for logs; NULL: "libenrgdaq" */
	const uint8_t *id;  /* 16 random bytes that are this command; NULL: drawn here. The same id again gets the first
			     * answer, and nothing is done */
	/* For whom this program asks, where that is not its own user: he may what his role may. All NULL: for itself.
	 * A role that is not "visitor", "user" or "admin" may nothing. */
	const char *for_who, *for_role, *for_address;
};

struct enrg_client_reply {
	uint32_t size;
	enum enrg_answer_code code;
	const char *name;   /* of the code: "ok", "refused", "wrong_fields" … for ever the same */
	const char *text;   /* a sentence, or "" */
	const char *fields; /* what was answered as a JSON object, as it came; NULL: nothing */
	const char *json;   /* the whole answer: id, code, text, fields */
};

/* Gives a command, waits for its answer (timeout_ms and 4 s: the supervisor gives up earlier). 0: *ret_reply is set,
 * also where the answer is a refusal; valid until the next call of this function with this handle. Else nothing was
 * sent: -EAGAIN: the system does not run; -EINVAL; -EACCES. */
ENRG_API int enrg_client_ask(struct enrg_client *client, const struct enrg_client_command *command,
	const struct enrg_client_reply **ret_reply, struct enrg_error *err);

/* --- alerts ------------------------------------------------------------------------------------------------------ */

struct enrg_client_alert {
	uint32_t size;
	const char *time;     /* UTC, "2026-11-24T06:48:59.123Z" */
	const char *severity; /* "info", "warning", "error" */
	const char *job;
	const char *message;
	uint64_t missed; /* alerts before this one that came faster than they were looked at, or before the handle was
			  * opened and are not kept any more */
};

struct enrg_alerts; /* follows the alerts of one system; it may outlive the client that it was opened from */

/* Begins with those that the supervisor still keeps (the last 20). */
ENRG_API int enrg_alerts_open(struct enrg_client *client, struct enrg_alerts **ret_alerts, struct enrg_error *err);
/* The next one: 1, valid until the next call; 0: none now; -EAGAIN: the system is not there. They are known when the
 * supervisor writes its state: once a second, every 10 s at the latest. */
ENRG_API int enrg_alerts_next(
	struct enrg_alerts *alerts, const struct enrg_client_alert **ret_alert, struct enrg_error *err);
ENRG_API void enrg_alerts_close(struct enrg_alerts *alerts); /* takes NULL */

/* --- log --------------------------------------------------------------------------------------------------------- */

struct enrg_log_line {
	uint32_t size;
	const char *line;    /* the whole line, without its end */
	const char *time;    /* as it stands there; "" = it has none */
	const char *level;   /* "DEBUG", "INFO", "WARNING", "ERROR"; "" = it names none */
	const char *process; /* "supervisor" or the name of a job; "" = it names none */
	const char *message; /* the rest, or the whole line */
	bool is_cut;         /* longer than 64 KiB: the rest was left out */
	uint64_t lost_files; /* times that the file was replaced or cut before all of it was read, so far */
};

struct enrg_logs; /* follows the log of one system: the lines of the supervisor and of all jobs */

/* Begins with the last `lines` that are there. The log is read from the file of [log] in supervisor.toml, or from the
 * file that standard error was redirected to. -ENOTSUP: it goes where nobody can read along (journal, terminal, pipe);
 * err says where, and for the journal the command that shows it; -EAGAIN: the system does not run. */
ENRG_API int enrg_logs_open(
	struct enrg_client *client, uint32_t lines, struct enrg_logs **ret_logs, struct enrg_error *err);
/* The next line: 1, valid until the next call; 0: none now; -EAGAIN: the system is not there; -ENOTSUP: its new
 * instance logs where nobody can read along. */
ENRG_API int enrg_logs_next(struct enrg_logs *logs, const struct enrg_log_line **ret_line, struct enrg_error *err);
ENRG_API void enrg_logs_close(struct enrg_logs *logs); /* takes NULL */

/* --- streams ----------------------------------------------------------------------------------------------------- */

/* Names of the jobs that have a stream now, NULL at the end; valid until the next call of this function with this
 * handle. 0, also where there are none; -EAGAIN: the system does not run and has left none. */
ENRG_API int enrg_client_sources(struct enrg_client *client, const char *const **ret_names, struct enrg_error *err);

struct enrg_stream_params {
	uint32_t size;        /* sizeof(struct enrg_stream_params) */
	uint32_t every;       /* hand out each n-th batch; 0 and 1: all */
	const char *source;   /* name of the job; required */
	const char *tag;      /* of this table alone; NULL: all */
	uint64_t interval_ns; /* hand out no more than one batch in that time; 0: all */
};

struct enrg_stream; /* observes the batches of one source: beside its stores, which notice nothing */

struct enrg_record {
	uint32_t size;
	uint32_t table; /* a number for the table (group, tag and columns) in this stream, below 256 */
	const char *tag;
	uint64_t sequence; /* counts the records of this stream, from 1 */
	uint64_t rows, bytes;
	uint64_t acquired_ns;  /* wall clock of the oldest row, ns since 1970 */
	uint64_t committed_ns; /* CLOCK_MONOTONIC */
	uint64_t skipped; /* batches between the one handed out before and this one that came too fast, or were left out
			   * by `every`, `interval_ns`, `tag` or enrg_stream_skip */
	uint32_t instance; /* counts the streams that this handle has seen, from 1: a new run makes a new one */
	bool is_gap;       /* no rows: the producer was started again; hardware data may be missing here */
	bool is_blob;
};

struct enrg_stream_counts {
	uint32_t size;
	bool is_at_end; /* the producer has ended in order, and all it made was handed out or skipped */
	uint64_t published_batches, published_rows, published_bytes; /* since the handle was opened, all tables */
	uint64_t seen_batches, seen_rows, seen_bytes; /* handed out by enrg_stream_next. What was published and is not
						       * seen, and is not still to come, was skipped */
	uint64_t last_published;                      /* sequence of the record that was published last */
	const char *run;                              /* of the stream */
};

/* Begins with what comes from now on. -ENOENT: no such source; err names those that there are; -EAGAIN: the system does
 * not run; -EINVAL. */
ENRG_API int enrg_stream_open(struct enrg_client *client, const struct enrg_stream_params *params,
	struct enrg_stream **ret_stream, struct enrg_error *err);
ENRG_API void enrg_stream_close(struct enrg_stream *stream); /* takes NULL */

/* The next batch's head: 1, valid until the next call; 0: none now: look again after some milliseconds (may wait up to
 * 1 ms for one that is just coming); -EAGAIN: the source or its system is not there; ENRG_E_CORRUPT: somebody scribbled
 * into the stream; the next call continues at the newest. */
ENRG_API int enrg_stream_next(
	struct enrg_stream *stream, const struct enrg_record **ret_record, struct enrg_error *err);
/* The batch of the head that enrg_stream_next gave last, a copy that is whole, its check sums proved. Valid until the
 * next call of this function for the same table, or until enrg_stream_next returns -EAGAIN or a record of another
 * `instance`. 0; -EOVERFLOW: it was overwritten meanwhile, and the batch before stays valid; ENRG_E_CORRUPT; -ENOMEM.
 * Who only counts does not call it. */
ENRG_API int enrg_stream_read(struct enrg_stream *stream, const struct enrg_batch **ret_batch, struct enrg_error *err);
/* Leaves out what is there: the next record is one that comes from now on. */
ENRG_API void enrg_stream_skip(struct enrg_stream *stream);
/* Valid until the next call of this function. */
ENRG_API const struct enrg_stream_counts *enrg_stream_get_counts(struct enrg_stream *stream);

/* --- text -------------------------------------------------------------------------------------------------------- */

/* So that it can neither steer a terminal nor look like several lines: control characters become spaces, what is not
 * UTF-8 text question marks. In place, of the same length. For values of columns. */
ENRG_API void enrg_text_make_safe(char *text, size_t bytes);
/* Bytes of the UTF-8 character at `text`, which has `bytes` bytes; 0: it is none. */
ENRG_API size_t enrg_text_character(const char *text, size_t bytes);
/* "950 B", "12.3 kB", "4.5 MB": as all programs of ENRGDAQ show it. Returns ret_text. */
ENRG_API const char *enrg_format_bytes(double bytes, char ret_text[32]);
/* "4.2 s", "3 min 20 s", "250 ms". Returns ret_text. */
ENRG_API const char *enrg_format_span(uint64_t span_ns, char ret_text[32]);

#ifdef __cplusplus
}
#endif

#endif
