/* results.c: reads results files, also those of the Python program, and picks the runs of a figure. In the process of
 * `enrgdaq bench suite` or `enrgdaq plot`, one thread. */
#include "plot/results.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"

#define FILE_BYTES_MAX ((size_t)64 << 20)
/* Larger values are no measurement; the formats and axes hold below it. */
#define VALUE_MAX 1e12

/* --- reading ------------------------------------------------------------------------------------------------------ */

/* A key that may be missing or null. */
static int read_optional(const json_t *object, size_t index, const char *key, double *ret_value, struct enrg_error *err)
{
	const json_t *value = json_object_get(object, key);

	*ret_value = NAN;
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_number(value) || !(json_number_value(value) >= 0 && json_number_value(value) <= VALUE_MAX))
		return enrg_error_set(
			err, ENRG_E_CORRUPT, "run %zu: %s: expected a number from 0 to 1e12", index + 1, key);
	*ret_value = json_number_value(value);
	return 0;
}

static int read_required(
	const json_t *object, size_t index, const char *key, double min, double *ret_value, struct enrg_error *err)
{
	int rc = read_optional(object, index, key, ret_value, err);

	if (rc == 0 && !(*ret_value >= min))
		rc = enrg_error_set(err, ENRG_E_CORRUPT, "run %zu: %s: expected a number of at least %g, found %s",
			index + 1, key, min, isnan(*ret_value) ? "nothing" : "less");
	return rc;
}

static void read_text(const json_t *object, const char *key, char *ret_text, size_t text_bytes)
{
	const char *text = json_string_value(json_object_get(object, key));
	size_t length = text ? strlen(text) : 0;

	if (length >= text_bytes) {
		length = text_bytes - 1;
		while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80) /* no half of a character */
			length--;
	}
	if (length > 0)
		memcpy(ret_text, text, length);
	ret_text[length] = 0;
}

static int read_limits(const json_t *object, struct results_entry *entry, struct enrg_error *err)
{
	static const struct {
		const char *key;
		enum results_limit limit;
	} limits[] = {{"generation_gb_per_s", RESULTS_LIMIT_GENERATION}, {"checking_gb_per_s", RESULTS_LIMIT_CHECKING},
		{"bare_pair_gb_per_s", RESULTS_LIMIT_PAIR}};
	const json_t *measured = json_object_get(object, "limits");

	entry->limit_mb_per_s = NAN;
	for (size_t i = 0; i < 3; i++) {
		double gb_per_s;
		int rc = read_optional(measured, entry->index, limits[i].key, &gb_per_s, err);
		if (rc < 0)
			return rc;
		if (gb_per_s > 0 && !(gb_per_s * 1e3 >= entry->limit_mb_per_s)) {
			entry->limit_mb_per_s = gb_per_s * 1e3;
			entry->limit = limits[i].limit;
		}
	}
	return 0;
}

static int read_entry(const json_t *object, size_t index, struct results_entry *entry, struct enrg_error *err)
{
	const struct {
		const char *key;
		double *ret_value;
	} optional[] = {
		{"peak_throughput_mbs", &entry->peak_mb_per_s},
		{"zmq_throughput_mbs", &entry->zmq_mb_per_s},
		{"cpu_usage_percent", &entry->cpu_percent},
		{"latency_p50_ms", &entry->p50_ms},
		{"latency_p95_ms", &entry->p95_ms},
		{"latency_p99_ms", &entry->p99_ms},
		{"latency_p999_ms", &entry->p999_ms},
		{"latency_run_p95_ms", &entry->run_p95_ms},
		{"latency_run_p99_ms", &entry->run_p99_ms},
		{"duration", &entry->duration_s},
		{"lost", &entry->lost},
		{"duplicated", &entry->duplicated},
		{"corrupted", &entry->corrupted},
	};
	const json_t *machine = json_object_get(object, "machine");

	entry->index = index;
	if (!json_is_object(object))
		return enrg_error_set(err, ENRG_E_CORRUPT, "run %zu: expected an object", index + 1);
	int rc = read_required(object, index, "num_clients", 1, &entry->clients, err);
	if (rc == 0)
		rc = read_required(object, index, "payload_size", 1, &entry->payload_rows, err);
	if (rc == 0)
		rc = read_required(object, index, "avg_throughput_mbs", 0, &entry->mb_per_s, err);
	for (size_t i = 0; rc == 0 && i < sizeof(optional) / sizeof(optional[0]); i++)
		rc = read_optional(object, index, optional[i].key, optional[i].ret_value, err);
	if (rc == 0)
		rc = read_limits(object, entry, err);
	if (rc == 0)
		rc = read_optional(machine, index, "cores", &entry->cores, err);
	entry->is_shm = !json_is_false(json_object_get(object, "use_shm"));
	read_text(object, "regime", entry->regime, sizeof(entry->regime));
	read_text(object, "date", entry->date, sizeof(entry->date));
	read_text(object, "store", entry->store, sizeof(entry->store));
	read_text(machine, "cpu", entry->cpu, sizeof(entry->cpu));
	return rc;
}

