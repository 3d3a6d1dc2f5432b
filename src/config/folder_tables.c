/* folder_tables.c: the keys that every job has, and those of supervisor.toml. Data for the supervisor, the job
 * processes and the command line.
 */
#include "config/folder.h"

#include "config/verbosity.h"
#include "enrgdaq/job.h"

static const struct enrg_choice acquisitions[] = {{"always", 0}, {"in_runs", 1}, {0}};

#define AT(member) offsetof(struct job_common, member)

static const struct enrg_option job_common_options[] = {
	{.key = "daq_job_type",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(daq_job_type),
		.required = true,
		.help = "Type of the job, as `enrgdaq jobs` lists them."},
	{.key = "verbosity",
		.kind = ENRG_OPTION_CHOICE,
		.offset = AT(verbosity),
		.default_value = "\"INFO\"",
		.choices = verbosity_choices,
		.present_offset = AT(has_verbosity),
		.help = "Log lines of this job below this level are dropped; without the key the supervisor's level "
			"counts."},
	{.key = "daq_job_unique_id",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(daq_job_unique_id),
		.help = "Name of the job in its supervisor; without the key it is the path of the file without .toml."},
	{.key = "use_shm_when_possible",
		.kind = ENRG_OPTION_BOOL,
		.offset = AT(use_shm_when_possible),
		.default_value = "true",
		.help = "Whether batches travel through shared memory; false sends them through ZeroMQ."},
	{.key = "topics_to_subscribe",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = AT(topics_to_subscribe),
		.default_value = "[]",
		.help = "More message topics that the job receives."},
	{.key = "acquire",
		.kind = ENRG_OPTION_CHOICE,
		.offset = AT(acquire),
		.default_value = "\"always\"",
		.choices = acquisitions,
		.present_offset = AT(has_acquire),
		.help = "With runs.control: whether this source takes data between runs as well; without the key its "
			"type decides, and most take data always."},
	{.key = "restart_on_crash",
		.kind = ENRG_OPTION_BOOL,
		.offset = AT(restart_on_crash),
		.default_value = "true",
		.present_offset = AT(has_restart_on_crash),
		.help = "Whether the job is started again when it has crashed; false: it stays stopped. A stop of the "
			"system lets a store finish what waits for it all the same."},
	{.key = "silent_after_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(silent_after_seconds),
		.default_value = "180.0",
		.min = 0,
		.max = 1e9,
		.unit = "s",
		.present_offset = AT(has_silent_after),
		.help = "An alarm tells that this source has sent nothing for longer than this, and than ten times its "
			"usual interval; 0: none. Without the key alarms.silent_after_seconds counts."},
	{.key = "ring_buffer_size_mb",
		.kind = ENRG_OPTION_INT,
		.offset = AT(ring_buffer_size_mb),
		.default_value = "0",
		.min = 0,
		.max = 1048576,
		.unit = "MB",
		.help = "Shared memory of this job's ring; 0 is its share of the supervisor's budget."},
	{0},
};

#undef AT
#define AT(member) offsetof(struct job_input, member)

static const struct enrg_option input_options[] = {
	{.key = "job",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(job),
		.required = true,
		.help = "Name of the job to read."},
	{.key = "group",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(group),
		.help = "Only tables of this store group of that job; without the key all."},
	{.key = "tag",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(tag),
		.help = "Only tables with this tag; without the key all."},
	{0},
};
static const struct enrg_table input_table = {sizeof(struct job_input), input_options};

static const struct enrg_option job_inputs_options[] = {
	{.key = "input",
		.kind = ENRG_OPTION_TABLE_LIST,
		.offset = offsetof(struct job_inputs, input),
		.required = true,
		.table = &input_table,
		.help = "What it reads, a section [[input]] each; a table that several of them name goes to the "
			"first."},
	{0},
};

const struct enrg_table job_inputs_table = {sizeof(struct job_inputs), job_inputs_options};

#undef AT
#define AT(member) offsetof(struct supervisor_options, member)

/* Tables of supervisor.toml are anonymous structs inside supervisor_options: offsets count from the inner struct. */
#define IN(part, member) (offsetof(struct supervisor_options, part.member) - offsetof(struct supervisor_options, part))
#define SIZE(part)       sizeof(((struct supervisor_options *)0)->part)

static const struct enrg_option info_options[] = {
	{.key = "supervisor_id",
		.kind = ENRG_OPTION_STRING,
		.offset = IN(info, supervisor_id),
		.required = true,
		.help = "Name of this supervisor, unique among all that talk to each other."},
	{.key = "supervisor_tags",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = IN(info, supervisor_tags),
		.default_value = "[]",
		.help = "Free words that describe this supervisor to clients."},
	{0},
};
static const struct enrg_table info_table = {SIZE(info), info_options};

