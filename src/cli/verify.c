/* verify.c: `enrgdaq verify FILE|FOLDER…`: says in words whether .arrows and .arrow files are whole, and whether files
 * of one table have anything missing between them; cuts torn tails where asked to. A process of its own that starts
 * nothing; it may run beside a store that is writing, and sees the file as it was then. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arrow/file_series.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/verify_files.h"

#define LINES_MAX   20u
#define PROGRESS_NS 200000000u
#define TOLD_NS     500000000u

enum { EXIT_WHOLE = 0, EXIT_DAMAGED = 1, EXIT_UNREADABLE = 2 };

static const char usage[] =
	"usage: enrgdaq verify [--repair] [--json [--progress]] [--quiet] FILE|FOLDER…\n"
	"\n"
	"Proves .arrows and .arrow files whole, or says what is wrong: check sums, missing and repeated batches, a "
	"torn\n"
	"tail, a footer that does not fit. Several files are also judged together: of each source, run, tag and set "
	"of\n"
	"columns that is in more than one, it names the batches that are missing between two files (a rotated file\n"
	"that is not there) and those that are in two. Give it all files of a run; a single file may begin anywhere.\n"
	"Of a folder all .arrows and .arrow files in it and below it are taken, and a line at the end counts them.\n"
	"Folders that hold the same batches are the copies of two stores: each is judged by itself. So are names "
	"that\n"
	"differ by more than rotation puts into them (time, run, number, day), and .arrow files beside .arrows "
	"files.\n"
	"\n"
	"  --repair   cut off a torn tail (the rest of a message that was being written when the power went)\n"
	"  --json     one JSON object a file and line, with all findings; then one a table that is in several files\n"
	"  --progress with --json, twice a second while a file is read: {\"progress\": {\"done_bytes\", "
	"\"all_bytes\"}}\n"
	"  --quiet    one line for each file that is not whole, nothing for the others\n"
	"\n"
	"examples:\n"
	"  enrgdaq verify out                     (all of it, also what is missing between rotated files)\n"
	"  enrgdaq verify out/*.arrows\n"
	"  enrgdaq verify --repair out/wave.arrows\n"
	"\n"
	"Exit code: 0 all are whole (or are now that a torn tail was cut; or empty), 1 something is missing or\n"
	"repeated in a file or between files, damaged or torn, 2 wrong usage, a file that can't be read or is no "
	"Arrow\n"
	"file, or the output can't be written.\n";

struct verify_options {
	bool is_repair, is_json, is_quiet, tells_progress;
};

struct finding_list {
	const struct verify_options *options;
	json_t *json;
	uint64_t count;
	char *lines[LINES_MAX];
};

/* All that is done in one call. */
struct verify_run {
	const struct verify_options *options;
	struct finding_list list; /* of the file or series at hand */
	struct file_series series;
	bool is_new_file; /* the file at hand was not named before */
	int worst;        /* exit code */
	/* Of the files so far, each counted once. */
	struct {
		uint64_t files, whole, unreadable, bytes;
		struct verify_report all; /* sums */
	} total;
	/* On a terminal. */
	uint64_t shown_ns;
	size_t file_number, file_count;
	bool is_shown;
};

static void note_outcome(struct verify_run *run, int outcome)
{
	run->worst = outcome > run->worst ? outcome : run->worst;
}

static const char *finding_name(enum verify_finding finding)
{
	switch (finding) {
	case VERIFY_GAP_NOTE:
		return "gap";
	case VERIFY_MISSING:
		return "missing";
	case VERIFY_DUPLICATE:
		return "duplicate";
	case VERIFY_CORRUPT:
		return "corrupt";
	case VERIFY_TORN_TAIL:
		return "torn_tail";
	case VERIFY_ELSEWHERE:
		return "elsewhere";
	case VERIFY_BEGIN_NOTE:
		return "begin";
	}
	return "unknown";
}

/* Names in a file may hold anything. JSON must be UTF-8, else jansson refuses it. */
static json_t *pack_text(const char *text)
{
	json_t *json = json_string(text);
	char *plain = json ? NULL : strdup(text);

	for (char *at = plain; at && *at; at++)
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	if (plain)
		json = json_string(plain);
	free(plain);
	return json;
}

