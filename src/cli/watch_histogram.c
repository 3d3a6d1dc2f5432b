/* watch_histogram.c: see the header. A process of its own, which reads what lies in shared memory. */
#include "cli/watch_histogram.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <enrgdaq/client.h>

#include "cli/cli.h"
#include "cli/watch_screen.h"

#define AXIS_WIDTH 10u /* of numbers left of a picture */
#define HEIGHT     16u
#define WIDTH_MIN  20u
#define WIDTH_MAX  10u /* of a bin */

/* --- figures ------------------------------------------------------------------------------------------------------ */

/* Cells of x as `shown` columns: what column c has of row k. */
static uint64_t sum_of(const struct enrg_histogram *histogram, unsigned column, unsigned shown, uint32_t k)
{
	uint64_t bins = histogram->x.bins, from = column * bins / shown, to = (column + 1) * bins / shown, sum = 0;

	for (uint64_t i = from; i < (to > from ? to : from + 1); i++)
		sum += histogram->counts[i + 1 + (bins + 2) * k];
	return sum;
}

static void print_moments(const char *letter, double w, double sum, double squares, FILE *stream)
{
	double mean = sum / w, variance = squares / w - mean * mean;

	fprintf(stream, "; mean%s %.5g, sd %.4g", letter, mean, variance > 0 ? sqrt(variance) : 0);
}

static void print_title(const struct enrg_histogram *histogram, FILE *stream)
{
	const struct enrg_histogram_sums *sums = &histogram->sums;
	time_t since = (time_t)(histogram->since_ns / 1000000000u);
	char text[32] = "";
	struct tm tm;

	fprintf(stream, "%s", histogram->title);
	if (strcmp(histogram->title, histogram->name) != 0)
		fprintf(stream, " (%s)", histogram->name);
	if (gmtime_r(&since, &tm))
		strftime(text, sizeof(text), "%FT%TZ", &tm);
	fprintf(stream, ", %s%s%s, since %s\n%" PRIu64 " entries", histogram->job, histogram->run[0] ? ", run " : "",
		histogram->run, text, sums->entries);
	if (histogram->dimensions == 1)
		fprintf(stream, ", %" PRIu64 " below, %" PRIu64 " above", histogram->counts[0],
			histogram->counts[histogram->x.bins + 1]);
	else if ((double)sums->entries > sums->w)
		fprintf(stream, ", %.0f outside", (double)sums->entries - sums->w);
	if (sums->w > 0)
		print_moments(histogram->dimensions == 2 ? " x" : "", sums->w, sums->x, sums->xx, stream);
	if (sums->w > 0 && histogram->dimensions == 2)
		print_moments(" y", sums->w, sums->y, sums->yy, stream);
	if (sums->skipped)
		fprintf(stream, "; %" PRIu64 " values missing or no numbers", sums->skipped);
	if (sums->missed)
		fprintf(stream, "; %" PRIu64 " of %" PRIu64 " batches came too fast to be counted", sums->missed,
			sums->missed + sums->batches);
	fputc('\n', stream);
}

/* --- pictures ----------------------------------------------------------------------------------------------------- */

static void print_x_axis(const struct enrg_histogram *histogram, unsigned shown, FILE *stream)
{
	char low[32], high[32];
	int gap;

	snprintf(low, sizeof(low), "%.5g", histogram->x.low);
	snprintf(high, sizeof(high), "%.5g", histogram->x.high);
	gap = (int)shown - (int)strlen(low) - (int)strlen(high);
	fprintf(stream, "%*s%s%*s%s\n%*s%s\n", AXIS_WIDTH + 1, "", low, gap > 1 ? gap : 1, "", high, AXIS_WIDTH + 1, "",
		histogram->x.label);
}

static void print_line(const struct enrg_histogram *histogram, unsigned shown, unsigned height, FILE *stream)
{
	static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	uint64_t most = 1;

	for (unsigned i = 0; i < shown; i++)
		most = sum_of(histogram, i, shown, 0) > most ? sum_of(histogram, i, shown, 0) : most;
	for (unsigned row = height; row-- > 0;) {
		if (row == height - 1 || row == 0)
			fprintf(stream, "%*" PRIu64 "│", AXIS_WIDTH, row ? most : 0);
		else
			fprintf(stream, "%*s│", AXIS_WIDTH, "");
		for (unsigned i = 0; i < shown; i++) {
			uint64_t count = sum_of(histogram, i, shown, 0);
			double eighths = 8.0 * height * (double)count / (double)most - 8.0 * row;
			int full = eighths > 8 ? 8 : eighths > 0 ? (int)ceil(eighths) : 0;
			fputs(blocks[full], stream);
		}
		fputc('\n', stream);
	}
}

static double plane_sum(
	const struct enrg_histogram *histogram, unsigned column, unsigned shown, unsigned row, unsigned rows)
{
	uint64_t bins = histogram->y.bins, from = row * bins / rows, to = (row + 1) * bins / rows;
	uint64_t sum = 0;

	for (uint64_t k = from; k < (to > from ? to : from + 1); k++)
		sum += sum_of(histogram, column, shown, (uint32_t)k + 1);
	return (double)sum;
}

