/* suite_figures.c: the five figures of the founding document. In the process of `enrgdaq bench suite` or
 * `enrgdaq plot`, one thread.
 *
 * The results hold two series: payloads of 1000 to 500000 rows with 3 clients, and 500000 rows with 1, 2, 3, 4 and 8
 * clients. The curves, the latencies and the CPU efficiency are those of the first alone: else several runs would lie
 * over one payload. */
#include "plot/suite_figures.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/text.h"
#include "plot/bars.h"
#include "plot/figure.h"
#include "plot/results.h"

#define DETECTOR_MB_PER_S 4.0 /* a water Cherenkov detector of 8 photomultipliers at 100 Hz */
#define ETHERNET_MB_PER_S 1250.0
#define SOFT_REAL_TIME_MS 10.0

#define X_PAYLOAD  "Payload Size (Values per Message)"
#define DOT        " \u00b7 " /* between two items of a note */
#define LIMIT_NOTE "limit: slowest of generation, checking and a bare pair alone, median of the runs"

/* A figure returns 0, 1 where the results hold nothing for it, or an error. */
typedef int draw_fn(const struct results *results, const char *folder, struct enrg_error *err);

static int no_memory(const char *name, struct enrg_error *err)
{
	return enrg_error_set(err, -ENOMEM, "no memory for the figure %s", name);
}

static void write_value(FILE *data, double value)
{
	if (isnan(value))
		fputs(" ?", data);
	else
		fprintf(data, " %.9g", value);
}

/* What passed it was not limited by it: a bare pair hands over more than the caches hold, a window may hold less. */
static void format_limit(const struct results_entry *limit, double highest, struct figure_reference *ret_reference)
{
	static const char *const kinds[] = {"", "generation alone", "checking alone", "a bare pair"};
	char mb[32];

	number_format(limit->limit_mb_per_s, mb, sizeof(mb));
	*ret_reference = (struct figure_reference){limit->limit_mb_per_s, FIGURE_VERMILION, "'-'", true, {{0}}};
	snprintf(ret_reference->lines[0], sizeof(ret_reference->lines[0]),
		"%s in this run:", highest > limit->limit_mb_per_s ? "Alone" : "Limit");
	snprintf(ret_reference->lines[1], sizeof(ret_reference->lines[1]), "%s MB/s", mb);
	snprintf(ret_reference->lines[2], sizeof(ret_reference->lines[2]), "(%s)", kinds[limit->limit]);
}

/* --- curves ------------------------------------------------------------------------------------------------------- */

#define CURVES_MAX 4

struct curves {
	size_t count;
	struct figure_curve looks[CURVES_MAX];
	size_t offsets[CURVES_MAX]; /* of the value in struct results_entry */
	bool are_zero[CURVES_MAX];  /* in the legend alone: a log axis has no place for them */
	double lowest, highest;     /* of the positive values */
	bool has_zero, is_filled;   /* filled: the area below the first curve */
	bool is_linear;             /* the y axis, from 0 */
	const struct figure_reference *references;
	size_t reference_count;
};

static double value_at(const struct results_entry *entry, size_t offset)
{
	double value;

	memcpy(&value, (const char *)entry + offset, sizeof(value));
	return value;
}

/* Leaves out a curve of which no run has a value. */
static void add_curve(
	struct curves *curves, const struct results_series *series, size_t offset, struct figure_curve looks)
{
	size_t values = 0, zeros = 0;

	for (size_t i = 0; i < series->count; i++) {
		double value = value_at(series->entries[i], offset);
		values += isnan(value) ? 0 : 1;
		zeros += value <= 0;
		if (value > 0) {
			curves->lowest = fmin(curves->lowest, value);
			curves->highest = fmax(curves->highest, value);
		}
	}
	if (values == 0)
		return;
	if (zeros == values)
		strncat(looks.title, ": 0", sizeof(looks.title) - strlen(looks.title) - 1);
	curves->has_zero |= zeros > 0 && zeros < values && !curves->is_linear;
	curves->are_zero[curves->count] = zeros == values;
	curves->looks[curves->count] = looks;
	curves->offsets[curves->count++] = offset;
}

