/* statistics.c: what reads the table of statistics: counters of a page, values, JSON, public structs. */
#include "handover/statistics.h"

#include <math.h>
#include <string.h>

#include "handover/statistics_table.h"

/* --- what the public header declares ------------------------------------------------------------------------------ */

uint32_t enrg_statistics_count(void)
{
	return STATISTIC_COUNT;
}

const struct enrg_statistic *enrg_statistics_get(uint32_t index)
{
	return index < STATISTIC_COUNT ? &statistic_rows[index].shown : NULL;
}

uint32_t enrg_statistics_find(const char *name)
{
	uint32_t index = 0;

	while (index < STATISTIC_COUNT && strcmp(statistic_rows[index].shown.name, name))
		index++;
	return index;
}

/* --- counters of a page ------------------------------------------------------------------------------------------- */

#define COUNTS (sizeof(struct page_counts) / sizeof(uint64_t))

static uint64_t get_count(const struct page_counts *counts, const struct statistic_row *row)
{
	uint64_t count;

	memcpy(&count, (const char *)counts + row->counts, sizeof(count));
	return count;
}

static uint64_t read_page(const struct page *page, const struct statistic_row *row)
{
	const char *at = (const char *)page + row->page;

	return row->is_short ? atomic_load_explicit((const _Atomic uint32_t *)(const void *)at, memory_order_relaxed)
			     : atomic_load_explicit((const _Atomic uint64_t *)(const void *)at, memory_order_relaxed);
}

void page_counts_get(const struct page *page, struct page_counts *ret_counts)
{
	memset(ret_counts, 0, sizeof(*ret_counts));
	for (size_t i = 0; i < STATISTIC_COUNT; i++) {
		uint64_t count = statistic_rows[i].is_counted ? read_page(page, &statistic_rows[i]) : 0;

		if (statistic_rows[i].is_counted)
			memcpy((char *)ret_counts + statistic_rows[i].counts, &count, sizeof(count));
	}
}

void page_counts_add(struct page_counts *sum, const struct page_counts *counts)
{
	uint64_t left[COUNTS], right[COUNTS];

	memcpy(left, sum, sizeof(left));
	memcpy(right, counts, sizeof(right));
	for (size_t i = 0; i < COUNTS; i++)
		left[i] += right[i];
	memcpy(sum, left, sizeof(left));
}

void page_counts_get_rate(
	const struct page_counts *now, const struct page_counts *before, uint64_t span_ns, struct page_counts *ret_rate)
{
	uint64_t new[COUNTS], old[COUNTS];

	memcpy(new, now, sizeof(new));
	memcpy(old, before, sizeof(old));
	for (size_t i = 0; i < COUNTS; i++) {
		double difference = new[i] > old[i] ? (double)(new[i] - old[i]) : 0;

		new[i] = span_ns ? (uint64_t)(difference * 1e9 / (double)span_ns + 0.5) : 0;
	}
	memcpy(ret_rate, new, sizeof(new));
}

bool page_counts_differ(const struct page_counts *a, const struct page_counts *b)
{
	for (size_t i = 0; i < STATISTIC_COUNT; i++)
		if (statistic_rows[i].is_counted && !statistic_rows[i].is_idling &&
			get_count(a, &statistic_rows[i]) != get_count(b, &statistic_rows[i]))
			return true;
	return false;
}

/* --- values ------------------------------------------------------------------------------------------------------- */

void statistics_init(struct statistics *ret_statistics)
{
	for (size_t i = 0; i < STATISTIC_COUNT; i++)
		ret_statistics->values[i] = (struct enrg_statistic_value){.number = NAN};
}

void statistics_set(struct statistics *statistics, enum statistic statistic, double number)
{
	statistics->values[statistic] = (struct enrg_statistic_value){.number = number};
}

void statistics_set_count(struct statistics *statistics, enum statistic statistic, uint64_t count)
{
	statistics->values[statistic] = (struct enrg_statistic_value){.number = (double)count, .count = count};
}

static void set_count(struct statistics *statistics, enum statistic statistic, uint64_t count)
{
	if (statistic_rows[statistic].scale > 0)
		statistics_set(statistics, statistic, (double)count * statistic_rows[statistic].scale);
	else
		statistics_set_count(statistics, statistic, count);
}

