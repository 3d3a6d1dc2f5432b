/* file_series.c: see the header. In `enrgdaq verify`. Each file's batches are ranges of sequences; those of all files
 * of a table are gone through in ascending order. */
#include "arrow/file_series.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct piece {
	uint64_t first, last;
	const struct file_series_part *part;
};

/* One table while it is judged. */
struct judge {
	const struct file_series *series;
	struct piece *pieces;
	size_t piece_count;
	struct file_series_report report;
	uint64_t first, last; /* of the files that were not put aside; UINT64_MAX, 0 without any */
	void (*tell)(void *context, enum verify_finding finding, const char *sentence);
	void *context;
};

/* --- adding --- */

static int grow(void **array, size_t count, size_t *capacity, size_t bytes, struct enrg_error *err)
{
	if (count < *capacity)
		return 0;
	size_t wanted = *capacity ? 2 * *capacity : 16;
	void *grown = realloc(*array, wanted * bytes);
	if (!grown)
		return enrg_error_set(err, -ENOMEM, "no memory for the tables of %zu files", wanted);
	*array = grown;
	*capacity = wanted;
	return 0;
}

/* A number, a day, a time, a run, or "earlier"? */
static bool is_of_rotation(const char *part, size_t length)
{
	static const char form[] = "dddddddd"
				   "T"
				   "dddddd"
				   "Z";
	size_t i = 0;

	if (length == strlen("earlier") && !memcmp(part, "earlier", length))
		return true;
	if (strspn(part, "0123456789-") >= length)
		return length > 0 && part[0] != '-';
	for (; i < sizeof(form) - 1 && i < length; i++)
		if (form[i] == 'd' ? part[i] < '0' || part[i] > '9' : part[i] != form[i])
			return false;
	if (i == length)
		return i == sizeof(form) - 1;
	return part[i] == '-' && strspn(part + i + 1, "0123456789abcdef") >= length - i - 1;
}

/* The name without what rotation put into it: "a_.arrows" of "a_20261124T083015Z_002.arrows", of "2026-11-24_a.arrows"
 * and of "a.arrows". */
static char *copy_stem(const char *name)
{
	const char *ending = strrchr(name, '.');
	char *stem = malloc(strlen(name) + 2), *to = stem;

	if (!stem)
		return NULL;
	ending = ending ? ending : name + strlen(name);
	for (const char *part = name, *end; part < ending; part = end + 1) {
		end = memchr(part, '_', (size_t)(ending - part));
		end = end ? end : ending;
		if (!is_of_rotation(part, (size_t)(end - part))) {
			memcpy(to, part, (size_t)(end - part));
			to += end - part;
			*to++ = '_';
		}
		if (end == ending)
			break;
	}
	memmove(to, ending, strlen(ending) + 1);
	return stem;
}

