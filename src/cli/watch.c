/* watch.c: `enrgdaq watch SOURCE`: live rows and rates of a source, read beside its stores. A process of its own: an
 * observer, which the source does not know of and does not wait for. */
#include <errno.h>
#include <getopt.h>
#include <glob.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/watch_table.h"
#include "plane/stream.h"
#include "supervisor/runtime.h"

#define LOOK_MS            20
#define LOOK_RECORDS       5000u /* at one look; what is more is counted and not looked at */
#define VIEW_SECONDS       1.0
#define VIEW_SECONDS_LEAST 0.1
#define NS_PER_S           1e9

static const char usage[] =
	"usage: enrgdaq watch [--every SECONDS] [--seconds N] [--tag TAG] [--json] [--supervisor ID] [SOURCE]\n"
	"\n"
	"Shows what a source sends, while it runs: rates, and the last row of each of its tables; a waveform as a\n"
	"sparkline. It reads beside the stores: the source does not wait for it and loses nothing by it. Batches that\n"
	"came faster than they could be looked at are counted. Without SOURCE: the sources that there are.\n"
	"\n"
	"  --every SECONDS    a new view this often (1)\n"
	"  --seconds N        end after that time\n"
	"  --tag TAG          this table alone\n"
	"  --json             an object a table and view, one a line\n"
	"  --supervisor ID    of the system; without it the one that runs\n"
	"\n"
	"When the source or its run ends and comes back, the view goes on. Ctrl-C ends it.\n"
	"\n"
	"examples:\n"
	"  enrgdaq watch digitizer\n"
	"  enrgdaq watch digitizer --json --seconds 10 | jq .rows_per_s\n"
	"\n"
	"Exit code: 0 done, 1 no such source or no system runs, 2 wrong usage.\n";

struct watch_options {
	const char *source, *tag, *supervisor;
	double every_s, seconds;
	bool is_json;
};

struct watch {
	const struct watch_options *options;
	char path[RUNTIME_PATH_BYTES + 300];
	struct observer *observer; /* NULL: the source is not there now */
	struct watch_table tables[SEGMENT_ROUTES];
	uint64_t shown_ns;
	uint64_t seen, missed; /* records since the last view */
	uint64_t seen_ever, missed_ever;
};

static volatile sig_atomic_t is_over;

static void on_signal(int number)
{
	(void)number;
	is_over = 1;
}

/* --- which stream ------------------------------------------------------------------------------------------------- */

/* Streams of a runtime folder: the path of `source`, or, where there is none, the names of all in `ret_names`. */
static bool find_stream(
	const char *folder, const char *source, char *ret_path, size_t path_bytes, char *ret_names, size_t names_bytes)
{
	char pattern[RUNTIME_PATH_BYTES + 16];
	bool is_found = false;
	glob_t found;
	size_t used = 0;

	ret_names[0] = '\0';
	snprintf(pattern, sizeof(pattern), "%s/*.stream", folder);
	if (glob(pattern, 0, NULL, &found))
		return false;
	for (size_t i = 0; i < found.gl_pathc && !is_found; i++) {
		struct observer *observer;

		if (observer_open(found.gl_pathv[i], &observer, NULL) < 0)
			continue;
		const char *name = observer_info(observer)->source;
		is_found = source && !strcmp(name, source);
		if (is_found)
			snprintf(ret_path, path_bytes, "%s", found.gl_pathv[i]);
		else if (used + strlen(name) + 2 < names_bytes)
			used += (size_t)snprintf(ret_names + used, names_bytes - used, "%s%s", used ? ", " : "", name);
		observer_close(observer);
	}
	globfree(&found);
	text_make_safe(ret_names, strlen(ret_names));
	return is_found;
}

