/* output.c: claim, fill, commit on a job's stream; the rows of a claim lie in the ring, laid out as the Arrow IPC
 * message that a store will write. Main thread of a source process. */
#include "job/source/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crc32c.h"

#define OUTPUT_TAG_BYTES_MAX 207u
/* How long the claims of an ordered stop wait for stores in all. */
#define OUTPUT_DRAIN_NS 5000000000ull
/* Between two words about the same want of memory. */
#define OUTPUT_SHORT_EVERY_NS 60000000000ull
#define OUTPUT_SCRATCH_BYTES_MAX (1ull << 30)

/* --- the set ----------------------------------------------------------------------------------------------------- */

int outputs_create(const struct outputs_params *params, struct outputs **ret_outputs, struct enrg_error *err)
{
	struct outputs *outputs = calloc(1, sizeof(*outputs));

	if (!outputs)
		return enrg_error_set(err, -ENOMEM, "outputs: out of memory");
	outputs->params = *params;
	copy_tuner_init(&outputs->copies, params->producers);
	*ret_outputs = outputs;
	return 0;
}

static void output_destroy(struct enrg_output *output)
{
	if (!output)
		return;
	if (output->schema)
		stage_fini(&output->stage, output->schema->column_count);
	ipc_template_destroy(output->template);
	free(output->claim_variable);
	free(output->used_variable);
	free(output->places);
	free(output->buffers);
	free(output->tag);
	free(output->schema);
	free(output);
}

void outputs_destroy(struct outputs *outputs)
{
	if (!outputs)
		return;
	if (outputs->claimed)
		enrg_output_abort(outputs->claimed);
	for (uint32_t i = 0; i < outputs->count; i++)
		output_destroy(outputs->items[i]);
	free(outputs->scratch);
	free(outputs);
}

int outputs_flush(struct outputs *outputs, struct enrg_error *err)
{
	return outputs_flush_due(outputs, UINT64_MAX, err);
}

int outputs_flush_due(struct outputs *outputs, uint64_t now_ns, struct enrg_error *err)
{
	int first = 0;

	for (uint32_t i = 0; outputs->staged && i < outputs->count; i++) {
		struct enrg_output *output = outputs->items[i];
		if (!output->stage.rows || output->stage.due_ns > now_ns)
			continue;
		int result = stage_flush(output, first ? NULL : err);
		first = first ? first : result;
	}
	return first;
}

uint64_t outputs_deadline(const struct outputs *outputs)
{
	uint64_t deadline = UINT64_MAX;

	for (uint32_t i = 0; outputs->staged && i < outputs->count; i++) {
		const struct enrg_output *output = outputs->items[i];
		if (output->stage.rows && output->stage.due_ns < deadline)
			deadline = output->stage.due_ns;
	}
	return deadline;
}

/* --- opening ----------------------------------------------------------------------------------------------------- */

static int find_group(const struct outputs *set, const char *group, uint16_t *ret_index, struct enrg_error *err)
{
	const struct enrg_job_group *groups = set->params.groups;

	for (uint16_t i = 0; group && groups && groups[i].key; i++) {
		if (strcmp(groups[i].key, group) == 0) {
			*ret_index = i;
			return 0;
		}
	}
	return enrg_error_set(err, -EINVAL, "this job type declares no store group \"%s\"", group ? group : "(null)");
}

/* A group holds a table for each store, beside keys of its own. */
static bool has_store(const struct outputs *set, const char *group)
{
	const struct toml_node *node = set->params.toml ? toml_find(set->params.toml, group) : NULL;

	for (size_t i = 0; node && node->kind == TOML_TABLE && i < node->count; i++)
		if (node->children[i].kind == TOML_TABLE)
			return true;
	return false;
}