int file_series_add_file(struct file_series *series, const char *path, struct enrg_error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct stat status;

	if (stat(path, &status) < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	for (size_t i = 0; i < series->file_count; i++)
		if (series->files[i].device == status.st_dev && series->files[i].inode == status.st_ino)
			return 0;
	void *files = series->files;
	int rc = grow(&files, series->file_count, &series->file_capacity, sizeof(*series->files), err);
	series->files = files;
	if (rc < 0)
		return rc;
	char *copy = strdup(path), *stem = copy_stem(name);
	if (!copy || !stem) {
		free(copy);
		free(stem);
		return enrg_error_set(err, -ENOMEM, "no memory for the name of a file");
	}
	series->files[series->file_count++] = (struct file_series_file){
		.path = copy,
		.stem = stem,
		.folder_bytes = slash ? (size_t)(slash - path) : 0,
		.device = status.st_dev,
		.inode = status.st_ino,
		.is_spare = !strncmp(name, "recovered_", 10) || !strncmp(name, "set_aside_", 10),
	};
	return 1;
}

int file_series_add_table(struct file_series *series, struct verify_table *table, bool is_file, struct enrg_error *err)
{
	void *parts = series->parts;
	int rc = grow(&parts, series->part_count, &series->part_capacity, sizeof(*series->parts), err);

	series->parts = parts;
	if (rc < 0)
		return rc;
	series->parts[series->part_count++] =
		(struct file_series_part){.file = series->file_count - 1, .is_file = is_file, .table = *table};
	table->seen = (struct sequence_set){0};
	return 0;
}

void file_series_fini(struct file_series *series)
{
	for (size_t i = 0; i < series->file_count; i++) {
		free(series->files[i].path);
		free(series->files[i].stem);
	}
	for (size_t i = 0; i < series->part_count; i++)
		sequence_set_fini(&series->parts[i].table.seen);
	free(series->files);
	free(series->parts);
	*series = (struct file_series){0};
}

/* --- order --- */

static int compare_names(const struct file_series_part *a, const struct file_series_part *b)
{
	int order = strcmp(a->table.source, b->table.source);

	if (order == 0)
		order = strcmp(a->table.run, b->table.run);
	if (order == 0)
		order = strcmp(a->table.tag, b->table.tag);
	return order ? order : (a->is_file > b->is_file) - (a->is_file < b->is_file);
}

static int compare_tables(const void *left, const void *right)
{
	const struct file_series_part *a = left, *b = right;
	int order = compare_names(a, b);

	if (order == 0)
		order = (a->table.schema_id > b->table.schema_id) - (a->table.schema_id < b->table.schema_id);
	return order ? order : (a->file > b->file) - (a->file < b->file);
}

static int compare_folders(
	const struct file_series *series, const struct file_series_part *a, const struct file_series_part *b)
{
	const struct file_series_file *x = &series->files[a->file], *y = &series->files[b->file];

	if (x->folder_bytes != y->folder_bytes)
		return x->folder_bytes < y->folder_bytes ? -1 : 1;
	return memcmp(x->path, y->path, x->folder_bytes);
}

static int compare_stems(
	const struct file_series *series, const struct file_series_part *a, const struct file_series_part *b)
{
	return strcmp(series->files[a->file].stem, series->files[b->file].stem);
}

static int compare_parts_by_stem(const void *left, const void *right, void *series)
{
	const struct file_series_part *a = left, *b = right;
	int order = compare_stems(series, a, b);

	return order ? order : (a->file > b->file) - (a->file < b->file);
}

static int compare_parts_by_folder(const void *left, const void *right, void *series)
{
	const struct file_series_part *a = left, *b = right;
	int order = compare_folders(series, a, b);

	return order ? order : (a->file > b->file) - (a->file < b->file);
}

static int compare_pieces(const void *left, const void *right)
{
	const struct piece *a = left, *b = right;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return (a->part->file > b->part->file) - (a->part->file < b->part->file);
}

/* A file whose schema is damaged is counted to the columns that others of its table have. */
static void name_schemas(struct file_series *series)
{
	for (size_t i = 0; i < series->part_count; i++) {
		struct file_series_part *part = &series->parts[i];
		for (size_t k = 0; k < series->part_count && !part->table.schema_id; k++)
			if (compare_names(part, &series->parts[k]) == 0)
				part->table.schema_id = series->parts[k].table.schema_id;
	}
}

/* --- judging one table --- */

/* The ranges of sequences that are there, ascending, in judge->pieces. */
static int collect(struct judge *judge, const struct file_series_part *parts, size_t count, struct enrg_error *err)
{
	size_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += parts[i].table.seen.hole_count + 1;
	judge->pieces = malloc(total * sizeof(*judge->pieces));
	if (!judge->pieces)
		return enrg_error_set(err, -ENOMEM, "no memory for %zu ranges of batches", total);
	for (size_t i = 0; i < count; i++) {
		const struct sequence_set *seen = &parts[i].table.seen;
		uint64_t first = seen->first;
		for (size_t k = 0; k < seen->hole_count; k++) {
			judge->pieces[judge->piece_count++] =
				(struct piece){first, seen->holes[k].first - 1, &parts[i]};
			first = seen->holes[k].last + 1;
		}
		judge->pieces[judge->piece_count++] = (struct piece){first, seen->last, &parts[i]};
	}
	qsort(judge->pieces, judge->piece_count, sizeof(*judge->pieces), compare_pieces);
	return 0;
}

static bool is_spare(const struct judge *judge, const struct file_series_part *part)
{
	return judge->series->files[part->file].is_spare;
}

static const char *path_of(const struct judge *judge, const struct file_series_part *part)
{
	return judge->series->files[part->file].path;
}

/* "batch 5 is", "batches 5 to 7 are" */
static void format_range(uint64_t first, uint64_t last, const char *one, const char *many, char ret_text[100])
{
	if (first == last)
		snprintf(ret_text, 100, "batch %" PRIu64 "%s", first, one);
	else
		snprintf(ret_text, 100, "batches %" PRIu64 " to %" PRIu64 "%s", first, last, many);
}

__attribute__((format(printf, 3, 4))) static void tell(
	const struct judge *judge, enum verify_finding finding, const char *format, ...)
{
	char sentence[10000];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	judge->tell(judge->context, finding, sentence);
}

/* [first, last] is in `part` and nowhere before it: which of it does the file that reaches furthest lack? */
static void tell_elsewhere(const struct judge *judge, uint64_t first, uint64_t last,
	const struct file_series_part *part, const struct file_series_part *furthest)
{
	const struct sequence_set *seen = &furthest->table.seen;
	size_t low = 0, high = seen->hole_count;
	char range[100];

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (seen->holes[middle].last < first)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i < seen->hole_count && seen->holes[i].first <= last; i++) {
		const struct sequence_range *hole = &seen->holes[i];
		format_range(hole->first > first ? hole->first : first, hole->last < last ? hole->last : last, "", "",
			range);
		tell(judge, VERIFY_ELSEWHERE, "%s, missing in %s, can be found in %s", range, path_of(judge, furthest),
			path_of(judge, part));
	}
}

