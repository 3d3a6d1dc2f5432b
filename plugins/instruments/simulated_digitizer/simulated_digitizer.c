/* simulated_digitizer.c: DAQJobSimulatedDigitizer: a water Cherenkov tank (tank.c) and a digitizer (board.c) that are
 * not there, read as a driver reads a real one: what the board says goes through plugins/shared/waveform and becomes
 * rows. Runs in its own job process, on the main thread.
 *
 * Simulated time decides what happens, the clock only how soon: the same seed gives the same rows in the same order. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "board.h"
#include "enrgdaq/job.h"
#include "options.h"
#include "truth.h"
#include "waveform/notes.h"
#include "waveform/tables.h"
#include "waveform/time_tags.h"

#define NS_PER_S        UINT64_C(1000000000)
#define INTERVAL_NS     UINT64_C(10000000)
#define SLICE_PS        (4 * PS_PER_S) /* of a look at the board: well below the roll-over of its tags */
#define BATCH_BYTES     (1u << 20)
#define BATCH_RECORDS   256u
#define POLL_BATCHES    8u /* of one poll, so that others have their turn */
#define BEHIND_NS       (2 * NS_PER_S)
#define SEEDED_START_NS (UINT64_C(1767225600) * NS_PER_S) /* 2026-01-01T00:00:00Z */

/* What outlives an instance (enrg_job_keep). */
struct memory {
	uint64_t instances;
	uint64_t next_event; /* that was not given yet */
	uint64_t now_ps;
	uint64_t seed, start_time_ns;
	uint64_t wall_ns; /* when the first instance began */
};

struct digitizer {
	struct enrg_job *job;
	const struct digitizer_options *options;
	struct memory *memory;
	struct enrg_output *waveforms, *statistics;
	struct truth truth;
	struct board *board;
	struct board_record record;
	struct board_params params;
	int16_t *samples; /* of one record, all channels */
	float mv_per_count;
	int32_t cut;
	uint32_t batch_records;

	uint64_t reset_ps;             /* of the board: 0 of its tags */
	uint64_t now_ps, empty_ps;     /* simulated so far; the board was seen empty */
	uint64_t second_ps;            /* the next row of statistics is due */
	uint64_t anchor_ps, anchor_ns; /* simulated time, and the steady clock, of one moment */
	struct time_tags tags;
	uint64_t counter, first_event; /* of the board, unwrapped; of this instance */
	uint64_t records;              /* of this instance */
	struct waveform_statistics second;
	uint64_t dropped_told;
	bool is_behind_told;
	bool is_acquiring; /* polled since the start, or since the last run began */
};