static struct enrg_output *find_output(const struct outputs *set, uint16_t group, const char *tag,
	const struct enrg_schema *schema)
{
	for (uint32_t i = 0; i < set->count; i++) {
		struct enrg_output *output = set->items[i];
		if (output->group == group && strcmp(output->tag, tag) == 0 &&
		    output->schema->is_blob == schema->is_blob && ipc_schema_equal(output->schema, schema))
			return output;
	}
	return NULL;
}

static int add_route(struct enrg_output *output, struct enrg_error *err)
{
	struct stream *stream = output->set->params.stream;
	const struct ipc_origin origin = { .source = output->set->params.source, .run = "", .tag = "" };
	void *schema;
	uint32_t schema_bytes;
	int result = ipc_encode_schema(output->schema, &origin, &schema, &schema_bytes, err);

	if (result < 0)
		return result;
	result = stream_add_route(stream, output->group, output->tag, schema, schema_bytes,
		output->schema->is_blob ? ROUTE_BLOB : 0, &output->route, err);
	free(schema);
	/* It goes out with the first batch: a job that can't reach its hardware would fill its stores with gaps. */
	output->is_gap_due = stream_is_successor(stream);
	return result;
}

static int fill_output(struct enrg_output *output, const struct enrg_schema *schema, struct enrg_error *err)
{
	const struct ipc_origin origin = {
		.source = output->set->params.source,
		.run = output->set->params.run,
		.tag = output->tag,
	};
	uint32_t count = schema->column_count;

	output->schema = ipc_copy_schema(schema);
	output->claim_variable = calloc(count, sizeof(uint64_t));
	output->used_variable = calloc(count, sizeof(uint64_t));
	output->places = calloc(count, sizeof(*output->places));
	output->buffers = calloc(count, sizeof(*output->buffers));
	if (!output->schema || !output->claim_variable || !output->used_variable || !output->places || !output->buffers)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < count; i++)
		if (enrg_type_is_variable(schema->columns[i].type))
			output->variable_count++;
	int result = ipc_template_create(schema, &origin, &output->template, err);
	if (result < 0)
		return result;
	output->meta_bytes = ipc_meta_bytes(output->template);
	result = output->is_wanted ? add_route(output, err) : 0;
	if (result == 0)
		output->rows_max = enrg_output_rows_max(output, 0);
	return result;
}

int enrg_output_open(struct enrg_job *job, const char *group, const char *tag, const struct enrg_schema *schema,
	struct enrg_output **ret_output, struct enrg_error *err)
{
	struct outputs *set = job->outputs;
	uint16_t index = 0;
	int result = find_group(set, group, &index, err);

	tag = tag ? tag : "";
	if (result == 0)
		result = enrg_schema_check(schema, err);
	if (result == 0 && strlen(tag) > OUTPUT_TAG_BYTES_MAX)
		result = enrg_error_set(err, -EINVAL, "tag \"%.40s…\" is longer than %u bytes", tag,
			OUTPUT_TAG_BYTES_MAX);
	if (result < 0)
		return enrg_error_add(err, result, "output %s", group ? group : "(null)");
	*ret_output = find_output(set, index, tag, schema);
	if (*ret_output)
		return 0;
	if (set->count == OUTPUTS_MAX)
		return enrg_error_set(err, -ENOSPC, "output %s: more than %u tables: use fewer tags", group,
			OUTPUTS_MAX);
	struct enrg_output *output = calloc(1, sizeof(*output));
	if (!output || !(output->tag = strdup(tag))) {
		free(output);
		return enrg_error_set(err, -ENOMEM, "output %s: out of memory", group);
	}
	output->set = set;
	output->group = index;
	output->is_wanted = set->params.stream && has_store(set, group);
	result = fill_output(output, schema, err);
	if (result < 0) {
		output_destroy(output);
		return enrg_error_add(err, result, "output %s", group);
	}
	set->items[set->count++] = output;
	*ret_output = output;
	return 0;
}

bool enrg_output_wanted(const struct enrg_output *output)
{
	return output->is_wanted;
}