static int read_entries(const json_t *root, struct results **ret_results, struct enrg_error *err)
{
	size_t count = json_is_object(root) ? 1 : json_array_size(root);

	if (!json_is_array(root) && !json_is_object(root))
		return enrg_error_set(err, ENRG_E_CORRUPT, "expected a list of runs");
	if (count == 0)
		return enrg_error_set(err, -ENODATA, "no run in it: nothing to draw");
	struct results *results = calloc(1, sizeof(*results));
	if (results)
		results->entries = calloc(count, sizeof(*results->entries));
	if (!results || !results->entries) {
		results_destroy(results);
		return enrg_error_set(err, -ENOMEM, "no memory for %zu runs", count);
	}
	results->count = count;
	for (size_t i = 0; i < count; i++) {
		int rc =
			read_entry(json_is_object(root) ? root : json_array_get(root, i), i, &results->entries[i], err);
		if (rc < 0) {
			results_destroy(results);
			return rc;
		}
	}
	*ret_results = results;
	return 0;
}

static int read_json(const char *path, json_t **ret_root, struct enrg_error *err)
{
	json_error_t where;
	char *bytes = NULL;
	size_t count = 0;
	int rc = path_read_file(path, FILE_BYTES_MAX, &bytes, &count, err);

	if (rc < 0)
		return rc;
	*ret_root = json_loadb(bytes, count, JSON_REJECT_DUPLICATES, &where);
	free(bytes);
	if (*ret_root)
		return 0;
	return enrg_error_set(err, ENRG_E_CORRUPT, "%s:%d: not a results file: %s", path, where.line, where.text);
}

int results_read(const char *path, struct results **ret_results, struct enrg_error *err)
{
	json_t *root = NULL;
	int rc = read_json(path, &root, err);

	if (rc < 0)
		return rc;
	rc = read_entries(root, ret_results, err);
	json_decref(root);
	return rc < 0 ? enrg_error_add(err, rc, "%s", path) : 0;
}

/* "DIR/latest_results.json" -> "DIR/latest_detector.json". False: the name has no "results", or is too long. */
static bool name_detector(const char *results_path, char *ret_path, size_t path_bytes)
{
	const char *slash = strrchr(results_path, '/');
	const char *name = strstr(slash ? slash : results_path, "results");

	if (!name)
		return false;
	return snprintf(ret_path, path_bytes, "%.*sdetector%s", (int)(name - results_path), results_path,
		       name + strlen("results")) < (int)path_bytes;
}

static int read_named(
	const json_t *root, const char *name, bool *ret_has, struct results_entry *ret_entry, struct enrg_error *err)
{
	const json_t *run = json_object_get(root, name);
	int rc = run ? read_entry(run, 0, ret_entry, err) : 0;

	*ret_has = run && rc == 0;
	return rc < 0 ? enrg_error_add(err, rc, "%s", name) : 0;
}

