/* history_print.c: series as pictures, CSV and JSON. One thread. */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/history.h"

#define NS_PER_S    UINT64_C(1000000000)
#define PICTURE_MAX 6u /* series; more of them get a line each */
#define HEIGHT      6u /* lines of a picture */
#define DOTS        4u /* of a character, one above the other */
#define LINE_WIDTH  30u

static void print_time(uint64_t time_ns, FILE *stream)
{
	time_t time = (time_t)(time_ns / NS_PER_S);
	char text[32] = "?";
	struct tm tm;

	if (gmtime_r(&time, &tm))
		strftime(text, sizeof(text), "%FT%TZ", &tm);
	fputs(text, stream);
}

static void print_json_text(const char *text, FILE *stream)
{
	fputc('"', stream);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', stream);
		fputc(*text, stream); /* control characters are none in it */
	}
	fputc('"', stream);
}

static void print_csv_text(const char *text, FILE *stream)
{
	if (!strpbrk(text, ",\"")) {
		fputs(text, stream);
		return;
	}
	fputc('"', stream);
	for (; *text; text++)
		fputs(*text == '"' ? "\"\"" : (char[]){*text, '\0'}, stream);
	fputc('"', stream);
}

/* The shortest digits that give the same number. */
static void print_number(double value, FILE *stream)
{
	char text[32];

	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (!(strtod(text, NULL) < value) && !(strtod(text, NULL) > value))
			break;
	}
	fputs(text, stream);
}

static const char *kind_of(uint32_t flags)
{
	return flags & ENRG_HISTORY_COUNTER ? "counter" : flags & ENRG_HISTORY_YES_NO ? "yes or no" : "gauge";
}

/* --- the list ----------------------------------------------------------------------------------------------------- */

static void print_entry_json(const struct enrg_history_entry *entry, FILE *stream)
{
	fputs("{\"name\": ", stream);
	print_json_text(entry->name, stream);
	fputs(", \"unit\": ", stream);
	print_json_text(entry->unit, stream);
	fprintf(stream, ", \"kind\": \"%s\", \"first\": \"", kind_of(entry->flags));
	print_time(entry->first_ns, stream);
	fputs("\", \"last\": \"", stream);
	print_time(entry->last_ns, stream);
	fputs("\"}", stream);
}

static void print_entry(const struct enrg_history_entry *entry, int width, FILE *stream)
{
	print_time(entry->first_ns, stream);
	fputs(" to ", stream);
	print_time(entry->last_ns, stream);
	fprintf(stream, "  %-*s  %s%s\n", width, entry->name, entry->unit,
		entry->flags & ENRG_HISTORY_COUNTER  ? " (counter)"
		: entry->flags & ENRG_HISTORY_YES_NO ? " (yes or no)"
						     : "");
}

static void print_entry_csv(const struct enrg_history_entry *entry, FILE *stream)
{
	print_csv_text(entry->name, stream);
	fputc(',', stream);
	print_csv_text(entry->unit, stream);
	fprintf(stream, ",%s,", kind_of(entry->flags));
	print_time(entry->first_ns, stream);
	fputc(',', stream);
	print_time(entry->last_ns, stream);
	fputc('\n', stream);
}

void history_print_list(const struct enrg_history_list *list, enum history_form form, FILE *stream)
{
	int width = 0;

	for (uint32_t i = 0; i < list->count; i++)
		width = (int)strlen(list->entries[i]->name) > width ? (int)strlen(list->entries[i]->name) : width;
	if (form == HISTORY_CSV)
		fputs("series,unit,kind,first,last\n", stream);
	if (form == HISTORY_JSON)
		fputs("[", stream);
	for (uint32_t i = 0; i < list->count; i++) {
		switch (form) {
		case HISTORY_TEXT:
			print_entry(list->entries[i], width, stream);
			break;
		case HISTORY_CSV:
			print_entry_csv(list->entries[i], stream);
			break;
		case HISTORY_JSON:
			fputs(i ? ",\n " : "", stream);
			print_entry_json(list->entries[i], stream);
			break;
		}
	}
	if (form == HISTORY_JSON)
		fputs("]\n", stream);
}

/* --- CSV and JSON ------------------------------------------------------------------------------------------------- */

