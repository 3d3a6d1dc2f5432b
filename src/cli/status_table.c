/* status_table.c: a status object for humans. Process: `status`. */
#include "cli/status_table.h"

#include <string.h>
#include <time.h>

#include <enrgdaq/client.h>

#include "cli/status_runs.h"

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "-";
}

static bool has_text(const json_t *object, const char *key)
{
	return json_is_string(json_object_get(object, key));
}

static double number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static const char *state_color(const char *state)
{
	if (!strcmp(state, "running") || !strcmp(state, "done"))
		return "\033[32m";
	if (!strcmp(state, "given up") || !strcmp(state, "restarting") || !strcmp(state, "waiting"))
		return "\033[1;31m";
	return "\033[33m";
}

/* A column of figures; what they are called and their units say the statistics. Of a store `in`, of all others `out`.
 */
struct column {
	const char *in, *out;
	const char *beside; /* shown behind it, with a stroke between */
	int width;
};

static const struct column columns[] = {
	{"in_rows_per_s", "out_rows_per_s", NULL, 8},
	{"in_bytes_per_s", "out_bytes_per_s", NULL, 12},
	{"in_bytes", "out_bytes", NULL, 10},
	{"backlog_bytes", "backlog_bytes", NULL, 10},
	{"latency_p50_ms", "latency_p50_ms", "latency_p99_ms", 13},
	{"blocked_percent", "blocked_percent", NULL, 6},
	{"cpu_percent", "cpu_percent", NULL, 6},
	{"private_mb", "private_mb", NULL, 7},
	{"restarts", "restarts", NULL, 4},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static const struct enrg_statistic *find(const char *name)
{
	return enrg_statistics_get(enrg_statistics_find(name));
}

/* What a job says of it; NULL: nothing. */
static const json_t *find_value(const json_t *job, const struct enrg_statistic *statistic)
{
	const char *dot = strchr(statistic->json, '.');
	char group[32];

	if (!dot)
		return json_object_get(job, statistic->json);
	snprintf(group, sizeof(group), "%.*s", (int)(dot - statistic->json), statistic->json);
	return json_object_get(json_object_get(job, group), dot + 1);
}

static void format_value(const struct enrg_statistic *statistic, double value, char ret_text[32])
{
	char bytes[32];

	if (!strcmp(statistic->unit, "bytes"))
		enrg_format_bytes(value, ret_text);
	else if (!strcmp(statistic->unit, "bytes/s"))
		snprintf(ret_text, 32, "%s/s", enrg_format_bytes(value, bytes));
	else if (!strcmp(statistic->unit, "%"))
		snprintf(ret_text, 32, "%.1f%%", value);
	else
		snprintf(ret_text, 32, "%.*f", !strcmp(statistic->unit, "MB") ? 1 : 0, value);
}

static void print_figure(const json_t *job, bool is_store, const struct column *column, FILE *stream)
{
	const struct enrg_statistic *statistic = find(is_store ? column->in : column->out);
	const json_t *value = find_value(job, statistic);
	char one[32] = "0", both[64] = "-";

	if (!column->beside)
		format_value(statistic, json_number_value(value), one);
	else if (json_is_number(value))
		snprintf(both, sizeof(both), "%.2f/%.2f", json_number_value(value),
			json_number_value(find_value(job, find(column->beside))));
	fprintf(stream, " %*s", column->width, column->beside ? both : one);
}

static void print_heads(FILE *stream)
{
	fprintf(stream, "%-20s %-18s %-16s", "job", "type", "state");
	for (size_t i = 0; i < COLUMNS; i++) {
		const struct enrg_statistic *first = find(columns[i].in);
		char both[64];

		if (columns[i].beside)
			snprintf(both, sizeof(both), "%s/%s %s", first->heading, find(columns[i].beside)->heading,
				first->unit);
		fprintf(stream, " %*s", columns[i].width, columns[i].beside ? both : first->heading);
	}
	fputc('\n', stream);
}

static void print_job(const json_t *job, bool is_colored, FILE *stream)
{
	bool is_store = json_is_true(json_object_get(job, "is_store"));
	const char *state = text(job, "state");
	char backlog[32], window[32];

	if (!strcmp(state, "running") && json_is_false(json_object_get(job, "acquires")))
		state = "between runs";

	fprintf(stream, "%-20.20s %-18.18s %s%-16.16s%s", text(job, "name"), text(job, "type"),
		is_colored ? state_color(state) : "", state, is_colored ? "\033[0m" : "");
	for (size_t i = 0; i < COLUMNS; i++)
		print_figure(job, is_store, &columns[i], stream);
	fputc('\n', stream);
	if (json_is_string(json_object_get(job, "last_exit")) && number(job, "restarts") > 0)
		fprintf(stream, "  last life: %s%s%s\n", text(job, "last_exit"),
			has_text(job, "last_reason") ? ": " : "",
			has_text(job, "last_reason") ? text(job, "last_reason") : "");
	if (has_text(job, "reason"))
		fprintf(stream, "  %s: %s\n", state, text(job, "reason"));
	/* A source that never had to wait has no more to tell. */
	if (number(job, "window_bytes") > 0 && strcmp(text(job, "window_reason"), "not measured yet") != 0)
		fprintf(stream, "  window: %s in flight of %s (%s)\n",
			enrg_format_bytes(number(job, "backlog_bytes"), backlog),
			enrg_format_bytes(number(job, "window_bytes"), window), text(job, "window_reason"));
	if (number(job, "missed_ticks") > 0)
		fprintf(stream, "  missed %.0f ticks: polls that came or took longer than an interval\n",
			number(job, "missed_ticks"));
	if (number(job, "lost") + number(job, "duplicated") + number(job, "corrupted") + number(job, "set_aside") > 0)
		fprintf(stream, "  %slost %.0f, duplicated %.0f, corrupted %.0f, set aside %.0f%s\n",
			is_colored ? "\033[1;31m" : "", number(job, "lost"), number(job, "duplicated"),
			number(job, "corrupted"), number(job, "set_aside"), is_colored ? "\033[0m" : "");
}

/* What became of the rows that it has read. */
static void print_processor(const json_t *processor, FILE *stream)
{
	const json_t *input, *rows;
	const char *policy;
	size_t index;

	json_array_foreach((json_t *)json_object_get(processor, "inputs"), index, input)
	{
		fprintf(stream, "%s of %s: %.0f rows read, in %.0f", text(processor, "processor"), text(input, "job"),
			number(input, "read_rows"), number(input, "in_rows"));
		json_object_foreach((json_t *)json_object_get(input, "rejected_rows"), policy, rows)
			fprintf(stream, ", rejected by %s %.0f", policy, json_number_value(rows));
		fprintf(stream, ", open %.0f\n", number(input, "open_rows"));
	}
}

/* Times in the data are as good as this. */
static void print_clock(const json_t *clock, bool is_colored, FILE *stream)
{
	if (!json_is_object(clock))
		return;
	if (json_is_true(json_object_get(clock, "locked")))
		fprintf(stream, "clock: held to a reference within %.3g ms\n", number(clock, "uncertainty_ns") / 1e6);
	else
		fprintf(stream, "clock: %snot held to a reference%s: times in the data drift by seconds a day\n",
			is_colored ? "\033[33m" : "", is_colored ? "\033[0m" : "");
}

/* The program that listens, where one is wanted. */
static void print_web(const json_t *web, bool is_colored, FILE *stream)
{
	const char *address = text(web, "address");
	bool runs = number(web, "pid") > 0;

	if (!json_is_object(web))
		return;
	fprintf(stream, "web: %s%s%s", is_colored && !runs ? "\033[33m" : "",
		!runs      ? "enrgdaq-web is started again soon"
		: *address ? address
			   : "enrgdaq-web runs",
		is_colored && !runs ? "\033[0m" : "");
	if (runs)
		fprintf(stream, ", process %.0f", number(web, "pid"));
	if (number(web, "restarts") > 0)
		fprintf(stream, ", restarts %.0f", number(web, "restarts"));
	fputc('\n', stream);
}

/* "2026-11-28T00:12:34.123Z" of a number of ns, as the other times of this table. */
static const char *time_of(const json_t *object, const char *key, char ret_text[ENRG_TIMESTAMP_BYTES + 1])
{
	json_int_t time_ns = json_integer_value(json_object_get(object, key));

	*enrg_timestamp_format(time_ns, ret_text) = '\0';
	if (strlen(ret_text) > 24)
		strcpy(ret_text + 23, "Z");
	return ret_text;
}

/* One that is muted is not shown; `enrgdaq alarms` has all. */
static void print_alarm(const json_t *alarm, bool is_colored, FILE *stream)
{
	char time[ENRG_TIMESTAMP_BYTES + 1];

	if (!json_is_true(json_object_get(alarm, "on")) || number(alarm, "muted_until_wall_ns") > 0)
		return;
	fprintf(stream, "%sALARM %s%s since %s%s: %s\n", is_colored ? "\033[1;31m" : "", text(alarm, "key"),
		is_colored ? "\033[0m" : "", time_of(alarm, "since_wall_ns", time),
		json_is_true(json_object_get(alarm, "acknowledged")) ? " (acknowledged)" : "", text(alarm, "message"));
}

static uint64_t wall_now_ns(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void status_table_print(const json_t *status, bool is_colored, FILE *stream)
{
	const json_t *ledger = json_object_get(status, "ledger"), *item;
	bool is_accounted = json_is_true(json_object_get(ledger, "accounted"));
	const char *trouble = json_array_size(json_object_get(ledger, "losses"))
				      ? "FILES WERE TAKEN AWAY OR DAMAGED, see the alerts"
				      : "BATCHES ARE MISSING, see `enrgdaq status --json`";
	char backlog[32];
	size_t index;

	fprintf(stream, "%s: %s, run %s since %s\n\n", text(status, "supervisor"), text(status, "state"),
		text(status, "run"), text(status, "since"));
	status_runs_print(json_object_get(status, "runs"), wall_now_ns(), is_colored, stream);
	print_heads(stream);
	json_array_foreach((json_t *)json_object_get(status, "jobs"), index, item) print_job(item, is_colored, stream);
	fprintf(stream, "\n");
	json_array_foreach((json_t *)json_object_get(status, "links"), index, item)
		fprintf(stream, "%s -> %s (%s): %.0f batches, %s waiting\n", text(item, "source"), text(item, "store"),
			text(item, "through"), number(item, "backlog_batches"),
			enrg_format_bytes(number(item, "backlog_bytes"), backlog));
	json_array_foreach((json_t *)json_object_get(ledger, "processors"), index, item) print_processor(item, stream);
	print_clock(json_object_get(status, "clock"), is_colored, stream);
	print_web(json_object_get(status, "web"), is_colored, stream);
	fprintf(stream, "ledger: %s%s%s\n", is_colored ? (is_accounted ? "\033[32m" : "\033[1;31m") : "",
		is_accounted ? "every batch is accounted for" : trouble, is_colored ? "\033[0m" : "");
	json_array_foreach((json_t *)json_object_get(status, "alarms"), index, item)
		print_alarm(item, is_colored, stream);
	json_array_foreach((json_t *)json_object_get(status, "alerts"), index, item)
		fprintf(stream, "alert: %s %s %s: %s\n", text(item, "time"), text(item, "severity"), text(item, "job"),
			text(item, "message"));
}
