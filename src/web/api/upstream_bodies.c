/* upstream_bodies.c: the fields of requests, as the Python program has them. */
#include <stddef.h>

#include "web/api/upstream.h"

#define TEXT(type, member, text)                                                                                       \
	{                                                                                                              \
		.key = #member, .kind = ENRG_OPTION_STRING, .offset = offsetof(struct type, member), .help = text      \
	}
#define NEEDED(type, member, text)                                                                                     \
	{                                                                                                              \
		.key = #member, .kind = ENRG_OPTION_STRING, .offset = offsetof(struct type, member), .required = true, \
		.help = text                                                                                           \
	}
#define FLAG(type, member, otherwise, text)                                                                            \
	{                                                                                                              \
		.key = #member, .kind = ENRG_OPTION_BOOL, .offset = offsetof(struct type, member),                     \
		.default_value = otherwise, .help = text                                                               \
	}
#define NAMES(type, text)                                                                                              \
	{                                                                                                              \
		.key = "daq_job_unique_ids", .kind = ENRG_OPTION_STRING_LIST,                                          \
		.offset = offsetof(struct type, daq_job_unique_ids), .help = text                                      \
	}
#define TABLE(name, type, list) const struct enrg_table name = {.size = sizeof(struct type), .options = list}

struct restart_body {
	bool update;
};

struct run_body {
	const char *config;
	bool restart_on_crash;
};

static const struct enrg_option restart_options[] = {
	FLAG(restart_body, update, "false", "Is refused where it is true: this program does not update itself."),
	{0},
};

static const struct enrg_option names_options[] = {
	NAMES(upstream_stop, "Names of jobs; without them all."),
	{0},
};

static const struct enrg_option stop_options[] = {
	TEXT(upstream_stop, daq_job_name, "Type of a job, whose first one is stopped."),
	TEXT(upstream_stop, daq_job_unique_id, "Name of the job."),
	FLAG(upstream_stop, remove, "false", "Whether it leaves all lists when what it has is stored."),
	{0},
};

static const struct enrg_option stop_several_options[] = {
	TEXT(upstream_stop, daq_job_name, "Type of a job, whose first one is stopped."),
	TEXT(upstream_stop, daq_job_unique_id, "Name of the job."),
	NAMES(upstream_stop, "Names of jobs, which are stopped one after the other."),
	FLAG(upstream_stop, remove, "false", "Whether they leave all lists when what they have is stored."),
	{0},
};

static const struct enrg_option run_options[] = {
	NEEDED(run_body, config, "TOML text of the job, as a file of its own has it."),
	FLAG(run_body, restart_on_crash, "true", "Whether it is started again when it ends by itself."),
	{0},
};

static const struct enrg_option message_options[] = {
	NEEDED(upstream_message, message_type,
		"Class of the Python program, or KIND or TYPE.KIND of a command of jobs."),
	NEEDED(upstream_message, payload, "Its fields, as the text of a JSON object."),
	TEXT(upstream_message, target_daq_job_unique_id, "Name of the job; without it all that take such a message."),
	{0},
};

static const struct enrg_option any_message_options[] = {
	TEXT(upstream_message, message_type, "Class of the Python program, or KIND or TYPE.KIND of a command of jobs."),
	TEXT(upstream_message, payload, "Its fields, as the text of a JSON object."),
	TEXT(upstream_message, target_daq_job_unique_id, "Name of the job; without it all that take such a message."),
	TEXT(upstream_message, type, "\"req_log\": the last lines of the log are answered."),
	TEXT(upstream_message, job_id, "Of req_log: lines of that job alone."),
	{0},
};

TABLE(upstream_restart_table, restart_body, restart_options);
TABLE(upstream_names_table, upstream_stop, names_options);
TABLE(upstream_stop_table, upstream_stop, stop_options);
TABLE(upstream_stop_several_table, upstream_stop, stop_several_options);
TABLE(upstream_run_table, run_body, run_options);
TABLE(upstream_message_table, upstream_message, message_options);
TABLE(upstream_any_message_table, upstream_message, any_message_options);
