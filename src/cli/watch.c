/* watch.c: `enrgdaq watch SOURCE`: live rows and rates of a source, read beside its stores. A process of its own: an
 * observer, which the source does not know of and does not wait for. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
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
#define LINE_WIDTH         120u /* where the output is no terminal */

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
	"When the source or its run ends and comes back, the view continues. Ctrl-C ends it.\n"
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

/* --- which stream ------------------------------------------------------------------------------------------------- */

static int is_stream(const struct dirent *entry)
{
	size_t bytes = strlen(entry->d_name);

	return bytes > 7 && !strcmp(entry->d_name + bytes - 7, ".stream");
}

/* Streams of a runtime folder: the path of `source`, or, where there is none, the names of all in `ret_names`. */
static bool find_stream(
	const char *folder, const char *source, char *ret_path, size_t path_bytes, char *ret_names, size_t names_bytes)
{
	struct dirent **entries;
	bool is_found = false;
	size_t used = 0;
	int count = scandir(folder, &entries, is_stream, alphasort);

	ret_names[0] = '\0';
	for (int i = 0; i < count; free(entries[i++])) {
		struct observer *observer;

		if (is_found)
			continue;
		snprintf(ret_path, path_bytes, "%s/%s", folder, entries[i]->d_name);
		if (observer_open(ret_path, &observer, NULL) < 0)
			continue;
		const char *name = observer_info(observer)->source;
		is_found = source && !strcmp(name, source);
		if (used + strlen(name) + 3 < names_bytes)
			used += (size_t)snprintf(ret_names + used, names_bytes - used, "%s%s", used ? ", " : "", name);
		observer_close(observer);
	}
	if (count >= 0)
		free(entries);
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
	if (!table)
		return;
	if (!table->is_fresh && observer_copy(watch->observer, &payload, NULL) == 0)
		table->is_fresh = watch_table_keep(table, &record->header, payload, NULL) == 0;
	table->seen++;
	table->rows += record->header.rows;
	table->bytes += (uint64_t)record->header.meta_bytes + record->header.body_bytes;
}

/* Up to `sequence` it was looked, or it can't be looked at any more. */
static void reach(struct watch *watch, uint64_t sequence)
{
	watch->came += sequence > watch->reached ? sequence - watch->reached : 0;
	watch->reached = sequence > watch->reached ? sequence : watch->reached;
}

static bool open_stream(struct watch *watch)
{
	if (observer_open(watch->path, &watch->observer, NULL) < 0)
		return false;
	watch->reached = observer_published(watch->observer);
	return true;
}

/* What came since the last look, as far as one look may last. What is missed is counted by what was published before
 * it: a record that comes while the last one is shown is not missed. */
static void look(struct watch *watch)
{
	struct observer_record record;
	int rc = 0;

	if (!watch->observer && !open_stream(watch))
		return;
	uint64_t published = observer_published(watch->observer);

	for (unsigned i = 0; i < LOOK_RECORDS && !is_over; i++) {
		rc = observer_next(watch->observer, &record, NULL);
		if (rc != 1)
			break;
		take(watch, &record);
		reach(watch, record.header.sequence);
	}
	reach(watch, published);
	if (rc == 1)
		observer_skip(watch->observer);
	if (rc == -ESTALE)
		close_stream(watch); /* a new run made it anew; it is opened again at the next look */
}

/* --- showing ------------------------------------------------------------------------------------------------------ */

static struct winsize terminal_size(void)
{
	struct winsize size = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col || !size.ws_row)
		size = (struct winsize){.ws_col = LINE_WIDTH, .ws_row = UINT16_MAX};
	return size;
}

/* Of `line`, as many characters as fit beside each other. */
static size_t fit(const char *line, size_t bytes, unsigned width)
{
	size_t used = 0;

	for (size_t count; width > 0 && used < bytes; width--) {
		count = text_character(line + used, bytes - used);
		used += count ? count : 1;
	}
	return used;
}