static void tell_twice(struct judge *judge, uint64_t first, uint64_t last, const struct file_series_part *a,
	const struct file_series_part *b)
{
	char range[100];

	format_range(first, last, " is", " are", range);
	if (is_spare(judge, a) || is_spare(judge, b)) {
		tell(judge, VERIFY_ELSEWHERE, "%s in both %s and %s: put aside for a store, and stored by another",
			range, path_of(judge, a), path_of(judge, b));
		return;
	}
	judge->report.duplicated += last - first + 1;
	tell(judge, VERIFY_DUPLICATE, "%s in both %s and %s", range, path_of(judge, a), path_of(judge, b));
}

static void tell_hole(struct judge *judge, uint64_t first, uint64_t last, const struct file_series_part *before,
	const struct file_series_part *behind)
{
	char range[100];

	if (first < judge->first || last > judge->last)
		return;
	judge->report.missing += last - first + 1;
	format_range(first, last, " is", " are", range);
	tell(judge, VERIFY_MISSING, "%s missing between %s and %s", range, path_of(judge, before),
		path_of(judge, behind));
}

/* Where the files that were not put aside begin and end. */
static void find_span(struct judge *judge)
{
	judge->first = UINT64_MAX;
	for (size_t i = 0; i < judge->piece_count; i++) {
		const struct piece *piece = &judge->pieces[i];
		if (is_spare(judge, piece->part))
			continue;
		judge->first = piece->first < judge->first ? piece->first : judge->first;
		judge->last = piece->last > judge->last ? piece->last : judge->last;
	}
}

static void sweep(struct judge *judge)
{
	const struct piece *reached = &judge->pieces[0];         /* that ends last of those so far */
	const struct piece *stored = NULL;                       /* the same of those that were not put aside */
	const struct file_series_part *furthest = reached->part; /* whose own last batch is the last */

	for (size_t i = 0; i < judge->piece_count; i++) {
		const struct piece *piece = &judge->pieces[i];
		bool is_stored = !is_spare(judge, piece->part);
		uint64_t behind = i > 0 ? reached->last + 1 : piece->first;
		uint64_t new_first = piece->first > behind ? piece->first : behind;
		if (piece->first < behind) {
			/* Being in two files that stores wrote is what counts. */
			const struct piece *other =
				is_stored && stored && piece->first <= stored->last ? stored : reached;
			tell_twice(judge, piece->first, piece->last < other->last ? piece->last : other->last,
				other->part, piece->part);
		} else if (piece->first > behind && piece->first > furthest->table.seen.last) {
			tell_hole(judge, behind, piece->first - 1, reached->part, piece->part);
		}
		if (new_first <= piece->last && furthest != piece->part)
			tell_elsewhere(judge, new_first, piece->last, piece->part, furthest);
		if (piece->last > reached->last)
			reached = piece;
		if (is_stored && (!stored || piece->last > stored->last))
			stored = piece;
		if (piece->part->table.seen.last > furthest->table.seen.last)
			furthest = piece->part;
	}
	judge->report.first = judge->pieces[0].first;
	judge->report.last = reached->last;
	judge->report.first_path = path_of(judge, judge->pieces[0].part);
	judge->report.last_path = path_of(judge, reached->part);
}

static void tell_begin(const struct judge *judge)
{
	char range[100];

	if (judge->report.first == 1 || judge->report.first != judge->first)
		return;
	format_range(1, judge->report.first - 1, " is", " are", range);
	tell(judge, VERIFY_BEGIN_NOTE, "%s in none of these files: the first one here is %s", range,
		judge->report.first_path);
}