void statistics_set_counts(
	struct statistics *statistics, const struct page_counts *counts, const struct page_counts *rate)
{
	for (enum statistic i = 0; i < STATISTIC_COUNT; i++) {
		if (statistic_rows[i].is_counted)
			set_count(statistics, i, get_count(counts, &statistic_rows[i]));
		else if (statistic_rows[i].is_rate && rate)
			set_count(statistics, i, get_count(rate, &statistic_rows[statistic_rows[i].rate_of]));
	}
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

static const char *key_of(const struct statistic_row *row, enum statistics_form form)
{
	return form == STATISTICS_REPORT ? row->shown.report : row->shown.json;
}

/* "in.rows" is the member "rows" of the object "in": its name, with the group in ret_group; no group: "". */
static const char *split(const char *key, char ret_group[32])
{
	const char *dot = strchr(key, '.');

	snprintf(ret_group, 32, "%.*s", dot ? (int)(dot - key) : 0, key);
	return dot ? dot + 1 : key;
}

static void format_value(const struct enrg_statistic_value *value, bool is_whole, const char *key, json_t *object)
{
	bool is_known = !isnan(value->number);
	char group[32];
	const char *name = split(key, group);
	json_t *inner = group[0] ? json_object_get(object, group) : object;

	if (!json_is_object(inner) && (is_known || !inner)) {
		inner = is_known ? json_object() : json_null();
		json_object_set_new(object, group, inner);
	}
	if (is_known)
		json_object_set_new(
			inner, name, is_whole ? json_integer((json_int_t)value->count) : json_real(value->number));
}

void statistics_format(const struct statistics *statistics, enum statistics_form form, json_t *object)
{
	for (size_t i = 0; i < STATISTIC_COUNT; i++)
		if (key_of(&statistic_rows[i], form))
			format_value(&statistics->values[i], statistic_rows[i].is_whole,
				key_of(&statistic_rows[i], form), object);
}

/* A count: negative or out of range counts as 0. */
static uint64_t count_of(const json_t *value)
{
	double number = json_number_value(value);

	if (json_is_integer(value))
		return json_integer_value(value) > 0 ? (uint64_t)json_integer_value(value) : 0;
	return number > 0 && number < 1.8e19 ? (uint64_t)number : 0;
}

void statistics_parse(const json_t *object, enum statistics_form form, struct statistics *ret_statistics)
{
	char group[32];

	statistics_init(ret_statistics);
	for (enum statistic i = 0; i < STATISTIC_COUNT; i++) {
		const char *name =
			key_of(&statistic_rows[i], form) ? split(key_of(&statistic_rows[i], form), group) : "";
		const json_t *value =
			name[0] ? json_object_get(group[0] ? json_object_get(object, group) : object, name) : NULL;

		if (json_is_number(value))
			statistics_set(ret_statistics, i, json_number_value(value));
		if (json_is_number(value) && statistic_rows[i].is_whole)
			ret_statistics->values[i].count = count_of(value);
	}
}

/* --- public structs ----------------------------------------------------------------------------------------------- */

static void show(const struct enrg_statistic_value *value, const struct place *place, double none, void *memory)
{
	char *at = (char *)memory + place->at;
	double number = isnan(value->number) ? none : value->number;

	if (place->kind == PLACE_WHOLE)
		memcpy(at, &value->count, sizeof(value->count));
	else if (place->kind == PLACE_REAL)
		memcpy(at, &number, sizeof(number));
}

void statistics_show_report(const struct statistics *statistics, struct enrg_stats *stats)
{
	for (size_t i = 0; i < STATISTIC_COUNT; i++)
		show(&statistics->values[i], &statistic_rows[i].in_report, 0, stats);
	stats->value_count = STATISTIC_COUNT;
	stats->values = statistics->values;
}

void statistics_show_status(const struct statistics *statistics, struct enrg_job_status *job)
{
	for (size_t i = 0; i < STATISTIC_COUNT; i++)
		show(&statistics->values[i], &statistic_rows[i].in_status, statistic_rows[i].none, job);
	job->value_count = STATISTIC_COUNT;
	job->values = statistics->values;
}