int results_read_detector(struct results *results, const char *results_path, struct enrg_error *err)
{
	json_t *root = NULL;
	char path[4096];
	int rc;

	if (!name_detector(results_path, path, sizeof(path)) || access(path, F_OK) < 0)
		return 0;
	rc = read_json(path, &root, err);
	if (rc < 0)
		return rc;
	rc = read_named(root, "detector", &results->has_detector, &results->detector, err);
	if (rc == 0)
		rc = read_named(root, "disk", &results->has_disk, &results->disk, err);
	json_decref(root);
	return rc < 0 ? enrg_error_add(err, rc, "%s", path) : 0;
}

void results_destroy(struct results *results)
{
	if (!results)
		return;
	free(results->entries);
	free(results);
}

bool results_are_ours(const struct results *results)
{
	for (size_t i = 0; i < results->count; i++)
		if (results->entries[i].regime[0] || results->entries[i].limit != RESULTS_LIMIT_NONE)
			return true;
	return false;
}

/* --- choosing ----------------------------------------------------------------------------------------------------- */

static int order(double a, double b)
{
	return (a > b) - (a < b);
}

static int compare_payloads(const void *a, const void *b)
{
	const struct results_entry *first = *(const struct results_entry *const *)a;
	const struct results_entry *second = *(const struct results_entry *const *)b;
	int by = order(first->payload_rows, second->payload_rows);

	if (by == 0)
		by = order(first->clients, second->clients);
	return by ? by : order((double)second->index, (double)first->index);
}

static int compare_clients(const void *a, const void *b)
{
	const struct results_entry *first = *(const struct results_entry *const *)a;
	const struct results_entry *second = *(const struct results_entry *const *)b;
	int by = order(first->clients, second->clients);

	return by ? by : order((double)second->index, (double)first->index);
}

static int compare_limits(const void *a, const void *b)
{
	const struct results_entry *first = *(const struct results_entry *const *)a;
	const struct results_entry *second = *(const struct results_entry *const *)b;

	return order(first->limit_mb_per_s, second->limit_mb_per_s);
}

static int select_entries(const struct results *results, bool (*fits)(const struct results_entry *entry),
	int (*compare)(const void *a, const void *b), struct results_series *ret_series)
{
	*ret_series = (struct results_series){0, calloc(results->count, sizeof(*ret_series->entries))};
	if (!ret_series->entries)
		return -ENOMEM;
	for (size_t i = 0; i < results->count; i++)
		if (fits(&results->entries[i]))
			ret_series->entries[ret_series->count++] = &results->entries[i];
	qsort(ret_series->entries, ret_series->count, sizeof(*ret_series->entries), compare);
	return 0;
}

/* The first of several entries at one place of the axis stays: a curve never goes up and down over one x. */
static void drop_equal(struct results_series *series, bool is_by_payload)
{
	size_t kept = 0;

	for (size_t i = 0; i < series->count; i++) {
		const struct results_entry *entry = series->entries[i], *last = kept ? series->entries[kept - 1] : NULL;
		if (last &&
			(is_by_payload ? last->payload_rows >= entry->payload_rows : last->clients >= entry->clients))
			continue;
		series->entries[kept++] = entry;
	}
	series->count = kept;
}

static bool has_series_clients(const struct results_entry *entry)
{
	return !(entry->clients < RESULTS_SERIES_CLIENTS || entry->clients > RESULTS_SERIES_CLIENTS);
}

static bool has_aggregate_payload(const struct results_entry *entry)
{
	return !(entry->payload_rows < RESULTS_AGGREGATE_PAYLOAD || entry->payload_rows > RESULTS_AGGREGATE_PAYLOAD);
}

static bool is_any(const struct results_entry *entry)
{
	(void)entry;
	return true;
}

static bool has_limit(const struct results_entry *entry)
{
	return entry->limit != RESULTS_LIMIT_NONE;
}

static bool is_one_client(const struct results_entry *entry)
{
	return entry->clients >= 1 && entry->clients <= 1;
}

int results_select_one_client(const struct results *results, struct results_series *ret_series)
{
	int rc = select_entries(results, is_one_client, compare_payloads, ret_series);

	if (rc == 0)
		drop_equal(ret_series, true);
	return rc;
}

