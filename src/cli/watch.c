/* watch.c: `enrgdaq watch SOURCE`: live rows and rates of a source, read beside its stores. A process of its own: an
 * observer, which the source does not know of and does not wait for. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <enrgdaq/client.h>

#include "cli/cli.h"
#include "cli/watch_histogram.h"
#include "cli/watch_ledger.h"
#include "cli/watch_screen.h"
#include "cli/watch_table.h"

#define LOOK_MS            20
#define TABLES             256u  /* of a source, at most */
#define LOOK_RECORDS       5000u /* at one look; what is more is counted and not looked at */
#define VIEW_SECONDS       1.0
#define VIEW_SECONDS_LEAST 0.1
#define NS_PER_S           1e9

static const char usage[] =
	"usage: enrgdaq watch [--every SECONDS] [--seconds N] [--tag TAG] [--ledger] [--json] [--id ID] [SOURCE]\n"
	"       enrgdaq watch --histogram NAME [--every SECONDS] [--seconds N] [--json | --uhi] [--id ID]\n"
	"\n"
	"Shows what a source sends, while it runs: rates, and the last row of each of its tables; a waveform as a\n"
	"sparkline. It reads beside the stores: the source does not wait for it and loses nothing by it. Batches that\n"
	"came faster than they could be looked at are counted. Without SOURCE: the sources that there are.\n"
	"\n"
	"  --every SECONDS    a new view this often (1)\n"
	"  --seconds N        end after that time\n"
	"  --tag TAG          this table alone\n"
	"  --ledger           where its batches are, too: a line a store\n"
	"  --json             an object a table and view, one a line\n"
	"  --histogram NAME   a histogram that a DAQJobHistogram fills; NAME, or JOB/NAME. With --json an object that\n"
	"                     jsroot draws, with --uhi one for boost-histogram and hist, once unless --seconds\n"
	"  --id ID            info.supervisor_id of the system; without it, the one that runs\n"
	"\n"
	"When the source or its run ends and comes back, the view continues. Ctrl-C ends it.\n"
	"\n"
	"examples:\n"
	"  enrgdaq watch digitizer\n"
	"  enrgdaq watch digitizer --json --seconds 10 | jq .rows_per_s\n"
	"  enrgdaq watch --histogram charge\n"
	"  enrgdaq watch --histogram charge --json > charge.json\n"
	"\n"
	"Exit code: 0 done, 1 no such source or histogram, or no system runs, 2 wrong usage.\n";

struct watch_options {
	const char *source, *tag, *supervisor, *histogram;
	double every_s, seconds;
	bool is_json, is_uhi, has_ledger;
};

struct watch {
	const struct watch_options *options;
	struct enrg_client *client;
	struct enrg_stream *stream;
	bool is_there;     /* the source, at the last look */
	uint32_t instance; /* of the stream that the tables belong to */
	struct watch_table tables[TABLES];
	uint64_t shown_ns;
	uint64_t reached;    /* sequence up to which was looked, or could have been */
	uint64_t seen, came; /* records since the last view */
	uint64_t seen_ever, came_ever;
};

static volatile sig_atomic_t is_over;

