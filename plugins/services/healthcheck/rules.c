/* rules.c: see the header. */
#include "rules.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS      1000000000ull
#define INTERVAL_S_MAX (366ull * 86400)

static const struct enrg_choice severities[] = {
	{"info", ENRG_INFO}, {"warning", ENRG_WARNING}, {"error", ENRG_ERROR}, {NULL, 0}};
static const struct enrg_choice conditions[] = {
	{"satisfied", RULE_SATISFIED}, {"unsatisfied", RULE_UNSATISFIED}, {NULL, 0}};
static const struct enrg_choice figures[] = {{"message_in_stats", RULE_IN}, {"message_out_stats", RULE_OUT},
	{"message_in_queue_stats", RULE_IN_QUEUE}, {"message_out_queue_stats", RULE_OUT_QUEUE},
	{"restart_stats", RULE_RESTARTS}, {NULL, 0}};

static const struct enrg_option alert_list[] = {
	{.key = "message",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct rule_word, message),
		.required = true,
		.help = "Text of the alert; which job and since when are added."},
	{.key = "severity",
		.kind = ENRG_OPTION_CHOICE,
		.offset = offsetof(struct rule_word, severity),
		.default_value = "\"error\"",
		.choices = severities,
		.help = "Severity of the alert."},
	{.key = NULL},
};

static const struct enrg_option alive_list[] = {
	{.key = "message",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct rule_word, message),
		.help = "Text of the alert that it is over; without it the text of before is said to be over."},
	{.key = "severity",
		.kind = ENRG_OPTION_CHOICE,
		.offset = offsetof(struct rule_word, severity),
		.default_value = "\"info\"",
		.choices = severities,
		.help = "Severity of that alert."},
	{.key = NULL},
};

static const struct enrg_table alert_table = {.size = sizeof(struct rule_word), .options = alert_list};
static const struct enrg_table alive_table = {.size = sizeof(struct rule_word), .options = alive_list};

#define AT(member) offsetof(struct rule, member)

static const struct enrg_option rule_list[] = {
	{.key = "daq_job_type",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(daq_job_type),
		.required = true,
		.help = "Type of the jobs that are watched, each by itself."},
	{.key = "stats_key",
		.kind = ENRG_OPTION_CHOICE,
		.offset = AT(figure),
		.required = true,
		.choices = figures,
		.help = "What is counted: batches that a store took or a source sent, batches that wait, or restarts."},
	{.key = "alert_if_interval_is",
		.kind = ENRG_OPTION_CHOICE,
		.offset = AT(alert_if),
		.required = true,
		.choices = conditions,
		.help = "Whether the alert comes while the condition below holds, or while it does not."},
	{.key = "interval",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(interval),
		.help = "Condition: it was counted in the last \"30s\", \"5m\", \"1h\"; with amount, so often."},
	{.key = "amount",
		.kind = ENRG_OPTION_INT,
		.offset = AT(amount),
		.default_value = "0",
		.min = 0,
		.max = 1e15,
		.help = "Condition, without interval: so many were counted in this run, or wait now."},
	{.key = "alert_info",
		.kind = ENRG_OPTION_TABLE,
		.offset = AT(alert),
		.table = &alert_table,
		.help = "The alert."},
	{.key = "alive_alert_info",
		.kind = ENRG_OPTION_TABLE,
		.offset = AT(alive),
		.table = &alive_table,
		.help = "The alert that it is over."},
	{.key = NULL},
};

static const struct enrg_table rule_table = {.size = sizeof(struct rule), .options = rule_list};

const struct enrg_option rules_option_list[] = {
	{.key = "healthcheck_stats",
		.kind = ENRG_OPTION_TABLE_LIST,
		.offset = offsetof(struct rules, healthcheck_stats),
		.table = &rule_table,
		.help = "What is watched."},
	{.key = "enable_alerts_on_restart",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct rules, enable_alerts_on_restart),
		.default_value = "true",
		.help = "Whether a restart of any job is an alert, and a minute without one the end of it."},
	{.key = "state_file",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct rules, state_file),
		.runs_code = true,
		.help = "What outlives a kill of this job; without the key out/state/SUPERVISOR.JOB.health."},
	{.key = NULL},
};

const struct rule rules_of_restarts = {
	.figure = RULE_RESTARTS,
	.alert_if = RULE_SATISFIED,
	.interval = "60s",
	.alert = {.message = "restarted within the last minute", .severity = ENRG_ERROR},
	.alive = {.message = NULL, .severity = ENRG_INFO},
};

uint64_t rules_parse_interval(const char *text)
{
	char *end = NULL;

	if (!isdigit((unsigned char)text[0]))
		return 0;
	unsigned long long count = strtoull(text, &end, 10);
	uint64_t unit_s = *end == 's' ? 1 : *end == 'm' ? 60 : *end == 'h' ? 3600 : 0;

	if (!unit_s || end[1] || count > INTERVAL_S_MAX / unit_s)
		return 0;
	return count * unit_s * SECOND_NS;
}

int rules_check(const void *options, struct enrg_error *err)
{
	const struct rules *rules = options;
	const struct rule *list = rules->healthcheck_stats.items;

	for (size_t i = 0; i < rules->healthcheck_stats.count; i++) {
		const struct rule *rule = &list[i];
		if (rule->interval && !rules_parse_interval(rule->interval))
			return enrg_error_set(err, ENRG_E_CONFIG,
				"healthcheck_stats[%zu].interval: expected a time such as \"30s\", \"5m\" or \"1h\", "
				"found \"%s\"",
				i, rule->interval);
		if (!rule->interval && !rule->amount)
			return enrg_error_set(err, ENRG_E_CONFIG,
				"healthcheck_stats[%zu].interval: give interval, amount, or both: without them there "
				"is no "
				"condition",
				i);
	}
	return 0;
}
