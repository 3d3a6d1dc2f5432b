/* histogram.c: DAQJobHistogram: live histograms of what other jobs send. An observer: it looks at streams through
 * enrgdaq/client.h, has no entry in them, and holds nobody back; what came faster than it could look at it counts as
 * missed. Main thread of its own process. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "plot.h"
#include "root_file.h"

#define LOOK_NS       20000000u    /* from one look to the next */
#define SHOW_NS       200000000u   /* from one page to the next */
#define LOOK_RECORDS  2000u        /* of one source at one look */
#define SETTLE_NS     30000000000u /* a range is found from what there is by then */
#define LAST_LOOK_NS  5000000u
#define LAST_LOOKS_NS 1000000000u /* how long the last batches of sources that end are waited for */
#define RETRY_NS      1000000000u

struct histogram_options {
	struct enrg_struct_list histogram;
	const char *file_path;
};

struct feed {
	const char *source;
	struct enrg_stream *stream; /* NULL: not there yet */
	uint64_t tried_ns;
	bool is_told; /* that it is not there */
};

struct histogram {
	struct enrg_job *job;
	const struct histogram_options *options;
	struct enrg_client *client;
	struct feed *feeds;
	size_t feed_count, plot_count;
	struct plot *plots;
	char run[64], last_run[64];
	uint64_t since_ns;           /* wall clock */
	uint64_t began_ns, shown_ns; /* steady */
};

static const struct enrg_option histogram_options[] = {
	{.key = "histogram",
		.kind = ENRG_OPTION_TABLE_LIST,
		.offset = offsetof(struct histogram_options, histogram),
		.table = &plot_table,
		.required = true,
		.help = "A histogram, a section [[histogram]] each."},
	{.key = "file_path",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct histogram_options, file_path),
		.help = "A .root file of all of them, in out/, written when a run or the job ends; the run is added to "
			"its "
			"name: \"histograms.root\". Without the key there is none."},
	{.key = NULL},
};

static uint64_t clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- the file at the end ------------------------------------------------------------------------------------------ */

/* "out/histograms.root" and run "R" → "out/histograms_R.root". */
static void format_path(const struct histogram *self, char ret_path[PATH_MAX])
{
	const char *path = self->options->file_path, *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');
	int stem = dot ? (int)(dot - path) : (int)strlen(path);

	snprintf(ret_path, PATH_MAX, "%s%.*s%s%s%s", path[0] == '/' ? "" : "out/", stem, path, self->run[0] ? "_" : "",
		self->run, dot ? dot : ".root");
}

static void make_folders(const char *path)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s", path);
	for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(folder, 0777); /* where it fails, opening the file says why */
		*slash = '/';
	}
}

static void view_plot(const struct plot *plot, struct enrg_histogram *ret_view)
{
	const struct bins *bins = &plot->bins;

	*ret_view = (struct enrg_histogram){.dimensions = bins->dimensions,
		.name = plot->options->name,
		.title = plot->options->title ? plot->options->title : plot->options->name,
		.x = bins->x.axis,
		.y = bins->y.axis,
		.cell_count = bins->cell_count,
		.counts = bins->counts,
		.sums = bins->sums};
}

/* A file that can't be written is reported; the data are none the worse. */
static void write_file(struct histogram *self)
{
	struct enrg_histogram *views = calloc(self->plot_count + 1, sizeof(*views));
	struct enrg_error err = {0};
	char path[PATH_MAX];
	size_t count = 0;
	int rc = views ? 0 : enrg_error_set(&err, -ENOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && i < self->plot_count; i++) {
		bins_settle(&self->plots[i].bins);
		if (bins_is_ranged(&self->plots[i].bins) && self->plots[i].bins.sums.entries)
			view_plot(&self->plots[i], &views[count++]);
	}
	format_path(self, path);
	if (rc == 0 && count) {
		make_folders(path);
		rc = root_file_write(path, views, count, &err);
	}
	if (rc < 0)
		enrg_job_alert(self->job, ENRG_ERROR,
			"the histograms of run %s are not in a file: %s. The data themselves are stored as ever",
			self->run, err.text);
	else if (count)
		enrg_job_log(self->job, ENRG_INFO, "%zu histogram%s in %s", count, count == 1 ? "" : "s", path);
	free(views);
}

/* --- runs --------------------------------------------------------------------------------------------------------- */

static void begin_run(struct histogram *self, const char *run)
{
	if (self->run[0]) {
		if (self->options->file_path)
			write_file(self);
		for (size_t i = 0; i < self->plot_count; i++)
			bins_turn(&self->plots[i].bins);
		memcpy(self->last_run, self->run, sizeof(self->last_run));
	}
	snprintf(self->run, sizeof(self->run), "%s", run);
	self->since_ns = clock_ns(CLOCK_REALTIME);
}

