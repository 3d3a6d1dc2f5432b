/* run_plans_tables.c: the keys of the files of run_plans.h. Data for the supervisor and the command line. */
#include "config/run_plans.h"

#define AT(member) offsetof(struct run_ends, member)

static const struct enrg_option ends_options[] = {
	{.key = "stop_after_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(stop_after_seconds),
		.default_value = "0.0",
		.min = 0,
		.max = 1e9,
		.unit = "s",
		.help = "The run ends by itself after this time; 0: it does not."},
	{.key = "stop_after_events",
		.kind = ENRG_OPTION_INT,
		.offset = AT(stop_after_events),
		.default_value = "0",
		.min = 0,
		.max = 9e15,
		.help = "The run ends when so many rows of count_source are there; 0: it does not."},
	{.key = "stop_after_bytes",
		.kind = ENRG_OPTION_INT,
		.offset = AT(stop_after_bytes),
		.default_value = "0",
		.min = 0,
		.max = 9e18,
		.unit = "B",
		.help = "The run ends when its sources have made so many bytes; 0: it does not."},
	{.key = "count_source",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(count_source),
		.default_value = "\"\"",
		.help = "The job whose rows stop_after_events counts; without it those of all sources."},
	{.key = "stop_when",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = AT(stop_when),
		.default_value = "[]",
		.help = "The run ends when one of these is so: \"JOB.STATISTIC OP VALUE [for SECONDS]\", or \"ledger "
			"open\"."},
	{0},
};

static const struct enrg_table ends_table = {sizeof(struct run_ends), ends_options};

#undef AT
#define IN(noun, member) (offsetof(struct noun, options.member) - offsetof(struct noun, options))
#define SIZE(noun)       sizeof(((struct noun *)0)->options)

static const struct enrg_option type_options_list[] = {
	{.key = "title", .kind = ENRG_OPTION_STRING, .offset = IN(run_type, title), .help = "What forms call it."},
	{.key = "description",
		.kind = ENRG_OPTION_STRING,
		.offset = IN(run_type, description),
		.help = "What such a run is for."},
	{.key = "templates",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = IN(run_type, templates),
		.default_value = "[]",
		.help = "Templates whose jobs are there during such a run, and whose messages are sent at its start."},
	{.key = "required_tags",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = IN(run_type, required_tags),
		.default_value = "[]",
		.help = "Words that info.supervisor_tags has to have, or such a run is refused."},
	{.key = "comment_carries",
		.kind = ENRG_OPTION_BOOL,
		.offset = IN(run_type, comment_carries),
		.default_value = "false",
		.help = "The comment of a run goes to the next one until another is given."},
	{.key = "repeat",
		.kind = ENRG_OPTION_INT,
		.offset = IN(run_type, repeat),
		.default_value = "0",
		.min = -1,
		.max = 1e9,
		.help = "So many more runs of the type follow by themselves; -1: until a stop."},
	{.key = "ends", .kind = ENRG_OPTION_INCLUDE, .offset = IN(run_type, ends), .table = &ends_table},
	{0},
};

const struct enrg_table run_type_table = {SIZE(run_type), type_options_list};

static const struct enrg_option template_options_list[] = {
	{.key = "title", .kind = ENRG_OPTION_STRING, .offset = IN(run_template, title), .help = "What forms call it."},
	{.key = "description",
		.kind = ENRG_OPTION_STRING,
		.offset = IN(run_template, description),
		.help = "What its jobs and messages do."},
	{0},
};

const struct enrg_table run_template_table = {SIZE(run_template), template_options_list};

static const struct enrg_option message_options_list[] = {
	{.key = "to",
		.kind = ENRG_OPTION_STRING,
		.offset = IN(run_message, to),
		.required = true,
		.help = "\"job NAME\", \"type TYPE\" or \"all\"."},
	{.key = "kind",
		.kind = ENRG_OPTION_STRING,
		.offset = IN(run_message, kind),
		.required = true,
		.help = "The command, as `enrgdaq describe TYPE` lists them; `body` has its fields."},
	{0},
};

const struct enrg_table run_message_table = {SIZE(run_message), message_options_list};

static const struct enrg_option sequence_options_list[] = {
	{.key = "title", .kind = ENRG_OPTION_STRING, .offset = IN(run_sequence, title), .help = "What forms call it."},
	{.key = "description",
		.kind = ENRG_OPTION_STRING,
		.offset = IN(run_sequence, description),
		.help = "What it is for; the description of its runs, with the step."},
	{.key = "type",
		.kind = ENRG_OPTION_STRING,
		.offset = IN(run_sequence, type),
		.required = true,
		.help = "The type of its runs."},
	{.key = "settle_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = IN(run_sequence, settle_seconds),
		.default_value = "0.0",
		.min = 0,
		.max = 1e6,
		.unit = "s",
		.help = "So long a run waits, with its jobs there and its messages sent, before sources begin."},
	{.key = "ends", .kind = ENRG_OPTION_INCLUDE, .offset = IN(run_sequence, ends), .table = &ends_table},
	{0},
};

const struct enrg_table run_sequence_table = {SIZE(run_sequence), sequence_options_list};

#undef IN
#define AT(noun, member) offsetof(struct noun, member)

static const struct enrg_option scan_options[] = {
	{.key = "parameter",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(run_scan, parameter),
		.required = true,
		.help = "What is scanned. Of several scans the last one changes fastest."},
	{.key = "from",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(run_scan, from),
		.present_offset = AT(run_scan, has_from),
		.help = "First value; or `values`, a list of them."},
	{.key = "to",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(run_scan, to),
		.present_offset = AT(run_scan, has_to),
		.help = "Last value, which belongs to the scan where a step meets it."},
	{.key = "step",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(run_scan, step),
		.present_offset = AT(run_scan, has_step),
		.help = "From one value to the next; negative from a larger to a smaller one."},
	{0},
};

const struct enrg_table run_scan_table = {sizeof(struct run_scan), scan_options};

static const struct enrg_option step_options[] = {
	{.key = "description",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(run_step, description),
		.help = "The description of its run."},
	{.key = "settle_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(run_step, settle_seconds),
		.min = 0,
		.max = 1e6,
		.unit = "s",
		.present_offset = AT(run_step, has_settle),
		.help = "As of the sequence, which it replaces."},
	{.key = "ends", .kind = ENRG_OPTION_INCLUDE, .offset = AT(run_step, ends), .table = &ends_table},
	{0},
};

const struct enrg_table run_step_table = {sizeof(struct run_step), step_options};