/* A batch that is being filled. */
struct batch {
	struct enrg_claim claim;
	uint32_t records;
	uint64_t rows;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* --- a record ---------------------------------------------------------------------------------------------------- */

/* A row of a channel and record. */
static void write_record(
	const struct waveform_record *record, const struct waveform_summary *summary, struct batch *batch)
{
	struct enrg_column_buffer *columns = batch->claim.columns;
	uint64_t row = batch->rows++;
	int32_t begin = columns[WAVEFORM_SAMPLES].offsets[row];

	((uint64_t *)columns[WAVEFORM_TIME].values)[row] = record->real_ns;
	((uint32_t *)columns[WAVEFORM_EVENT].values)[row] = record->event_counter;
	((uint8_t *)columns[WAVEFORM_CHANNEL].values)[row] = record->channel;
	((float *)columns[WAVEFORM_BASELINE].values)[row] = summary->baseline;
	memcpy((int16_t *)columns[WAVEFORM_SAMPLES].values + begin, record->samples,
		record->count * sizeof(*record->samples));
	columns[WAVEFORM_SAMPLES].offsets[row + 1] = begin + (int32_t)record->count;
}

static void write_channel(struct digitizer *digitizer, const struct waveform_record *record, struct batch *batch)
{
	struct waveform_summary summary;

	waveform_measure(record->samples, record->count, digitizer->cut, &summary);
	waveform_statistics_add(&digitizer->second, &summary);
	if (!summary.kept)
		return;
	if (digitizer->options->layout == LAYOUT_WAVEFORMS) {
		write_record(record, &summary, batch);
		return;
	}
	const struct waveform_rows rows = waveform_claim_rows(&batch->claim);
	batch->rows +=
		waveform_write_rows(record, &summary, digitizer->cut, digitizer->mv_per_count, &rows, batch->rows);
}

/* Since the reset of the board, ns: its first sample. */
static uint64_t first_sample_ns(struct digitizer *digitizer, uint64_t until_ps)
{
	uint64_t since_ns = (digitizer->empty_ps - digitizer->reset_ps) / PS_PER_NS;
	uint64_t until_ns = (until_ps - digitizer->reset_ps) / PS_PER_NS;
	bool is_chosen;
	uint64_t trigger_ns = time_tags_unwrap(&digitizer->tags, digitizer->record.tag, since_ns, until_ns, &is_chosen);

	return trigger_ns - board_pre_samples(digitizer->board) * digitizer->params.sample_ps / PS_PER_NS;
}

static int take_record(struct digitizer *digitizer, struct batch *batch, uint64_t until_ps, struct enrg_error *err)
{
	uint32_t channels = digitizer->params.tank.channels, count = digitizer->params.samples;
	struct waveform_record record = {.count = count, .sample_ps = (uint32_t)digitizer->params.sample_ps};

	for (uint32_t i = 0; i < channels; i++)
		board_get_samples(digitizer->board, &digitizer->record, i, digitizer->samples + (size_t)i * count);
	uint64_t begin_ns = clock_ns(CLOCK_MONOTONIC);
	digitizer->counter = counter_unwrap(digitizer->counter, digitizer->record.counter, BOARD_COUNT_BITS);
	record.event_counter = (uint32_t)(digitizer->first_event + digitizer->counter);
	record.real_ns = digitizer->memory->start_time_ns + digitizer->reset_ps / PS_PER_NS +
			 first_sample_ns(digitizer, until_ps);
	for (uint32_t i = 0; i < channels; i++) {
		record.channel = (uint8_t)i;
		record.samples = digitizer->samples + (size_t)i * count;
		write_channel(digitizer, &record, batch);
	}
	digitizer->second.events++;
	digitizer->second.processing_ns += clock_ns(CLOCK_MONOTONIC) - begin_ns;
	digitizer->records++;
	batch->records++;
	return truth_add(&digitizer->truth, &digitizer->record, channels, record.event_counter, err);
}

/* --- batches ----------------------------------------------------------------------------------------------------- */

static int claim_batch(struct digitizer *digitizer, struct batch *batch, struct enrg_error *err)
{
	uint64_t rows = (uint64_t)digitizer->batch_records * digitizer->params.tank.channels;
	uint64_t variable[WAVEFORM_COLUMNS] = {[WAVEFORM_SAMPLES] = rows * digitizer->params.samples};
	bool has_lists = digitizer->options->layout == LAYOUT_WAVEFORMS;

	return enrg_output_claim(digitizer->waveforms, has_lists ? rows : rows * digitizer->params.samples,
		has_lists ? variable : NULL, &batch->claim, err);
}

/* The numbers are taken before they are given: after a kill between both there is a gap, and no repetition. */
static int commit_batch(struct digitizer *digitizer, const struct batch *batch, struct enrg_error *err)
{
	digitizer->memory->next_event = digitizer->first_event + digitizer->counter + 1;
	digitizer->memory->now_ps = digitizer->record.trigger_ps;
	digitizer->second.flushes++;
	int rc = enrg_output_commit(digitizer->waveforms, batch->rows, 0, err);
	return rc < 0 ? rc : truth_commit(&digitizer->truth, err);
}

static bool is_at_limit(const struct digitizer *digitizer)
{
	int64_t limit = digitizer->options->record_limit;

	return limit && digitizer->memory->next_event >= (uint64_t)limit;
}

static bool is_next_at_limit(const struct digitizer *digitizer)
{
	int64_t limit = digitizer->options->record_limit;

	return limit && digitizer->first_event + digitizer->records >= (uint64_t)limit;
}

/* Records whose trigger comes before `until_ps`, up to a batch of them: then *ret_is_full. */
static int take_batch(struct digitizer *digitizer, uint64_t until_ps, bool *ret_is_full, struct enrg_error *err)
{
	struct batch batch = {.records = 0};
	int rc = 0;

	while (rc == 0 && batch.records < digitizer->batch_records && !is_next_at_limit(digitizer) &&
		board_next(digitizer->board, until_ps, &digitizer->record)) {
		if (!batch.records && (rc = claim_batch(digitizer, &batch, err)) < 0)
			return rc;
		rc = take_record(digitizer, &batch, until_ps, err);
	}
	*ret_is_full = batch.records == digitizer->batch_records || is_next_at_limit(digitizer);
	if (!batch.records)
		return rc;
	if (rc < 0) {
		enrg_output_abort(digitizer->waveforms);
		return rc;
	}
	return commit_batch(digitizer, &batch, err);
}

static int commit_second(struct digitizer *digitizer, uint64_t at_ps, struct enrg_error *err)
{
	struct enrg_value row[WAVEFORM_STATISTICS_COLUMNS];
	uint64_t dropped = board_dropped(digitizer->board);
	uint64_t at_ns = digitizer->memory->start_time_ns + at_ps / PS_PER_NS;

	digitizer->second.events_dropped = dropped - digitizer->dropped_told;
	digitizer->second.queue_depth = board_queue(digitizer->board);
	digitizer->dropped_told = dropped;
	waveform_statistics_row(&digitizer->second, digitizer->mv_per_count, (int64_t)(at_ns / 1000000), row);
	waveform_statistics_init(&digitizer->second);
	return enrg_output_append(digitizer->statistics, row, err);
}

/* One step towards `until_ps`: a batch, or the rest of a second. */
static int advance(struct digitizer *digitizer, uint64_t until_ps, struct enrg_error *err)
{
	uint64_t slice_ps = until_ps < digitizer->second_ps ? until_ps : digitizer->second_ps;
	bool is_full = false;

	slice_ps = slice_ps < digitizer->now_ps + SLICE_PS ? slice_ps : digitizer->now_ps + SLICE_PS;
	int rc = take_batch(digitizer, slice_ps, &is_full, err);
	if (rc < 0)
		return rc;
	if (is_full) {
		digitizer->now_ps = digitizer->record.trigger_ps;
		return 0;
	}
	digitizer->now_ps = digitizer->empty_ps = digitizer->memory->now_ps = slice_ps;
	if (slice_ps < digitizer->second_ps)
		return 0;
	digitizer->second_ps += PS_PER_S;
	return commit_second(digitizer, slice_ps, err);
}

/* --- what the framework calls ------------------------------------------------------------------------------------ */

/* How far simulated time should be now. */
static uint64_t target_ps(const struct digitizer *digitizer)
{
	double speed = digitizer->options->speed;

	if (!(speed > 0))
		return UINT64_MAX;
	double ns = (double)(clock_ns(CLOCK_MONOTONIC) - digitizer->anchor_ns);
	return digitizer->anchor_ps + (uint64_t)(ns * speed * (double)PS_PER_NS);
}

static void set_anchor(struct digitizer *digitizer)
{
	digitizer->anchor_ns = clock_ns(CLOCK_MONOTONIC);
	digitizer->anchor_ps = digitizer->now_ps;
}

static void say_behind(struct digitizer *digitizer, uint64_t until_ps)
{
	double behind_ps = (double)(until_ps - digitizer->now_ps);

	if (digitizer->is_behind_told || !(digitizer->options->speed > 0) ||
		behind_ps < BEHIND_NS * digitizer->options->speed * (double)PS_PER_NS)
		return;
	digitizer->is_behind_told = true;
	enrg_job_log(digitizer->job, ENRG_WARNING,
		"simulated time is %.1f s behind: this machine, or its stores, can't take %g triggers a second; none "
		"is "
		"lost, they only come later; lower trigger_rate_hz, channels or record_samples",
		behind_ps / (double)PS_PER_S, digitizer->options->trigger_rate_hz);
}

static int digitizer_poll(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct digitizer *digitizer = state;
	uint64_t until_ps = target_ps(digitizer);

	digitizer->is_acquiring = true;
	for (uint32_t i = 0; i < POLL_BATCHES; i++) {
		int rc = advance(digitizer, until_ps, err);
		if (rc < 0)
			return rc;
		if (is_at_limit(digitizer)) {
			rc = commit_second(digitizer, digitizer->now_ps, err);
			return rc < 0 ? rc : ENRG_POLL_DONE;
		}
		/* No interval: simulated time catches up with what a late poll overslept, so no tick is missed. */
		if (digitizer->now_ps >= until_ps) {
			rc = enrg_job_wait_fd(job, NULL, 0, INTERVAL_NS, err);
			return rc < 0 ? rc : ENRG_POLL_AGAIN;
		}
	}
	say_behind(digitizer, until_ps);
	return ENRG_POLL_AGAIN;
}

/* What the board has now, and the part of a second that is left. */
static int digitizer_stop(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct digitizer *digitizer = state;
	int rc = 0;

	(void)job;
	if (!digitizer->is_acquiring) /* between runs */
		return 0;
	digitizer->is_acquiring = false;
	if (digitizer->options->speed > 0)
		rc = advance(digitizer, target_ps(digitizer), err);
	return rc < 0 ? rc : commit_second(digitizer, digitizer->now_ps, err);
}

static int digitizer_run_start(struct enrg_job *job, void *state, const struct enrg_run *run, struct enrg_error *err)
{
	struct digitizer *digitizer = state;

	(void)job;
	(void)run;
	(void)err;
	if (digitizer->options->speed > 0) /* between runs nobody looked */
		digitizer->now_ps = target_ps(digitizer);
	digitizer->empty_ps = digitizer->now_ps;
	digitizer->second_ps = digitizer->now_ps + PS_PER_S;
	board_skip(digitizer->board, digitizer->now_ps);
	waveform_statistics_init(&digitizer->second);
	return 0;
}

static int digitizer_run_stop(struct enrg_job *job, void *state, const struct enrg_run *run, struct enrg_error *err)
{
	(void)run;
	return digitizer_stop(job, state, err);
}

static void digitizer_destroy(void *state)
{
	struct digitizer *digitizer = state;

	if (!digitizer)
		return;
	truth_close(&digitizer->truth);
	board_destroy(digitizer->board);
	free(digitizer->samples);
	free(digitizer);
}

/* The seed and the beginning of time, drawn by the first instance; where that one was, for the others. */
static int begin_memory(struct digitizer *digitizer, struct enrg_error *err)
{
	const struct digitizer_options *options = digitizer->options;
	uint64_t now_ns = clock_ns(CLOCK_REALTIME);
	struct memory *memory;
	void *bytes;
	int rc = enrg_job_keep(digitizer->job, sizeof(*memory), &bytes, err);

	if (rc < 0)
		return rc;
	memory = digitizer->memory = bytes;
	if (memory->instances++ == 0) {
		memory->seed = (uint64_t)options->seed;
		if (!memory->seed && getrandom(&memory->seed, sizeof(memory->seed), 0) < 0)
			return enrg_error_set(err, -errno, "no random seed: %s", strerror(errno));
		memory->seed &= INT64_MAX;
		memory->wall_ns = now_ns;
		memory->start_time_ns = options->start_time_ns ? (uint64_t)options->start_time_ns
					: options->seed        ? SEEDED_START_NS
							       : now_ns;
		return 0;
	}
	/* The tank did not wait for the board. */
	double gone_ps = (double)(now_ns - memory->wall_ns) * options->speed * (double)PS_PER_NS;
	if (now_ns > memory->wall_ns && gone_ps > (double)memory->now_ps)
		memory->now_ps = (uint64_t)gone_ps;
	enrg_job_log(digitizer->job, ENRG_INFO, "continues with event %" PRIu64 ", %.3f s after the start",
		memory->next_event, (double)memory->now_ps / (double)PS_PER_S);
	return 0;
}

static int open_outputs(struct digitizer *digitizer, struct enrg_error *err)
{
	bool has_lists = digitizer->options->layout == LAYOUT_WAVEFORMS;
	const struct waveform_board board = {.sample_ns = digitizer->options->sample_ns,
		.mv_per_count = (double)digitizer->mv_per_count,
		.bits = digitizer->params.bits,
		.tick_ns = TIME_TAGS_CAEN.tick_ns_num};
	struct waveform_noted noted;

	waveform_note(has_lists ? &waveform_records_schema : &waveform_samples_schema, &board, &noted);
	int rc = enrg_output_open(
		digitizer->job, "waveform_store_config", NULL, &noted.schema, &digitizer->waveforms, err);

	if (rc == 0)
		rc = enrg_output_open(digitizer->job, "stats_store_config", NULL, &waveform_statistics_schema,
			&digitizer->statistics, err);
	return rc < 0 ? rc : truth_open(&digitizer->truth, digitizer->job, "truth_store_config", err);
}

/* As many records as make 1 MiB, as far as they fit. */
static int choose_batch(struct digitizer *digitizer, struct enrg_error *err)
{
	uint64_t samples = (uint64_t)digitizer->params.tank.channels * digitizer->params.samples;
	bool has_lists = digitizer->options->layout == LAYOUT_WAVEFORMS;
	uint64_t wanted = BATCH_BYTES / (samples * (has_lists ? sizeof(int16_t) : 17)) + 1, fits;

	if (has_lists)
		fits = enrg_output_rows_max(digitizer->waveforms, digitizer->params.samples * sizeof(int16_t)) /
		       digitizer->params.tank.channels;
	else
		fits = enrg_output_rows_max(digitizer->waveforms, 0) / samples;
	if (!fits)
		return enrg_error_set(err, ENRG_E_CONFIG,
			"record_samples: a record of %" PRIu64
			" samples does not fit into a batch: lower it, or raise ring_buffer_slot_size_kb in "
			"supervisor.toml",
			samples);
	wanted = wanted < BATCH_RECORDS ? wanted : BATCH_RECORDS;
	digitizer->batch_records = (uint32_t)(wanted < fits ? wanted : fits);
	digitizer->samples = calloc(samples, sizeof(int16_t));
	return digitizer->samples ? 0 : enrg_error_set(err, -ENOMEM, "out of memory for a record");
}

static int open_board(struct digitizer *digitizer, struct enrg_error *err)
{
	const struct time_tags_format format = TIME_TAGS_CAEN;
	struct memory *memory = digitizer->memory;

	digitizer->params = digitizer_board(digitizer->options, memory->seed);
	digitizer->mv_per_count = waveform_mv_per_count(digitizer->params.range_mv, digitizer->params.bits);
	digitizer->cut = waveform_cut_counts(digitizer->options->filter_threshold_mv, digitizer->mv_per_count);
	digitizer->reset_ps = digitizer->now_ps = digitizer->empty_ps = memory->now_ps;
	digitizer->second_ps = (digitizer->now_ps / PS_PER_S + 1) * PS_PER_S;
	digitizer->first_event = memory->next_event;
	time_tags_init(&digitizer->tags, &format);
	return board_create(&digitizer->params, memory->instances - 1, digitizer->reset_ps, &digitizer->board, err);
}

/* The seed is what tells two simulated detectors apart. */
static void identify(const struct digitizer *digitizer)
{
	char model[64], serial[32];

	snprintf(model, sizeof(model), "simulated digitizer, %u channels, %u bits", digitizer->params.tank.channels,
		digitizer->params.bits);
	snprintf(serial, sizeof(serial), "seed %" PRIu64, digitizer->memory->seed);
	enrg_job_identify(digitizer->job, model, serial, "");
}

static int digitizer_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	struct digitizer *digitizer = calloc(1, sizeof(*digitizer));