/* Between runs ("") all goes on; what comes late of the run before belongs to no histogram of now. */
static bool is_of_run(struct histogram *self, const char *run)
{
	if (!run[0] || !strcmp(run, self->run))
		return true;
	if (!strcmp(run, self->last_run))
		return false;
	begin_run(self, run);
	return true;
}

/* --- looking ------------------------------------------------------------------------------------------------------ */

static void count_missed(struct histogram *self, const struct feed *feed, const char *tag, uint64_t batches)
{
	for (size_t i = 0; i < self->plot_count; i++)
		if (!tag ? !strcmp(self->plots[i].options->job, feed->source)
			 : plot_wants(&self->plots[i], feed->source, tag))
			self->plots[i].bins.sums.missed += batches;
}

static int take_record(
	struct histogram *self, struct feed *feed, const struct enrg_record *record, struct enrg_error *err)
{
	const struct enrg_batch *batch = NULL;
	bool is_wanted = false;
	int rc = 0;

	if (record->skipped)
		count_missed(self, feed, NULL, record->skipped);
	if (record->is_gap || record->is_blob || !record->rows)
		return 0;
	for (size_t i = 0; i < self->plot_count; i++)
		is_wanted |= plot_wants(&self->plots[i], feed->source, record->tag);
	if (!is_wanted)
		return 0;
	if (enrg_stream_read(feed->stream, &batch, NULL) < 0) {
		count_missed(self, feed, record->tag, 1);
		return 0;
	}
	if (!is_of_run(self, batch->run))
		return 0;
	for (size_t i = 0; i < self->plot_count && rc == 0; i++)
		if (plot_wants(&self->plots[i], feed->source, record->tag))
			rc = plot_fill(&self->plots[i], self->job, record, batch, err);
	return rc;
}

static void open_feed(struct histogram *self, struct feed *feed, uint64_t now_ns)
{
	const struct enrg_stream_params params = {.size = sizeof(params), .source = feed->source};
	struct enrg_error err = {0};

	if (feed->tried_ns && now_ns - feed->tried_ns < RETRY_NS)
		return;
	feed->tried_ns = now_ns;
	if (!self->client && enrg_client_open(enrg_job_supervisor(self->job), &self->client, &err) < 0)
		return; /* it is just beginning */
	int rc = enrg_stream_open(self->client, &params, &feed->stream, &err);
	/* Its source may just be starting; a name that is wrong stays wrong. */
	if (rc == -ENOENT && !feed->is_told && now_ns - self->began_ns > 10 * (uint64_t)RETRY_NS) {
		feed->is_told = true;
		enrg_job_alert(self->job, ENRG_WARNING, "%s. Its histograms stay empty until there is one", err.text);
	}
}

static int look(struct histogram *self, struct feed *feed, uint64_t now_ns, struct enrg_error *err)
{
	const struct enrg_record *record;
	int rc = 0, found = 1;

	if (!feed->stream)
		open_feed(self, feed, now_ns);
	for (uint32_t i = 0; feed->stream && rc == 0 && found == 1 && i < LOOK_RECORDS; i++) {
		found = enrg_stream_next(feed->stream, &record, NULL);
		if (found == 1)
			rc = take_record(self, feed, record, err);
	}
	return rc;
}

static void show(struct histogram *self, bool is_settling)
{
	for (size_t i = 0; i < self->plot_count; i++) {
		struct plot *plot = &self->plots[i];

		if (is_settling)
			bins_settle(&plot->bins);
		if (plot->shown_changes == plot->bins.changes)
			continue;
		plot->shown_changes = plot->bins.changes;
		histogram_page_show(&plot->page, &plot->bins, self->run, self->last_run, self->since_ns);
	}
}

static int histogram_poll(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct histogram *self = state;
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	int rc = 0;

	(void)job;
	for (size_t i = 0; i < self->feed_count && rc == 0; i++)
		rc = look(self, &self->feeds[i], now_ns, err);
	if (rc == 0 && now_ns - self->shown_ns >= SHOW_NS) {
		self->shown_ns = now_ns;
		show(self, now_ns - self->began_ns >= SETTLE_NS);
	}
	return rc < 0 ? rc : ENRG_POLL_IDLE;
}

/* Is there a source that has not ended in order? */
static bool is_any_open(const struct histogram *self)
{
	for (size_t i = 0; i < self->feed_count; i++)
		if (self->feeds[i].stream && !enrg_stream_get_counts(self->feeds[i].stream)->is_at_end)
			return true;
	return false;
}

