/* plot.c: see the header. */
#include "plot.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EDGES_MAX  10000u
#define AT(member) offsetof(struct plot_options, member)

static const struct enrg_choice polarities[] = {{"negative", PULSE_NEGATIVE}, {"positive", PULSE_POSITIVE}, {NULL, 0}};

/* clang-format off */
#define AXIS(letter, LETTER_HELP, is_needed)                                                                              \
	{.key = #letter, .kind = ENRG_OPTION_STRING, .offset = AT(letter), .required = is_needed, .help = LETTER_HELP},    \
	{.key = #letter "_bins", .kind = ENRG_OPTION_INT, .offset = AT(letter##_bins), .default_value = "100", .min = 1,   \
		.max = 1000000, .help = "Bins of this axis, of one width."},                                                 \
	{.key = #letter "_min", .kind = ENRG_OPTION_FLOAT, .offset = AT(letter##_min),                                     \
		.present_offset = AT(has_##letter##_range),                                                                  \
		.help = "Lower end; without it and the upper one the range is found from the first 10,000 values."},         \
	{.key = #letter "_max", .kind = ENRG_OPTION_FLOAT, .offset = AT(letter##_max),                                     \
		.present_offset = AT(has_##letter##_end), .help = "Upper end."},                                             \
	{.key = #letter "_edges", .kind = ENRG_OPTION_STRING, .offset = AT(letter##_edges),                                \
		.help = "Edges of bins of different widths, ascending, in place of ends and number: \"0 1 2 5 10\"."}
/* clang-format on */

static const struct enrg_option plot_options[] = {
	{.key = "name",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(name),
		.required = true,
		.help = "What it is called by; no two of a job are alike."},
	{.key = "title",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(title),
		.help = "Above it; without the key its name."},
	{.key = "job",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(job),
		.required = true,
		.help = "The source or processor that it looks at."},
	{.key = "tag",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(tag),
		.help = "Tables of this tag alone; without the key all tables of the job that have the columns."},
	AXIS(x, "A column of numbers, or amplitude(COLUMN), charge(COLUMN), delta_t(COLUMN) of waveforms.", true),
	AXIS(y, "The same, for a second axis; not delta_t.", false),
	{.key = "channel",
		.kind = ENRG_OPTION_INT,
		.offset = AT(channel),
		.default_value = "-1",
		.min = -1,
		.max = 1e9,
		.help = "Rows alone whose column `channel` holds this; -1: all."},
	{.key = "polarity",
		.kind = ENRG_OPTION_CHOICE,
		.offset = AT(polarity),
		.default_value = "\"negative\"",
		.choices = polarities,
		.help = "Of the pulses in waveforms."},
	{.key = "threshold",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(threshold),
		.default_value = "20",
		.min = 1,
		.max = 32767,
		.unit = "counts",
		.help = "Of delta_t: a pulse begins where it is passed."},
	{.key = "sample_ns",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(sample_ns),
		.default_value = "0",
		.max = 1e9,
		.unit = "ns",
		.help = "Of delta_t: from one sample to the next; 0: what the table says, else 1."},
	{.key = NULL},
};

const struct enrg_table plot_table = {sizeof(struct plot_options), plot_options};

/* --- what is configured ------------------------------------------------------------------------------------------- */

/* Ascending numbers between blanks or commas. Returns how many, 0 where they are not. */
static uint32_t parse_edges(const char *text, double *ret_edges)
{
	uint32_t count = 0;

	for (;;) {
		char *end;
		text += strspn(text, " \t,");
		if (!*text)
			return count;
		double value = strtod(text, &end);
		if (end == text || !isfinite(value) || count == EDGES_MAX || (count && value <= ret_edges[count - 1]))
			return 0;
		ret_edges[count++] = value;
		text = end;
	}
}

static int check_axis(
	char letter, const char *edges, bool has_min, bool has_max, const double range[2], struct enrg_error *err)
{
	static double parsed[EDGES_MAX]; /* large */

	if (edges && (has_min || has_max))
		return enrg_error_set(err, ENRG_E_CONFIG, "%c_edges: either edges or %c_min and %c_max, not both",
			letter, letter, letter);
	if (edges && parse_edges(edges, parsed) < 2)
		return enrg_error_set(err, ENRG_E_CONFIG,
			"%c_edges: expected 2 to %u ascending numbers, such as \"0 1 2 5 10\", found \"%s\"", letter,
			EDGES_MAX, edges);
	if (has_min != has_max)
		return enrg_error_set(err, ENRG_E_CONFIG, "%c_%s: both ends or none", letter, has_min ? "max" : "min");
	if (has_min && !(range[0] < range[1] && isfinite(range[1] - range[0])))
		return enrg_error_set(err, ENRG_E_CONFIG, "%c_max: expected more than %c_min (%g), found %g", letter,
			letter, range[0], range[1]);
	return 0;
}

static int check_name(const char *name, struct enrg_error *err)
{
	for (const unsigned char *at = (const unsigned char *)name; *at; at++)
		if (*at < 0x20 || *at == '/' || *at == 0x7F)
			return enrg_error_set(err, ENRG_E_CONFIG,
				"name: expected a name without / and control characters, found \"%s\"", name);
	if (!*name || strlen(name) > ENRG_HISTOGRAM_NAME_MAX)
		return enrg_error_set(err, ENRG_E_CONFIG, "name: expected 1 to %u bytes", ENRG_HISTOGRAM_NAME_MAX);
	return 0;
}

int plot_check(const struct plot_options *options, struct enrg_error *err)
{
	struct quantity x, y;
	int rc = check_name(options->name, err);

	if (rc == 0 && quantity_parse(options->x, &x, err) < 0)
		rc = enrg_error_add(err, ENRG_E_CONFIG, "x");
	if (rc == 0 && options->y && quantity_parse(options->y, &y, err) < 0)
		rc = enrg_error_add(err, ENRG_E_CONFIG, "y");
	if (rc == 0 && options->y && (!quantity_is_plain(&x) || !quantity_is_plain(&y)))
		rc = enrg_error_set(err, ENRG_E_CONFIG,
			"%c: delta_t has no value a row, so it can't have a second axis",
			quantity_is_plain(&x) ? 'y' : 'x');
	if (rc == 0)
		rc = check_axis('x', options->x_edges, options->has_x_range, options->has_x_end,
			(const double[]){options->x_min, options->x_max}, err);
	if (rc == 0)
		rc = check_axis('y', options->y_edges, options->has_y_range, options->has_y_end,
			(const double[]){options->y_min, options->y_max}, err);
	if (rc == 0 && options->y && (options->x_bins + 2) * (options->y_bins + 2) > (int64_t)ENRG_HISTOGRAM_CELLS_MAX)
		rc = enrg_error_set(err, ENRG_E_CONFIG, "y_bins: %lld times %lld cells, at most %u fit",
			(long long)options->x_bins + 2, (long long)options->y_bins + 2, ENRG_HISTOGRAM_CELLS_MAX);
	return rc;
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

static void make_label(const struct quantity *quantity, char ret_label[ENRG_HISTOGRAM_NAME_MAX + 1])
{
	static const char *const units[] = {
		[QUANTITY_COLUMN] = "",
		[QUANTITY_AMPLITUDE] = " [counts]",
		[QUANTITY_CHARGE] = " [counts x samples]",
		[QUANTITY_DELTA_T] = " [ns]",
	};

	if (quantity->kind == QUANTITY_COLUMN)
		snprintf(ret_label, ENRG_HISTOGRAM_NAME_MAX + 1, "%.120s", quantity->column);
	else
		snprintf(ret_label, ENRG_HISTOGRAM_NAME_MAX + 1, "%s(%.80s)%s", quantity_name(quantity->kind),
			quantity->column, units[quantity->kind]);
}

static int make_bins(struct plot *plot, struct enrg_error *err)
{
	const struct plot_options *options = plot->options;
	char x_label[ENRG_HISTOGRAM_NAME_MAX + 1], y_label[ENRG_HISTOGRAM_NAME_MAX + 1];
	static double x_edges[EDGES_MAX], y_edges[EDGES_MAX]; /* large */
	uint32_t x_count = options->x_edges ? parse_edges(options->x_edges, x_edges) : 0;
	uint32_t y_count = options->y_edges ? parse_edges(options->y_edges, y_edges) : 0;
	const struct bins_axis x = {.bins = x_count ? x_count - 1 : (uint32_t)options->x_bins,
		.low = options->x_min,
		.high = options->x_max,
		.edges = x_count ? x_edges : NULL,
		.label = x_label};
	const struct bins_axis y = {.bins = y_count ? y_count - 1 : (uint32_t)options->y_bins,
		.low = options->y_min,
		.high = options->y_max,
		.edges = y_count ? y_edges : NULL,
		.label = y_label};

	make_label(&plot->x, x_label);
	make_label(&plot->y, y_label);
	return bins_init(&plot->bins, &x, options->y ? &y : NULL, err);
}

int plot_open(struct plot *plot, const struct plot_options *options, struct enrg_error *err)
{
	int rc = quantity_parse(options->x, &plot->x, err);

	plot->options = options;
	if (rc == 0 && options->y)
		rc = quantity_parse(options->y, &plot->y, err);
	plot->params = (struct quantity_params){.polarity = (enum pulse_polarity)options->polarity,
		.threshold = (float)options->threshold,
		.sample_ns = options->sample_ns,
		.channel = options->channel};
	if (rc == 0)
		rc = make_bins(plot, err);
	return rc < 0 ? enrg_error_add(err, rc, "histogram %s", options->name) : 0;
}

void plot_close(struct plot *plot)
{
	bins_fini(&plot->bins);
	quantity_values_fini(&plot->x_values);
	quantity_values_fini(&plot->y_values);
}

/* --- filling ------------------------------------------------------------------------------------------------------ */

bool plot_wants(const struct plot *plot, const char *job, const char *tag)
{
	return !strcmp(plot->options->job, job) && (!plot->options->tag || !strcmp(plot->options->tag, tag));
}

/* Once a table. Whoever names no tag means those that have the columns. */
static void tell_unusable(struct plot *plot, struct enrg_job *job, const struct enrg_record *record, const char *why)
{
	uint32_t table = record->table % PLOT_TABLES;

	if (plot->told_instance != record->instance)
		memset(plot->is_told, 0, sizeof(plot->is_told));
	plot->told_instance = record->instance;
	if ((plot->is_told[table / 8] >> (table % 8)) & 1)
		return;
	plot->is_told[table / 8] |= (uint8_t)(1u << (table % 8));
	if (plot->is_filled && !plot->options->tag)
		return;
	enrg_job_alert(job, ENRG_WARNING,
		"histogram %s: the table%s%s of %s %s; nothing of it is counted. Its data are stored as ever: "
		"repair x, y or tag in the file of this job",
		plot->options->name, record->tag[0] ? " " : "", record->tag, plot->options->job, why);
}

static int take(struct plot *plot, const struct quantity_place places[2], const struct enrg_batch *batch)
{
	int rc = quantity_take(&plot->x, &plot->params, &places[0], batch, &plot->x_values);

	if (rc == 0 && plot->options->y)
		rc = quantity_take(&plot->y, &plot->params, &places[1], batch, &plot->y_values);
	return rc;
}

int plot_fill(struct plot *plot, struct enrg_job *job, const struct enrg_record *record, const struct enrg_batch *batch,
	struct enrg_error *err)
{
	struct quantity_place places[2];
	struct enrg_error why = {0};
	int rc = quantity_find(&plot->x, &plot->params, batch->schema, &places[0], &why);

	if (rc == 0 && plot->options->y)
		rc = quantity_find(&plot->y, &plot->params, batch->schema, &places[1], &why);
	if (rc < 0) {
		tell_unusable(plot, job, record, why.text);
		return 0;
	}
	plot->is_filled = true;
	plot->bins.sums.batches++;
	if (take(plot, places, batch) < 0)
		return enrg_error_set(err, -ENOMEM, "histogram %s: out of memory", plot->options->name);
	bins_fill(&plot->bins, plot->x_values.items, plot->options->y ? plot->y_values.items : NULL,
		plot->x_values.count);
	return 0;
}
