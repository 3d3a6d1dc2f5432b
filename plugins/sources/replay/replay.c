/* replay.c: DAQJobReplay: feeds what was recorded in .arrows files back, batch by batch, as a source. Runs in its own
 * job process, on the main thread. Where it stands is what its stream has: an instance that was killed is followed by
 * one that reads again up to the last batch that was published, and continues behind it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "copying.h"
#include "enrgdaq/job.h"
#include "recording.h"

#define SKIP_NS  20000000u /* of one poll that reads again what was published before */
#define TOLD_MAX 20u       /* sentences about what was left out; more are only counted */

struct replay_options {
	const char *path, *source, *tag;
	double speed, rate_hz;
	bool loop, retime;
};

struct replay {
	struct enrg_job *job;
	const struct replay_options *options;
	struct recording *recording;
	struct recording_batch next; /* batch NULL: to be read */
	uint64_t skip;               /* batches that earlier instances have published */
	/* the output of the batch before, nearly always that of the next */
	struct enrg_output *output;
	uint64_t table;
	char tag[ENRG_NAME_BYTES_MAX + 1];
	uint64_t *variable;
	uint32_t variable_count;
	/* pace: recorded time `from_ns` was at `begun_ns`; 0: the next batch sets it */
	uint64_t from_ns, begun_ns, paced;
	/* of this pass through the files, published or skipped; of all passes of this instance, published */
	uint64_t pass_batches, batches, rows, merged;
	uint64_t left_out; /* pieces of this pass that can't be replayed */
	unsigned told;
};

static const struct enrg_option replay_option_list[] = {
	{.key = "path",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct replay_options, path),
		.required = true,
		.help = "What to replay: an .arrows file, a folder of such files, or a pattern such as "
			"\"out/wave_*.arrows\"."},
	{.key = "speed",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct replay_options, speed),
		.default_value = "1.0",
		.min = 0,
		.max = 1e9,
		.help = "1 = as recorded, 10 = ten times faster, 0 = as fast as the stores take it."},
	{.key = "rate_hz",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct replay_options, rate_hz),
		.default_value = "0.0",
		.min = 0,
		.max = 1e6,
		.unit = "Hz",
		.help = "Batches in a second, whatever times were recorded; 0 = by the times and `speed`."},
	{.key = "loop",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct replay_options, loop),
		.default_value = "false",
		.help = "Begins again at the end, for ever."},
	{.key = "retime",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct replay_options, retime),
		.default_value = "false",
		.help = "Shifts columns of times so that the data looks as if it were taken now."},
	{.key = "source",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct replay_options, source),
		.help = "Only batches of this job of the recording."},
	{.key = "tag",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct replay_options, tag),
		.help = "Only batches with this tag; \"\" = those without one."},
	{.key = NULL},
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- what is left out -------------------------------------------------------------------------------------------- */

static void leave_out(void *context, const char *sentence)
{
	struct replay *replay = context;

	replay->left_out++;
	if (replay->told++ < TOLD_MAX)
		enrg_job_log(replay->job, ENRG_WARNING, "is not replayed: %s", sentence);
}

/* At the end of a pass. */
static void tell_sum(const struct replay *replay)
{
	uint64_t gaps = recording_gaps(replay->recording);

	enrg_job_log(replay->job, ENRG_INFO,
		"the recording ends: this instance replayed %" PRIu64 " batches with %" PRIu64 " rows", replay->batches,
		replay->rows);
	if (gaps)
		enrg_job_log(replay->job, ENRG_INFO,
			"%" PRIu64 " times the recording says that a source was started again; those marks are not "
			"repeated",
			gaps);
	if (replay->merged)
		enrg_job_log(replay->job, ENRG_INFO,
			"%" PRIu64 " of the batches had been merged from smaller ones when their file was closed: "
			"the rows are the same, but where the small ones ended is not known",
			replay->merged);
	if (replay->left_out)
		enrg_job_alert(replay->job, ENRG_WARNING,
			"%" PRIu64 " part(s) of the recording could not be replayed, since they are damaged, cut or of "
			"a kind that a stream can't carry; the log names the first of them, `enrgdaq verify` all",
			replay->left_out);
}

/* --- life -------------------------------------------------------------------------------------------------------- */

static void replay_destroy(void *state)
{
	struct replay *replay = state;

	if (!replay)
		return;
	recording_close(replay->recording);
	free(replay->variable);
	free(replay);
}