/* A view in the place of the one before, with no line longer and no more lines than the window has. */
static void print_on_screen(const char *view, struct winsize size)
{
	unsigned lines = 0, shown = 0, room = size.ws_row - 1u; /* the cursor's line stays free */

	for (const char *at = view; (at = strchr(at, '\n')); at++)
		lines++;
	fputs("\033[H", stdout);
	for (const char *at = view, *end; (end = strchr(at, '\n')) && (lines <= room || shown + 1 < room);
		at = end + 1) {
		size_t bytes = (size_t)(end - at), fits = fit(at, bytes, size.ws_col);
		bool is_whole = fits == bytes;

		fits = is_whole ? fits : fit(at, bytes, size.ws_col - 1u);
		printf("%.*s%s\033[K\n", (int)fits, at, is_whole ? "" : "…");
		shown++;
	}
	if (shown < lines)
		printf("… %u lines more (or --json)\033[K\n", lines - shown);
	fputs("\033[J", stdout);
}

static void print_title(const struct watch *watch, FILE *stream)
{
	char source[256], run[64];
	uint64_t missed = watch->came > watch->seen ? watch->came - watch->seen : 0;

	snprintf(source, sizeof(source), "%s", watch->options->source);
	text_make_safe(source, strlen(source));
	if (!watch->observer) {
		fprintf(stream, "%s: is not there now; waits for it\n", source);
		return;
	}
	snprintf(run, sizeof(run), "%s", observer_info(watch->observer)->run);
	text_make_safe(run, strlen(run));
	fprintf(stream, "%s, run %s%s", source, run, observer_is_at_end(watch->observer) ? ", has ended in order" : "");
	if (missed)
		fprintf(stream, ", %" PRIu64 " of %" PRIu64 " batches came faster than they were looked at", missed,
			watch->came);
	fputc('\n', stream);
}

static void print_view(struct watch *watch, uint64_t now_ns, unsigned width, FILE *stream)
{
	const struct watch_rates rates = {
		.seconds = (double)(now_ns - watch->shown_ns) / NS_PER_S,
		.scale = watch->seen && watch->came > watch->seen ? (double)watch->came / (double)watch->seen : 1,
	};
	bool has_any = false;

	if (!watch->options->is_json)
		print_title(watch, stream);
	for (size_t i = 0; i < SEGMENT_ROUTES; i++) {
		struct watch_table *table = &watch->tables[i];

		if (!table->route || !is_wanted(watch, table))
			continue;
		has_any = true;
		if (watch->options->is_json)
			watch_table_print_json(table, &rates, watch->options->source, stream);
		else
			watch_table_print(table, &rates, width, stream);
		table->seen = table->rows = table->bytes = 0;
		table->is_fresh = false;
	}
	if (!has_any && watch->observer && !watch->options->is_json)
		fprintf(stream, "no batch%s since this look began\n", watch->options->tag ? " of that tag" : "");
}

static void show(struct watch *watch, uint64_t now_ns)
{
	struct winsize size = terminal_size();
	bool is_screen = isatty(STDOUT_FILENO) && !watch->options->is_json;
	char *view = NULL;
	size_t bytes;
	FILE *stream = is_screen ? open_memstream(&view, &bytes) : NULL;

	print_view(watch, now_ns, is_screen ? size.ws_col : LINE_WIDTH, stream ? stream : stdout);
	if (stream && fclose(stream) == 0)
		print_on_screen(view, size);
	free(view);
	fflush(stdout);
	watch->seen_ever += watch->seen;
	watch->came_ever += watch->came;
	watch->seen = watch->came = 0;
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
	watch.came_ever += watch.came;
	if (!options->is_json && !ferror(stdout))
		printf("watched %.1f s: %" PRIu64 " batches, %" PRIu64 " of them not looked at\n",
			(double)(clock_mono_ns() - started_ns) / NS_PER_S, watch.came_ever,
			watch.came_ever > watch.seen_ever ? watch.came_ever - watch.seen_ever : 0);
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