static const struct enrg_option log_options[] = {
	{.key = "file",
		.kind = ENRG_OPTION_STRING,
		.offset = IN(log, file),
		.help = "File that log lines are appended to as well, relative to the working folder. Without the key, "
			"a file "
			"out/supervisor.log that is there is continued, and not rotated."},
	{.key = "rotate_mb",
		.kind = ENRG_OPTION_FLOAT,
		.offset = IN(log, rotate_mb),
		.default_value = "10.0",
		.min = 0,
		.max = 1048576,
		.unit = "MB",
		.help = "A file of this size is renamed to FILE.1, the one of that name before to FILE.2 and so on; 0 "
			"= never."},
	{.key = "keep",
		.kind = ENRG_OPTION_INT,
		.offset = IN(log, keep),
		.default_value = "5",
		.min = 0,
		.max = 1000,
		.help = "Files that are kept beside the present one."},
	{0},
};
static const struct enrg_table log_table = {SIZE(log), log_options};

static const struct enrg_option runs_options[] = {
	{.key = "control",
		.kind = ENRG_OPTION_BOOL,
		.offset = IN(runs, control),
		.default_value = "false",
		.help = "Whether runs begin and end by command while the jobs live; without it a start of `enrgdaq "
			"run` "
			"is one run."},
	{.key = "deadline_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = IN(runs, deadline_seconds),
		.default_value = "10.0",
		.min = 0.1,
		.max = 86400,
		.unit = "s",
		.help = "How long all sources together may take to begin a run, or to end it."},
	{.key = "taint_by",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = IN(runs, taint_by),
		.default_value = "[]",
		.help = "Kinds of alarms (\"silent\", \"disk\", \"clock\", or one alarm, \"silent/camera\") that mark "
			"the run "
			"in which one begins as tainted."},
	{.key = "database",
		.kind = ENRG_OPTION_STRING,
		.offset = IN(runs, database),
		.help = "File of the run book, an SQLite database of this supervisor alone. Without the key it is "
			"runs_ID.sqlite in the folder of the first store that writes files, else in out; \"\": no run "
			"book, and numbers of runs come from files alone."},
	{.key = "license",
		.kind = ENRG_OPTION_STRING,
		.offset = IN(runs, license),
		.help = "Licence of the data, for `enrgdaq runs export`: best a URL such as "
			"https://creativecommons.org/licenses/by/4.0/."},
	{.key = "publisher",
		.kind = ENRG_OPTION_STRING,
		.offset = IN(runs, publisher),
		.help = "Who publishes the data, for `enrgdaq runs export`."},
	{.key = "author",
		.kind = ENRG_OPTION_TABLE_LIST,
		.offset = IN(runs, author),
		.table = &run_author_table,
		.help = "Authors of the data, for `enrgdaq runs export`: a section [[runs.author]] each."},
	{.key = "hook",
		.kind = ENRG_OPTION_TABLE_LIST,
		.offset = IN(runs, hook),
		.table = &run_hook_table,
		.help = "Who hears that runs begin and end: a section [[runs.hook]] each, a webhook or a command. A "
			"failure is a warning on the run. Changes count from the next start."},
	{0},
};
static const struct enrg_table runs_table = {SIZE(runs), runs_options};

static const struct enrg_option alarms_options[] = {
	{.key = "enabled",
		.kind = ENRG_OPTION_BOOL,
		.offset = IN(alarms, enabled),
		.default_value = "true",
		.help = "Whether the supervisor watches sources, stores, ledger, disks and clock, and raises alarms."},
	{.key = "silent_after_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = IN(alarms, silent_after_seconds),
		.default_value = "180.0",
		.min = 0,
		.max = 1e9,
		.unit = "s",
		.help = "A source is silent that has sent nothing for longer than this, and than ten times its usual "
			"interval; 0: no such alarm. A job may have its own."},
	{.key = "lag_after_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = IN(alarms, lag_after_seconds),
		.default_value = "60.0",
		.min = 0,
		.max = 1e9,
		.unit = "s",
		.help = "A store lags for which more than half a ring waits for so long; 0: no such alarm."},
	{0},
};
static const struct enrg_table alarms_table = {SIZE(alarms), alarms_options};

static const struct enrg_option federation_options[] = {
	{.key = "is_server",
		.kind = ENRG_OPTION_BOOL,
		.offset = IN(federation, is_server),
		.default_value = "false",
		.help = "Whether other supervisors forward their messages to this one."},
	{.key = "server_xpub_url",
		.kind = ENRG_OPTION_STRING,
		.offset = IN(federation, server_xpub_url),
		.help = "ZeroMQ address that the server publishes on, such as tcp://*:16382."},
	{.key = "server_xsub_url",
		.kind = ENRG_OPTION_STRING,
		.offset = IN(federation, server_xsub_url),
		.help = "ZeroMQ address that the server receives on, such as tcp://*:16383."},
	{.key = "remote_server_xpub_url",
		.kind = ENRG_OPTION_STRING,
		.offset = IN(federation, remote_server_xpub_url),
		.help = "ZeroMQ address of the server that a client receives from."},
	{.key = "remote_server_xsub_url",
		.kind = ENRG_OPTION_STRING,
		.offset = IN(federation, remote_server_xsub_url),
		.help = "ZeroMQ address of the server that a client sends to."},
	{0},
};
static const struct enrg_table federation_table = {SIZE(federation), federation_options};

