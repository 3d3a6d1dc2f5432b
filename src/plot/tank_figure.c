/* tank_figure.c: see the header. In the process of `enrgdaq plot`. */
#include "plot/tank_figure.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/path.h"
#include "plot/decay.h"
#include "plot/sheet.h"

#define EDGE_NS     80.0 /* a pulse that comes so late in its record is cut off */
#define MARGIN_NS   50.0 /* behind the dead time */
#define BIN_NS      400.0
#define CHARGE_BINS 80u
#define DAT         "'" TANK_FIGURE ".dat' "

struct analysis {
	const struct tank_figure_params *params;
	struct tank_pulses pulses;
	struct decay_ranges ranges;
	double *deltas_ns; /* of all pairs up to until_ns, also between the ranges */
	size_t pairs;
	struct decay_fit fit, truth;
	bool has_truth;
};

/* --- pairs ------------------------------------------------------------------------------------------------------- */

/* In the record of the muon, and behind its dead time in one of its own. In between nothing is seen, or only in part.
 */
static void choose_ranges(struct analysis *analysis)
{
	const struct tank_figure_params *params = analysis->params;
	double length_ns = analysis->pulses.samples * analysis->pulses.sample_ns;
	double rest_ns = length_ns - analysis->pulses.first_pulse_ns;
	struct decay_ranges *ranges = &analysis->ranges;

	if (rest_ns - EDGE_NS > params->from_ns) {
		ranges->items[ranges->count].from_ns = params->from_ns;
		ranges->items[ranges->count++].to_ns = floor((rest_ns - EDGE_NS) / 10) * 10;
	}
	ranges->items[ranges->count].from_ns = ceil((rest_ns + params->dead_ns + MARGIN_NS) / 10) * 10;
	ranges->items[ranges->count++].to_ns = params->until_ns;
}

/* The pulse behind one that had none for long before it. */
static int find_pairs(struct analysis *analysis)
{
	const struct tank_pulses *pulses = &analysis->pulses;
	double until_ns = analysis->params->until_ns, last_ns = -INFINITY;

	analysis->deltas_ns = calloc(pulses->count + 1, sizeof(*analysis->deltas_ns));
	if (!analysis->deltas_ns)
		return -ENOMEM;
	for (size_t i = 0; i + 1 < pulses->count; i++) {
		double first_ns = pulses->items[i].time_ns, delta_ns = pulses->items[i + 1].time_ns - first_ns;
		if (first_ns - last_ns >= until_ns && delta_ns < until_ns)
			analysis->deltas_ns[analysis->pairs++] = delta_ns;
		last_ns = first_ns;
	}
	return 0;
}

static void format_ranges(const struct decay_ranges *ranges, char *ret_text, size_t text_bytes)
{
	size_t used = 0;

	for (size_t i = 0; i < ranges->count && used < text_bytes; i++)
		used += (size_t)snprintf(ret_text + used, text_bytes - used, "%s%.2f to %.2f µs", i ? " and " : "",
			ranges->items[i].from_ns / 1000, ranges->items[i].to_ns / 1000);
}

static int fit_truth(struct analysis *analysis, struct enrg_error *err)
{
	struct tank_truth truth;
	int rc = tank_truth_read(analysis->params->truth, &truth, err);

	if (rc < 0)
		return rc;
	rc = decay_fit_pairs(truth.deltas_ns, truth.count, &analysis->ranges, false, &analysis->truth);
	if (rc < 0)
		enrg_error_set(err, rc, "%s: too few electrons in the range for a lifetime", analysis->params->truth);
	tank_truth_fini(&truth);
	analysis->has_truth = rc == 0;
	return rc;
}

static int analyze(struct analysis *analysis, struct enrg_error *err)
{
	char ranges[120];
	int rc = tank_pulses_read(&analysis->params->pulses, &analysis->pulses, err);

	if (rc < 0)
		return rc;
	choose_ranges(analysis);
	rc = find_pairs(analysis);
	if (rc == 0)
		rc = decay_fit_pairs(analysis->deltas_ns, analysis->pairs, &analysis->ranges, true, &analysis->fit);
	format_ranges(&analysis->ranges, ranges, sizeof(ranges));
	if (rc == -ENODATA || rc == -ERANGE)
		enrg_error_set(err, -ENODATA,
			"%s: no lifetime: %zu pulses make %zu pairs within %.2f µs, too few (or none that decays) in "
			"%s; "
			"record longer, or raise trigger_rate_hz or decay_fraction",
			analysis->params->pulses.path, analysis->pulses.count, analysis->pairs,
			analysis->params->until_ns / 1000, ranges);
	else if (rc < 0)
		enrg_error_set(err, rc, "no memory for the pairs");
	return rc == 0 && analysis->params->truth ? fit_truth(analysis, err) : rc;
}

/* --- panels ------------------------------------------------------------------------------------------------------ */