/* Where the whole run ends, sources are stopped at the same moment: what they send last belongs to it. */
static int histogram_stop(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct histogram *self = state;
	uint64_t began_ns = clock_ns(CLOCK_MONOTONIC), now_ns = began_ns;
	int rc = 0;

	do {
		for (size_t i = 0; i < self->feed_count && rc == 0; i++)
			rc = look(self, &self->feeds[i], now_ns, err);
		now_ns = clock_ns(CLOCK_MONOTONIC);
	} while (rc == 0 && is_any_open(self) && now_ns - began_ns < LAST_LOOKS_NS &&
		 enrg_job_wait_fd(job, NULL, 0, LAST_LOOK_NS, NULL) == 0);
	if (rc < 0)
		return rc;
	show(self, true);
	if (self->options->file_path)
		write_file(self);
	return 0;
}

/* --- begin and end ------------------------------------------------------------------------------------------------ */

static void histogram_destroy(void *state)
{
	struct histogram *self = state;

	if (!self)
		return;
	for (size_t i = 0; i < self->feed_count; i++)
		enrg_stream_close(self->feeds[i].stream);
	for (size_t i = 0; i < self->plot_count; i++) {
		histogram_page_close(&self->plots[i].page);
		plot_close(&self->plots[i]);
	}
	enrg_client_close(self->client);
	free(self->feeds);
	free(self->plots);
	free(self);
}

static void add_feed(struct histogram *self, const char *source)
{
	for (size_t i = 0; i < self->feed_count; i++)
		if (!strcmp(self->feeds[i].source, source))
			return;
	self->feeds[self->feed_count++].source = source;
}

static int open_plots(struct histogram *self, struct enrg_error *err)
{
	const struct plot_options *plots = self->options->histogram.items;
	const struct enrg_supervisor *supervisor = NULL;
	int rc = enrg_client_open(enrg_job_supervisor(self->job), &self->client, err);

	if (rc == 0)
		rc = enrg_client_supervisor(self->client, &supervisor, err);
	for (size_t i = 0; rc == 0 && i < self->options->histogram.count; i++) {
		struct plot *plot = &self->plots[self->plot_count++];
		rc = plot_open(plot, &plots[i], err);
		const struct histogram_page_params params = {.folder = supervisor->folder,
			.job = enrg_job_name(self->job),
			.name = plots[i].name,
			.title = plots[i].title ? plots[i].title : plots[i].name,
			.index = (uint32_t)i};
		if (rc == 0)
			rc = histogram_page_open(&plot->page, &params, &plot->bins, err);
		if (rc == 0)
			histogram_page_show(&plot->page, &plot->bins, "", "", self->since_ns);
		add_feed(self, plots[i].job);
	}
	if (rc == 0)
		histogram_page_remove_rest(&(struct histogram_page_params){.folder = supervisor->folder,
			.job = enrg_job_name(self->job),
			.index = (uint32_t)self->plot_count});
	return rc;
}

static int histogram_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	const struct histogram_options *chosen = options;
	struct histogram *self = calloc(1, sizeof(*self));

	if (self) {
		self->job = job;
		self->options = chosen;
		self->plots = calloc(chosen->histogram.count + 1, sizeof(*self->plots));
		self->feeds = calloc(chosen->histogram.count + 1, sizeof(*self->feeds));
		self->since_ns = clock_ns(CLOCK_REALTIME);
		self->began_ns = clock_ns(CLOCK_MONOTONIC);
	}
	int rc = self && self->plots && self->feeds ? open_plots(self, err)
						    : enrg_error_set(err, -ENOMEM, "out of memory");
	if (rc < 0) {
		histogram_destroy(self);
		return rc;
	}
	setpriority(PRIO_PROCESS, 0, 10); /* data taking comes first */
	enrg_job_set_interval(job, LOOK_NS);
	*ret_state = self;
	return 0;
}

static int histogram_check(const void *options, struct enrg_error *err)
{
	const struct enrg_struct_list *list = &((const struct histogram_options *)options)->histogram;
	const struct plot_options *plots = list->items;

	for (size_t i = 0; i < list->count; i++) {
		if (plot_check(&plots[i], err) < 0) {
			char text[sizeof(err->text)];
			snprintf(text, sizeof(text), "%s", err->text);
			return enrg_error_set(err, ENRG_E_CONFIG, "histogram[%zu].%s", i, text);
		}
		for (size_t k = 0; k < i; k++)
			if (!strcmp(plots[i].name, plots[k].name))
				return enrg_error_set(err, ENRG_E_CONFIG,
					"histogram[%zu].name: histogram[%zu] is called \"%s\" too", i, k,
					plots[i].name);
	}
	return 0;
}

static const struct enrg_job_type histogram_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobHistogram",
	.summary = "Live histograms of columns and of waveforms, beside the stores.",
	.options = {.size = sizeof(struct histogram_options), .options = histogram_options},
	.start = histogram_start,
	.poll = histogram_poll,
	.stop = histogram_stop,
	.destroy = histogram_destroy,
	.check = histogram_check,
	.is_service = true,
};

static const struct enrg_job_type *const histogram_jobs[] = {&histogram_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "histogram", .jobs = histogram_jobs};