/* --- all tables --- */

typedef int compare_places(
	const struct file_series *series, const struct file_series_part *a, const struct file_series_part *b);

/* Do two places (folders, or names) hold the same batch? */
static bool are_copies(const struct judge *judge, compare_places *compare)
{
	const struct piece *reached = NULL;

	for (size_t i = 0; i < judge->piece_count; i++) {
		const struct piece *piece = &judge->pieces[i];
		if (is_spare(judge, piece->part))
			continue;
		if (reached && piece->first <= reached->last && compare(judge->series, piece->part, reached->part) != 0)
			return true;
		if (!reached || piece->last > reached->last)
			reached = piece;
	}
	return false;
}

/* Of parts that may be copies in which respect yet? */
enum judge_level { JUDGE_FOLDERS, JUDGE_NAMES, JUDGE_COPY };

static int judge_parts(struct file_series *series, struct file_series_part *parts, size_t count, enum judge_level level,
	const struct file_series_hooks *params, struct enrg_error *err);

static int judge_folders(struct file_series *series, struct file_series_part *parts, size_t count,
	const struct file_series_hooks *params, struct enrg_error *err)
{
	int rc = 0;

	qsort_r(parts, count, sizeof(*parts), compare_parts_by_folder, series);
	for (size_t first = 0, end; rc == 0 && first < count; first = end) {
		for (end = first + 1; end < count; end++)
			if (compare_folders(series, &parts[first], &parts[end]) != 0)
				break;
		rc = judge_parts(series, &parts[first], end - first, JUDGE_NAMES, params, err);
	}
	return rc;
}

/* What was put aside may fill a hole of each. */
static int judge_names(struct file_series *series, struct file_series_part *parts, size_t count,
	const struct file_series_hooks *params, struct enrg_error *err)
{
	struct file_series_part *copy = malloc(count * sizeof(*copy));
	int rc = 0;

	if (!copy)
		return enrg_error_set(err, -ENOMEM, "no memory for %zu files", count);
	qsort_r(parts, count, sizeof(*parts), compare_parts_by_stem, series);
	for (size_t first = 0, end; rc == 0 && first < count; first = end) {
		size_t copied = 0;
		for (end = first; end < count && compare_stems(series, &parts[first], &parts[end]) == 0; end++)
			if (!series->files[parts[end].file].is_spare)
				copy[copied++] = parts[end];
		for (size_t i = 0; copied > 0 && i < count; i++)
			if (series->files[parts[i].file].is_spare)
				copy[copied++] = parts[i];
		rc = judge_parts(series, copy, copied, JUDGE_COPY, params, err);
	}
	free(copy);
	return rc;
}

static int judge_parts(struct file_series *series, struct file_series_part *parts, size_t count, enum judge_level level,
	const struct file_series_hooks *params, struct enrg_error *err)
{
	struct judge judge = {.series = series,
		.tell = params->tell,
		.context = params->context,
		.report = {.table = &parts[0].table, .file_count = count, .is_copy = level != JUDGE_FOLDERS}};

	if (count < 2)
		return 0;
	int rc = collect(&judge, parts, count, err);
	if (rc == 0 && level == JUDGE_FOLDERS && are_copies(&judge, compare_folders)) {
		rc = judge_folders(series, parts, count, params, err);
	} else if (rc == 0 && level != JUDGE_COPY && are_copies(&judge, compare_stems)) {
		rc = judge_names(series, parts, count, params, err);
	} else if (rc == 0) {
		find_span(&judge);
		sweep(&judge);
		tell_begin(&judge);
		params->conclude(params->context, &judge.report);
	}
	free(judge.pieces);
	return rc;
}

int file_series_judge(struct file_series *series, const struct file_series_hooks *hooks, struct enrg_error *err)
{
	int rc = 0;

	name_schemas(series);
	if (series->part_count)
		qsort(series->parts, series->part_count, sizeof(*series->parts), compare_tables);
	for (size_t first = 0, end; rc == 0 && first < series->part_count; first = end) {
		const struct file_series_part *part = &series->parts[first];
		for (end = first + 1; end < series->part_count; end++)
			if (compare_names(part, &series->parts[end]) != 0 ||
				part->table.schema_id != series->parts[end].table.schema_id)
				break;
		rc = judge_parts(series, &series->parts[first], end - first, JUDGE_FOLDERS, hooks, err);
	}
	return rc;
}