static void write_curves(struct figure *figure, const struct curves *curves, const struct results_series *series)
{
	fputs("# payload", figure->data);
	for (size_t i = 0; i < curves->count; i++)
		fprintf(figure->data, " | %s", curves->looks[i].title);
	fputc('\n', figure->data);
	for (size_t i = 0; i < series->count; i++) {
		fprintf(figure->data, "%.9g", series->entries[i]->payload_rows);
		for (size_t k = 0; k < curves->count; k++)
			write_value(figure->data, value_at(series->entries[i], curves->offsets[k]));
		fputc('\n', figure->data);
	}
	fputs("set datafile missing '?'\n", figure->script);
	figure_write_legend(figure, curves->looks, curves->count);
}

/* The plot command; NULL: no memory. */
static char *format_plot(const struct figure *figure, const struct curves *curves)
{
	const char *before = "plot";
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	if (!stream)
		return NULL;
	if (curves->is_filled && !curves->are_zero[0]) {
		fprintf(stream,
			"plot '%s.dat' using 1:(clip($2)) with filledcurves y1=%.9g linecolor rgb '%s'"
			" fillstyle transparent solid 0.12 noborder notitle",
			figure->name, figure->y.min, FIGURE_SKY);
		before = ", \\\n    ";
	}
	for (size_t i = 0; i < curves->count; i++) {
		const struct figure_curve *looks = &curves->looks[i];
		if (curves->are_zero[i])
			continue;
		fprintf(stream,
			"%s '%s.dat' using 1:(clip($%zu)) with linespoints linecolor rgb '%s' linewidth %g dashtype %s"
			" pointtype %d pointsize %g notitle",
			before, figure->name, i + 2, looks->color, looks->width, looks->dash, looks->point,
			looks->point_size);
		before = ", \\\n    ";
	}
	if (fclose(stream) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static struct axis payload_axis(const struct results_series *series)
{
	double lowest = series->entries[0]->payload_rows, highest = series->entries[series->count - 1]->payload_rows;
	double air = highest > 2 * lowest ? 1.4 : 4;

	return (struct axis){true, lowest / air, highest * air};
}

static int draw_curves(const struct figure_params *params, const struct curves *curves,
	const struct results_series *series, const char *folder, struct enrg_error *err)
{
	struct figure *figure = figure_create(params);
	double lowest = curves->lowest, highest = curves->highest;
	char *plot = NULL;
	int rc;

	if (!figure)
		return no_memory(params->name, err);
	for (size_t i = 0; i < curves->reference_count; i++) {
		lowest = fmin(lowest, curves->references[i].value);
		highest = fmax(highest, curves->references[i].value);
	}
	figure->x = payload_axis(series);
	figure->y = curves->is_linear ? axis_linear(highest, 1.05) : axis_log(lowest, highest);
	figure_write_axes(figure, true);
	figure_write_references(figure, curves->references, curves->reference_count);
	write_curves(figure, curves, series);
	plot = format_plot(figure, curves);
	rc = plot ? figure_draw(figure, folder, plot, err) : no_memory(params->name, err);
	free(plot);
	figure_destroy(figure);
	return rc;
}

static const char *transport(const struct results *results)
{
	size_t shm = 0;

	for (size_t i = 0; i < results->count; i++)
		shm += results->entries[i].is_shm;
	return shm == results->count ? "Arrow IPC in Shared Memory" : shm ? "Arrow IPC" : "Arrow IPC through ZeroMQ";
}

/* What the control plane sent: a number, since a curve of it would be the axis. */
static void format_management(const struct results_series *series, char *ret_text, size_t text_bytes)
{
	double least = INFINITY, most = -1;
	char from[32], to[32];

	ret_text[0] = 0;
	for (size_t i = 0; i < series->count; i++) {
		double value = series->entries[i]->zmq_mb_per_s;
		least = value < least ? value : least;
		most = value > most ? value : most;
	}
	if (most < 0)
		return;
	number_format(least, from, sizeof(from));
	number_format(most, to, sizeof(to));
	if (strcmp(from, to) == 0)
		snprintf(ret_text, text_bytes, "ZMQ Management Overhead: %s MB/s", to);
	else
		snprintf(ret_text, text_bytes, "ZMQ Management Overhead: %s to %s MB/s", from, to);
}

static int draw_throughput_series(
	const struct results *results, const struct results_series *series, const char *folder, struct enrg_error *err)
{
	const struct results_entry *limit = results_find_limit(results);
	struct figure_reference references[2] = {{ETHERNET_MB_PER_S, FIGURE_GREY, "'-.'", false,
		{"Standard 10 Gbps", "Ethernet Limit", "(1,250 MB/s)"}}};
	struct curves curves = {.lowest = INFINITY,
		.is_filled = true,
		.is_linear = true,
		.references = references,
		.reference_count = limit ? 2 : 1};
	char clients[48], subtitle[160], note[300] = "";

	add_curve(&curves, series, offsetof(struct results_entry, mb_per_s),
		(struct figure_curve){"Sustained Throughput", FIGURE_BLUE, "solid", 7, 3, 0.9});
	add_curve(&curves, series, offsetof(struct results_entry, peak_mb_per_s),
		(struct figure_curve){"Peak Capability (best interval)", FIGURE_ORANGE, "'-'", 4, 1.4, 1.2});
	if (!(curves.highest > 0))
		return 1;
	if (limit) {
		format_limit(limit, curves.highest, &references[1]);
		references[1].is_front = false;
	}
	results_format_clients(series, clients, sizeof(clients));
	snprintf(subtitle, sizeof(subtitle), "(%s, %s%s)", transport(results), clients,
		results_are_ours(results) ? "; the store reads and checks every byte" : "");
	format_management(series, note, sizeof(note));
	if (limit)
		snprintf(note + strlen(note), sizeof(note) - strlen(note), "%s" LIMIT_NOTE, note[0] ? DOT : "");
	return draw_curves(&(struct figure_params){.name = "throughput_scaling",
				   .title = "ENRGDAQ Throughput Scaling",
				   .subtitle = subtitle,
				   .x_label = X_PAYLOAD,
				   .y_label = "Data Throughput (MB/s)",
				   .note = note[0] ? note : NULL,
				   .results = results,
				   .has_references = true,
				   .has_legend = true},
		&curves, series, folder, err);
}

static int draw_throughput(const struct results *results, const char *folder, struct enrg_error *err)
{
	struct results_series series;
	int rc = results_select_payloads(results, &series);

	if (rc < 0)
		return no_memory("throughput_scaling", err);
	rc = draw_throughput_series(results, &series, folder, err);
	free(series.entries);
	return rc;
}

/* Do all runs have percentiles of the whole measurement? Those of intervals are another kind. */
static bool has_whole_percentiles(const struct results_series *series)
{
	for (size_t i = 0; i < series->count; i++)
		if (isnan(series->entries[i]->run_p95_ms) || isnan(series->entries[i]->run_p99_ms))
			return false;
	return true;
}

static void add_percentiles(struct curves *curves, const struct results_series *series, bool is_whole)
{
	add_curve(curves, series, offsetof(struct results_entry, p50_ms),
		(struct figure_curve){"p50", FIGURE_GREEN, "'.'", 9, 1.8, 0.8});
	add_curve(curves, series,
		is_whole ? offsetof(struct results_entry, run_p95_ms) : offsetof(struct results_entry, p95_ms),
		(struct figure_curve){"p95 Jitter", FIGURE_BLUE, "solid", 7, 2.4, 0.8});
	add_curve(curves, series,
		is_whole ? offsetof(struct results_entry, run_p99_ms) : offsetof(struct results_entry, p99_ms),
		(struct figure_curve){"p99 Jitter", FIGURE_VERMILION, "solid", 5, 1.8, 0.7});
	add_curve(curves, series, offsetof(struct results_entry, p999_ms),
		(struct figure_curve){"p99.9", FIGURE_DARK, "'-'", 2, 1.2, 0.8});
}

static void format_detector(const struct results_entry *detector, struct figure_reference *ret_reference)
{
	char p99[32];

	*ret_reference = (struct figure_reference){detector->run_p99_ms, FIGURE_SKY, "'-.'", false, {{0}}};
	number_format(detector->run_p99_ms, p99, sizeof(p99));
	snprintf(ret_reference->lines[0], sizeof(ret_reference->lines[0]), "WCD Detector:");
	snprintf(ret_reference->lines[1], sizeof(ret_reference->lines[1]), "p99 %s ms", p99);
	snprintf(ret_reference->lines[2], sizeof(ret_reference->lines[2]), "(4 MB/s at 100 Hz)");
}

static int draw_latency_series(
	const struct results *results, const struct results_series *series, const char *folder, struct enrg_error *err)
{
	struct figure_reference references[2] = {
		{SOFT_REAL_TIME_MS, FIGURE_GREY, "'-'", false, {"Standard Soft", "Real-Time Threshold", "(10 ms)"}}};
	bool is_whole = has_whole_percentiles(series);
	bool has_detector = results->has_detector && results->detector.run_p99_ms > 0;
	struct curves curves = {.lowest = INFINITY, .references = references, .reference_count = has_detector ? 2 : 1};
	char clients[48], subtitle[160], note[300];

	add_percentiles(&curves, series, is_whole);
	if (!(curves.highest > 0))
		return 1;
	if (has_detector)
		format_detector(&results->detector, &references[1]);
	results_format_clients(series, clients, sizeof(clients));
	snprintf(subtitle, sizeof(subtitle), "%s%s",
		results_are_ours(results) ? "Commit by the Producer to Consumed by the Store; Curves at Full Rate, "
					  : "At Full Rate, ",
		clients);
	snprintf(note, sizeof(note), "%s%s",
		is_whole ? "all percentiles: whole measurement" : "p95: mean of the intervals, p99: worst interval",
		curves.has_zero ? DOT "0 is drawn on the lower edge" : "");
	return draw_curves(&(struct figure_params){.name = "latency_jitter",
				   .title = "Non-Deterministic Latency (Jitter Analysis)",
				   .subtitle = subtitle,
				   .x_label = X_PAYLOAD,
				   .y_label = "Latency (ms), log scale",
				   .note = note,
				   .results = results,
				   .has_references = true,
				   .has_legend = true},
		&curves, series, folder, err);
}

static int draw_latency(const struct results *results, const char *folder, struct enrg_error *err)
{
	struct results_series series;
	int rc = results_select_payloads(results, &series);

	if (rc < 0)
		return no_memory("latency_jitter", err);
	rc = draw_latency_series(results, &series, folder, err);
	free(series.entries);
	return rc;
}

/* --- bars --------------------------------------------------------------------------------------------------------- */

static int draw_bars(struct figure *figure, const struct bar *bars, size_t count, double reference, const char *folder,
	struct enrg_error *err)
{
	char plot[256];

	fprintf(figure->data, "# place | value | colour | bar\n");
	snprintf(plot, sizeof(plot), "plot '%s.dat' %s", figure->name, bars_write(figure, bars, count, reference));
	return figure_draw(figure, folder, plot, err);
}

static int draw_efficiency_bars(const struct results *results, const struct results_series *series, struct bar *bars,
	const char *folder, struct enrg_error *err)
{
	char clients[48], subtitle[160];
	bool has_value = false;

	for (size_t i = 0; i < series->count; i++) {
		const struct results_entry *entry = series->entries[i];
		bars[i].value = entry->cpu_percent > 0 ? entry->mb_per_s / entry->cpu_percent : (double)NAN;
		bars[i].color = FIGURE_GREEN;
		has_value |= bars[i].value > 0;
		snprintf(bars[i].lines[0], sizeof(bars[i].lines[0]), "no CPU figure");
		if (!isnan(bars[i].value))
			number_format(bars[i].value, bars[i].lines[0], sizeof(bars[i].lines[0]));
		number_format_exact(entry->payload_rows, bars[i].below[0], sizeof(bars[i].below[0]));
	}
	if (!has_value)
		return 1;
	struct axis y = bars_choose_axis(bars, series->count, (double)NAN);
	results_format_clients(series, clients, sizeof(clients));
	snprintf(subtitle, sizeof(subtitle), "%s%s",
		results_are_ours(results) ? "Supervisor and All Jobs Together, 100% = One Core, " : "", clients);
	struct figure *figure = figure_create(&(struct figure_params){.name = "cpu_efficiency",
		.title = "CPU Efficiency Scaling",
		.subtitle = subtitle,
		.x_label = X_PAYLOAD,
		.y_label = y.is_log ? "Efficiency (MB/s per 1% CPU), log scale" : "Efficiency (MB/s per 1% CPU)",
		.results = results});
	if (!figure)
		return no_memory("cpu_efficiency", err);
	figure->y = y;
	int rc = draw_bars(figure, bars, series->count, (double)NAN, folder, err);
	figure_destroy(figure);
	return rc;
}

static int draw_efficiency(const struct results *results, const char *folder, struct enrg_error *err)
{
	struct results_series series;
	int rc = results_select_payloads(results, &series);
	struct bar *bars = rc == 0 ? calloc(series.count, sizeof(*bars)) : NULL;

	if (!bars)
		rc = no_memory("cpu_efficiency", err);
	else
		rc = draw_efficiency_bars(results, &series, bars, folder, err);
	free(bars);
	free(series.entries);
	return rc;
}

static int draw_aggregate_bars(const struct results *results, const struct results_series *series, struct bar *bars,
	const char *folder, struct enrg_error *err)
{
	const struct results_entry *limit = results_find_limit(results);
	double reference = limit ? limit->limit_mb_per_s : (double)NAN;

	for (size_t i = 0; i < series->count; i++) {
		const struct results_entry *entry = series->entries[i];
		char mb[32], gbps[32];
		number_format(entry->mb_per_s, mb, sizeof(mb));
		number_format(entry->mb_per_s * 8 / 1000, gbps, sizeof(gbps));
		bars[i].value = entry->mb_per_s;
		bars[i].color = FIGURE_BLUE;
		snprintf(bars[i].lines[0], sizeof(bars[i].lines[0]), "%s MB/s", mb);
		snprintf(bars[i].lines[1], sizeof(bars[i].lines[1]), "(%s Gbps)", gbps);
		number_format_exact(entry->clients, bars[i].below[0], sizeof(bars[i].below[0]));
	}
	struct axis y = bars_choose_axis(bars, series->count, reference);
	struct figure *figure = figure_create(&(struct figure_params){.name = "aggregate_scaling",
		.title = "ENRGDAQ Aggregate Scalability",
		.subtitle = "(Fixed 500k Payload)",
		.x_label = "Number of Concurrent Clients",
		.y_label = y.is_log ? "Total System Throughput (MB/s), log scale" : "Total System Throughput (MB/s)",
		.note = limit ? LIMIT_NOTE : NULL,
		.results = results,
		.has_references = limit != NULL});
	if (!figure)
		return no_memory("aggregate_scaling", err);
	figure->y = y;
	if (limit) {
		struct figure_reference line;
		double highest = 0;
		for (size_t i = 0; i < series->count; i++)
			highest = bars[i].value > highest ? bars[i].value : highest;
		format_limit(limit, highest, &line);
		figure_write_references(figure, &line, 1);
	}
	int rc = draw_bars(figure, bars, series->count, reference, folder, err);
	figure_destroy(figure);
	return rc;
}

static int draw_aggregate(const struct results *results, const char *folder, struct enrg_error *err)
{
	struct results_series series;
	int rc = results_select_clients(results, &series);

	if (rc < 0)
		return no_memory("aggregate_scaling", err);
	struct bar *bars = calloc(series.count + 1, sizeof(*bars));
	if (!bars)
		rc = no_memory("aggregate_scaling", err);
	else
		rc = series.count ? draw_aggregate_bars(results, &series, bars, folder, err) : 1;
	free(bars);
	free(series.entries);
	return rc;
}

/* --- headroom ----------------------------------------------------------------------------------------------------- */

/* From the requirement up (or down) to what was achieved, beside its bar, and how many times it is above the bar. */
static void write_headroom(struct figure *figure, size_t bar, double achieved)
{
	double ratio = achieved / DETECTOR_MB_PER_S, x = figure_x(figure, (double)bar - 0.5);
	double from = figure_y(figure, DETECTOR_MB_PER_S), to = figure_y(figure, achieved);
	const char *color = ratio < 1 ? FIGURE_VERMILION : FIGURE_BLUE;
	char text[32];

	number_format(ratio, text, sizeof(text));
	figure_write_text(figure,
		&(struct figure_text){figure_x(figure, (double)bar), fmax(from, to) + 0.095, FIGURE_CENTER, 14, color,
			.is_bold = true},
		"%s× Headroom", text);
	fprintf(figure->script,
		"set arrow from screen %.5f,%.5f to screen %.5f,%.5f nohead linecolor rgb '%s' linewidth 1.2"
		" dashtype '-' front\n",
		figure_x(figure, (double)bar - 0.6), from, figure_x(figure, (double)bar - 0.4), from, FIGURE_VERMILION);
	if (fabs(to - from) > 0.04)
		fprintf(figure->script,
			"set arrow from screen %.5f,%.5f to screen %.5f,%.5f head filled size screen 0.012,20"
			" linecolor rgb '%s' linewidth 2 front\n",
			x, from, x, to, color);
}

static void format_achieved(const struct results_entry *entry, const char *name, const char *where, struct bar *ret_bar)
{
	char mb[32], rows[32], text[420];

	*ret_bar = (struct bar){entry->mb_per_s, FIGURE_BLUE, {{0}}, {{0}}};
	number_format(entry->mb_per_s, mb, sizeof(mb));
	number_format_exact(entry->payload_rows, rows, sizeof(rows));
	snprintf(ret_bar->lines[0], sizeof(ret_bar->lines[0]), "%s MB/s", mb);
	snprintf(ret_bar->below[0], sizeof(ret_bar->below[0]), "%s", name);
	snprintf(text, sizeof(text), "(%s%.0f client%s × %s values)", where, entry->clients,
		entry->clients > 1 ? "s" : "", rows);
	text_copy(ret_bar->below[1], sizeof(ret_bar->below[1]), text);
}

/* On a log axis: the lowest bar has a height, the highest ends at 3/4 so that the texts go above it. */
static struct axis headroom_axis(const struct bar *bars, size_t count)
{
	double low = INFINITY, high = 0;

	for (size_t i = 0; i < count; i++) {
		low = fmin(low, bars[i].value);
		high = fmax(high, bars[i].value);
	}
	struct axis axis = axis_log(low / 2, high);
	axis.max = axis.min * pow(high / axis.min, 1 / 0.75);
	return axis;
}

static int draw_headroom(const struct results *results, const char *folder, struct enrg_error *err)
{
	const struct results_entry *best = &results->entries[0];
	bool has_disk = results->has_disk && results->disk.mb_per_s > 0;
	size_t count = has_disk ? 3 : 2;
	char subtitle[160], stored[48];

	for (size_t i = 1; i < results->count; i++)
		if (results->entries[i].mb_per_s > best->mb_per_s)
			best = &results->entries[i];
	if (!(best->mb_per_s > 0))
		return 1;
	struct bar bars[3] = {
		{DETECTOR_MB_PER_S, FIGURE_VERMILION, {"4.0 MB/s"}, {"Target: WCD Experiment", "(8 PMTs @ 100 Hz)"}}};
	format_achieved(best, has_disk ? "Achieved: in memory" : "Achieved: ENRGDAQ", "", &bars[1]);
	if (has_disk) {
		snprintf(stored, sizeof(stored), "%s, ", results->disk.store);
		format_achieved(&results->disk, "Achieved: to disk", stored, &bars[2]);
	}
	snprintf(subtitle, sizeof(subtitle), "Best Sustained Throughput of %zu Run%s (%s)", results->count,
		results->count == 1 ? "" : "s", transport(results));
	struct figure *figure = figure_create(&(struct figure_params){.name = "wcd_headroom",
		.title = "Safety Margin: ENRGDAQ vs. WCD Requirements",
		.subtitle = subtitle,
		.y_label = "Throughput (MB/s), log scale",
		.results = results});
	if (!figure)
		return no_memory("wcd_headroom", err);
	figure->y = headroom_axis(bars, count);
	figure->x = bars_axis(count);
	for (size_t i = 1; i < count; i++)
		write_headroom(figure, i + 1, bars[i].value);
	int rc = draw_bars(figure, bars, count, (double)NAN, folder, err);
	figure_destroy(figure);
	return rc;
}

/* --- all ---------------------------------------------------------------------------------------------------------- */

int suite_figures_draw(const char *results_path, const char *folder, struct enrg_error *err)
{
	static const struct {
		const char *name;
		draw_fn *draw;
	} figures[] = {
		{"wcd_headroom", draw_headroom},
		{"throughput_scaling", draw_throughput},
		{"latency_jitter", draw_latency},
		{"cpu_efficiency", draw_efficiency},
		{"aggregate_scaling", draw_aggregate},
	};
	struct results *results = NULL;
	int rc = results_read(results_path, &results, err);

	if (rc == 0)
		rc = results_read_detector(results, results_path, err);
	if (rc == 0)
		rc = path_make_folders(folder, 0755, err);
	for (size_t i = 0; rc == 0 && i < sizeof(figures) / sizeof(figures[0]); i++) {
		rc = figures[i].draw(results, folder, err);
		if (rc == 0)
			printf("  %s/%s.png, .pdf\n", folder, figures[i].name);
		if (rc != 1)
			continue;
		printf("  %s left out: the results hold nothing for it\n", figures[i].name);
		drawing_remove(folder, figures[i].name);
		rc = 0;
	}
	results_destroy(results);
	return rc;
}
