/* verify.c: `enrgdaq verify FILE…`: says in words whether .arrows files are whole, and cuts torn tails where asked to.
 * A process of its own that starts nothing; it may run beside a store that is writing, and sees the file as it was
 * then. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/verify.h"
#include "cli/cli.h"

#define LINES_MAX 20u

enum { EXIT_WHOLE = 0, EXIT_DAMAGED = 1, EXIT_UNREADABLE = 2 };

static const char usage[] =
	"usage: enrgdaq verify [--repair] [--json] [--quiet] FILE…\n"
	"\n"
	"Proves .arrows files whole, or says what is wrong: check sums, missing and repeated batches, a torn tail.\n"
	"\n"
	"  --repair   cut off a torn tail (the rest of a message that was being written when the power went)\n"
	"  --json     one JSON object a file and line, with all findings\n"
	"  --quiet    one line for each file that is not whole, nothing for the others\n"
	"\n"
	"examples:\n"
	"  enrgdaq verify out/*.arrows\n"
	"  enrgdaq verify --repair out/wave.arrows\n"
	"\n"
	"Exit code: 0 all are whole (or are now that a torn tail was cut), 1 something is missing, repeated,\n"
	"damaged or torn, 2 wrong usage or a file that can't be read.\n";

struct verify_options {
	bool is_repair, is_json, is_quiet;
};

struct finding_list {
	const struct verify_options *options;
	json_t *json;
	uint64_t count;
	char *lines[LINES_MAX];
};

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

static void keep_finding(void *context, enum verify_finding finding, const char *sentence)
{
	struct finding_list *list = context;

	if (list->options->is_json)
		json_array_append_new(list->json,
			json_pack("{s:s, s:o}", "kind", finding_name(finding), "text", pack_text(sentence)));
	else if (list->count < LINES_MAX)
		list->lines[list->count] = copy_line(sentence);
	list->count++;
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
		snprintf(ret_text, text_bytes, "the file is empty");
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
	if (list->options->is_quiet)
		return;
	for (uint64_t i = 0; i < list->count && i < LINES_MAX; i++)
		printf("  %s\n", list->lines[i] ? list->lines[i] : "");
	if (list->count > LINES_MAX)
		printf("  … and %s more (--json lists all)\n", format_count(list->count - LINES_MAX, number));
}

static json_t *pack_report(const struct verify_report *report, uint64_t cut_bytes, json_t *findings)
{
	json_t *object = json_pack("{s:b, s:b, s:b, s:O}", "whole", is_whole(report), "torn", report->is_torn,
		"end_mark", report->has_end_mark, "findings", findings);
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
static void print_json(const char *path, json_t *object)
{
	json_object_set_new(object, "file", pack_text(path));
	json_dumpf(object, stdout, JSON_COMPACT | JSON_SORT_KEYS);
	putchar('\n');
	json_decref(object);
}

/* Cuts the tail; the report then describes the file as it is now. */
static int repair(const char *path, struct verify_report *report, uint64_t *ret_cut_bytes, struct enrg_error *err)
{
	int result = verify_repair(path, report, err);

	if (result == 0) {
		*ret_cut_bytes = report->file_bytes - report->good_bytes;
		report->file_bytes = report->good_bytes;
		report->is_torn = false;
	}
	return result;
}

static int verify_one(const char *path, const struct verify_options *options)
{
	struct finding_list list = {.options = options, .json = json_array()};
	struct verify_report report = {0};
	struct enrg_error err = {0};
	uint64_t cut_bytes = 0;

	int result = verify_file(path, keep_finding, &list, &report, &err);
	if (result == 0 && options->is_repair && report.is_torn)
		result = repair(path, &report, &cut_bytes, &err);
	if (result < 0) {
		if (options->is_json)
			print_json(path, json_pack("{s:b, s:o}", "whole", 0, "error", pack_text(err.text)));
		fprintf(stderr, "enrgdaq verify: %s\n", err.text);
	} else if (options->is_json) {
		print_json(path, pack_report(&report, cut_bytes, list.json));
	} else {
		print_text(path, &report, cut_bytes, &list);
	}
	for (size_t i = 0; i < LINES_MAX; i++)
		free(list.lines[i]);
	json_decref(list.json);
	return result < 0 ? EXIT_UNREADABLE : is_whole(&report) ? EXIT_WHOLE : EXIT_DAMAGED;
}

int cli_verify(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"repair", no_argument, NULL, 'r'},
		{"json", no_argument, NULL, 'j'},
		{"quiet", no_argument, NULL, 'q'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct verify_options options = {0};
	int choice, worst = EXIT_WHOLE;

	optind = 0; /* glibc: scan anew, main has parsed options already */
	while ((choice = getopt_long(argc, argv, "rjqh", long_options, NULL)) != -1) {
		switch (choice) {
		case 'r':
			options.is_repair = true;
			break;
		case 'j':
			options.is_json = true;
			break;
		case 'q':
			options.is_quiet = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_WHOLE;
		default:
			fputs(usage, stderr);
			return EXIT_UNREADABLE;
		}
	}
	if (optind >= argc) {
		fprintf(stderr, "enrgdaq verify: which file?\n\n%s", usage);
		return EXIT_UNREADABLE;
	}
	for (int i = optind; i < argc; i++) {
		int outcome = verify_one(argv[i], &options);
		worst = outcome > worst ? outcome : worst;
	}
	return fflush(stdout) == 0 ? worst : EXIT_UNREADABLE;
}
