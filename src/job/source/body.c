/* body.c: one batch of a job on its way into the stream: room for it, its body with the CRC taken on the way, its
 * record. What is filled is laid out as the Arrow IPC message that a store will write. Main thread of a source process.
 */
#include "job/source/body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/copy.h"
#include "base/crc32c.h"

/* How long the claims of an ordered stop wait for stores in all. */
#define OUTPUT_DRAIN_NS 5000000000ull
/* Between two words about the same want of memory. */
#define OUTPUT_SHORT_EVERY_NS    60000000000ull
#define OUTPUT_SCRATCH_BYTES_MAX (1ull << 30)

uint64_t output_payload_max(const struct enrg_output *output)
{
	const struct stream *stream = output->set->params.stream;

	return stream ? stream_payload_max(stream) : OUTPUT_SCRATCH_BYTES_MAX;
}

bool output_must_give_up(struct outputs *set)
{
	struct process *process = set->params.process;

	if (!process)
		return false;
	process_beat(process);
	enum process_stop stop = process_stop_state(process);
	uint64_t now = clock_mono_ns();
	if (set->params.is_patient)
		return stop == PROCESS_HURRY;
	if (stop == PROCESS_DRAIN && !set->drain_until_ns)
		set->drain_until_ns = now + OUTPUT_DRAIN_NS;
	return stop == PROCESS_HURRY || (stop == PROCESS_DRAIN && now >= set->drain_until_ns);
}

/* A job that waits for memory says so, at most once a minute, and when it has got some. */
static void tell_short(struct outputs *set, bool is_waiting)
{
	bool is_short = stream_is_short(set->params.stream);
	uint64_t now = clock_mono_ns();

	if (!set->params.process)
		return;
	if (set->is_short_told && !is_short) {
		set->is_short_told = false;
		process_alert(set->params.process, ENRG_INFO, "shared memory has room again: continues");
	}
	if (!is_waiting || !is_short || (set->short_told_ns && now - set->short_told_ns < OUTPUT_SHORT_EVERY_NS))
		return;
	set->is_short_told = true;
	set->short_told_ns = now;
	process_alert(set->params.process, ENRG_ERROR,
		"shared memory is full (tmpfs of the runtime folder, or a limit of memory): nothing that was sent is "
		"lost, "
		"but the ring can't grow, and this job waits for its stores; remove files there, or enlarge it "
		"(mount -o remount,size=… /dev/shm)");
}

int outputs_commit_boundary(
	struct outputs *outputs, const struct boundary *boundary, uint64_t deadline_ns, struct enrg_error *err)
{
	int rc;

	if (!outputs->params.stream)
		return 0;
	do {
		uint64_t now_ns = clock_mono_ns(), left_ns = OUTPUT_WAIT_NS;
		if (deadline_ns && deadline_ns < now_ns + left_ns)
			left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
		rc = boundary_commit(outputs->params.stream, boundary, left_ns);
		if (rc == -EAGAIN)
			tell_short(outputs, true);
		if (rc == -EAGAIN && output_must_give_up(outputs))
			rc = ENRG_E_STOPPED;
		else if (rc == -EAGAIN && deadline_ns && clock_mono_ns() >= deadline_ns)
			rc = -ETIMEDOUT;
	} while (rc == -EAGAIN);
	if (outputs->is_short_told)
		tell_short(outputs, false);
	if (rc == 0)
		outputs->is_boundary_due = false;
	return rc < 0 ? enrg_error_set(err, rc, "there was no room in its ring: the stores took no data") : 0;
}

static int claim_payload(
	struct enrg_output *output, uint64_t bytes, struct stream_claim *ret_claim, struct enrg_error *err)
{
	struct outputs *set = output->set;
	int rc;

	do {
		rc = stream_claim(set->params.stream, bytes, OUTPUT_WAIT_NS, ret_claim);
		if (rc == -EAGAIN)
			tell_short(set, true);
		if (rc == -EAGAIN && output_must_give_up(set))
			rc = ENRG_E_STOPPED;
	} while (rc == -EAGAIN);
	if (set->is_short_told)
		tell_short(set, false);
	if (rc == ENRG_E_STOPPED)
		return enrg_error_set(err, rc, "stopped while the stores took no data");
	if (rc == -EMSGSIZE) /* one batch alone is not too large: output_claim_body has looked */
		return enrg_error_set(err, rc,
			"one step makes more than half of the ring holds (%llu bytes): process fewer rows at a time, "
			"or raise "
			"ring_buffer_size_mb",
			(unsigned long long)stream_step_bytes(set->params.stream));
	if (rc < 0)
		return enrg_error_set(
			err, rc, "a batch of %llu bytes: %s", (unsigned long long)bytes, enrg_error_name(rc));
	return 0;
}