static void tell_start(const struct replay *replay)
{
	char first[ENRG_TIMESTAMP_BYTES];
	struct recording_sum sum;

	recording_get_sum(replay->recording, &sum);
	enrg_timestamp_format((int64_t)sum.first_ns, first);
	enrg_job_log(replay->job, ENRG_INFO, "replays %" PRIu64 " file(s) with %.1f MB, the first one from %.*s",
		sum.files, (double)sum.bytes / 1e6, (int)sizeof(first), first);
	if (replay->skip)
		enrg_job_log(replay->job, ENRG_INFO,
			"an earlier instance published %" PRIu64 " batches of this run: continues behind them",
			replay->skip);
}

static int replay_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	struct enrg_published published;

	if (!replay)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	replay->job = job;
	replay->options = options;
	const struct recording_hooks hooks = {.tell = leave_out, .context = replay};
	int rc = recording_open(replay->options->path, &hooks, &replay->recording, err);
	if (rc < 0) {
		replay_destroy(replay);
		return rc;
	}
	enrg_job_continue(job, &published);
	replay->skip = published.batches;
	tell_start(replay);
	*ret_state = replay;
	return 0;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

static bool is_wanted(const struct replay *replay, const struct enrg_batch *batch)
{
	const struct replay_options *options = replay->options;

	return (!options->source || strcmp(options->source, batch->source) == 0) &&
	       (!options->tag || strcmp(options->tag, batch->tag) == 0);
}

/* The next batch that can be published: 1, or 0 at the end of the files. */
static int read_next(struct replay *replay, struct enrg_error *err)
{
	for (;;) {
		struct enrg_error reason = {0};
		int rc = recording_next(replay->recording, &replay->next, &reason);
		if (rc == ENRG_E_CORRUPT) {
			leave_out(replay, reason.text);
			continue;
		}
		if (rc < 0)
			return enrg_error_set(err, rc, "%s", reason.text);
		if (rc == 0 || !is_wanted(replay, replay->next.batch)) {
			replay->next.batch = NULL;
			if (rc == 0)
				return 0;
			continue;
		}
		if (!copying_has_missing(replay->next.batch))
			return 1;
		enrg_error_set(&reason, -ENOTSUP,
			"%s: batch %" PRIu64 " has missing values, which ENRGDAQ's own files never have",
			replay->next.path, replay->next.batch->sequence);
		leave_out(replay, reason.text);
	}
}

/* The files are at their end: ENRG_POLL_DONE, or from the beginning again. */
static int end_pass(struct replay *replay)
{
	if (!replay->options->loop || !replay->pass_batches) {
		tell_sum(replay);
		return ENRG_POLL_DONE;
	}
	replay->skip %= replay->pass_batches;
	replay->pass_batches = 0;
	replay->left_out = 0;
	replay->begun_ns = 0;
	recording_rewind(replay->recording);
	return ENRG_POLL_AGAIN;
}

/* Reads again what was published, a while of it. */
static int skip_on(struct replay *replay, struct enrg_error *err)
{
	uint64_t until_ns = clock_ns(CLOCK_MONOTONIC) + SKIP_NS;

	while (replay->skip && clock_ns(CLOCK_MONOTONIC) < until_ns) {
		int rc = read_next(replay, err);
		if (rc < 0)
			return rc;
		if (rc == 0)
			return end_pass(replay);
		replay->skip--;
		replay->pass_batches++;
		replay->next.batch = NULL;
	}
	return ENRG_POLL_AGAIN;
}

/* --- pace -------------------------------------------------------------------------------------------------------- */

/* When the batch is due, CLOCK_MONOTONIC; 0: at once. */
static uint64_t due_ns(struct replay *replay)
{
	const struct replay_options *options = replay->options;
	uint64_t at_ns = replay->next.batch->acquired_ns;
	bool has_rate = options->rate_hz > 0;

	if (!has_rate && (options->speed <= 0 || !at_ns))
		return 0;
	if (!replay->begun_ns) {
		replay->begun_ns = clock_ns(CLOCK_MONOTONIC);
		replay->from_ns = at_ns;
		replay->paced = 0;
	}
	if (has_rate)
		return replay->begun_ns + (uint64_t)((double)replay->paced * 1e9 / options->rate_hz);
	double after_ns = at_ns > replay->from_ns ? (double)(at_ns - replay->from_ns) / options->speed : 0;
	return replay->begun_ns + (after_ns < 1e18 ? (uint64_t)after_ns : (uint64_t)1e18);
}

