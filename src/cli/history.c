/* history.c: `enrgdaq history`: what statistics and slowly changing columns were, from the files of DAQJobHistory. A
 * process of its own; asks none. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <enrgdaq/client.h>

#include "cli/cli.h"
#include "cli/history.h"
#include "cli/watch_screen.h"

#define FOLDER_DEFAULT "out/history"
#define LAST_DEFAULT   (3600 * 1000000000ull)
#define POINTS_DEFAULT 500u

static const char usage[] =
	"usage: enrgdaq history list [PATTERN] [--csv|--json] [--folder DIR|--id ID]\n"
	"       enrgdaq history SERIES… [--last SPAN | --from TIME [--to TIME]] [--points N] [--csv|--json]\n"
	"                       [--folder DIR|--id ID]\n"
	"\n"
	"Shows how statistics and slowly changing columns went, as a job DAQJobHistory has recorded them: seconds of "
	"the\n"
	"last two days, minutes of the last year. Of each bin the minimum, the mean over time and the maximum. Reads "
	"files\n"
	"alone: nothing need run.\n"
	"\n"
	"  list             which series there are, with unit, begin and end\n"
	"  SERIES           JOB/STATISTIC (`enrgdaq describe statistics`) or JOB/TABLE/COLUMN, where a table without a "
	"tag\n"
	"                   is called data; or a pattern: \"*\" for any text, also over \"/\", \"?\" for a character\n"
	"\n"
	"  --last SPAN      the time until now: 90s, 30m, 6h, 2d, 1w, 1y (1h)\n"
	"  --from TIME      2026-11-28T06:00:00Z, also without seconds, minutes or time; without Z local time; "
	"@SECONDS\n"
	"                   since 1970\n"
	"  --to TIME        (now)\n"
	"  --points N       at most so many bins (what a picture has room for; 500 for CSV and JSON)\n"
	"  --csv            a line a series and bin in which it is known: time,series,unit,min,mean,max,seconds\n"
	"  --json           an object with an array of each of them a series, null where it is not known\n"
	"  --folder DIR     of the history; without it, that of the system that runs, else " FOLDER_DEFAULT "\n"
	"  --id ID          info.supervisor_id of the system whose history it is\n"
	"\n"
	"Bins are whole seconds, from a minute on whole minutes; those of five minutes and more are made of minutes, "
	"as is\n"
	"all that is older than the seconds. `seconds` says for how long of a bin the value was known.\n"
	"\n"
	"examples:\n"
	"  enrgdaq history list\n"
	"  enrgdaq history 'tank/out_rows_per_s' --last 6h\n"
	"  enrgdaq history 'hv/data/*' --from 2026-11-01 --to 2026-11-28 --points 200 --csv > hv.csv\n"
	"\n"
	"Exit code: 0 shown, 1 no history, or nothing of that name in that time, 2 wrong usage.\n";

struct history_options {
	const char *folder, *supervisor, *from, *to, *last, *points;
	enum history_form form;
};

/* --- where it is -------------------------------------------------------------------------------------------------- */

static int fail(int rc, const struct enrg_error *err)
{
	fprintf(stderr, "enrgdaq history: %s%s\n", err->text, cli_how_to_name(rc, "; name it by --folder DIR"));
	return 1;
}

/* That of the running system, else the one in this folder. *ret_client keeps the folder's name. */
static int find_folder(const struct history_options *options, struct enrg_client **ret_client, const char **ret_folder)
{
	struct enrg_error err = {0};
	int rc = enrg_client_open(options->supervisor, ret_client, &err);

	if (rc == 0)
		rc = enrg_history_find(*ret_client, ret_folder, &err);
	if (rc == 0)
		return 0;
	if (!options->supervisor && rc != -EEXIST) {
		if (access(FOLDER_DEFAULT, F_OK) == 0) {
			*ret_folder = FOLDER_DEFAULT;
			return 0;
		}
		fprintf(stderr, "enrgdaq history: no system that runs records one (job DAQJobHistory), and there is "
				"no " FOLDER_DEFAULT " here; name it by --folder DIR\n");
		return 1;
	}
	return fail(rc, &err);
}

static int open_history(const struct history_options *options, struct enrg_history **ret_history)
{
	struct enrg_client *client = NULL;
	const char *folder = options->folder;
	struct enrg_error err = {0};
	int rc = folder ? 0 : find_folder(options, &client, &folder);

	if (rc == 0 && (rc = enrg_history_open(folder, ret_history, &err)) < 0)
		rc = fail(rc, &err);
	enrg_client_close(client);
	return rc;
}

/* --- the list ----------------------------------------------------------------------------------------------------- */