/* The record that says: an earlier life of this job ended here, hardware data may be missing. */
static int commit_gap(struct enrg_output *output, struct enrg_error *err)
{
	struct stream *stream = output->set->params.stream;
	uint64_t body_bytes = ipc_body_bytes(output->template, 0, NULL);
	struct stream_claim claim;
	int rc = claim_payload(output, output->meta_bytes + body_bytes, &claim, err);

	if (rc < 0)
		return rc;
	uint8_t *body = claim.payload + output->meta_bytes;
	memset(body, 0, body_bytes);
	bool has_crc = stream_has_checks(stream);
	const struct ipc_stamp stamp = {
		.sequence = stream_route_sequence(stream, output->route),
		.acquired_ns = clock_wall_ns(),
		.epoch = stream_epoch(stream),
		.body_crc = has_crc ? crc32c(0, body, body_bytes) : 0,
		.is_gap = true,
	};
	ipc_write_meta(output->template, claim.payload, 0, NULL, &stamp);
	stream_commit(stream, &(struct stream_commit){
				      .route = output->route,
				      .type = RECORD_GAP,
				      .meta_bytes = output->meta_bytes,
				      .body_bytes = body_bytes,
				      .acquired_ns = stamp.acquired_ns,
				      .body_crc = stamp.body_crc,
				      .has_crc = has_crc,
			      });
	output->is_gap_due = false;
	return 0;
}

void outputs_forget_gaps(struct outputs *outputs)
{
	for (uint32_t i = 0; i < outputs->count; i++)
		outputs->items[i]->is_gap_due = false;
}

int outputs_commit_gaps(struct outputs *outputs, struct enrg_error *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < outputs->count && rc == 0; i++)
		if (outputs->items[i]->is_gap_due)
			rc = commit_gap(outputs->items[i], err);
	return rc;
}

static int too_large(const struct enrg_output *output, uint64_t bytes, struct enrg_error *err)
{
	if (bytes > INT64_MAX)
		return enrg_error_set(err, -EMSGSIZE,
			"a batch with more than 2^31 rows, items or bytes in a column: split it by rows");
	return enrg_error_set(err, -EMSGSIZE,
		"a batch of %llu bytes is larger than the largest (%llu): split it by rows, or raise "
		"ring_buffer_slot_size_kb in supervisor.toml to %llu",
		(unsigned long long)bytes, (unsigned long long)output_payload_max(output),
		(unsigned long long)(bytes / 1024 + 5)); /* with room for alignment and header */
}

/* Memory for a claim that nobody will read. */
static int claim_scratch(
	struct enrg_output *output, uint64_t bytes, struct stream_claim *ret_claim, struct enrg_error *err)
{
	struct outputs *set = output->set;

	if (bytes > set->scratch_bytes) {
		uint64_t rounded = (bytes + 4095) & ~4095ull;
		free(set->scratch);
		set->scratch_bytes = 0;
		set->scratch = aligned_alloc(4096, rounded);
		if (!set->scratch)
			return enrg_error_set(
				err, -ENOMEM, "no memory for a batch of %llu bytes", (unsigned long long)bytes);
		set->scratch_bytes = rounded;
	}
	*ret_claim = (struct stream_claim){set->scratch, bytes};
	return 0;
}

/* The bytes of blobs lie as they will in a file that takes them one behind the other. */
static int claim_placed(
	struct enrg_output *output, uint64_t bytes, struct stream_claim *ret_claim, struct enrg_error *err)
{
	uint64_t values_at = output->meta_bytes + output->places[0].values_offset;

	stream_align(output->set->params.stream, output->schema->is_blob ? values_at - output->blob_bytes : 0);
	return claim_payload(output, bytes, ret_claim, err);
}

int output_claim_body(struct enrg_output *output, uint64_t rows, const uint64_t *variable, struct enrg_error *err)
{
	uint64_t body_bytes =
		rows < INT32_MAX ? ipc_place_columns(output->template, rows, variable, output->places) : UINT64_MAX;
	uint64_t bytes = body_bytes == UINT64_MAX ? UINT64_MAX : output->meta_bytes + body_bytes;
	int rc = 0;

	if (output->set->claimed)
		return enrg_error_set(err, -EBUSY, "another claim of this job is open: commit or abort it first");
	if (bytes > output_payload_max(output))
		return too_large(output, bytes, err);
	if (output->set->is_boundary_due)
		rc = outputs_commit_boundary(output->set, &output->set->boundary, 0, err);
	if (rc == 0 && output->is_gap_due)
		rc = commit_gap(output, err);
	output->set->claim_ns = bytes < COPY_TUNER_BYTES_MIN ? 0 : clock_mono_ns();
	if (rc == 0)
		rc = output->is_wanted ? claim_placed(output, bytes, &output->claim, err)
				       : claim_scratch(output, bytes, &output->claim, err);
	if (rc < 0)
		return rc;
	output->set->claimed = output;
	output->claim_rows = rows;
	for (uint32_t i = 0; i < output->schema->column_count; i++)
		output->claim_variable[i] = variable ? variable[i] : 0;
	return 0;
}

