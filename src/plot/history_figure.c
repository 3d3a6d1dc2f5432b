/* history_figure.c: see the header. In the process of `enrgdaq plot`. */
#include "plot/history_figure.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <time.h>

#include "base/path.h"
#include "plot/sheet.h"

#define NS_PER_S     UINT64_C(1000000000)
#define ONE_COLUMN   3u /* series, up to which there is one column */
#define PANEL_IN     2.0
#define AROUND_IN    2.45 /* above and below the panels */
#define GAP_IN       1.05
#define BREADTH_IN   10.0
#define DAY_S        86400u
#define ALMOST_EQUAL 1e-9

static void format_time(uint64_t time_s, char ret_text[32])
{
	time_t time = (time_t)time_s;
	struct tm tm;

	if (!gmtime_r(&time, &tm) || !strftime(ret_text, 32, "%F %T", &tm))
		snprintf(ret_text, 32, "?");
}

/* A gap is an empty line: gnuplot draws no line over it. */
static unsigned write_points(
	struct sheet *sheet, const struct enrg_history_result *result, const struct enrg_history_series *series)
{
	unsigned index;
	FILE *data = sheet_begin_data(sheet, &index);
	bool was_known = false;

	fprintf(data, "# %s: s since 1970, mean, min, max\n", series->name);
	for (uint32_t i = 0; i < result->point_count; i++) {
		const struct enrg_history_point *point = &series->points[i];
		double middle_s = ((double)result->from_ns + ((double)i + 0.5) * (double)result->step_ns) / 1e9;

		if (point->seconds > 0)
			fprintf(data, "%.3f %.9g %.9g %.9g\n", middle_s, point->mean, point->min, point->max);
		else if (was_known)
			fputc('\n', data);
		was_known = point->seconds > 0;
	}
	return index;
}

static const char *choose_format(uint64_t span_s)
{
	return span_s <= 600             ? "%H:%M:%S"
	       : span_s <= DAY_S * 3 / 2 ? "%H:%M"
	       : span_s <= 90 * DAY_S    ? "%d %b"
					 : "%b %Y";
}

/* From one mark to the next, so that their texts have room. */
static uint64_t choose_marks(uint64_t span_s, unsigned columns)
{
	static const uint32_t steps[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600,
		43200, DAY_S, 2 * DAY_S, 5 * DAY_S, 10 * DAY_S, 30 * DAY_S, 60 * DAY_S};
	unsigned marks = columns > 1 ? 5 : 9;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (span_s <= steps[i] * marks)
			return steps[i];
	return span_s / marks / DAY_S * DAY_S;
}

static void set_range(
	const struct enrg_history_result *result, const struct enrg_history_series *series, double range[2])
{
	double least = INFINITY, most = -INFINITY;

	for (uint32_t i = 0; i < result->point_count; i++)
		if (series->points[i].seconds > 0) {
			least = fmin(least, series->points[i].min);
			most = fmax(most, series->points[i].max);
		}
	double margin = (most - least) * 0.06;
	if (!(most - least > ALMOST_EQUAL * fabs(most)))
		margin = fmax(fabs(most) * 0.1, 1);
	range[0] = least - margin;
	range[1] = most + margin;
}

static void add_panel(struct sheet *sheet, const struct enrg_history_result *result, uint32_t number, unsigned columns)
{
	const struct enrg_history_series *series = result->series[number];
	uint64_t from_s = result->from_ns / NS_PER_S, span_s = result->point_count * result->step_ns / NS_PER_S;
	unsigned index = write_points(sheet, result, series);
	char setup[400], plot[500];
	double range[2];

	set_range(result, series, range);
	snprintf(setup, sizeof(setup),
		"set xtics %" PRIu64 " nomirror timedate format '%s' font 'DejaVu Sans,8.5'\nset xrange [%" PRIu64
		":%" PRIu64 "]\nset yrange [%.9g:%.9g]\n",
		choose_marks(span_s, columns), choose_format(span_s), from_s, from_s + span_s, range[0], range[1]);
	snprintf(plot, sizeof(plot),
		"plot '" HISTORY_FIGURE ".dat' index %u using 1:3:4 with filledcurves fillcolor rgb '#BFE0F2' notitle, "
		"'' index %u using 1:2 with lines linewidth 1.3 linecolor rgb '" SHEET_BLUE "' notitle",
		index, index);
	const struct sheet_panel panel = {.row = number / columns,
		.column = number % columns,
		.title = series->name,
		.x_label = "Time (UTC)",
		.y_label = series->unit[0] ? series->unit : "value",
		.setup = setup,
		.plot = plot};
	sheet_add_panel(sheet, &panel);
}

static int draw(
	const struct enrg_history_result *result, const char *source, const char *folder, struct enrg_error *err)
{
	unsigned columns = result->series_count > ONE_COLUMN ? 2 : 1;
	unsigned rows = (result->series_count + columns - 1) / columns;
	uint64_t from_s = result->from_ns / NS_PER_S, step_s = result->step_ns / NS_PER_S;
	char from[32], to[32], subtitle[200], legend[200];
	const struct sheet_params params = {.name = HISTORY_FIGURE,
		.title = "History",
		.subtitle = subtitle,
		.footer = {legend, source},
		.rows = rows,
		.columns = columns,
		.width_in = BREADTH_IN,
		.height_in = AROUND_IN + rows * PANEL_IN + (rows - 1) * GAP_IN};
	struct sheet *sheet;

	format_time(from_s, from);
	format_time(from_s + result->point_count * step_s, to);
	snprintf(subtitle, sizeof(subtitle), "%s to %s UTC", from, to);
	snprintf(legend, sizeof(legend), "line: mean of %" PRIu64 " s; band: from their minimum to their maximum",
		step_s);
	sheet = sheet_create(&params);
	if (!sheet)
		return enrg_error_set(err, -ENOMEM, "no memory for the figure");
	for (uint32_t i = 0; i < result->series_count; i++)
		add_panel(sheet, result, i, columns);
	int rc = sheet_draw(sheet, folder, err);
	sheet_destroy(sheet);
	return rc;
}

int history_figure_draw(const struct enrg_history_result *result, const char *source, const char *folder, FILE *out,
	struct enrg_error *err)
{
	if (!result->series_count)
		return enrg_error_set(err, -ENODATA,
			"nothing of that name is known of that time; `enrgdaq history list` shows what there is");
	if (result->series_count > HISTORY_FIGURE_MAX)
		return enrg_error_set(err, -E2BIG, "%u series; a figure has room for %u: name fewer",
			result->series_count, HISTORY_FIGURE_MAX);
	int rc = path_make_folders(folder, 0755, err);
	if (rc == 0)
		rc = draw(result, source, folder, err);
	if (rc == 0)
		fprintf(out, "%u series\n%s/" HISTORY_FIGURE ".png and .pdf\n", result->series_count, folder);
	return rc;
}