/* Each channel's samples below each other: one block, a channel a column. */
static void write_example(struct sheet *sheet, const struct analysis *analysis)
{
	const struct tank_example *example = &analysis->pulses.example;
	unsigned index;
	FILE *data = sheet_begin_data(sheet, &index);

	fputs("# ns mv_of_each_channel\n", data);
	for (uint32_t i = 0; i < example->samples; i++) {
		fprintf(data, "%.4g", i * analysis->pulses.sample_ns);
		for (uint32_t c = 0; c < example->channels; c++)
			fprintf(data, " %.5g", -(double)example->mv[(size_t)c * example->samples + i]);
		fputc('\n', data);
	}
	if (!example->samples)
		fputs("0 0\n", data);
}

static void add_example(struct sheet *sheet, const struct analysis *analysis)
{
	const struct tank_example *example = &analysis->pulses.example;
	uint32_t shown = example->channels ? example->channels : 1;
	char plot[400], setup[500];

	write_example(sheet, analysis);
	snprintf(plot, sizeof(plot),
		"plot for [c=2:%u] " DAT "index 0 using 1:(column(c)) with lines linewidth 1.1 linecolor palette "
		"cb (c - 2)",
		shown + 1);
	snprintf(setup, sizeof(setup),
		"set xrange [0:*]\nset palette defined (0 '" SHEET_BLUE "', 0.5 '" SHEET_GREEN "', 1 '" SHEET_ORANGE
		"')\nset cbrange [0:%u]\nunset colorbox\n"
		"set arrow 1 from %.5g, graph 0.02 to %.5g, graph 0.02 heads size screen 0.006,20 linecolor rgb "
		"'" SHEET_DARK "'\nset label 1 '%.0f ns' at %.5g, graph 0.08 center font 'DejaVu Sans,9'\n",
		shown > 1 ? shown - 1 : 1, example->first_ns, example->second_ns,
		example->second_ns - example->first_ns, (example->first_ns + example->second_ns) / 2);
	sheet_add_panel(sheet, &(struct sheet_panel){.span = 2,
				       .title = "A muon that stops, and its electron: one record, each photomultiplier",
				       .x_label = "Time since the first sample (ns)",
				       .y_label = "Signal (mV)",
				       .setup = setup,
				       .plot = plot});
}

static void add_charges(struct sheet *sheet, const struct analysis *analysis)
{
	const struct tank_pulses *pulses = &analysis->pulses;
	double most = 0, counts[CHARGE_BINS] = {0};
	char plot[300];
	unsigned index;
	FILE *data = sheet_begin_data(sheet, &index);

	for (size_t i = 0; i < pulses->count; i++)
		most = fmax(most, pulses->items[i].charge_pc);
	most = most > 0 ? most * 1.001 : 1;
	for (size_t i = 0; i < pulses->count; i++)
		if (pulses->items[i].charge_pc >= 0)
			counts[(unsigned)(pulses->items[i].charge_pc / most * CHARGE_BINS)]++;
	fputs("# charge_pc pulses\n", data);
	for (unsigned i = 0; i < CHARGE_BINS; i++)
		fprintf(data, "%.6g %g\n", (i + 0.5) * most / CHARGE_BINS, counts[i] > 0 ? counts[i] : 0.5);
	snprintf(plot, sizeof(plot),
		"plot " DAT "index %u using 1:2 with histeps linewidth 1.6 linecolor rgb '" SHEET_BLUE "'", index);
	sheet_add_panel(sheet, &(struct sheet_panel){.row = 1,
				       .title = "Charge of all pulses",
				       .x_label = "Charge, all photomultipliers (pC)",
				       .y_label = "Pulses",
				       .setup = "set xrange [0:*]\nset yrange [0.5:*]\n",
				       .plot = plot,
				       .is_log = true});
}

/* Pairs of a bin as if it were covered whole; a bin that is hardly covered says nothing. */
static void write_deltas(struct sheet *sheet, const struct analysis *analysis)
{
	double counts[256] = {0};
	unsigned bins = (unsigned)(analysis->params->until_ns / BIN_NS), index;
	FILE *data = sheet_begin_data(sheet, &index);

	bins = bins < 256 ? bins : 256;
	for (size_t i = 0; i < analysis->pairs; i++) {
		unsigned bin = (unsigned)(analysis->deltas_ns[i] / BIN_NS);
		if (bin < bins && decay_is_in(&analysis->ranges, analysis->deltas_ns[i]))
			counts[bin]++;
	}
	fputs("# us pairs error\n", data);
	for (unsigned i = 0; i < bins; i++) {
		double covered = decay_covered_ns(&analysis->ranges, i * BIN_NS, (i + 1) * BIN_NS) / BIN_NS;
		if (covered > 0.3 && counts[i] > 0)
			fprintf(data, "%.4g %.6g %.6g\n", (i + 0.5) * BIN_NS / 1000, counts[i] / covered,
				sqrt(counts[i]) / covered);
	}
	data = sheet_begin_data(sheet, &index);
	fputs("# us expected\n", data);
	for (unsigned ns = 0; ns <= analysis->params->until_ns; ns += 50)
		fprintf(data, "%.4g %.6g\n", ns / 1000.0,
			BIN_NS * decay_density(&analysis->fit, &analysis->ranges, ns));
}