static void count_batch(struct enrg_output *output, uint64_t rows, uint64_t bytes, uint64_t now)
{
	struct page *page = output->set->params.process ? output->set->params.process->page : NULL;

	if (!page)
		return;
	/* one writer: no need for a locked addition */
	atomic_store_explicit(&page->out_batches, atomic_load_explicit(&page->out_batches, memory_order_relaxed) + 1,
		memory_order_relaxed);
	atomic_store_explicit(&page->out_rows, atomic_load_explicit(&page->out_rows, memory_order_relaxed) + rows,
		memory_order_relaxed);
	atomic_store_explicit(&page->out_bytes, atomic_load_explicit(&page->out_bytes, memory_order_relaxed) + bytes,
		memory_order_relaxed);
	atomic_store_explicit(&page->last_out_mono_ns, now, memory_order_relaxed);
}

static void trace_sent(const struct enrg_output *output, struct traces *traces, const struct stream_commit *commit)
{
	const struct stream *stream = output->set->params.stream;

	traces_note(traces, &(struct trace_note){.is_blob = output->schema->is_blob,
				    .stream = stream_uuid(stream),
				    .source = output->set->params.source,
				    .sequence = stream_last_sequence(stream),
				    .sent_ns = commit->committed_ns,
				    .rows = commit->rows,
				    .bytes = commit->meta_bytes + commit->body_bytes});
}

/* Stamps and publishes the claimed body. */
void output_commit_claim(struct enrg_output *output, uint64_t rows, const uint64_t *variable, uint64_t body_bytes,
	uint32_t body_crc, uint64_t acquired_ns)
{
	struct stream *stream = output->set->params.stream;
	const struct process *process = output->set->params.process;
	struct traces *traces = process ? process_traces(process) : NULL;
	const struct ipc_stamp stamp = {
		.sequence = stream_route_sequence(stream, output->route),
		.acquired_ns = acquired_ns ? acquired_ns : clock_wall_ns(),
		.epoch = stream_epoch(stream),
		.body_crc = body_crc,
	};
	const struct stream_commit commit = {
		.route = output->route,
		.type = RECORD_DATA,
		.rows = (uint32_t)rows,
		.meta_bytes = output->meta_bytes,
		.body_bytes = body_bytes,
		.acquired_ns = stamp.acquired_ns,
		.committed_ns = clock_mono_ns(),
		.body_crc = body_crc,
		.has_crc = stream_has_checks(stream),
	};

	ipc_write_meta(output->template, output->claim.payload, rows, variable, &stamp);
	stream_commit(stream, &commit);
	output->set->claimed = NULL;
	output->blob_bytes += output->schema->is_blob && rows ? variable[0] : 0;
	count_batch(output, rows, output->meta_bytes + body_bytes, commit.committed_ns);
	if (traces)
		trace_sent(output, traces, &commit);
}

struct output_filler output_begin_body(const struct enrg_output *output)
{
	copy_set_method(copy_tuner_begin(&output->set->copies, output->claim.payload_bytes, output->set->claim_ns));
	return (struct output_filler){
		.body = output->claim.payload + output->meta_bytes,
		.has_crc = output->is_wanted && stream_has_checks(output->set->params.stream),
	};
}

static void pad(struct output_filler *filler, uint64_t offset)
{
	if (offset == filler->at)
		return;
	memset(filler->body + filler->at, 0, offset - filler->at);
	if (filler->has_crc)
		filler->crc = crc32c(filler->crc, filler->body + filler->at, offset - filler->at);
	filler->at = offset;
}

void output_put(struct output_filler *filler, uint64_t offset, const void *bytes, uint64_t byte_count)
{
	pad(filler, offset);
	if (!byte_count)
		return;
	if (filler->has_crc)
		filler->crc = copy_bytes_crc(filler->body + offset, bytes, byte_count, filler->crc);
	else
		copy_bytes(filler->body + offset, bytes, byte_count);
	filler->at += byte_count;
}

void output_commit_body(struct enrg_output *output, struct output_filler *filler, uint64_t acquired_ns)
{
	uint64_t body_bytes = output->claim.payload_bytes - output->meta_bytes, written, acknowledged;

	output_put(filler, body_bytes, NULL, 0);
	output_commit_claim(output, output->claim_rows, output->claim_variable, body_bytes, filler->crc, acquired_ns);
	if (!output->is_wanted || output->claim.payload_bytes < COPY_TUNER_BYTES_MIN)
		return;
	stream_read_progress(output->set->params.stream, &written, &acknowledged);
	copy_tuner_end(&output->set->copies, written, acknowledged, clock_mono_ns());
}

void output_count_abandoned(struct enrg_output *output, uint64_t rows, int cause)
{
	struct process *process = output->set->params.process;

	stream_count_dropped(output->set->params.stream, rows);
	if (!process)
		return;
	if (cause == ENRG_E_STOPPED)
		process_alert(process, ENRG_ERROR,
			"%llu rows could not be handed over before the stop: the stores took no data",
			(unsigned long long)rows);
	else if (cause == -EBUSY)
		process_alert(process, ENRG_ERROR,
			"%llu rows were dropped: the open batch is full and another claim of this job is open; its "
			"driver "
			"has to commit or abort it first",
			(unsigned long long)rows);
	else
		process_alert(process, ENRG_ERROR, "%llu rows were dropped: they could not be written: %s",
			(unsigned long long)rows, enrg_error_name(cause));
}