int results_select_payloads(const struct results *results, struct results_series *ret_series)
{
	int rc = select_entries(results, has_series_clients, compare_payloads, ret_series);

	if (rc == 0 && ret_series->count == 0) {
		free(ret_series->entries);
		rc = select_entries(results, is_any, compare_payloads, ret_series);
	}
	if (rc == 0)
		drop_equal(ret_series, true);
	return rc;
}

int results_select_clients(const struct results *results, struct results_series *ret_series)
{
	int rc = select_entries(results, has_aggregate_payload, compare_clients, ret_series);

	if (rc == 0)
		drop_equal(ret_series, false);
	return rc;
}

const struct results_entry *results_find_limit(const struct results *results)
{
	struct results_series series;
	const struct results_entry *median = NULL;

	if (select_entries(results, has_limit, compare_limits, &series) < 0)
		return NULL;
	if (series.count)
		median = series.entries[(series.count - 1) / 2];
	free(series.entries);
	return median;
}

void results_format_clients(const struct results_series *series, char *ret_text, size_t text_bytes)
{
	double fewest = series->entries[0]->clients, most = fewest;

	for (size_t i = 1; i < series->count; i++) {
		fewest = fmin(fewest, series->entries[i]->clients);
		most = fmax(most, series->entries[i]->clients);
	}
	if (fewest < most)
		snprintf(ret_text, text_bytes, "%.0f to %.0f clients", fewest, most);
	else
		snprintf(ret_text, text_bytes, "%.0f client%s", most, most > 1 ? "s" : "");
}

/* --- origin ------------------------------------------------------------------------------------------------------- */

/* "2026-11-24T06:48:59.123Z" → "2026-11-24 06:48 UTC"; other texts as they are. */
static void format_date(const char *date, char *ret_text, size_t text_bytes)
{
	if (strlen(date) >= 17 && date[10] == 'T' && date[strlen(date) - 1] == 'Z')
		snprintf(ret_text, text_bytes, "%.10s %.5s UTC", date, date + 11);
	else
		snprintf(ret_text, text_bytes, "%s", date);
}

static void add_text(char *text, size_t text_bytes, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void add_text(char *text, size_t text_bytes, const char *format, ...)
{
	size_t length = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + length, text_bytes - length, format, arguments);
	va_end(arguments);
}

/* "Intel(R) Xeon(R) Platinum 8488C CPU @ 2.40GHz" -> "Intel Xeon Platinum 8488C". */
static void add_cpu(const char *cpu, char *text, size_t text_bytes)
{
	static const char *const noise[] = {"(R)", "(TM)", " CPU", " Processor"};
	size_t end = strcspn(cpu, "@");

	for (size_t at = 0; at < end; at++) {
		size_t skipped = 0;
		for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]) && !skipped; i++)
			if (strncmp(cpu + at, noise[i], strlen(noise[i])) == 0)
				skipped = strlen(noise[i]);
		if (skipped)
			at += skipped - 1;
		else
			add_text(text, text_bytes, "%c", cpu[at]);
	}
	while (text[0] && text[strlen(text) - 1] == ' ')
		text[strlen(text) - 1] = 0;
}

static void add_machine(const struct results *results, char *text, size_t text_bytes)
{
	const struct results_entry *first = &results->entries[0];
	bool is_mixed = false;

	for (size_t i = 1; i < results->count; i++)
		is_mixed |= strcmp(results->entries[i].cpu, first->cpu) != 0;
	if (!first->cpu[0]) {
		add_text(text, text_bytes, "machine not recorded");
		return;
	}
	add_cpu(first->cpu, text, text_bytes);
	if (first->cores > 0)
		add_text(text, text_bytes, ", %.0f core%s", first->cores, first->cores > 1 ? "s" : "");
	if (is_mixed)
		add_text(text, text_bytes, " and other machines");
}