static void print_csv(const struct enrg_history_result *result, FILE *stream)
{
	fputs("time,series,unit,min,mean,max,seconds\n", stream);
	for (uint32_t i = 0; i < result->series_count; i++)
		for (uint32_t k = 0; k < result->point_count; k++) {
			const struct enrg_history_series *series = result->series[i];
			const struct enrg_history_point *point = &series->points[k];

			if (!(point->seconds > 0))
				continue;
			print_time(result->from_ns + k * result->step_ns, stream);
			fputc(',', stream);
			print_csv_text(series->name, stream);
			fputc(',', stream);
			print_csv_text(series->unit, stream);
			for (int n = 0; n < 4; n++) {
				fputc(',', stream);
				print_number((const double[]){point->min, point->mean, point->max, point->seconds}[n],
					stream);
			}
			fputc('\n', stream);
		}
}

static double member_of(const struct enrg_history_point *point, unsigned member)
{
	return (const double[]){point->min, point->mean, point->max, point->seconds}[member];
}

static void print_json_series(const struct enrg_history_series *series, uint32_t count, FILE *stream)
{
	static const char *const members[] = {"min", "mean", "max", "seconds"};

	fputs("  {\"name\": ", stream);
	print_json_text(series->name, stream);
	fputs(", \"unit\": ", stream);
	print_json_text(series->unit, stream);
	fprintf(stream, ", \"kind\": \"%s\"", kind_of(series->flags));
	for (unsigned member = 0; member < 4; member++) {
		fprintf(stream, ",\n   \"%s\": [", members[member]);
		for (uint32_t i = 0; i < count; i++) {
			fputs(i ? ", " : "", stream);
			if (isnan(member_of(&series->points[i], member)))
				fputs("null", stream);
			else
				print_number(member_of(&series->points[i], member), stream);
		}
		fputc(']', stream);
	}
	fputc('}', stream);
}

static void print_json(const struct enrg_history_result *result, FILE *stream)
{
	fputs("{\"from\": \"", stream);
	print_time(result->from_ns, stream);
	fprintf(stream, "\", \"from_s\": %" PRIu64 ", \"step_s\": %" PRIu64 ", \"points\": %u, \"series\": [",
		result->from_ns / NS_PER_S, result->step_ns / NS_PER_S, result->point_count);
	for (uint32_t i = 0; i < result->series_count; i++) {
		fputs(i ? ",\n" : "\n", stream);
		print_json_series(result->series[i], result->point_count, stream);
	}
	fputs("]}\n", stream);
}

/* --- pictures ----------------------------------------------------------------------------------------------------- */

struct extent {
	double min, max, mean, last; /* of all that is known */
};

static struct extent extent_of(const struct enrg_history_series *series, uint32_t count)
{
	struct extent extent = {INFINITY, -INFINITY, 0, NAN};
	double seconds = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct enrg_history_point *point = &series->points[i];

		if (!(point->seconds > 0))
			continue;
		extent.min = fmin(extent.min, point->min);
		extent.max = fmax(extent.max, point->max);
		extent.mean += point->mean * point->seconds;
		extent.last = point->mean;
		seconds += point->seconds;
	}
	extent.mean /= seconds;
	return extent;
}

/* The line of dots, from 0 below. */
static unsigned dot_of(const struct extent *extent, double value)
{
	double range = extent->max - extent->min;

	return range > 0 ? (unsigned)lround((value - extent->min) / range * (HEIGHT * DOTS - 1)) : HEIGHT * DOTS / 2;
}

/* What the dots of a column show: the range of its bin, and what lies between it and the bin before. */
struct stroke {
	unsigned low, high;
	bool is_known;
};

static struct stroke stroke_of(const struct enrg_history_point *point, const struct extent *extent)
{
	if (!(point->seconds > 0))
		return (struct stroke){0};
	return (struct stroke){dot_of(extent, point->min), dot_of(extent, point->max), true};
}

static struct stroke join(struct stroke stroke, struct stroke before)
{
	if (stroke.is_known && before.is_known && stroke.low > before.high + 1)
		stroke.low = before.high + 1;
	if (stroke.is_known && before.is_known && stroke.high + 1 < before.low)
		stroke.high = before.low - 1;
	return stroke;
}

/* Braille: two dots beside each other, four above each other. */
static unsigned cell_of(const struct stroke strokes[2], unsigned row)
{
	static const uint8_t bits[2][DOTS] = {{0x40, 0x04, 0x02, 0x01}, {0x80, 0x20, 0x10, 0x08}};
	unsigned cell = 0;

	for (unsigned side = 0; side < 2; side++)
		for (unsigned dot = 0; dot < DOTS && strokes[side].is_known; dot++)
			if (row * DOTS + dot >= strokes[side].low && row * DOTS + dot <= strokes[side].high)
				cell |= bits[side][dot];
	return cell;
}