/* --- publishing -------------------------------------------------------------------------------------------------- */

static int find_output(struct replay *replay, const struct enrg_batch *batch, struct enrg_error *err)
{
	if (replay->output && replay->table == replay->next.table && strcmp(replay->tag, batch->tag) == 0)
		return 0;
	if (replay->variable_count < batch->schema->column_count) {
		free(replay->variable);
		replay->variable_count = 0;
		replay->variable = calloc(batch->schema->column_count, sizeof(*replay->variable));
		if (!replay->variable)
			return enrg_error_set(err, -ENOMEM, "out of memory");
		replay->variable_count = batch->schema->column_count;
	}
	replay->output = NULL;
	int rc = enrg_output_open(replay->job, "store_config", batch->tag, batch->schema, &replay->output, err);
	if (rc == -ENOSPC)
		return enrg_error_set(err, ENRG_E_CONFIG,
			"path: the recording has more tables than one job can send; choose some by `tag` or `source`");
	if (rc < 0)
		return enrg_error_add(err, rc, "%s", replay->next.path);
	replay->table = replay->next.table;
	strncpy(replay->tag, batch->tag, sizeof(replay->tag) - 1);
	return 0;
}

/* As if it were taken now: the times in it keep their distances. Returns the time of acquisition. */
static uint64_t shift_times(const struct enrg_batch *batch, const struct enrg_claim *claim)
{
	uint64_t now_ns = clock_ns(CLOCK_REALTIME);
	int64_t shift_ns = batch->acquired_ns ? (int64_t)(now_ns - batch->acquired_ns) : 0;

	for (uint32_t i = 0; i < batch->schema->column_count; i++)
		copying_shift(&batch->schema->columns[i], claim->columns[i].values, batch->rows, shift_ns);
	return now_ns;
}

static int publish(struct replay *replay, struct enrg_error *err)
{
	const struct enrg_batch *batch = replay->next.batch;
	uint64_t acquired_ns = batch->acquired_ns;
	struct enrg_claim claim;
	int rc = find_output(replay, batch, err);

	if (rc < 0)
		return rc;
	copying_measure(batch, replay->variable);
	rc = enrg_output_claim(replay->output, batch->rows, replay->variable, &claim, err);
	if (rc == -EMSGSIZE)
		return enrg_error_add(err, ENRG_E_CONFIG, "%s: batch %" PRIu64, replay->next.path, batch->sequence);
	if (rc < 0)
		return rc;
	copying_fill(batch, &claim);
	if (replay->options->retime)
		acquired_ns = shift_times(batch, &claim);
	rc = enrg_output_commit(replay->output, batch->rows, acquired_ns, err);
	if (rc < 0)
		return rc;
	replay->batches++;
	replay->rows += batch->rows;
	replay->pass_batches++;
	replay->paced++;
	replay->merged += replay->next.merged > 1;
	replay->next.batch = NULL;
	return 0;
}

static int replay_poll(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct replay *replay = state;

	if (replay->skip)
		return skip_on(replay, err);
	int rc = replay->next.batch ? 1 : read_next(replay, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return end_pass(replay);
	uint64_t due = due_ns(replay), now_ns = due ? clock_ns(CLOCK_MONOTONIC) : 0;
	if (due > now_ns)
		rc = enrg_job_wait_fd(job, NULL, 0, due - now_ns, err);
	else
		rc = publish(replay, err);
	return rc < 0 ? rc : ENRG_POLL_AGAIN;
}

static const struct enrg_job_group replay_groups[] = {
	{.key = "store_config",
		.required = true,
		.help = "Where the tables go, each with the tag that it was recorded with."},
	{.key = NULL},
};

static const struct enrg_job_type replay_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobReplay",
	.summary =
		"Feeds recorded .arrows files back: at their own pace, faster, at a fixed rate or as fast as it goes.",
	.options = {.size = sizeof(struct replay_options), .options = replay_option_list},
	.groups = replay_groups,
	.start = replay_start,
	.poll = replay_poll,
	.destroy = replay_destroy,
};

static const struct enrg_job_type *const replay_jobs[] = {&replay_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "replay", .jobs = replay_jobs};
