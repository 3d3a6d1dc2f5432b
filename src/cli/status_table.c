/* status_table.c: a status object for humans. Process: `status`. */
#include "cli/status_table.h"

#include <string.h>

#include <enrgdaq/client.h>

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

static void print_job(const json_t *job, bool is_colored, FILE *stream)
{
	bool is_store = json_is_true(json_object_get(job, "is_store"));
	const json_t *flow = json_object_get(job, is_store ? "in" : "out"),
		     *latency = json_object_get(job, "latency_ms");
	const char *state = text(job, "state");
	char rate[32], total[32], backlog[32], quantiles[48] = "-";

	if (json_is_object(latency))
		snprintf(quantiles, sizeof(quantiles), "%.2f/%.2f", number(latency, "p50"), number(latency, "p99"));
	fprintf(stream, "%-20.20s %-18.18s %s%-16.16s%s %8.0f %10s/s %10s %10s %13s %5.0f%% %5.1f%% %7.1f %4.0f\n",
		text(job, "name"), text(job, "type"), is_colored ? state_color(state) : "", state,
		is_colored ? "\033[0m" : "", number(flow, "rows_per_s"),
		enrg_format_bytes(number(flow, "bytes_per_s"), rate), enrg_format_bytes(number(flow, "bytes"), total),
		enrg_format_bytes(number(job, "backlog_bytes"), backlog), quantiles, number(job, "blocked_percent"),
		number(job, "cpu_percent"), number(job, "private_mb"), number(job, "restarts"));
	if (json_is_string(json_object_get(job, "last_exit")) && number(job, "restarts") > 0)
		fprintf(stream, "  last life: %s%s%s\n", text(job, "last_exit"),
			has_text(job, "last_reason") ? ": " : "",
			has_text(job, "last_reason") ? text(job, "last_reason") : "");
	if (has_text(job, "reason"))
		fprintf(stream, "  %s: %s\n", state, text(job, "reason"));
	/* A source that never had to wait has no more to tell. */
	if (number(job, "window_bytes") > 0 && strcmp(text(job, "window_reason"), "not measured yet") != 0)
		fprintf(stream, "  window: %s in flight of %s (%s)\n", backlog,
			enrg_format_bytes(number(job, "window_bytes"), total), text(job, "window_reason"));
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
	fprintf(stream, "%-20s %-18s %-16s %8s %12s %10s %10s %13s %6s %6s %7s %4s\n", "job", "type", "state", "rows/s",
		"rate", "total", "backlog", "p50/p99 ms", "block", "cpu", "own MB", "rst");
	json_array_foreach((json_t *)json_object_get(status, "jobs"), index, item) print_job(item, is_colored, stream);
	fprintf(stream, "\n");
	json_array_foreach((json_t *)json_object_get(status, "links"), index, item)
		fprintf(stream, "%s -> %s (%s): %.0f batches, %s waiting\n", text(item, "source"), text(item, "store"),
			text(item, "through"), number(item, "backlog_batches"),
			enrg_format_bytes(number(item, "backlog_bytes"), backlog));
	json_array_foreach((json_t *)json_object_get(ledger, "processors"), index, item) print_processor(item, stream);
	fprintf(stream, "ledger: %s%s%s\n", is_colored ? (is_accounted ? "\033[32m" : "\033[1;31m") : "",
		is_accounted ? "every batch is accounted for" : trouble, is_colored ? "\033[0m" : "");
	json_array_foreach((json_t *)json_object_get(status, "alerts"), index, item)
		fprintf(stream, "alert: %s %s %s: %s\n", text(item, "time"), text(item, "severity"), text(item, "job"),
			text(item, "message"));
}
