/* history.c: `enrgdaq history`: what statistics and slowly changing columns were, from the files of DAQJobHistory. A
 * process of its own; asks none. */
#include <getopt.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/history.h"
#include "cli/history_select.h"
#include "cli/watch_screen.h"

#define FOLDER_DEFAULT "out/history"
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
	struct history_select select;
	enum history_form form;
};

/* --- the list ----------------------------------------------------------------------------------------------------- */

static int print_list(struct history_options *options, const char *pattern)
{
	struct enrg_history *history = NULL;
	struct enrg_history_list *list = NULL;
	struct enrg_error err = {0};
	int rc = history_select_open(&options->select, &history);

	if (rc)
		return rc;
	if (enrg_history_list_series(history, pattern, &list, &err) < 0) {
		fprintf(stderr, "enrgdaq history: %s\n", err.text);
		rc = 1;
	} else {
		history_print_list(list, options->form, stdout);
	}
	if (rc == 0 && !list->count && pattern) {
		fprintf(stderr, "enrgdaq history: no series is called \"%s\"\n", pattern);
		rc = 1;
	}
	enrg_history_list_destroy(list);
	enrg_history_close(history);
	return rc;
}

/* --- series ------------------------------------------------------------------------------------------------------- */

static int print_series(struct history_options *options, char **names)
{
	unsigned width = watch_screen_size().ws_col;
	uint32_t room = width > HISTORY_AXIS_WIDTH + 21 ? 2 * (width - HISTORY_AXIS_WIDTH - 1) : 40;
	struct enrg_history_result *result = NULL;
	int rc = history_select_read(&options->select, options->form == HISTORY_TEXT ? room : POINTS_DEFAULT,
		(const char *const *)names, &result);

	if (rc)
		return rc;
	if (result->series_count || options->form != HISTORY_TEXT)
		history_print(result, options->form, width, stdout);
	if (!result->series_count) {
		fprintf(stderr,
			"enrgdaq history: nothing of that name is known of that time; `enrgdaq history list` shows "
			"what there is\n");
		rc = 1;
	}
	enrg_history_result_destroy(result);
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
	struct history_options options = {.select = {.command = "history"}};
	struct history_select *select = &options.select;
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
		select->folder = choice == 'd' ? optarg : select->folder;
		select->supervisor = choice == 'i' ? optarg : select->supervisor;
		select->from = choice == 'f' ? optarg : select->from;
		select->to = choice == 't' ? optarg : select->to;
		select->last = choice == 'l' ? optarg : select->last;
		select->points = choice == 'p' ? optarg : select->points;
	}
	if (optind == argc)
		return cli_usage_error("history", "list, or a SERIES was expected");
	if (strcmp(argv[optind], "list") != 0)
		return print_series(&options, argv + optind);
	if (argc - optind > 2)
		return cli_usage_error("history", "list: one PATTERN at the most");
	return print_list(&options, argv[optind + 1]);
}