/* 0, or an exit code after the reason was printed. */
static int find_source(struct watch *watch)
{
	const struct watch_options *options = watch->options;
	char folder[RUNTIME_PATH_BYTES], names[4000];
	struct enrg_error err = {0};
	pid_t pid = 0;
	int rc = runtime_find(options->supervisor, folder, sizeof(folder), &pid, &err);

	if (rc || !pid) {
		fprintf(stderr, "enrgdaq watch: %s\n",
			rc ? err.text : "that system does not run now; start it with `enrgdaq run`");
		return 1;
	}
	if (find_stream(folder, options->source, watch->path, sizeof(watch->path), names, sizeof(names)))
		return 0;
	if (options->source)
		fprintf(stderr, "enrgdaq watch: no source named \"%s\" has a stream; %s%s\n", options->source,
			names[0] ? "there are: " : "there is none at all", names);
	else
		printf("%s\n", names[0] ? names : "no source has a stream");
	return options->source ? 1 : 0;
}

/* --- looking ------------------------------------------------------------------------------------------------------ */

static void close_stream(struct watch *watch)
{
	for (size_t i = 0; i < SEGMENT_ROUTES; i++)
		watch_table_fini(&watch->tables[i]);
	observer_close(watch->observer);
	watch->observer = NULL;
}

static bool is_wanted(const struct watch *watch, const struct watch_table *table)
{
	return !watch->options->tag || !strcmp(table->route->tag, watch->options->tag);
}

/* The table of a record; NULL: not wanted, or its columns can't be read. */
static struct watch_table *table_of(struct watch *watch, const struct record *header)
{
	struct watch_table *table = &watch->tables[header->route % SEGMENT_ROUTES];
	const struct observer_route *route;

	if (!table->route && (observer_route(watch->observer, header->route, &route) < 0 ||
				     watch_table_init(table, route, NULL) < 0)) {
		watch_table_fini(table);
		return NULL;
	}
	return is_wanted(watch, table) ? table : NULL;
}

/* Counts a record, and keeps it where the table has nothing to show for this view yet. */
static void take(struct watch *watch, const struct observer_record *record)
{
	struct watch_table *table = table_of(watch, &record->header);
	const uint8_t *payload;

	watch->seen++;
	watch->missed += record->skipped;
	if (!table)
		return;
	if (!table->is_fresh && observer_copy(watch->observer, &payload, NULL) == 0)
		table->is_fresh = watch_table_keep(table, &record->header, payload, NULL) == 0;
	table->seen++;
	table->rows += record->header.rows;
	table->bytes += (uint64_t)record->header.meta_bytes + record->header.body_bytes;
}

/* What came since the last look, as far as one look may last. */
static void look(struct watch *watch)
{
	struct observer_record record;
	int rc = 0;

	if (!watch->observer && observer_open(watch->path, &watch->observer, NULL) < 0)
		return;
	for (unsigned i = 0; i < LOOK_RECORDS && (rc = observer_next(watch->observer, &record, NULL)) == 1; i++)
		take(watch, &record);
	if (rc == 1)
		observer_skip(watch->observer);
	if (rc == -ESTALE)
		close_stream(watch); /* a new run made it anew; it is opened again at the next look */
}

/* --- showing ------------------------------------------------------------------------------------------------------ */

static unsigned terminal_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 120;
}

static void print_title(const struct watch *watch)
{
	char source[256], run[64];

	snprintf(source, sizeof(source), "%s", watch->options->source);
	text_make_safe(source, strlen(source));
	if (!watch->observer) {
		printf("%s: is not there now; waits for it\n", source);
		return;
	}
	snprintf(run, sizeof(run), "%s", observer_info(watch->observer)->run);
	text_make_safe(run, strlen(run));
	printf("%s, run %s%s", source, run, observer_is_at_end(watch->observer) ? ", has ended in order" : "");
	if (watch->missed)
		printf(", %" PRIu64 " of %" PRIu64 " batches came faster than they were looked at", watch->missed,
			watch->missed + watch->seen);
	putchar('\n');
}

