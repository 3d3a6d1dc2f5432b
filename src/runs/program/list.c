/* list.c: `enrgdaq runs list`. */
#include "runs/program/program.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "runs/reader.h"

#define ROWS_USUAL 50u

static const char usage[] =
	"usage: enrgdaq runs [list [WORDS…]] [OPTIONS]\n"
	"\n"
	"Lists the runs of the run book, the newest first. WORDS are looked for in type, description, name and notes;\n"
	"all of them must be there, also within words.\n"
	"\n"
	"  --type TYPE        runs of that type\n"
	"  --number A[-B]     this number, or from A to B\n"
	"  --quality WORD     complete, incomplete or aborted\n"
	"  --flag FLAG        such as degraded, interrupted, tainted\n"
	"  --since DAY        begun on that day or later, as 2026-11-28 (local time)\n"
	"  --until DAY        begun on that day or earlier\n"
	"  --open             that have not ended\n"
	"  --deleted          also those that were deleted\n"
	"  --limit N          so many (50; 0: all)\n"
	"  --page N           the N-th so many\n"
	"  --json             one JSON array\n"
	"  --database FILE    the run book; without it that of the system that runs, else out/runs_*.sqlite\n"
	"\n"
	"examples:\n"
	"  enrgdaq runs                         the last 50\n"
	"  enrgdaq runs list beam off --type physics\n"
	"  enrgdaq runs list --number 100-199 --json | jq '.[].uuid'\n"
	"\n"
	"Exit code: 0 done (also where there is none), 1 the run book can't be read, 2 wrong usage.\n";

struct list {
	struct reader_query query;
	const char *database;
	char words[1000];
	unsigned long limit, page;
	bool is_json, is_colored;
	unsigned columns; /* of the terminal; 0: it is none */
	json_t *rows;
	unsigned long seen;
};

/* --- what is printed --- */

static void format_begin(uint64_t wall_ns, char ret_text[32])
{
	time_t seconds = (time_t)(wall_ns / 1000000000u);
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || !strftime(ret_text, 32, "%Y-%m-%d %H:%M:%S", &tm))
		ret_text[0] = '\0';
}

static void format_duration(const struct reader_row *row, char ret_text[32])
{
	uint64_t end_ns = row->ended_ns ? row->ended_ns : clock_wall_ns();

	if (end_ns < row->began_ns)
		snprintf(ret_text, 32, "-");
	else
		clock_format_span(end_ns - row->began_ns, ret_text, 32);
}

static const char *color_of(const struct reader_row *row)
{
	if (!row->ended_ns)
		return "\033[1;34m";
	if (!strcmp(row->quality, "complete"))
		return *row->flags ? "\033[33m" : "\033[32m";
	return "\033[31m";
}

static void print_row(const struct list *list, const struct reader_row *row)
{
	char begin[32], duration[32], type[64], what[300], description[1000], number[24] = "-", rest[16] = "";
	const char *quality = !row->ended_ns ? (*row->state ? row->state : "open") : row->quality;

	if (row->number)
		snprintf(number, sizeof(number), "%llu", (unsigned long long)row->number);
	format_begin(row->began_ns, begin);
	format_duration(row, duration);
	snprintf(what, sizeof(what), "%s%s%s%s", quality, *row->flags ? " " : "", row->flags,
		row->is_deleted ? " deleted" : "");
	/* A record or a dump of somebody else's may have brought them. */
	text_make_safe(what, strlen(what));
	text_copy(type, sizeof(type), *row->type ? row->type : "-");
	text_make_safe(type, strlen(type));
	text_copy(description, sizeof(description), row->description);
	text_make_safe(description, strlen(description));
	int used = printf("%7s  %-12.24s %s  %12s  %s%-22s%s %12llu  ", number, type, begin, duration,
		list->is_colored ? color_of(row) : "", what, list->is_colored ? "\033[0m" : "",
		(unsigned long long)row->rows);
	int room = (int)list->columns - (used - (list->is_colored ? 9 : 0));
	if (list->columns && room > 8 && strlen(description) > (size_t)room) {
		text_copy(rest, sizeof(rest), "…");
		description[room - 1] = '\0';
		text_copy(description, strlen(description) + 1, description);
	}
	printf("%s%s\n", description, rest);
}

static bool take_row(void *context, const struct reader_row *row)
{
	struct list *list = context;

	if (list->seen++ < list->limit * list->page)
		return true;
	if (list->is_json) {
		json_array_append_new(list->rows, reader_format_row(row));
		return true;
	}
	if (list->seen == list->limit * list->page + 1)
		printf("%7s  %-12s %-19s  %12s  %-22s %12s  %s\n", "number", "type", "began", "duration",
			"quality, flags", "rows", "description");
	print_row(list, row);
	return true;
}