static uint64_t payload_max(const struct enrg_output *output)
{
	const struct stream *stream = output->set->params.stream;

	return stream ? stream_payload_max(stream) : OUTPUT_SCRATCH_BYTES_MAX;
}

uint64_t enrg_output_rows_max(const struct enrg_output *output, uint64_t bytes_per_row)
{
	/* each variable column may need its own padding */
	uint64_t fixed = output->meta_bytes + 64ull * output->variable_count;
	uint64_t limit = payload_max(output), low = 0, high = output->schema->is_blob ? 1 : limit;

	high = high > INT32_MAX - 1 ? INT32_MAX - 1 : high;
	if (bytes_per_row && high > INT32_MAX / bytes_per_row)
		high = INT32_MAX / bytes_per_row;
	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2;
		uint64_t body = ipc_body_bytes(output->template, middle, NULL);
		if (body <= limit && fixed + body + middle * bytes_per_row <= limit)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* --- waiting for room -------------------------------------------------------------------------------------------- */

bool output_must_give_up(struct enrg_output *output)
{
	struct outputs *set = output->set;
	struct process *process = set->params.process;

	if (!process)
		return false;
	process_beat(process);
	enum process_stop stop = process_stop_state(process);
	uint64_t now = clock_mono_ns();
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
		"shared memory is full (tmpfs of the runtime folder, or a limit of memory): nothing that was sent is lost, "
		"but the ring can't grow, and this job waits for its stores; remove files there, or enlarge it "
		"(mount -o remount,size=… /dev/shm)");
}

static int claim_payload(struct enrg_output *output, uint64_t bytes, struct stream_claim *ret_claim,
	struct enrg_error *err)
{
	struct outputs *set = output->set;
	int result;

	do {
		result = stream_claim(set->params.stream, bytes, OUTPUT_WAIT_NS, ret_claim);
		if (result == -EAGAIN)
			tell_short(set, true);
		if (result == -EAGAIN && output_must_give_up(output))
			result = ENRG_E_STOPPED;
	} while (result == -EAGAIN);
	if (set->is_short_told)
		tell_short(set, false);
	if (result == ENRG_E_STOPPED)
		return enrg_error_set(err, result, "stopped while the stores took no data");
	if (result < 0)
		return enrg_error_set(err, result, "a batch of %llu bytes: %s", (unsigned long long)bytes,
			enrg_error_name(result));
	return 0;
}

