/* run_terms.c: see the header. Process: supervisor, main thread. */
#include "supervisor/run_terms.h"

#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct run_terms, member)

static const struct enrg_option options[] = {
	{.key = "type",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(type),
		.default_value = "\"\"",
		.help = "Type of the run, as runs/types of the folder names them; without it a run of no type."},
	{.key = "description",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(description),
		.default_value = "\"\"",
		.help = "What the run is for, in one line."},
	{.key = "comment",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(comment),
		.default_value = "\"\"",
		.help = "Whatever else is to be known of it."},
	{.key = "sequence",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(sequence),
		.default_value = "\"\"",
		.help = "The step of a sequence that the run is."},
	{.key = "who",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(who),
		.default_value = "\"\"",
		.help = "For whom the asking program asks; without it the user that it runs as."},
	{.key = "role",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(role),
		.default_value = "\"\"",
		.help = "The role of that person."},
	{.key = "address",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(address),
		.default_value = "\"\"",
		.help = "Where that person sits."},
	{.key = "stop_after_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(stop_after_seconds),
		.default_value = "0.0",
		.min = 0,
		.max = 31557600,
		.unit = "s",
		.help = "The run ends so long after it was on everywhere; 0: not by time."},
	{.key = "stop_after_events",
		.kind = ENRG_OPTION_INT,
		.offset = AT(stop_after_events),
		.default_value = "0",
		.min = 0,
		.max = 9e15,
		.help = "It ends when so many rows were made in it; 0: not by them."},
	{.key = "stop_after_bytes",
		.kind = ENRG_OPTION_INT,
		.offset = AT(stop_after_bytes),
		.default_value = "0",
		.min = 0,
		.max = 9e18,
		.unit = "bytes",
		.help = "It ends when so many bytes were made in it; 0: not by them."},
	{.key = "count_source",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(count_source),
		.default_value = "\"\"",
		.help = "The job whose rows and bytes count for these two; without it those of all sources."},
	{.key = "stop_when",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = AT(stop_when),
		.default_value = "[]",
		.help = "It ends as soon as one of them is true: `JOB.STATISTIC OP VALUE [for SECONDS]`, `ledger open "
			"[for SECONDS]`."},
	{.key = "repeat",
		.kind = ENRG_OPTION_INT,
		.offset = AT(repeat),
		.default_value = "0",
		.min = -1,
		.max = 1e9,
		.help = "So many runs of the same kind follow, each when the one before has ended by itself; -1: until "
			"one is stopped."},
	{.key = "values",
		.kind = ENRG_OPTION_MAP,
		.offset = AT(values),
		.default_value = "{}",
		.help = "Values of parameters of the templates of its type; true and false as texts."},
	{.key = "shown_values",
		.kind = ENRG_OPTION_MAP,
		.offset = AT(shown_values),
		.default_value = "{}",
		.help = "The engine's own: all values, with those of secrets masked."},
	{0},
};

const struct enrg_table run_terms_table = {.size = sizeof(struct run_terms), .options = options};

bool run_terms_end(const struct run_terms *terms)
{
	return terms->stop_after_seconds > 0 || terms->stop_after_events || terms->stop_after_bytes ||
	       terms->stop_when.count;
}

static bool is_coming(const struct run_terms_coming *coming, const char *job)
{
	return coming && coming->brings && coming->brings(coming->context, job);
}

static void check_source(const struct run_terms *terms, const struct roster *roster,
	const struct run_terms_coming *coming, json_t *problems)
{
	const struct member *member = *terms->count_source ? roster_find(roster, terms->count_source) : NULL;
	char text[700];

	if (!*terms->count_source || (member && member->plan->stream_path) || is_coming(coming, terms->count_source))
		return;
	const char *near = member ? NULL : roster_suggest(roster, terms->count_source);
	snprintf(text, sizeof(text), "count_source: %s \"%.200s\"%s%s%s",
		member ? "nothing comes of job" : "there is no job", terms->count_source, near ? "; did you mean " : "",
		near ? near : "", near ? "?" : "");
	json_array_append_new(problems, json_string(text));
}

void run_terms_check(const struct run_terms *terms, const struct roster *roster, const struct run_terms_coming *coming,
	json_t *problems, struct condition **ret_conditions, uint32_t *ret_count)
{
	struct condition *conditions = calloc(terms->stop_when.count + 1, sizeof(*conditions));
	size_t before = json_array_size(problems);

	check_source(terms, roster, coming, problems);
	if (terms->repeat && !run_terms_end(terms))
		json_array_append_new(problems,
			json_string("repeat: the run has no end of its own (stop_after_seconds, stop_after_events, "
				    "stop_after_bytes, stop_when), so none could follow it"));
	if (!conditions)
		json_array_append_new(problems, json_string("out of memory"));
	for (size_t i = 0; conditions && i < terms->stop_when.count; i++) {
		struct enrg_error err = {0};
		int rc = condition_parse(terms->stop_when.items[i], &conditions[i], &err);
		if (!rc && !is_coming(coming, conditions[i].job))
			rc = condition_check(&conditions[i], roster, &err);
		if (rc)
			json_array_append_new(problems, json_string(err.text));
	}
	if (!ret_conditions || !conditions || json_array_size(problems) != before) {
		free(conditions);
		return;
	}
	*ret_conditions = conditions;
	*ret_count = (uint32_t)terms->stop_when.count;
}