static int print_list(const struct history_options *options, const char *pattern)
{
	struct enrg_history *history = NULL;
	struct enrg_history_list *list = NULL;
	struct enrg_error err = {0};
	int rc = open_history(options, &history);

	if (rc)
		return rc;
	rc = enrg_history_list(history, pattern, &list, &err);
	if (rc < 0)
		rc = fail(rc, &err);
	else
		history_print_list(list, options->form, stdout);
	if (rc == 0 && !list->count && pattern) {
		fprintf(stderr, "enrgdaq history: no series is called \"%s\"\n", pattern);
		rc = 1;
	}
	enrg_history_list_destroy(list);
	enrg_history_close(history);
	return rc;
}

/* --- series ------------------------------------------------------------------------------------------------------- */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int set_time(const struct history_options *options, struct enrg_history_query *query)
{
	uint64_t span_ns = LAST_DEFAULT;

	query->to_ns = now_ns();
	if (options->last && (options->from || options->to))
		return cli_usage_error("history", "--last, or --from and --to, not both");
	if (options->last && history_parse_span(options->last, &span_ns) < 0)
		return cli_usage_error(
			"history", "--last: 90s, 30m, 6h, 2d, 1w or 1y was expected, not \"%s\"", options->last);
	if (options->to && history_parse_time(options->to, &query->to_ns) < 0)
		return cli_usage_error(
			"history", "--to: a time as 2026-11-28T06:00Z was expected, not \"%s\"", options->to);
	query->from_ns = query->to_ns > span_ns ? query->to_ns - span_ns : 0;
	if (options->from && history_parse_time(options->from, &query->from_ns) < 0)
		return cli_usage_error(
			"history", "--from: a time as 2026-11-28T06:00Z was expected, not \"%s\"", options->from);
	return query->from_ns < query->to_ns ? 0 : cli_usage_error("history", "the time ends before it begins");
}

static int set_points(const struct history_options *options, unsigned width, struct enrg_history_query *query)
{
	char *end = NULL;
	long points = options->points ? strtol(options->points, &end, 10) : 0;

	if (options->points && (*end || points < 1 || points > (long)ENRG_HISTORY_POINTS_MAX))
		return cli_usage_error("history", "--points: 1 to %u was expected, not \"%s\"", ENRG_HISTORY_POINTS_MAX,
			options->points);
	query->points = options->points                   ? (uint32_t)points
			: options->form != HISTORY_TEXT   ? POINTS_DEFAULT
			: width > HISTORY_AXIS_WIDTH + 21 ? 2 * (width - HISTORY_AXIS_WIDTH - 1)
							  : 40;
	return 0;
}

static int print_series(const struct history_options *options, char **names)
{
	unsigned width = watch_screen_size().ws_col;
	struct enrg_history_query query = {.size = sizeof(query), .patterns = (const char *const *)names};
	struct enrg_history_result *result = NULL;
	struct enrg_history *history = NULL;
	struct enrg_error err = {0};
	int rc = set_time(options, &query);

	if (rc == 0)
		rc = set_points(options, width, &query);
	if (rc == 0)
		rc = open_history(options, &history);
	if (rc)
		return rc;
	rc = enrg_history_read(history, &query, &result, &err);
	if (rc < 0)
		rc = fail(rc, &err);
	else if (result->series_count || options->form != HISTORY_TEXT)
		history_print(result, options->form, width, stdout);
	if (rc == 0 && !result->series_count) {
		fprintf(stderr,
			"enrgdaq history: nothing of that name is known of that time; `enrgdaq history list` shows "
			"what there is\n");
		rc = 1;
	}
	enrg_history_result_destroy(result);
	enrg_history_close(history);
	return rc;
}

/* --- the command -------------------------------------------------------------------------------------------------- */

int cli_history(int argc, char **argv)
{
	static const struct option names[] = {{"folder", required_argument, NULL, 'd'},
		{"id", required_argument, NULL, 'i'}, {"from", required_argument, NULL, 'f'},
		{"to", required_argument, NULL, 't'}, {"last", required_argument, NULL, 'l'},
		{"points", required_argument, NULL, 'p'}, {"csv", no_argument, NULL, 'c'},
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct history_options options = {0};
	int choice;

	optind = 1;
	while ((choice = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == '?')
			return cli_option_error("history");
		options.form = choice == 'c' ? HISTORY_CSV : choice == 'j' ? HISTORY_JSON : options.form;
		options.folder = choice == 'd' ? optarg : options.folder;
		options.supervisor = choice == 'i' ? optarg : options.supervisor;
		options.from = choice == 'f' ? optarg : options.from;
		options.to = choice == 't' ? optarg : options.to;
		options.last = choice == 'l' ? optarg : options.last;
		options.points = choice == 'p' ? optarg : options.points;
	}
	if (optind == argc)
		return cli_usage_error("history", "list, or a SERIES was expected");
	if (strcmp(argv[optind], "list") != 0)
		return print_series(&options, argv + optind);
	if (argc - optind > 2)
		return cli_usage_error("history", "list: one PATTERN at the most");
	return print_list(&options, argv[optind + 1]);
}