/* A line of characters; bins are spread over its dots. */
static void print_row(const struct enrg_history_result *result, const struct enrg_history_series *series,
	const struct extent *extent, unsigned width, unsigned row, FILE *stream)
{
	struct stroke before = {0};

	for (unsigned x = 0; x < width; x++) {
		struct stroke strokes[2];

		for (unsigned side = 0; side < 2; side++) {
			uint64_t at = (uint64_t)(2 * x + side) * result->point_count / (2 * (uint64_t)width);
			const struct stroke stroke = stroke_of(&series->points[at], extent);

			strokes[side] = join(stroke, before);
			before = stroke;
		}
		unsigned cell = cell_of(strokes, row);
		fprintf(stream, "\xE2%c%c", (int)(0xA0 | cell >> 6), (int)(0x80 | (cell & 0x3F)));
	}
}

static void print_picture(const struct enrg_history_result *result, uint32_t series, unsigned width, FILE *stream)
{
	const struct extent extent = extent_of(result->series[series], result->point_count);
	const char *unit = result->series[series]->unit;

	fprintf(stream, "\n%s: min %.6g, mean %.6g, max %.6g, last %.6g%s%s\n", result->series[series]->name,
		extent.min, extent.mean, extent.max, extent.last, unit[0] ? " " : "", unit);
	for (unsigned row = HEIGHT; row-- > 0;) {
		if (extent.max > extent.min ? row == HEIGHT - 1 || row == 0 : row == HEIGHT / 2)
			fprintf(stream, "%*.6g ", (int)HISTORY_AXIS_WIDTH, row ? extent.max : extent.min);
		else
			fprintf(stream, "%*s ", (int)HISTORY_AXIS_WIDTH, "");
		print_row(result, result->series[series], &extent, width, row, stream);
		fputc('\n', stream);
	}
}

/* A line of blocks; the mean of the bins that share a character. */
static void print_spark(const struct enrg_history_result *result, uint32_t series, int name_width, FILE *stream)
{
	static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	const struct enrg_history_series *shown = result->series[series];
	const struct extent extent = extent_of(shown, result->point_count);

	fprintf(stream, "%-*s ", name_width, shown->name);
	for (unsigned x = 0; x < LINE_WIDTH; x++) {
		uint64_t from = (uint64_t)x * result->point_count / LINE_WIDTH;
		uint64_t to = (uint64_t)(x + 1) * result->point_count / LINE_WIDTH;
		double sum = 0, seconds = 0;

		for (uint64_t i = from; i < (to > from ? to : from + 1); i++)
			if (shown->points[i].seconds > 0) {
				sum += shown->points[i].mean * shown->points[i].seconds;
				seconds += shown->points[i].seconds;
			}
		double place = (sum / seconds - extent.min) / (extent.max - extent.min);
		fputs(!(seconds > 0)      ? " "
			: isfinite(place) ? blocks[lround(fmin(1, fmax(0, place)) * 7)]
					  : blocks[3],
			stream);
	}
	fprintf(stream, " %10.5g %10.5g %10.5g %10.5g  %s\n", extent.min, extent.mean, extent.max, extent.last,
		shown->unit);
}

static void print_lines(const struct enrg_history_result *result, FILE *stream)
{
	int width = 6;

	for (uint32_t i = 0; i < result->series_count; i++)
		width = (int)strlen(result->series[i]->name) > width ? (int)strlen(result->series[i]->name) : width;
	fprintf(stream, "\n%-*s %*s %10s %10s %10s %10s\n", width, "series", (int)LINE_WIDTH, "", "min", "mean", "max",
		"last");
	for (uint32_t i = 0; i < result->series_count; i++)
		print_spark(result, i, width, stream);
}

static void print_text(const struct enrg_history_result *result, unsigned width, FILE *stream)
{
	unsigned shown = width > HISTORY_AXIS_WIDTH + 21 ? width - HISTORY_AXIS_WIDTH - 1 : 20;

	print_time(result->from_ns, stream);
	fputs(" to ", stream);
	print_time(result->from_ns + result->point_count * result->step_ns, stream);
	fprintf(stream, ", bins of %" PRIu64 " s\n", result->step_ns / NS_PER_S);
	if (result->series_count > PICTURE_MAX)
		print_lines(result, stream);
	for (uint32_t i = 0; i < result->series_count && result->series_count <= PICTURE_MAX; i++)
		print_picture(result, i, shown, stream);
}

void history_print(const struct enrg_history_result *result, enum history_form form, unsigned width, FILE *stream)
{
	switch (form) {
	case HISTORY_TEXT:
		print_text(result, width, stream);
		break;
	case HISTORY_CSV:
		print_csv(result, stream);
		break;
	case HISTORY_JSON:
		print_json(result, stream);
		break;
	}
}