static void add_deltas(struct sheet *sheet, const struct analysis *analysis)
{
	char setup[800], ranges[120];
	const struct decay_fit *fit = &analysis->fit;

	format_ranges(&analysis->ranges, ranges, sizeof(ranges));
	write_deltas(sheet, analysis);
	int used = snprintf(setup, sizeof(setup),
		"set yrange [0.8:*]\nset xrange [0:%.4g]\n"
		"set label 1 'τ = %.0f ± %.0f ns' at graph 0.97,0.93 right font 'DejaVu Sans:Bold,10.5'\n"
		"set label 2 '%zu pairs, Δt %s' at graph 0.97,0.86 right font 'DejaVu Sans,8'\n",
		analysis->params->until_ns / 1000, fit->lifetime_ns, fit->error_ns, fit->pairs, ranges);
	if (analysis->has_truth)
		snprintf(setup + used, sizeof(setup) - (size_t)used,
			"set label 3 'truth: %.0f ns of %zu electrons' at graph 0.97,0.8 right font 'DejaVu Sans,8'\n",
			analysis->truth.lifetime_ns, analysis->truth.pairs);
	sheet_add_panel(sheet,
		&(struct sheet_panel){.row = 1,
			.column = 1,
			.title = "Time between muon and electron",
			.x_label = "Δt (µs)",
			.y_label = "Pairs in 0.4 µs",
			.setup = setup,
			.is_log = true,
			.plot = "plot " DAT "index 3 using 1:2 with lines linewidth 1.6 linecolor rgb '" SHEET_VERMILION
				"', " DAT "index 2 using 1:2:3 with yerrorbars pointtype 7 pointsize 0.5 linewidth 1.1 "
				"linecolor rgb '" SHEET_BLUE "'"});
}

static int draw(const struct analysis *analysis, struct enrg_error *err)
{
	char subtitle[200], footer[300];
	const struct sheet_params params = {.name = TANK_FIGURE,
		.title = "Muons in a water Cherenkov tank",
		.subtitle = subtitle,
		.footer = {footer},
		.rows = 2,
		.columns = 2,
		.width_in = 11,
		.height_in = 8.5};
	struct sheet *sheet = sheet_create(&params);

	if (!sheet)
		return enrg_error_set(err, -ENOMEM, "no memory for the figure");
	snprintf(subtitle, sizeof(subtitle), "%lu records, %zu pulses, %zu pairs",
		(unsigned long)analysis->pulses.records, analysis->pulses.count, analysis->fit.pairs);
	snprintf(footer, sizeof(footer),
		"%s \u00b7 unbinned likelihood, flat background %.1f %% \u00b7 pulses of more than %g mV a "
		"photomultiplier "
		"over 20 ns",
		analysis->params->pulses.path, 100 * analysis->fit.background, analysis->params->pulses.threshold_mv);
	add_example(sheet, analysis);
	add_charges(sheet, analysis);
	add_deltas(sheet, analysis);
	int rc = path_make_folders(analysis->params->folder, 0755, err);
	if (rc == 0)
		rc = sheet_draw(sheet, analysis->params->folder, err);
	sheet_destroy(sheet);
	return rc;
}

/* --- words ------------------------------------------------------------------------------------------------------- */

static void print(const struct analysis *analysis, FILE *out)
{
	const struct decay_fit *fit = &analysis->fit, *truth = &analysis->truth;
	char ranges[120];

	format_ranges(&analysis->ranges, ranges, sizeof(ranges));
	fprintf(out, "%s: %lu records, %zu pulses\n", analysis->params->pulses.path,
		(unsigned long)analysis->pulses.records, analysis->pulses.count);
	if (analysis->pulses.damaged)
		fprintf(out, "damaged batches that were passed over: %lu (`enrgdaq verify` names them)\n",
			(unsigned long)analysis->pulses.damaged);
	fprintf(out, "pairs: %zu with Δt in %s\n", fit->pairs, ranges);
	fprintf(out, "lifetime: %.0f ± %.0f ns, flat background %.1f %%\n", fit->lifetime_ns, fit->error_ns,
		100 * fit->background);
	if (analysis->has_truth)
		fprintf(out, "truth: %.0f ns of %zu electrons in the same range: %.1f sigma apart\n",
			truth->lifetime_ns, truth->pairs, fabs(fit->lifetime_ns - truth->lifetime_ns) / fit->error_ns);
	fprintf(out, "%s/" TANK_FIGURE ".png and .pdf\n", analysis->params->folder);
}

int tank_figure_draw(const struct tank_figure_params *params, FILE *out, struct enrg_error *err)
{
	struct analysis analysis = {.params = params};
	int rc = analyze(&analysis, err);

	if (rc == 0)
		rc = draw(&analysis, err);
	if (rc == 0)
		print(&analysis, out);
	free(analysis.deltas_ns);
	tank_pulses_fini(&analysis.pulses);
	return rc;
}
