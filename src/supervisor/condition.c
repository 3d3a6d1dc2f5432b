/* condition.c: see the header. Process: supervisor, main thread. */
#include "supervisor/condition.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "supervisor/status.h"

#define HOLD_MAX_S 31557600.0 /* a year */

/* The longer ones first. */
static const struct {
	const char *text;
	enum condition_op op;
} ops[] = {{"<=", CONDITION_LESS_EQUAL}, {">=", CONDITION_GREATER_EQUAL}, {"==", CONDITION_EQUAL},
	{"!=", CONDITION_NOT_EQUAL}, {"<", CONDITION_LESS}, {">", CONDITION_GREATER}};

/* --- text ----------------------------------------------------------------------------------------------------------
 */

static int refuse(const struct condition *condition, struct enrg_error *err, const char *what)
{
	return enrg_error_set(err, ENRG_E_CONFIG,
		"stop_when: \"%s\": %s; expected `JOB.STATISTIC OP VALUE [for SECONDS]`, such as `dice.out_rows_per_s "
		"< 1 "
		"for 10`, or `ledger open [for SECONDS]`",
		condition->text, what);
}

static const char *skip_spaces(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* "", or "for SECONDS". */
static int parse_hold(const char *text, struct condition *condition, struct enrg_error *err)
{
	char *end;

	text = skip_spaces(text);
	if (!*text)
		return 0;
	if (strncmp(text, "for", 3) != 0 || !isspace((unsigned char)text[3]))
		return refuse(condition, err, "what stands behind it is not \"for SECONDS\"");
	double seconds = strtod(text + 3, &end);
	if (end == text + 3 || !(seconds >= 0) || seconds > HOLD_MAX_S)
		return refuse(condition, err, "the number of seconds is not one between 0 and a year");
	end = (char *)(uintptr_t)skip_spaces(end);
	if (*end == 's')
		end = (char *)(uintptr_t)skip_spaces(end + 1);
	if (*end)
		return refuse(condition, err, "something stands behind the seconds");
	condition->hold_ns = (uint64_t)(seconds * 1e9);
	return 0;
}

/* The operator: where it stands, or NULL. */
static const char *find_op(const char *text, size_t *ret_length, enum condition_op *ret_op)
{
	const char *place = strpbrk(text, "<>=!");

	for (size_t i = 0; place && i < sizeof(ops) / sizeof(ops[0]); i++)
		if (!strncmp(place, ops[i].text, strlen(ops[i].text))) {
			*ret_length = strlen(ops[i].text);
			*ret_op = ops[i].op;
			return place;
		}
	return NULL;
}

/* Job names may have dots, statistics have none. */
static int parse_figure(const char *text, size_t length, struct condition *condition, struct enrg_error *err)
{
	char figure[320], *dot, wrong[500];

	while (length && isspace((unsigned char)text[length - 1]))
		length--;
	if (length >= sizeof(figure))
		return refuse(condition, err, "the name is too long");
	memcpy(figure, text, length);
	figure[length] = '\0';
	dot = strrchr(figure, '.');
	if (!dot || dot == figure || !dot[1] || (size_t)(dot - figure) >= sizeof(condition->job))
		return refuse(condition, err, "there is no JOB.STATISTIC before the operator");
	*dot = '\0';
	text_copy(condition->job, sizeof(condition->job), figure);
	uint32_t statistic = enrg_statistics_find(dot + 1);
	if (statistic >= enrg_statistics_count()) {
		snprintf(wrong, sizeof(wrong), "there is no statistic \"%s\": docs/statistics.md lists them", dot + 1);
		return refuse(condition, err, wrong);
	}
	condition->statistic = (enum statistic)statistic;
	return 0;
}

int condition_parse(const char *text, struct condition *ret_condition, struct enrg_error *err)
{
	struct condition condition = {.is_ledger = false};
	size_t length = 0;
	char *end;

	text = skip_spaces(text);
	text_copy(condition.text, sizeof(condition.text), text);
	text_make_safe(condition.text, strlen(condition.text));
	if (strlen(text) >= sizeof(condition.text))
		return refuse(&condition, err, "it is too long");
	if (!strncmp(text, "ledger", 6) && isspace((unsigned char)text[6])) {
		const char *word = skip_spaces(text + 6);
		condition.is_ledger = true;
		if (strncmp(word, "open", 4) != 0 || (word[4] && !isspace((unsigned char)word[4])))
			return refuse(&condition, err, "the ledger can be \"open\" alone");
		int rc = parse_hold(word + 4, &condition, err);
		if (!rc)
			*ret_condition = condition;
		return rc;
	}
	const char *op = find_op(text, &length, &condition.op);
	if (!op)
		return refuse(&condition, err, "it has none of the operators < <= > >= == !=");
	int rc = parse_figure(text, (size_t)(op - text), &condition, err);
	if (rc)
		return rc;
	condition.value = strtod(op + length, &end);
	if (end == op + length || !isfinite(condition.value))
		return refuse(&condition, err, "no number stands behind the operator");
	rc = parse_hold(end, &condition, err);
	if (!rc)
		*ret_condition = condition;
	return rc;
}

/* --- can it be true? -----------------------------------------------------------------------------------------------
 */

static bool is_about(const struct condition *condition, const char *start)
{
	return !strncmp(enrg_statistics_get(condition->statistic)->name, start, strlen(start));
}

/* What no statistic is: all count from 0 on, and shares of time end at 100 %. NULL: it may be. */
static const char *find_impossible(const struct condition *condition)
{
	double most = is_about(condition, "blocked_percent") ? 100.0 : INFINITY, value = condition->value;

	switch (condition->op) {
	case CONDITION_LESS:
		return value <= 0 ? "no statistic is below 0" : NULL;
	case CONDITION_LESS_EQUAL:
		return value < 0 ? "no statistic is below 0" : NULL;
	case CONDITION_GREATER:
		return value >= most ? "it is 100 % at most" : NULL;
	case CONDITION_GREATER_EQUAL:
		return value > most ? "it is 100 % at most" : NULL;
	case CONDITION_EQUAL:
		return value < 0 ? "no statistic is below 0" : value > most ? "it is 100 % at most" : NULL;
	case CONDITION_NOT_EQUAL:
		return NULL;
	}
	return NULL;
}

int condition_check(const struct condition *condition, const struct roster *roster, struct enrg_error *err)
{
	const struct member *member;

	if (condition->is_ledger)
		return 0;
	member = roster_find(roster, condition->job);
	if (!member) {
		const char *near = roster_suggest(roster, condition->job);
		return enrg_error_set(err, ENRG_E_CONFIG,
			"stop_when: \"%s\" can't be met: there is no job \"%s\"%s%s%s", condition->text, condition->job,
			near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	}
	const char *why = find_impossible(condition);
	bool reads = member_is_store(member) || member_is_processor(member);
	if (!why && !reads && (is_about(condition, "in_") || is_about(condition, "latency_")))
		why = "that job reads nothing, so it has no such figure";
	if (!why && !member->plan->stream_path &&
		(is_about(condition, "out_") || is_about(condition, "blocked_") || is_about(condition, "ring_")))
		why = "that job sends nothing, so it has no such figure";
	if (!why)
		return 0;
	return enrg_error_set(err, ENRG_E_CONFIG, "stop_when: \"%s\" can't be met: %s", condition->text, why);
}

/* --- is it true? ---------------------------------------------------------------------------------------------------
 */

static bool compare(const struct condition *condition, double number)
{
	switch (condition->op) {
	case CONDITION_LESS:
		return number < condition->value;
	case CONDITION_LESS_EQUAL:
		return number <= condition->value;
	case CONDITION_GREATER:
		return number > condition->value;
	case CONDITION_GREATER_EQUAL:
		return number >= condition->value;
	case CONDITION_EQUAL:
		return !(number < condition->value) && !(number > condition->value);
	case CONDITION_NOT_EQUAL:
		return number < condition->value || number > condition->value;
	}
	return false;
}

static bool is_true(const struct condition *condition, const struct roster *roster, const struct ledger *ledger)
{
	const struct member *member;
	struct statistics statistics;

	if (condition->is_ledger)
		return !ledger_is_accounted(ledger);
	member = roster_find(roster, condition->job);
	if (!member)
		return false;
	status_get_statistics(roster, ledger, member, &statistics);
	double number = statistics.values[condition->statistic].number;
	return !isnan(number) && compare(condition, number);
}

bool condition_judge(
	struct condition *condition, const struct roster *roster, const struct ledger *ledger, uint64_t now_ns)
{
	if (!is_true(condition, roster, ledger)) {
		condition->true_since_ns = 0;
		return false;
	}
	if (!condition->true_since_ns)
		condition->true_since_ns = now_ns ? now_ns : 1;
	return now_ns - condition->true_since_ns >= condition->hold_ns;
}