	if (!digitizer)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	digitizer->job = job;
	digitizer->options = options;
	int rc = begin_memory(digitizer, err);
	if (rc == 0)
		rc = open_board(digitizer, err);
	if (rc == 0)
		rc = open_outputs(digitizer, err);
	if (rc == 0)
		rc = choose_batch(digitizer, err);
	if (rc < 0) {
		digitizer_destroy(digitizer);
		return rc;
	}
	enrg_job_log(job, ENRG_INFO, "%u photomultipliers, %u bits, %.4g mV a count, %g ns a sample, seed %" PRIu64,
		digitizer->params.tank.channels, digitizer->params.bits, (double)digitizer->mv_per_count,
		digitizer->options->sample_ns, digitizer->memory->seed);
	identify(digitizer);
	set_anchor(digitizer);
	enrg_job_set_interval(job, 0);
	*ret_state = digitizer;
	return 0;
}

static const struct enrg_job_group digitizer_groups[] = {
	{.key = "waveform_store_config", .help = "Where the records go."},
	{.key = "stats_store_config", .help = "Where a row of statistics goes each second."},
	{.key = "truth_store_config", .help = "Where it is written what was in each record."},
	{.key = NULL},
};

static const struct enrg_job_type digitizer_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobSimulatedDigitizer",
	.summary = "Simulates a water Cherenkov tank of photomultipliers at a digitizer.",
	.options = {.size = sizeof(struct digitizer_options), .options = digitizer_option_list},
	.groups = digitizer_groups,
	.start = digitizer_start,
	.poll = digitizer_poll,
	.stop = digitizer_stop,
	.destroy = digitizer_destroy,
	.run_start = digitizer_run_start,
	.run_stop = digitizer_run_stop,
	.acquires_in_runs = true,
	.check = digitizer_check,
};

static const struct enrg_job_type *const digitizer_jobs[] = {&digitizer_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "simulated_digitizer", .jobs = digitizer_jobs};