static void print_plane(const struct enrg_histogram *histogram, unsigned shown, unsigned height, FILE *stream)
{
	static const char *const shades[] = {" ", "░", "▒", "▓", "█"};
	unsigned rows = histogram->y.bins < height ? histogram->y.bins : height;
	double most = 1;

	for (unsigned row = 0; row < rows; row++)
		for (unsigned i = 0; i < shown; i++)
			most = fmax(most, plane_sum(histogram, i, shown, row, rows));
	for (unsigned row = rows; row-- > 0;) {
		if (row == rows - 1 || row == 0)
			fprintf(stream, "%*.4g│", AXIS_WIDTH, row ? histogram->y.high : histogram->y.low);
		else
			fprintf(stream, "%*s│", AXIS_WIDTH, "");
		for (unsigned i = 0; i < shown; i++)
			fputs(shades[(int)ceil(4 * plane_sum(histogram, i, shown, row, rows) / most)], stream);
		fputc('\n', stream);
	}
	fprintf(stream, "%*sup: %s; █ %.0f\n", AXIS_WIDTH + 1, "", histogram->y.label, most);
}

void watch_histogram_print(const struct enrg_histogram *histogram, unsigned width, unsigned height, FILE *stream)
{
	unsigned room = width > AXIS_WIDTH + 2 + WIDTH_MIN ? width - AXIS_WIDTH - 2 : WIDTH_MIN;
	unsigned shown = histogram->x.bins < room ? histogram->x.bins : room;

	shown *= shown * WIDTH_MAX < room ? WIDTH_MAX : room / shown; /* few bins are broad */

	print_title(histogram, stream);
	if (!histogram->is_ranged) {
		fprintf(stream, "no range yet: it is found from the first 10,000 values, or from those of 30 s\n");
		return;
	}
	if (histogram->dimensions == 2)
		print_plane(histogram, shown, height, stream);
	else
		print_line(histogram, shown, height, stream);
	print_x_axis(histogram, shown, stream);
}

/* --- again and again ---------------------------------------------------------------------------------------------- */

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int show_json(const struct enrg_histogram *histogram, enum watch_histogram_form form)
{
	char *text = enrg_histogram_print(
		histogram, form == WATCH_HISTOGRAM_UHI ? ENRG_HISTOGRAM_UHI : ENRG_HISTOGRAM_JSROOT);

	if (!text) {
		fprintf(stderr, "enrgdaq watch: out of memory\n");
		return 1;
	}
	puts(text);
	free(text);
	return 0;
}

static int show_text(const struct enrg_histogram *histogram)
{
	struct winsize size = watch_screen_size();
	bool is_screen = isatty(STDOUT_FILENO);
	unsigned height = is_screen && size.ws_row < HEIGHT + 6 ? size.ws_row > 10 ? size.ws_row - 6u : 4 : HEIGHT;
	char *view = NULL;
	size_t bytes;
	FILE *stream = is_screen ? open_memstream(&view, &bytes) : NULL;

	watch_histogram_print(histogram, size.ws_col, height, stream ? stream : stdout);
	if (stream && fclose(stream) == 0)
		watch_screen_print(view, size);
	free(view);
	return 0;
}

/* -EAGAIN: its system is not there now, or it changed all the time. */
static int show(struct enrg_client *client, const struct watch_histogram_params *params, struct enrg_error *err)
{
	struct enrg_histogram *histogram = NULL;
	int rc = enrg_histogram_read(client, params->name, &histogram, err);

	if (rc < 0)
		return rc;
	rc = params->form == WATCH_HISTOGRAM_TEXT ? show_text(histogram) : show_json(histogram, params->form);
	enrg_histogram_destroy(histogram);
	fflush(stdout);
	return rc;
}

static int fail(int rc, const struct enrg_error *err)
{
	fprintf(stderr, "enrgdaq watch: %s%s\n", err->text, cli_how_to_name(rc, " by --id ID"));
	return 1;
}

int watch_histogram_run(const struct watch_histogram_params *params)
{
	bool is_once = params->form != WATCH_HISTOGRAM_TEXT && params->seconds <= 0;
	double began_s = now_s();
	struct enrg_client *client;
	struct enrg_error err = {0};
	int rc = enrg_client_open(params->supervisor, &client, &err);

	if (rc < 0)
		return fail(rc, &err);
	rc = show(client, params, &err);
	while (rc == 0 && !is_once && !*params->is_over && !ferror(stdout) &&
		(params->seconds <= 0 || now_s() - began_s < params->seconds)) {
		poll(NULL, 0, (int)(params->every_s * 1000));
		if (!*params->is_over)
			rc = show(client, params, &err);
		if ((rc == -EAGAIN || rc == -ENOENT) && !*params->is_over) {
			fprintf(stderr, "enrgdaq watch: %s; waits for it\n", err.text);
			rc = 0;
		}
	}
	enrg_client_close(client);
	return rc < 0 ? fail(rc, &err) : rc;
}