static void on_signal(int number)
{
	(void)number;
	is_over = 1;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- which stream ------------------------------------------------------------------------------------------------- */

static int print_sources(struct enrg_client *client)
{
	const char *const *names;

	if (enrg_client_sources(client, &names, NULL) < 0 || !names[0]) {
		printf("no source has a stream\n");
		return 0;
	}
	for (size_t i = 0; names[i]; i++)
		printf("%s%s", i ? ", " : "", names[i]);
	printf("\n");
	return 0;
}

/* 0, or an exit code after the reason was printed. */
static int open_source(struct watch *watch)
{
	const struct watch_options *options = watch->options;
	const struct enrg_stream_params params = {.size = sizeof(params), .source = options->source};
	const struct enrg_supervisor *supervisor;
	struct enrg_error err = {0};
	int rc = enrg_client_open(options->supervisor, &watch->client, &err);

	if (rc == 0)
		rc = enrg_client_supervisor(watch->client, &supervisor, &err);
	if (rc == 0 && !options->source)
		return print_sources(watch->client);
	if (rc == 0)
		rc = enrg_stream_open(watch->client, &params, &watch->stream, &err);
	if (rc == 0) {
		watch->is_there = true;
		watch->reached = enrg_stream_get_counts(watch->stream)->last_published;
		return 0;
	}
	fprintf(stderr, "enrgdaq watch: %s%s\n", err.text, cli_how_to_name(rc, " by --id ID"));
	return 1;
}

/* --- looking ------------------------------------------------------------------------------------------------------ */

static bool is_wanted(const struct watch *watch, const struct watch_table *table)
{
	return !watch->options->tag || !strcmp(table->tag, watch->options->tag);
}

/* A new run made the stream anew: its tables are others. */
static void begin_instance(struct watch *watch, uint32_t instance)
{
	memset(watch->tables, 0, sizeof(watch->tables));
	watch->instance = instance;
	watch->reached = 0;
}

/* Counts a record, and keeps it where the table has nothing to show for this view yet. */
static void take(struct watch *watch, const struct enrg_record *record)
{
	struct watch_table *table = &watch->tables[record->table % TABLES];
	const struct enrg_batch *batch;
	int rc = -EOVERFLOW;

	watch->seen++;
	table->is_known = true;
	snprintf(table->tag, sizeof(table->tag), "%s", record->tag);
	if (!is_wanted(watch, table))
		return;
	if (!table->is_fresh)
		rc = enrg_stream_read(watch->stream, &batch, NULL);
	if (rc == 0)
		table->batch = *batch;
	else if (rc != -EOVERFLOW)
		table->batch.schema = NULL; /* its memory may be gone */
	table->is_fresh |= rc == 0;
	table->seen++;
	table->rows += record->rows;
	table->bytes += record->bytes;
}

/* Up to `sequence` it was looked, or it can't be looked at any more. */
static void reach(struct watch *watch, uint64_t sequence)
{
	watch->came += sequence > watch->reached ? sequence - watch->reached : 0;
	watch->reached = sequence > watch->reached ? sequence : watch->reached;
}

/* What came since the last look, as far as one look may last. What is missed is counted by what was published before
 * it: a record that comes while the last one is shown is not missed. */
static void look(struct watch *watch)
{
	const struct enrg_record *record;
	uint64_t published = enrg_stream_get_counts(watch->stream)->last_published;
	int rc = 0;

	for (unsigned i = 0; i < LOOK_RECORDS && !is_over; i++) {
		rc = enrg_stream_next(watch->stream, &record, NULL);
		if (rc != 1)
			break;
		if (watch->instance && record->instance != watch->instance)
			published = 0; /* that was of another stream */
		if (!watch->instance)
			watch->instance = record->instance; /* the first one: what came before the look is not missed */
		if (record->instance != watch->instance)
			begin_instance(watch, record->instance);
		take(watch, record);
		reach(watch, record->sequence);
	}
	watch->is_there = rc != -EAGAIN;
	if (!watch->is_there)
		begin_instance(watch, 0);
	else
		reach(watch, published);
	if (rc == 1)
		enrg_stream_skip(watch->stream);
}

/* --- showing ------------------------------------------------------------------------------------------------------ */

static void print_title(const struct watch *watch, FILE *stream)
{
	char source[256];
	uint64_t missed = watch->came > watch->seen ? watch->came - watch->seen : 0;

	snprintf(source, sizeof(source), "%s", watch->options->source);
	enrg_text_make_safe(source, strlen(source));
	if (!watch->is_there) {
		fprintf(stream, "%s: is not there now; waits for it\n", source);
		return;
	}
	const struct enrg_stream_counts *counts = enrg_stream_get_counts(watch->stream);
	fprintf(stream, "%s, run %s%s", source, counts->run, counts->is_at_end ? ", has ended in order" : "");
	if (missed)
		fprintf(stream, ", %" PRIu64 " of %" PRIu64 " batches came faster than they were looked at", missed,
			watch->came);
	fputc('\n', stream);
}

static void print_view(struct watch *watch, uint64_t at_ns, unsigned width, FILE *stream)
{
	const struct watch_rates rates = {
		.seconds = (double)(at_ns - watch->shown_ns) / NS_PER_S,
		.scale = watch->seen && watch->came > watch->seen ? (double)watch->came / (double)watch->seen : 1,
	};
	bool has_any = false;

	if (!watch->options->is_json)
		print_title(watch, stream);
	for (size_t i = 0; i < TABLES; i++) {
		struct watch_table *table = &watch->tables[i];

		if (!table->is_known || !is_wanted(watch, table))
			continue;
		has_any = true;
		if (watch->options->is_json)
			watch_table_print_json(table, &rates, watch->options->source, stream);
		else
			watch_table_print(table, &rates, width, stream);
		table->seen = table->rows = table->bytes = 0;
		table->is_fresh = false;
	}
	if (!has_any && watch->is_there && !watch->options->is_json)
		fprintf(stream, "no batch%s since this look began\n", watch->options->tag ? " of that tag" : "");
	if (watch->options->has_ledger && !watch->options->is_json)
		watch_ledger_print(watch->client, watch->options->source, stream);
}

static void show(struct watch *watch, uint64_t at_ns)
{
	struct winsize size = watch_screen_size();
	bool is_screen = isatty(STDOUT_FILENO) && !watch->options->is_json;
	char *view = NULL;
	size_t bytes;
	FILE *stream = is_screen ? open_memstream(&view, &bytes) : NULL;

	print_view(watch, at_ns, is_screen ? size.ws_col : WATCH_LINE_WIDTH, stream ? stream : stdout);
	if (stream && fclose(stream) == 0)
		watch_screen_print(view, size);
	free(view);
	fflush(stdout);
	watch->seen_ever += watch->seen;
	watch->came_ever += watch->came;
	watch->seen = watch->came = 0;
	watch->shown_ns = at_ns;
}

static int run(const struct watch_options *options)
{
	static struct watch watch; /* large */
	uint64_t every_ns = (uint64_t)(options->every_s * NS_PER_S), started_ns = now_ns();
	uint64_t until_ns = options->seconds > 0 ? started_ns + (uint64_t)(options->seconds * NS_PER_S) : UINT64_MAX;

	watch.options = options;
	int rc = open_source(&watch);
	if (rc || !options->source) {
		enrg_client_close(watch.client);
		return rc;
	}
	setpriority(PRIO_PROCESS, 0, 10); /* data taking comes first */
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGINT, &(struct sigaction){.sa_handler = on_signal}, NULL);
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_signal}, NULL);
	watch.shown_ns = started_ns;
	while (!is_over && !ferror(stdout)) {
		look(&watch);
		uint64_t at_ns = now_ns();
		if (at_ns - watch.shown_ns >= every_ns || (at_ns >= until_ns && watch.shown_ns == started_ns))
			show(&watch, at_ns);
		if (at_ns >= until_ns)
			break;
		poll(NULL, 0, LOOK_MS);
	}
	watch.seen_ever += watch.seen;
	watch.came_ever += watch.came;
	if (!options->is_json && !ferror(stdout))
		printf("watched %.1f s: %" PRIu64 " batches, %" PRIu64 " of them not looked at\n",
			(double)(now_ns() - started_ns) / NS_PER_S, watch.came_ever,
			watch.came_ever > watch.seen_ever ? watch.came_ever - watch.seen_ever : 0);
	enrg_stream_close(watch.stream);
	enrg_client_close(watch.client);
	return 0;
}

