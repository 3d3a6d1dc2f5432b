/* digitizer_figure.c: see the header. In the process of `enrgdaq plot`. */
#include "plot/digitizer_figure.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "plot/sheet.h"
#include "plot/statistics_file.h"

#define SAMPLE_BYTES 2.0
#define BINS         30u
#define DAT          "'" DIGITIZER_FIGURE ".dat' index 0 "

/* What is drawn of a row. */
struct moment {
	double s;          /* since the first row */
	double interval_s; /* since the row before */
	double events, rate_hz, flux_mb_per_s, rms_mv, samples_per_event, signal_to_noise, min_mv, max_mv, dropped;
};

struct summary {
	size_t count;
	struct moment *moments;
	double seconds, events, raw, kept, dropped, square;
};

static double divide(double over, double by)
{
	return by > 0 ? over / by : NAN;
}

static double non_negative(double value)
{
	return value > 0 ? value : 0;
}

static struct moment make_moment(const double *row, double s, double interval_s)
{
	double highest = fmax(fabs(row[STATISTICS_MIN_MV]), fabs(row[STATISTICS_MAX_MV]));
	double rms = sqrt(divide(row[STATISTICS_SQUARE_MV], row[STATISTICS_SAMPLES]));

	return (struct moment){.s = s,
		.interval_s = interval_s,
		.events = non_negative(row[STATISTICS_EVENTS]),
		.rate_hz = divide(row[STATISTICS_EVENTS], interval_s),
		.flux_mb_per_s = divide(row[STATISTICS_RAW] * SAMPLE_BYTES / 1e6, interval_s),
		.rms_mv = rms,
		.samples_per_event = divide(row[STATISTICS_SAMPLES], row[STATISTICS_EVENTS]),
		.signal_to_noise = divide(highest, rms),
		.min_mv = row[STATISTICS_MIN_MV],
		.max_mv = row[STATISTICS_MAX_MV],
		.dropped = non_negative(row[STATISTICS_DROPPED])};
}

/* Timestamps are ms. The interval of the first row is that of the second one. */
static int summarize(const struct statistics_file *file, struct summary *ret_summary)
{
	struct summary summary = {.moments = calloc(file->count, sizeof(*summary.moments))};

	if (!summary.moments)
		return -ENOMEM;
	double first_ms = file->rows[0][STATISTICS_TIMESTAMP];
	for (size_t i = 0; i < file->count; i++) {
		const double *row = file->rows[i];
		size_t later = i ? i : 1;
		double s = (row[STATISTICS_TIMESTAMP] - first_ms) / 1000, interval_s = 1;
		if (later < file->count)
			interval_s = (file->rows[later][STATISTICS_TIMESTAMP] -
					     file->rows[later - 1][STATISTICS_TIMESTAMP]) /
				     1000;
		/* The rest of a second that an end leaves says nothing of rates. */
		if (!(interval_s >= 0.2) || !isfinite(row[STATISTICS_EVENTS]))
			continue;
		summary.moments[summary.count++] = make_moment(row, s, interval_s);
		summary.seconds += interval_s;
		summary.events += non_negative(row[STATISTICS_EVENTS]);
		summary.raw += non_negative(row[STATISTICS_RAW]);
		summary.kept += non_negative(row[STATISTICS_SAMPLES]);
		summary.dropped += non_negative(row[STATISTICS_DROPPED]);
		summary.square += non_negative(row[STATISTICS_SQUARE_MV]);
	}
	*ret_summary = summary;
	return 0;
}

static void write_moments(struct sheet *sheet, const struct summary *summary)
{
	unsigned index;
	FILE *data = sheet_begin_data(sheet, &index);

	fputs("# s rate_hz flux_mb_per_s inter_arrival_ms rms_mv samples_per_event signal_to_noise min_mv max_mv\n",
		data);
	for (size_t i = 0; i < summary->count; i++) {
		const struct moment *at = &summary->moments[i];
		fprintf(data, "%.3f %.9g %.9g %.9g %.9g %.9g %.9g %.9g %.9g\n", at->s, at->rate_hz, at->flux_mb_per_s,
			divide(1000, at->rate_hz), at->rms_mv, at->samples_per_event, at->signal_to_noise, at->min_mv,
			at->max_mv);
	}
}

/* The mean times between two events of each row, in bins from the shortest to the longest. */
static void write_arrivals(struct sheet *sheet, const struct summary *summary, double *ret_bin_ms)
{
	double least = INFINITY, most = 0, counts[BINS] = {0};
	unsigned index;
	FILE *data = sheet_begin_data(sheet, &index);

	for (size_t i = 0; i < summary->count; i++) {
		double ms = divide(1000, summary->moments[i].rate_hz);
		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
	}
	if (!(most > least)) {
		least = isfinite(least) ? least * 0.95 : 0;
		most = least > 0 ? least / 0.95 * 1.05 : 1;
	}
	double bin = (most - least) / BINS;
	for (size_t i = 0; i < summary->count; i++) {
		double ms = divide(1000, summary->moments[i].rate_hz);
		if (isfinite(ms))
			counts[(unsigned)fmin(BINS - 1, fmax(0, (ms - least) / bin))]++;
	}
	fputs("# inter_arrival_ms rows\n", data);
	for (unsigned i = 0; i < BINS; i++)
		fprintf(data, "%.9g %.0f\n", least + (i + 0.5) * bin, counts[i]);
	*ret_bin_ms = bin;
}