static const struct enrg_option supervisor_option_list[] = {
	{.key = "verbosity",
		.kind = ENRG_OPTION_CHOICE,
		.offset = AT(verbosity),
		.default_value = "\"INFO\"",
		.choices = verbosity_choices,
		.help = "Log lines below this level are dropped; jobs may set their own."},
	{.key = "ring_buffer_size_mb",
		.kind = ENRG_OPTION_INT,
		.offset = AT(ring_buffer_size_mb),
		.default_value = "256",
		.min = 1,
		.max = 1048576,
		.unit = "MB",
		.help = "Shared memory for the rings of all jobs together, divided among those that produce."},
	{.key = "ring_buffer_slot_size_kb",
		.kind = ENRG_OPTION_INT,
		.offset = AT(ring_buffer_slot_size_kb),
		.default_value = "1024",
		.min = 1,
		.max = 1048576,
		.unit = "KB",
		.help = "Largest batch: a longer table is split by rows, a longer blob is an error."},
	{.key = "latency_target_ms",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(latency_target_ms),
		.default_value = "1.0",
		.min = 0.01,
		.max = 1000,
		.unit = "ms",
		.help = "A batch waits no longer than about this for stores that keep up; two batches are always "
			"allowed."},
	{.key = "window_kb",
		.kind = ENRG_OPTION_INT,
		.offset = AT(window_kb),
		.default_value = "0",
		.min = 0,
		.max = 1073741824,
		.unit = "KB",
		.help = "Batches on their way to stores that keep up, of all jobs together; 0 is found by measuring."},
	{.key = "restart_delay_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(restart_delay_seconds),
		.default_value = "1.0",
		.min = 0,
		.max = 86400,
		.unit = "s",
		.help = "Time until a job that died within a minute is started again; it doubles with each such "
			"death in a row. One that ran longer is started again at once."},
	{.key = "restart_delay_max_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(restart_delay_max_seconds),
		.default_value = "60.0",
		.min = 0,
		.max = 86400,
		.unit = "s",
		.help = "The delay before a restart grows no longer than this."},
	{.key = "watchdog_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(watchdog_seconds),
		.default_value = "60.0",
		.min = 1,
		.max = 86400,
		.unit = "s",
		.help = "A job that gives no sign of life for this long is killed and started again."},
	{.key = "stop_timeout_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(stop_timeout_seconds),
		.default_value = "120.0",
		.min = 0,
		.max = 86400,
		.unit = "s",
		.help = "An ordered stop that takes longer becomes a fast stop: what is not stored then stays in "
			"shared memory for "
			"the next start. 0 = it takes as long as it needs, also while a store waits."},
	{.key = "info",
		.kind = ENRG_OPTION_TABLE,
		.offset = AT(info),
		.required = true,
		.table = &info_table,
		.help = "Who this supervisor is."},
	{.key = "runs",
		.kind = ENRG_OPTION_TABLE,
		.offset = AT(runs),
		.table = &runs_table,
		.help = "Runs that begin and end while the jobs live."},
	{.key = "alarms",
		.kind = ENRG_OPTION_TABLE,
		.offset = AT(alarms),
		.table = &alarms_table,
		.help = "What the supervisor raises alarms about."},
	{.key = "log",
		.kind = ENRG_OPTION_TABLE,
		.offset = AT(log),
		.table = &log_table,
		.help = "Where log lines go besides standard error."},
	{.key = "cnc",
		.kind = ENRG_OPTION_TABLE,
		.offset = AT(cnc),
		.table = &cnc_table,
		.present_offset = AT(has_cnc),
		.help = "Command and control, and the REST API."},
	{.key = "web",
		.kind = ENRG_OPTION_TABLE,
		.offset = AT(web),
		.table = &web_table,
		.present_offset = AT(has_web),
		.help = "Who may ask the REST API, and how much."},
	{.key = "federation",
		.kind = ENRG_OPTION_TABLE,
		.offset = AT(federation),
		.table = &federation_table,
		.help = "Several supervisors as one star."},
	{0},
};

const struct enrg_table job_common_table = {sizeof(struct job_common), job_common_options};
const struct enrg_table supervisor_table = {sizeof(struct supervisor_options), supervisor_option_list};