/* The record that says: an earlier life of this job ended here, hardware data may be missing. */
static int commit_gap(struct enrg_output *output, struct enrg_error *err)
{
	struct stream *stream = output->set->params.stream;
	uint64_t body_bytes = ipc_body_bytes(output->template, 0, NULL);
	struct stream_claim claim;
	int result = claim_payload(output, output->meta_bytes + body_bytes, &claim, err);

	if (result < 0)
		return result;
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

/* --- claim and commit -------------------------------------------------------------------------------------------- */

static int too_large(const struct enrg_output *output, uint64_t bytes, struct enrg_error *err)
{
	if (bytes > INT64_MAX)
		return enrg_error_set(err, -EMSGSIZE,
			"a batch with more than 2^31 rows, items or bytes in a column: split it by rows");
	return enrg_error_set(err, -EMSGSIZE,
		"a batch of %llu bytes is larger than the largest (%llu): split it by rows, or raise "
		"ring_buffer_slot_size_kb in supervisor.toml to %llu",
		(unsigned long long)bytes, (unsigned long long)payload_max(output),
		(unsigned long long)(bytes / 1024 + 5)); /* with room for alignment and header */
}

/* Memory for a claim that nobody will read. */
static int claim_scratch(struct enrg_output *output, uint64_t bytes, struct stream_claim *ret_claim,
	struct enrg_error *err)
{
	struct outputs *set = output->set;

	if (bytes > set->scratch_bytes) {
		uint64_t rounded = (bytes + 4095) & ~4095ull;
		free(set->scratch);
		set->scratch_bytes = 0;
		set->scratch = aligned_alloc(4096, rounded);
		if (!set->scratch)
			return enrg_error_set(err, -ENOMEM, "no memory for a batch of %llu bytes",
				(unsigned long long)bytes);
		set->scratch_bytes = rounded;
	}
	*ret_claim = (struct stream_claim){ set->scratch, bytes };
	return 0;
}

int output_claim_body(struct enrg_output *output, uint64_t rows, const uint64_t *variable, struct enrg_error *err)
{
	uint64_t body_bytes = rows < INT32_MAX ? ipc_place_columns(output->template, rows, variable, output->places)
						: UINT64_MAX;
	uint64_t bytes = body_bytes == UINT64_MAX ? UINT64_MAX : output->meta_bytes + body_bytes;
	int result = 0;

	if (output->set->claimed)
		return enrg_error_set(err, -EBUSY, "another claim of this job is open: commit or abort it first");
	if (bytes > payload_max(output))
		return too_large(output, bytes, err);
	if (output->is_gap_due)
		result = commit_gap(output, err);
	output->set->claim_ns = bytes < COPY_TUNER_BYTES_MIN ? 0 : clock_mono_ns();
	if (result == 0)
		result = output->is_wanted ? claim_payload(output, bytes, &output->claim, err)
					   : claim_scratch(output, bytes, &output->claim, err);
	if (result < 0)
		return result;
	output->set->claimed = output;
	output->claim_rows = rows;
	for (uint32_t i = 0; i < output->schema->column_count; i++)
		output->claim_variable[i] = variable ? variable[i] : 0;
	return 0;
}

/* Points the author's buffers into the body. */
static void point_columns(struct enrg_output *output, uint64_t rows)
{
	uint8_t *body = output->claim.payload + output->meta_bytes;

	for (uint32_t i = 0; i < output->schema->column_count; i++) {
		const struct ipc_column_place *place = &output->places[i];
		struct enrg_column_buffer *buffer = &output->buffers[i];
		enum enrg_type type = output->schema->columns[i].type;
		buffer->values = body + place->values_offset;
		buffer->offsets = NULL;
		buffer->value_capacity = rows;
		if (enrg_type_is_variable(type)) {
			buffer->offsets = (int32_t *)(void *)(body + place->offsets_offset);
			buffer->offsets[0] = 0;
			buffer->value_capacity = output->claim_variable[i];
		} else if (type == ENRG_BOOL) {
			memset(buffer->values, 0, place->values_bytes);
		}
	}
}

int enrg_output_claim(struct enrg_output *output, uint64_t rows, const uint64_t *variable, struct enrg_claim *ret_claim,
	struct enrg_error *err)
{
	int result = 0;

	if (output->schema->is_blob && rows > 1)
		return enrg_error_set(err, -EINVAL, "a batch of a blob has one row");
	/* what was appended earlier stays earlier */
	if (output->set->staged && !output->set->claimed)
		result = outputs_flush(output->set, err);
	if (result == 0)
		result = output_claim_body(output, rows, variable, err);
	if (result < 0)
		return result;
	point_columns(output, rows);
	*ret_claim = (struct enrg_claim){ rows, output->buffers };
	return 0;
}

static void count_batch(struct enrg_output *output, uint64_t rows, uint64_t bytes, uint64_t now)
{
	struct page *page = output->set->params.process ? output->set->params.process->page : NULL;

	if (!page)
		return;
	/* one writer: no need for a locked addition */
	atomic_store_explicit(&page->out_batches,
		atomic_load_explicit(&page->out_batches, memory_order_relaxed) + 1, memory_order_relaxed);
	atomic_store_explicit(&page->out_rows, atomic_load_explicit(&page->out_rows, memory_order_relaxed) + rows,
		memory_order_relaxed);
	atomic_store_explicit(&page->out_bytes, atomic_load_explicit(&page->out_bytes, memory_order_relaxed) + bytes,
		memory_order_relaxed);
	atomic_store_explicit(&page->last_out_mono_ns, now, memory_order_relaxed);
}

/* Stamps and publishes the claimed body. */
static void commit_claim(struct enrg_output *output, uint64_t rows, const uint64_t *variable, uint64_t body_bytes,
	uint32_t body_crc, uint64_t acquired_ns)
{
	struct stream *stream = output->set->params.stream;
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
	count_batch(output, rows, output->meta_bytes + body_bytes, commit.committed_ns);
}

/* Offsets are the author's work, and one that runs backwards would be a corrupt batch for every store. */
static int check_offsets(struct enrg_output *output, uint64_t rows, struct enrg_error *err)
{
	for (uint32_t i = 0; i < output->schema->column_count; i++) {
		const int32_t *offsets = output->buffers[i].offsets;
		output->used_variable[i] = 0;
		if (!offsets)
			continue;
		int32_t wrong = offsets[0];
		for (uint64_t row = 0; row < rows; row++)
			wrong |= offsets[row] > offsets[row + 1];
		if (wrong || (uint64_t)offsets[rows] > output->claim_variable[i])
			return enrg_error_set(err, -EINVAL,
				"column %s: its offsets must ascend from 0 to at most the %llu that were claimed",
				output->schema->columns[i].name, (unsigned long long)output->claim_variable[i]);
		output->used_variable[i] = (uint64_t)offsets[rows];
	}
	return 0;
}

int enrg_output_commit(struct enrg_output *output, uint64_t rows, uint64_t acquired_ns, struct enrg_error *err)
{
	if (output->set->claimed != output)
		return enrg_error_set(err, -EINVAL, "commit without a claim");
	int result = rows > output->claim_rows ? enrg_error_set(err, -EINVAL, "commit of more rows than were claimed")
					       : check_offsets(output, rows, err);
	if (result < 0 || !output->is_wanted) {
		enrg_output_abort(output);
		return result;
	}
	uint8_t *body = output->claim.payload + output->meta_bytes;
	uint64_t body_bytes = ipc_compact(output->template, body, output->claim_rows, output->claim_variable, rows,
		output->used_variable);
	uint32_t crc = stream_has_checks(output->set->params.stream) ? crc32c(0, body, body_bytes) : 0;
	commit_claim(output, rows, output->used_variable, body_bytes, crc, acquired_ns);
	return 0;
}

void enrg_output_abort(struct enrg_output *output)
{
	if (output->set->claimed != output)
		return;
	if (output->is_wanted)
		stream_abort(output->set->params.stream);
	output->set->claimed = NULL;
}

void output_commit_body(struct enrg_output *output, struct output_filler *filler, uint64_t acquired_ns)
{
	uint64_t body_bytes = output->claim.payload_bytes - output->meta_bytes, written, acknowledged;

	output_put(filler, body_bytes, NULL, 0);
	commit_claim(output, output->claim_rows, output->claim_variable, body_bytes, filler->crc, acquired_ns);
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
			"%llu rows were dropped: the open batch is full and another claim of this job is open; its driver "
			"has to commit or abort it first",
			(unsigned long long)rows);
	else
		process_alert(process, ENRG_ERROR, "%llu rows were dropped: they could not be written: %s",
			(unsigned long long)rows, enrg_error_name(cause));
}

void enrg_output_count_dropped(struct enrg_output *output, uint64_t rows, const char *policy)
{
	struct process *process = output->set->params.process;

	if (!output->is_wanted || !rows)
		return;
	stream_count_dropped(output->set->params.stream, rows);
	if (process && !output->is_drop_told)
		process_alert(process, ENRG_WARNING, "drops rows by its policy \"%s\"; the ledger counts them",
			policy ? policy : "unnamed");
	output->is_drop_told = true;
}