static void add_panels(struct sheet *sheet, double bin_ms)
{
	char arrivals[300];

	snprintf(arrivals, sizeof(arrivals),
		"plot '" DIGITIZER_FIGURE ".dat' index 1 using 1:2:(%.9g) with boxes fillstyle solid 0.7 noborder "
		"linecolor rgb '" SHEET_SKY "'",
		bin_ms);
	const struct sheet_panel panels[] = {
		{.title = "Event rate and input flux",
			.x_label = "Time (s)",
			.y_label = "Events (Hz)",
			.y2_label = "Input flux (MB/s)",
			.setup = "set yrange [0:*]\nset y2range [0:*]\nset key bottom right\n",
			.has_key = true,
			.plot = "plot " DAT "using 1:2 with lines linewidth 1.4 linecolor rgb '" SHEET_BLUE
				"' title 'events', " DAT
				"using 1:3 axes x1y2 with lines linewidth 1.4 dashtype 2 linecolor rgb '" SHEET_ORANGE
				"' title 'samples, 2 bytes each'"},
		{.column = 1,
			.title = "Inter-arrival times",
			.x_label = "Mean time between events, each row (ms)",
			.y_label = "Rows",
			.setup = "set yrange [0:*]\n",
			.plot = arrivals},
		{.row = 1,
			.title = "RMS",
			.x_label = "Time (s)",
			.y_label = "RMS of the kept samples (mV)",
			.setup = "set yrange [0:*]\n",
			.plot = "plot " DAT "using 1:5 with lines linewidth 1.4 linecolor rgb '" SHEET_VERMILION "'"},
		{.row = 1,
			.column = 1,
			.title = "Event size",
			.x_label = "Time (s)",
			.y_label = "Kept samples an event",
			.setup = "set yrange [0:*]\n",
			.plot = "plot " DAT "using 1:6 with lines linewidth 1.4 linecolor rgb '" SHEET_GREEN "'"},
		{.row = 2,
			.title = "Signal to noise",
			.x_label = "Time (s)",
			.y_label = "Highest sample over RMS",
			.setup = "set yrange [0:*]\n",
			.plot = "plot " DAT "using 1:7 with lines linewidth 1.4 linecolor rgb '" SHEET_BLUE "'"},
		{.row = 2,
			.column = 1,
			.title = "Amplitude",
			.x_label = "Time (s)",
			.y_label = "Extremes (mV)",
			.has_key = true,
			.setup = "set key center right\n",
			.plot = "plot " DAT "using 1:8:9 with filledcurves fillcolor rgb '#D6EAF5' notitle, " DAT
				"using 1:9 with lines linewidth 1.4 linecolor rgb '" SHEET_ORANGE
				"' title 'highest', " DAT
				"using 1:8 with lines linewidth 1.4 linecolor rgb '" SHEET_BLUE "' title 'lowest'"},
	};

	for (size_t i = 0; i < sizeof(panels) / sizeof(panels[0]); i++)
		sheet_add_panel(sheet, &panels[i]);
}

static int draw(const char *path, const struct summary *summary, const char *folder, struct enrg_error *err)
{
	char subtitle[200], footer[300];
	double bin_ms;
	const struct sheet_params params = {.name = DIGITIZER_FIGURE,
		.title = "Digitizer statistics",
		.subtitle = subtitle,
		.footer = {footer},
		.rows = 3,
		.columns = 2,
		.width_in = 10,
		.height_in = 11.5};

	snprintf(subtitle, sizeof(subtitle),
		"%.0f events in %.0f s: %.4g Hz, %.4g MB/s of samples, %.3g %% of them kept", summary->events,
		summary->seconds, divide(summary->events, summary->seconds),
		divide(summary->raw * SAMPLE_BYTES / 1e6, summary->seconds), 100 * divide(summary->kept, summary->raw));
	snprintf(footer, sizeof(footer),
		"%s \u00b7 %zu rows \u00b7 %.0f triggers dropped while the board was dead or busy", path,
		summary->count, summary->dropped);
	struct sheet *sheet = sheet_create(&params);
	if (!sheet)
		return enrg_error_set(err, -ENOMEM, "no memory for the figure");
	write_moments(sheet, summary);
	write_arrivals(sheet, summary, &bin_ms);
	add_panels(sheet, bin_ms);
	int rc = sheet_draw(sheet, folder, err);
	sheet_destroy(sheet);
	return rc;
}

int digitizer_figure_draw(const char *path, const char *folder, FILE *out, struct enrg_error *err)
{
	struct statistics_file file;
	struct summary summary = {0};
	int rc = statistics_file_read(path, &file, err);

	if (rc < 0)
		return rc;
	rc = summarize(&file, &summary);
	if (rc < 0)
		enrg_error_set(err, rc, "%s: no memory for its rows", path);
	else if (summary.count == 0)
		rc = enrg_error_set(err, -ENODATA, "%s: has no whole second yet", path);
	if (rc == 0)
		rc = path_make_folders(folder, 0755, err);
	if (rc == 0)
		rc = draw(path, &summary, folder, err);
	if (rc == 0) {
		fprintf(out, "%s: %.0f events in %.0f s (%.4g Hz), RMS %.4g mV, %.0f triggers dropped\n", path,
			summary.events, summary.seconds, divide(summary.events, summary.seconds),
			sqrt(divide(summary.square, summary.kept)), summary.dropped);
		if (file.bad_lines)
			fprintf(out, "%zu lines are no rows and were left out\n", file.bad_lines);
		fprintf(out, "%s/" DIGITIZER_FIGURE ".png and .pdf\n", folder);
	}
	free(summary.moments);
	statistics_file_fini(&file);
	return rc;
}