/* The same for a terminal: no control characters. */
static char *copy_line(const char *text)
{
	char *line = strdup(text);

	for (char *at = line; at && *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?';
	return line;
}

static void add_finding(struct finding_list *list, enum verify_finding finding, const char *sentence)
{
	if (list->options->is_json)
		json_array_append_new(list->json,
			json_pack("{s:s, s:o}", "kind", finding_name(finding), "text", pack_text(sentence)));
	else if (list->count < LINES_MAX)
		list->lines[list->count] = copy_line(sentence);
	list->count++;
}

static void begin_findings(struct finding_list *list, const struct verify_options *options)
{
	*list = (struct finding_list){.options = options, .json = json_array()};
}

static void end_findings(struct finding_list *list)
{
	for (size_t i = 0; i < LINES_MAX; i++)
		free(list->lines[i]);
	json_decref(list->json);
	*list = (struct finding_list){0};
}

/* 3000000 → "3,000,000". */
static const char *format_count(uint64_t value, char text[32])
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, value);
	char *at = text;

	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at = '\0';
	return text;
}

/* 48000000 → "48 MB". */
static const char *format_bytes(uint64_t bytes, char text[32])
{
	static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		value /= 1000;
	snprintf(text, 32, value < 9.95 && unit > 0 ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

/* Appends "; 3 batches missing" and the like; `text` has room. */
static void append_count(
	char *text, size_t text_bytes, const char *separator, uint64_t count, const char *one, const char *many)
{
	char number[32];
	size_t used = strlen(text);

	if (count > 0)
		snprintf(text + used, text_bytes - used, "%s%s %s", used ? separator : "", format_count(count, number),
			count == 1 ? one : many);
}

static bool is_whole(const struct verify_report *report)
{
	return !report->is_torn && report->missing == 0 && report->duplicated == 0 && report->corrupted == 0;
}

/* "1,204 batches, 3,000,000 rows, 48 MB of 1 source; 1 restart gap" */
static void format_content(const struct verify_report *report, char *ret_text, size_t text_bytes)
{
	char batches[32], rows[32], bytes[32];

	if (report->file_bytes == 0) {
		snprintf(ret_text, text_bytes, "the file is empty: it holds no rows");
		return;
	}
	snprintf(ret_text, text_bytes, "%s %s, %s %s, %s", format_count(report->batches, batches),
		report->batches == 1 ? "batch" : "batches", format_count(report->rows, rows),
		report->rows == 1 ? "row" : "rows", format_bytes(report->payload_bytes, bytes));
	append_count(ret_text, text_bytes, " of ", report->sources, "source", "sources");
	append_count(ret_text, text_bytes, "; ", report->gaps, "restart gap", "restart gaps");
	append_count(ret_text, text_bytes, "; ", report->unstamped, "message without check sums",
		"messages without check sums");
}

static void format_faults(const struct verify_report *report, char *ret_text, size_t text_bytes)
{
	ret_text[0] = '\0';
	append_count(ret_text, text_bytes, ", ", report->missing, "batch missing", "batches missing");
	append_count(ret_text, text_bytes, ", ", report->duplicated, "batch repeated", "batches repeated");
	append_count(ret_text, text_bytes, ", ", report->corrupted, "place damaged", "places damaged");
	if (report->is_torn)
		snprintf(ret_text + strlen(ret_text), text_bytes - strlen(ret_text), "%storn tail",
			ret_text[0] ? ", " : "");
}

static void print_findings(const struct finding_list *list)
{
	char number[32];

	for (uint64_t i = 0; i < list->count && i < LINES_MAX; i++)
		printf("  %s\n", list->lines[i] ? list->lines[i] : "");
	if (list->count > LINES_MAX)
		printf("  … and %s more (--json lists all)\n", format_count(list->count - LINES_MAX, number));
}

static void print_text(
	const char *path, const struct verify_report *report, uint64_t cut_bytes, const struct finding_list *list)
{
	char content[400], faults[400], number[32];

	if (list->options->is_quiet && is_whole(report) && !cut_bytes)
		return;
	format_content(report, content, sizeof(content));
	format_faults(report, faults, sizeof(faults));
	printf("%s: ", path);
	if (cut_bytes)
		printf("cut off a torn tail of %s bytes; now ", format_count(cut_bytes, number));
	if (is_whole(report))
		printf("whole: %s\n", content);
	else
		printf("not whole: %s; readable: %s\n", faults, content);
	if (!list->options->is_quiet)
		print_findings(list);
}

static json_t *pack_report(const struct verify_report *report, uint64_t cut_bytes, json_t *findings)
{
	json_t *object = json_pack("{s:b, s:b, s:b, s:b, s:O}", "whole", is_whole(report), "torn", report->is_torn,
		"end_mark", report->has_end_mark, "footer", report->is_file, "findings", findings);
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {
		{"file_bytes", report->file_bytes},
		{"good_bytes", report->good_bytes},
		{"cut_bytes", cut_bytes},
		{"batches", report->batches},
		{"rows", report->rows},
		{"payload_bytes", report->payload_bytes},
		{"gaps", report->gaps},
		{"missing", report->missing},
		{"duplicated", report->duplicated},
		{"corrupted", report->corrupted},
		{"unstamped", report->unstamped},
		{"sources", report->sources},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		json_object_set_new(object, numbers[i].key, json_integer((json_int_t)numbers[i].value));
	return object;
}

/* Prints and releases `object`. */
static void print_json(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT | JSON_SORT_KEYS);
	putchar('\n');
	json_decref(object);
}

/* Cuts the tail; the report then describes the file as it is now. */
static int repair(const char *path, struct verify_report *report, uint64_t *ret_cut_bytes, struct enrg_error *err)
{
	int rc = verify_repair(path, report, err);

	if (rc == 0) {
		*ret_cut_bytes = report->file_bytes - report->good_bytes;
		report->file_bytes = report->good_bytes;
		report->is_torn = false;
	}
	return rc;
}

static void keep_finding(void *context, enum verify_finding finding, const char *sentence)
{
	struct verify_run *run = context;

	add_finding(&run->list, finding, sentence);
}

static int keep_table(
	void *context, struct verify_table *table, const struct verify_report *report, struct enrg_error *err)
{
	struct verify_run *run = context;

	return run->is_new_file ? file_series_add_table(&run->series, table, report->is_file, err) : 0;
}

/* --- progress, on a terminal --- */

/* For programs; at once, since it is read while it is true. */
static void tell_progress(struct verify_run *run, uint64_t done_bytes, uint64_t all_bytes)
{
	uint64_t now = clock_mono_ns();

	if (now - run->shown_ns < TOLD_NS)
		return;
	run->shown_ns = now;
	print_json(json_pack("{s:{s:I, s:I}}", "progress", "done_bytes", (json_int_t)done_bytes, "all_bytes",
		(json_int_t)all_bytes));
	fflush(stdout);
}

static void show_progress(void *context, uint64_t done_bytes, uint64_t all_bytes)
{
	struct verify_run *run = context;
	uint64_t now = clock_mono_ns();
	char bytes[32];

	if (run->options->tells_progress)
		tell_progress(run, done_bytes, all_bytes);
	if (now - run->shown_ns < PROGRESS_NS || !isatty(STDERR_FILENO))
		return;
	run->shown_ns = now;
	run->is_shown = true;
	fprintf(stderr, "\rfile %zu of %zu: %.0f %%, %s so far \033[K", run->file_number, run->file_count,
		all_bytes ? 100 * (double)done_bytes / (double)all_bytes : 100.0,
		format_bytes(run->total.bytes + done_bytes, bytes));
}

static void hide_progress(struct verify_run *run)
{
	if (run->is_shown)
		fputs("\r\033[K", stderr);
	run->is_shown = false;
}

/* --- one file --- */

static void count_file(struct verify_run *run, int rc, const struct verify_report *report)
{
	struct verify_report *all = &run->total.all;

	if (!run->is_new_file && rc >= 0)
		return;
	run->total.files++;
	run->total.unreadable += rc < 0;
	if (rc < 0)
		return;
	run->total.whole += is_whole(report);
	run->total.bytes += report->file_bytes;
	all->file_bytes += report->file_bytes;
	all->batches += report->batches;
	all->rows += report->rows;
	all->payload_bytes += report->payload_bytes;
	all->gaps += report->gaps;
	all->unstamped += report->unstamped;
	all->missing += report->missing;
	all->duplicated += report->duplicated;
	all->corrupted += report->corrupted;
	all->is_torn |= report->is_torn;
}

static void verify_one(const char *path, struct verify_run *run)
{
	const struct verify_options *options = run->options;
	const struct verify_hooks hooks = {keep_finding, keep_table, run, show_progress};
	struct verify_report report = {0};
	struct enrg_error err = {0};
	uint64_t cut_bytes = 0;
	json_t *object = NULL;

	begin_findings(&run->list, options);
	int rc = file_series_add_file(&run->series, path, &err);
	run->is_new_file = rc > 0;
	if (rc >= 0)
		rc = verify_tables(path, &hooks, &report, &err);
	if (rc == 0 && options->is_repair && report.is_torn)
		rc = repair(path, &report, &cut_bytes, &err);
	hide_progress(run);
	if (rc < 0) {
		if (options->is_json)
			object = json_pack("{s:b, s:o}", "whole", 0, "error", pack_text(err.text));
		fprintf(stderr, "enrgdaq verify: %s\n", err.text);
	} else if (options->is_json) {
		object = pack_report(&report, cut_bytes, run->list.json);
	} else {
		print_text(path, &report, cut_bytes, &run->list);
	}
	if (object) {
		json_object_set_new(object, "file", pack_text(path));
		print_json(object);
	}
	end_findings(&run->list);
	count_file(run, rc, &report);
	note_outcome(run, rc < 0 ? EXIT_UNREADABLE : is_whole(&report) ? EXIT_WHOLE : EXIT_DAMAGED);
}

/* --- several files of one table --- */

static void print_series_json(const struct file_series_report *report, bool is_whole_series, json_t *findings)
{
	const struct verify_table *table = report->table;

	print_json(json_pack("{s:{s:o, s:o, s:o}, s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:O}", "series", "source",
		pack_text(table->source), "run", pack_text(table->run), "tag", pack_text(table->tag), "whole",
		is_whole_series, "files", (json_int_t)report->file_count, "first", (json_int_t)report->first, "last",
		(json_int_t)report->last, "missing", (json_int_t)report->missing, "duplicated",
		(json_int_t)report->duplicated, "first_file", pack_text(report->first_path), "last_file",
		pack_text(report->last_path), "findings", findings));
}

static void print_series_text(
	const struct file_series_report *report, bool is_whole_series, const struct finding_list *list)
{
	const struct verify_table *table = report->table;
	char name[800], faults[200] = "", number[3][32];

	if (list->options->is_quiet && is_whole_series)
		return;
	snprintf(name, sizeof(name), "source \"%s\", run \"%s\"%s%s%s", table->source, table->run,
		table->tag[0] ? ", tag \"" : "", table->tag, table->tag[0] ? "\"" : "");
	char *line = copy_line(name), *first = copy_line(report->first_path);
	append_count(faults, sizeof(faults), ", ", report->missing, "batch missing", "batches missing");
	append_count(faults, sizeof(faults), ", ", report->duplicated, "batch repeated", "batches repeated");
	printf("%s files of %s: %s%s%s: batches %s to %s%s%s%s\n", format_count(report->file_count, number[0]),
		line ? line : "", is_whole_series ? "nothing missing between them" : "not whole: ", faults,
		is_whole_series ? "" : " between them", format_count(report->first, number[1]),
		format_count(report->last, number[2]), report->is_copy ? " (" : "",
		report->is_copy && first ? first : "", report->is_copy ? " …)" : "");
	free(line);
	free(first);
	if (!list->options->is_quiet)
		print_findings(list);
}

static void conclude_series(void *context, const struct file_series_report *report)
{
	struct verify_run *run = context;
	bool is_whole_series = report->missing == 0 && report->duplicated == 0;

	if (run->options->is_json)
		print_series_json(report, is_whole_series, run->list.json);
	else
		print_series_text(report, is_whole_series, &run->list);
	note_outcome(run, is_whole_series ? EXIT_WHOLE : EXIT_DAMAGED);
	end_findings(&run->list);
	begin_findings(&run->list, run->options);
}

/* --- all files --- */

/* "out: 12 files, all whole: …" */
static void print_total(const struct verify_run *run)
{
	const struct verify_report *all = &run->total.all;
	uint64_t faulty = run->total.files - run->total.whole - run->total.unreadable;
	char content[400], faults[400] = "", number[2][32];

	if (run->options->is_json) {
		json_t *object = pack_report(all, 0, run->list.json);
		const char *const keys[] = {"end_mark", "findings", "footer", "good_bytes", "cut_bytes", "sources"};
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			json_object_del(object, keys[i]);
		json_object_set_new(object, "whole", json_boolean(run->worst == EXIT_WHOLE));
		json_object_set_new(object, "files", json_integer((json_int_t)run->total.files));
		json_object_set_new(object, "whole_files", json_integer((json_int_t)run->total.whole));
		json_object_set_new(object, "unreadable_files", json_integer((json_int_t)run->total.unreadable));
		print_json(json_pack("{s:o}", "total", object));
		return;
	}
	if (run->options->is_quiet && run->worst == EXIT_WHOLE)
		return;
	format_content(all, content, sizeof(content));
	if (run->total.unreadable == run->total.files)
		snprintf(content, sizeof(content), "nothing");
	append_count(faults, sizeof(faults), ", ", faulty, "is not whole", "are not whole");
	append_count(faults, sizeof(faults), ", ", run->total.unreadable, "can't be read", "can't be read");
	printf("%s %s: %s%s%s: %s\n", format_count(run->total.files, number[0]),
		run->total.files == 1 ? "file" : "files", faults[0] ? faults : "whole",
		run->worst == EXIT_DAMAGED && !faults[0] ? ", but not between them" : "", faults[0] ? "; readable" : "",
		content);
}

static void judge_series(struct verify_run *run)
{
	struct enrg_error err = {0};

	begin_findings(&run->list, run->options);
	if (file_series_judge(&run->series, &(struct file_series_hooks){keep_finding, conclude_series, run}, &err) <
		0) {
		fprintf(stderr, "enrgdaq verify: %s\n", err.text);
		note_outcome(run, EXIT_UNREADABLE);
	}
}

static int verify_all(char **paths, int count, const struct verify_options *options)
{
	struct verify_run run = {.options = options};
	struct verify_files files = {0};

	for (int i = 0; i < count; i++) {
		struct enrg_error err = {0};
		if (verify_files_add(&files, paths[i], &err) < 0) {
			fprintf(stderr, "enrgdaq verify: %s\n", err.text);
			note_outcome(&run, EXIT_UNREADABLE);
		}
	}
	run.file_count = files.count;
	for (size_t i = 0; i < files.count; i++) {
		run.file_number = i + 1;
		verify_one(files.paths[i], &run);
	}
	judge_series(&run);
	if (files.has_folder && files.count)
		print_total(&run);
	verify_files_fini(&files);
	end_findings(&run.list);
	file_series_fini(&run.series);
	errno = 0;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "enrgdaq verify: the output can't be written%s%s\n", errno ? ": " : "",
			errno ? strerror(errno) : "");
		note_outcome(&run, EXIT_UNREADABLE);
	}
	return run.worst;
}

int cli_verify(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"repair", no_argument, NULL, 'r'},
		{"json", no_argument, NULL, 'j'},
		{"progress", no_argument, NULL, 'p'},
		{"quiet", no_argument, NULL, 'q'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct verify_options options = {0};
	int choice;

	optind = 0; /* glibc: scan anew, main has parsed options already */
	while ((choice = getopt_long(argc, argv, "rjqh", long_options, NULL)) != -1) {
		switch (choice) {
		case 'r':
			options.is_repair = true;
			break;
		case 'j':
			options.is_json = true;
			break;
		case 'p':
			options.tells_progress = true;
			break;
		case 'q':
			options.is_quiet = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_WHOLE;
		default:
			return cli_option_error("verify");
		}
	}
	if (optind >= argc)
		return cli_usage_error("verify", "which file or folder?");
	if (options.tells_progress && !options.is_json)
		return cli_usage_error("verify", "--progress goes with --json");
	return verify_all(argv + optind, argc - optind, &options);
}