static void show(struct watch *watch, uint64_t now_ns)
{
	const struct watch_rates rates = {
		.seconds = (double)(now_ns - watch->shown_ns) / NS_PER_S,
		.scale = watch->seen ? (double)(watch->seen + watch->missed) / (double)watch->seen : 1,
	};
	bool is_screen = isatty(STDOUT_FILENO) && !watch->options->is_json;

	if (is_screen)
		fputs("\033[H\033[2J", stdout);
	if (!watch->options->is_json)
		print_title(watch);
	for (size_t i = 0; i < SEGMENT_ROUTES; i++) {
		struct watch_table *table = &watch->tables[i];

		if (!table->route || !is_wanted(watch, table))
			continue;
		if (watch->options->is_json)
			watch_table_print_json(table, &rates, watch->options->source, stdout);
		else
			watch_table_print(table, &rates, is_screen ? terminal_width() : 120, stdout);
		table->seen = table->rows = table->bytes = 0;
		table->is_fresh = false;
	}
	fflush(stdout);
	watch->seen_ever += watch->seen;
	watch->missed_ever += watch->missed;
	watch->seen = watch->missed = 0;
	watch->shown_ns = now_ns;
}

static int run(const struct watch_options *options)
{
	static struct watch watch; /* large */
	uint64_t every_ns = (uint64_t)(options->every_s * NS_PER_S), started_ns = clock_mono_ns();
	uint64_t until_ns = options->seconds > 0 ? started_ns + (uint64_t)(options->seconds * NS_PER_S) : UINT64_MAX;

	watch.options = options;
	int code = find_source(&watch);
	if (code || !options->source)
		return code;
	setpriority(PRIO_PROCESS, 0, 10); /* data taking comes first */
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGINT, &(struct sigaction){.sa_handler = on_signal}, NULL);
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_signal}, NULL);
	watch.shown_ns = started_ns;
	while (!is_over && !ferror(stdout)) {
		look(&watch);
		uint64_t now_ns = clock_mono_ns();
		if (now_ns - watch.shown_ns >= every_ns || (now_ns >= until_ns && watch.shown_ns == started_ns))
			show(&watch, now_ns);
		if (now_ns >= until_ns)
			break;
		poll(NULL, 0, LOOK_MS);
	}
	watch.seen_ever += watch.seen;
	watch.missed_ever += watch.missed;
	if (!options->is_json && !ferror(stdout))
		printf("watched %.1f s: %" PRIu64 " batches, %" PRIu64 " of them not looked at\n",
			(double)(clock_mono_ns() - started_ns) / NS_PER_S, watch.seen_ever + watch.missed_ever,
			watch.missed_ever);
	close_stream(&watch);
	return 0;
}

static bool parse_seconds(const char *text, double least, double *ret_seconds)
{
	char *end;
	double value = strtod(text, &end);

	if (*end || end == text || !(value >= least && value <= 1e6))
		return false;
	*ret_seconds = value;
	return true;
}

int cli_watch(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"every", required_argument, NULL, 'e'},
		{"seconds", required_argument, NULL, 's'},
		{"tag", required_argument, NULL, 't'},
		{"supervisor", required_argument, NULL, 'S'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct watch_options options = {.every_s = VIEW_SECONDS};
	int choice;

	optind = 0;
	while ((choice = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (choice == 'e' && !parse_seconds(optarg, VIEW_SECONDS_LEAST, &options.every_s))
			return cli_usage_error("watch", "--every: expected seconds, 0.1 or more, found \"%s\"", optarg);
		if (choice == 's' && !parse_seconds(optarg, VIEW_SECONDS_LEAST, &options.seconds))
			return cli_usage_error(
				"watch", "--seconds: expected seconds, 0.1 or more, found \"%s\"", optarg);
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == '?')
			return cli_option_error("watch");
		options.is_json |= choice == 'j';
		options.tag = choice == 't' ? optarg : options.tag;
		options.supervisor = choice == 'S' ? optarg : options.supervisor;
	}
	if (argc - optind > 1)
		return cli_usage_error("watch", "one SOURCE was expected, not %d", argc - optind);
	options.source = argv[optind];
	return run(&options);
}