static int run_histogram(const struct watch_options *options)
{
	const struct watch_histogram_params params = {.name = options->histogram,
		.supervisor = options->supervisor,
		.every_s = options->every_s,
		.seconds = options->seconds,
		.is_over = &is_over,
		.form = options->is_json  ? WATCH_HISTOGRAM_JSROOT
			: options->is_uhi ? WATCH_HISTOGRAM_UHI
					  : WATCH_HISTOGRAM_TEXT};

	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGINT, &(struct sigaction){.sa_handler = on_signal}, NULL);
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_signal}, NULL);
	return watch_histogram_run(&params);
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
		{"id", required_argument, NULL, 'i'},
		{"json", no_argument, NULL, 'j'},
		{"ledger", no_argument, NULL, 'l'},
		{"histogram", required_argument, NULL, 'H'},
		{"uhi", no_argument, NULL, 'u'},
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
		options.has_ledger |= choice == 'l';
		options.is_uhi |= choice == 'u';
		options.histogram = choice == 'H' ? optarg : options.histogram;
		options.tag = choice == 't' ? optarg : options.tag;
		options.supervisor = choice == 'i' ? optarg : options.supervisor;
	}
	if (argc - optind > 1)
		return cli_usage_error("watch", "one SOURCE was expected, not %d", argc - optind);
	options.source = argv[optind];
	if (options.histogram && (options.source || options.tag || options.has_ledger))
		return cli_usage_error("watch", "--histogram: goes with no source, --tag or --ledger");
	if (options.is_uhi && (options.is_json || !options.histogram))
		return cli_usage_error("watch", "--uhi: goes with --histogram, and not with --json");
	return options.histogram ? run_histogram(&options) : run(&options);
}
