/* status_runs.c: which run is on, since when, why, and when it ends. Process: `status`. */
#include "cli/status_runs.h"

#include <string.h>

#include <enrgdaq/client.h>

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static double number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static const char *time_of(const json_t *object, const char *key, char ret_text[ENRG_TIMESTAMP_BYTES + 1])
{
	json_int_t time_ns = json_integer_value(json_object_get(object, key));

	*enrg_timestamp_format(time_ns, ret_text) = '\0';
	if (strlen(ret_text) > 24)
		strcpy(ret_text + 23, "Z");
	return ret_text;
}

static void print_span(double seconds, FILE *stream)
{
	if (seconds < 120)
		fprintf(stream, "%.0f s", seconds);
	else if (seconds < 7200)
		fprintf(stream, "%.0f min", seconds / 60);
	else
		fprintf(stream, "%.1f h", seconds / 3600);
}

/* "; ends in 5 min, after 10 events of 1000". */
static void print_ends(const json_t *runs, uint64_t now_wall_ns, FILE *stream)
{
	const json_t *ends = json_object_get(runs, "ends"), *item;
	double due_ns = number(ends, "wall_ns"), left_s = (due_ns - (double)now_wall_ns) / 1e9;
	size_t index;

	if (due_ns > 0) {
		fprintf(stream, "; ends in ");
		print_span(left_s > 0 ? left_s : 0, stream);
	}
	if (number(ends, "events") > 0)
		fprintf(stream, "; ends with event %.0f, %.0f are there", number(ends, "events"),
			number(ends, "events_now"));
	if (number(ends, "bytes") > 0)
		fprintf(stream, "; ends with byte %.0f, %.0f are there", number(ends, "bytes"),
			number(ends, "bytes_now"));
	json_array_foreach((json_t *)json_object_get(ends, "when"), index, item) if (json_is_string(item))
		fprintf(stream, "; ends when %s", json_string_value(item));
	if (number(runs, "repeat") > 0)
		fprintf(stream, "; %.0f more follow", number(runs, "repeat"));
	else if (number(runs, "repeat") < 0)
		fprintf(stream, "; others follow until one is stopped");
}

static void print_about(const json_t *runs, uint64_t now_wall_ns, FILE *stream)
{
	const json_t *item;
	size_t index;

	if (text(runs, "type")[0])
		fprintf(stream, "; type %s", text(runs, "type"));
	if (text(runs, "description")[0])
		fprintf(stream, "; %s", text(runs, "description"));
	if (text(runs, "wanted_by")[0])
		fprintf(stream, "; by %s", text(runs, "wanted_by"));
	json_array_foreach((json_t *)json_object_get(runs, "flags"), index, item) if (json_is_string(item))
		fprintf(stream, "; %s", json_string_value(item));
	print_ends(runs, now_wall_ns, stream);
}

struct phrase {
	const char *state, *phrase, *color;
};

static const struct phrase phrases[] = {{"running", "is on", "\033[32m"},
	{"error", "is on, with an ERROR,", "\033[1;31m"}, {"starting", "begins", ""},
	{"configuring", "is being configured", ""}, {"configured", "is configured", ""}, {"stopping", "ends", ""}};

static void print_run(const json_t *runs, uint64_t now_wall_ns, bool is_colored, FILE *stream)
{
	const struct phrase *phrase = &phrases[sizeof(phrases) / sizeof(phrases[0]) - 1];
	const char *state = text(runs, "state"), *waits_for = text(runs, "waits_for");
	char time[ENRG_TIMESTAMP_BYTES + 1];

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		phrase = !strcmp(phrases[i].state, state) ? &phrases[i] : phrase;
	bool has_color = is_colored && phrase->color[0];
	fprintf(stream, "%srun %.0f (%s) %s%s since %s", has_color ? phrase->color : "", number(runs, "number"),
		text(runs, "run"), phrase->phrase, has_color ? "\033[0m" : "", time_of(runs, "since_wall_ns", time));
	if (waits_for[0])
		fprintf(stream, ", waits: %s", waits_for);
	if (!strcmp(state, "error"))
		fprintf(stream, ": %s", text(runs, "reason"));
	print_about(runs, now_wall_ns, stream);
	fprintf(stream, "\n");
}

void status_runs_print(const json_t *runs, uint64_t now_wall_ns, bool is_colored, FILE *stream)
{
	const json_t *refused = json_object_get(runs, "refused");
	char time[ENRG_TIMESTAMP_BYTES + 1];

	if (!json_is_object(runs))
		return;
	if (strcmp(text(runs, "state"), "idle") != 0)
		print_run(runs, now_wall_ns, is_colored, stream);
	else
		fprintf(stream, "between runs since %s; the last number is %.0f\n",
			time_of(runs, "since_wall_ns", time), number(runs, "last_number"));
	if (json_is_object(refused))
		fprintf(stream, "%srun %.0f (%s) was not begun%s at %s: %s\n", is_colored ? "\033[1;31m" : "",
			number(refused, "number"), text(refused, "run"), is_colored ? "\033[0m" : "",
			time_of(refused, "wall_ns", time), text(refused, "reason"));
	if (text(runs, "closing")[0])
		fprintf(stream, "run %s is not closed yet: %s\n", text(runs, "closing"),
			text(runs, "closing_waits_for"));
	fprintf(stream, "\n");
}