static void add_dates(const struct results *results, char *text, size_t text_bytes)
{
	const char *first = "", *last = "";
	char from[48], to[48];

	for (size_t i = 0; i < results->count; i++) {
		const char *date = results->entries[i].date;
		if (date[0] && (!first[0] || strcmp(date, first) < 0))
			first = date;
		if (date[0] && strcmp(date, last) > 0)
			last = date;
	}
	format_date(first, from, sizeof(from));
	format_date(last, to, sizeof(to));
	if (!first[0])
		add_text(text, text_bytes, " · date not recorded");
	else if (strcmp(from, to) == 0)
		add_text(text, text_bytes, " · %s", from);
	else if (strncmp(from, to, 11) == 0 && strlen(from) == 20 && strlen(to) == 20) /* within one day */
		add_text(text, text_bytes, " · %.16s to %s", from, to + 11);
	else
		add_text(text, text_bytes, " · %s to %s", from, to);
}

static void add_regimes(const struct results *results, char *text, size_t text_bytes)
{
	bool is_first = true, is_mixed = false;

	for (size_t i = 0; i < results->count; i++) {
		const char *regime = results->entries[i].regime;
		size_t runs = 0, earlier = 0;
		for (size_t k = 0; k < results->count; k++) {
			bool is_same = strcmp(results->entries[k].regime, regime) == 0;
			runs += is_same;
			earlier += is_same && k < i;
		}
		if (earlier || (is_first && runs == results->count && !regime[0]))
			continue;
		add_text(text, text_bytes, "%s%s", is_first ? " · regime " : ", ", regime[0] ? regime : "unknown");
		if (runs < results->count)
			add_text(text, text_bytes, is_first ? " (%zu of %zu runs)" : " (%zu)", runs, results->count);
		is_first = false;
		is_mixed |= runs < results->count;
	}
	if (is_first)
		add_text(text, text_bytes, " · regime not recorded");
	if (is_mixed)
		add_text(text, text_bytes, ": compare within one regime only");
}

void results_format_origin(const struct results *results, char *ret_text, size_t text_bytes)
{
	ret_text[0] = 0;
	add_machine(results, ret_text, text_bytes);
	add_dates(results, ret_text, text_bytes);
	add_regimes(results, ret_text, text_bytes);
}

/* "10 s", "2 to 10 s"; "" where no run says. */
static void add_durations(const struct results *results, char *text, size_t text_bytes)
{
	double shortest = INFINITY, longest = 0;

	for (size_t i = 0; i < results->count; i++) {
		if (!(results->entries[i].duration_s > 0))
			continue;
		shortest = fmin(shortest, results->entries[i].duration_s);
		longest = fmax(longest, results->entries[i].duration_s);
	}
	if (shortest < longest)
		add_text(text, text_bytes, " of %.3g to %.3g s", shortest, longest);
	else if (longest > 0)
		add_text(text, text_bytes, " of %.3g s", longest);
}

void results_format_runs(const struct results *results, char *ret_text, size_t text_bytes)
{
	double lost = 0, duplicated = 0, corrupted = 0;
	bool is_one_store = results->entries[0].store[0], is_counted = true;

	for (size_t i = 0; i < results->count; i++) {
		const struct results_entry *entry = &results->entries[i];
		is_one_store &= strcmp(entry->store, results->entries[0].store) == 0;
		is_counted &= !isnan(entry->lost) && !isnan(entry->duplicated) && !isnan(entry->corrupted);
		lost += entry->lost;
		duplicated += entry->duplicated;
		corrupted += entry->corrupted;
	}
	ret_text[0] = 0;
	add_text(ret_text, text_bytes, "%zu run%s", results->count, results->count == 1 ? "" : "s");
	add_durations(results, ret_text, text_bytes);
	if (is_one_store)
		add_text(ret_text, text_bytes, ", %s store", results->entries[0].store);
	if (is_counted)
		add_text(ret_text, text_bytes, ": %.0f batches lost, %.0f duplicated, %.0f corrupted", lost, duplicated,
			corrupted);
	else
		add_text(ret_text, text_bytes, ": losses not recorded");
}