static int print_list(struct list *list)
{
	struct database *database = program_open_reader("list", list->database);
	struct enrg_error err = {0};

	if (!database)
		return 1;
	list->rows = json_array();
	list->query.limit = (unsigned)(list->limit * (list->page + 1));
	int rc = reader_list(database, &list->query, take_row, list, &err);
	if (!rc && list->is_json) {
		json_dumpf(list->rows, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (!rc && list->seen <= list->limit * list->page) {
		printf("no run%s\n", list->seen                         ? " on this page"
				     : *list->words || list->query.type ? " is like that"
									: "");
	} else if (!rc && list->limit && list->seen == list->query.limit) {
		printf("  … more: --page %lu\n", list->page + 2);
	}
	json_decref(list->rows);
	database_close(database);
	return rc ? program_fail("list", &err) : 0;
}

/* --- what is asked --- */

static bool parse_count(const char *text, unsigned long *ret_count)
{
	char *end;

	errno = 0;
	*ret_count = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno && *ret_count <= 100000000;
}

static bool parse_range(const char *text, uint64_t *ret_from, uint64_t *ret_to)
{
	char *end;

	errno = 0;
	*ret_from = strtoull(text, &end, 10);
	*ret_to = *end == '-' && end[1] ? strtoull(end + 1, &end, 10) : *ret_from;
	return *text >= '0' && *text <= '9' && !*end && !errno && *ret_from <= *ret_to && *ret_to;
}

/* The first moment of a local day, `more` days later. */
static bool parse_day(const char *text, int more, uint64_t *ret_ns)
{
	struct tm tm = {.tm_isdst = -1};
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	tm.tm_mday += more;
	time_t seconds = end && !*end ? mktime(&tm) : -1;
	*ret_ns = (uint64_t)seconds * 1000000000u;
	return seconds > 0;
}

enum {
	TYPE = 't',
	NUMBER = 'n',
	QUALITY = 'q',
	FLAG = 'f',
	SINCE = 's',
	UNTIL = 'u',
	OPEN = 'o',
	DELETED = 'd',
	LIMIT = 'l',
	PAGE = 'p',
	JSON = 'j',
	DATABASE = 'b'
};

/* false: it says nothing that can be. */
static bool take_option(struct list *list, int choice, const char *value)
{
	bool is_fine = true;

	list->query.type = choice == TYPE ? value : list->query.type;
	list->query.quality = choice == QUALITY ? value : list->query.quality;
	list->query.flag = choice == FLAG ? value : list->query.flag;
	list->query.is_open |= choice == OPEN;
	list->query.with_deleted |= choice == DELETED;
	list->is_json |= choice == JSON;
	list->database = choice == DATABASE ? value : list->database;
	if (choice == NUMBER)
		is_fine = parse_range(value, &list->query.number_from, &list->query.number_to);
	if (choice == SINCE)
		is_fine = parse_day(value, 0, &list->query.began_from_ns);
	if (choice == UNTIL)
		is_fine = parse_day(value, 1, &list->query.began_to_ns);
	if (choice == LIMIT)
		is_fine = parse_count(value, &list->limit);
	if (choice == PAGE) {
		is_fine = parse_count(value, &list->page) && list->page > 0;
		list->page -= is_fine;
	}
	return is_fine;
}

int program_list(int argc, char **argv)
{
	static const struct option options[] = {{"type", required_argument, NULL, TYPE},
		{"number", required_argument, NULL, NUMBER}, {"quality", required_argument, NULL, QUALITY},
		{"flag", required_argument, NULL, FLAG}, {"since", required_argument, NULL, SINCE},
		{"until", required_argument, NULL, UNTIL}, {"open", no_argument, NULL, OPEN},
		{"deleted", no_argument, NULL, DELETED}, {"limit", required_argument, NULL, LIMIT},
		{"page", required_argument, NULL, PAGE}, {"json", no_argument, NULL, JSON},
		{"database", required_argument, NULL, DATABASE}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct list list = {.limit = ROWS_USUAL, .is_colored = isatty(1) && !getenv("NO_COLOR")};
	struct winsize size = {0};
	int choice;

	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == '?')
			return program_usage_error("list", "no such option");
		if (!take_option(&list, choice, optarg))
			return program_usage_error("list", "\"%s\" makes no sense there", optarg);
	}
	for (int i = optind; i < argc; i++) {
		size_t used = strlen(list.words);
		snprintf(list.words + used, sizeof(list.words) - used, "%s%s", used ? " " : "", argv[i]);
	}
	list.query.words = *list.words ? list.words : NULL;
	list.page = list.limit ? list.page : 0;
	list.columns = !ioctl(1, TIOCGWINSZ, &size) ? size.ws_col : 0;
	return print_list(&list);
}
