/* output.c: claim, fill, commit on a job's stream; the rows of a claim lie in the ring, laid out as the Arrow IPC
 * message that a store will write. Main thread of a source process. */
#include "job/source/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/notes.h"
#include "base/clock.h"
#include "base/crc32c.h"
#include "job/source/body.h"
#include "job/source/route.h"

#define OUTPUT_TAG_BYTES_MAX 207u
/* Between two words about the same want of memory. */
#define OUTPUT_SHORT_EVERY_NS    60000000000ull
#define OUTPUT_SCRATCH_BYTES_MAX (1ull << 30)

/* --- the set ----------------------------------------------------------------------------------------------------- */

int outputs_create(const struct outputs_params *params, struct outputs **ret_outputs, struct enrg_error *err)
{
	struct outputs *outputs = calloc(1, sizeof(*outputs));

	if (!outputs)
		return enrg_error_set(err, -ENOMEM, "outputs: out of memory");
	outputs->params = *params;
	snprintf(outputs->label, sizeof(outputs->label), "%s", params->run ? params->run : "");
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
		int rc = stage_flush(output, first ? NULL : err);
		first = first ? first : rc;
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

/* --- runs ----------------------------------------------------------------------------------------------------------
 */

static int label_output(struct enrg_output *output, struct enrg_error *err)
{
	const struct ipc_origin origin = {
		.source = output->set->params.source,
		.run = output->set->label,
		.tag = output->tag,
	};
	struct ipc_template *template;
	int rc = ipc_template_create(output->schema, &origin, &template, err);

	if (rc < 0)
		return rc;
	ipc_template_destroy(output->template);
	output->template = template;
	output->meta_bytes = ipc_meta_bytes(template);
	output->rows_max = enrg_output_rows_max(output, 0);
	return 0;
}

int outputs_set_label(struct outputs *outputs, const char *label, struct enrg_error *err)
{
	int rc = 0;

	if (strcmp(outputs->label, label) == 0)
		return 0;
	snprintf(outputs->label, sizeof(outputs->label), "%s", label);
	for (uint32_t i = 0; i < outputs->count && rc == 0; i++)
		rc = label_output(outputs->items[i], err);
	return rc;
}

void outputs_owe_boundary(struct outputs *outputs, const struct boundary *boundary)
{
	outputs->boundary = *boundary;
	outputs->is_boundary_due = outputs->params.stream != NULL;
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

/* Does another job read this group by its name? */
static bool is_read(const struct outputs *set, const char *group)
{
	const char *list = set->params.read_groups;
	size_t length = strlen(group);

	while (list && *list) {
		size_t bytes = strcspn(list, " ");
		if (bytes == length && !strncmp(list, group, bytes))
			return true;
		list += bytes + (list[bytes] == ' ');
	}
	return false;
}

static struct enrg_output *find_output(
	const struct outputs *set, uint16_t group, const char *tag, const struct enrg_schema *schema)
{
	for (uint32_t i = 0; i < set->count; i++) {
		struct enrg_output *output = set->items[i];
		if (output->group == group && strcmp(output->tag, tag) == 0 &&
			output->schema->is_blob == schema->is_blob && ipc_schema_equal(output->schema, schema))
			return output;
	}
	return NULL;
}

static int fill_output(struct enrg_output *output, const struct enrg_schema *schema, struct enrg_error *err)
{
	const struct ipc_origin origin = {
		.source = output->set->params.source,
		.run = output->set->label,
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
	int rc = ipc_template_create(schema, &origin, &output->template, err);
	if (rc < 0)
		return rc;
	output->meta_bytes = ipc_meta_bytes(output->template);
	rc = output->is_wanted ? route_add(output, err) : 0;
	/* It goes out with the first batch: a job that can't reach its hardware would fill its stores with gaps. */
	output->is_gap_due = output->is_wanted && stream_is_successor(output->set->params.stream);
	if (rc == 0)
		output->rows_max = enrg_output_rows_max(output, 0);
	return rc;
}

/* The table goes on with other notes: what was appended before belongs to those of before. */
static int change_notes(struct enrg_output *output, const struct enrg_schema *schema, struct enrg_error *err)
{
	int rc = output->stage.rows && !output->set->claimed ? stage_flush(output, err) : 0;

	if (rc < 0)
		return rc;
	struct enrg_schema *copy = ipc_copy_schema(schema);
	if (!copy)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	free(output->schema);
	output->schema = copy;
	return output->is_wanted ? route_add(output, err) : 0;
}

int enrg_output_open(struct enrg_job *job, const char *group, const char *tag, const struct enrg_schema *schema,
	struct enrg_output **ret_output, struct enrg_error *err)
{
	struct outputs *set = job->outputs;
	uint16_t index = 0;
	int rc = find_group(set, group, &index, err);

	tag = tag ? tag : "";
	if (rc == 0)
		rc = enrg_schema_check(schema, err);
	if (rc == 0 && strlen(tag) > OUTPUT_TAG_BYTES_MAX)
		rc = enrg_error_set(err, -EINVAL, "tag \"%.40s…\" is longer than %u bytes", tag, OUTPUT_TAG_BYTES_MAX);
	if (rc < 0)
		return enrg_error_add(err, rc, "output %s", group ? group : "(null)");
	*ret_output = find_output(set, index, tag, schema);
	if (*ret_output && notes_equal((*ret_output)->schema, schema))
		return 0;
	if (*ret_output) {
		rc = change_notes(*ret_output, schema, err);
		return rc < 0 ? enrg_error_add(err, rc, "output %s", group) : 0;
	}
	if (set->count == OUTPUTS_MAX)
		return enrg_error_set(
			err, -ENOSPC, "output %s: more than %u tables: use fewer tags", group, OUTPUTS_MAX);
	struct enrg_output *output = calloc(1, sizeof(*output));
	if (!output || !(output->tag = strdup(tag))) {
		free(output);
		return enrg_error_set(err, -ENOMEM, "output %s: out of memory", group);
	}
	output->set = set;
	output->group = index;
	output->is_wanted = set->params.stream && (has_store(set, group) || is_read(set, group));
	rc = fill_output(output, schema, err);
	if (rc < 0) {
		output_destroy(output);
		return enrg_error_add(err, rc, "output %s", group);
	}
	set->items[set->count++] = output;
	*ret_output = output;
	return 0;
}

bool enrg_output_wanted(const struct enrg_output *output)
{
	return output->is_wanted;
}

uint64_t enrg_output_rows_max(const struct enrg_output *output, uint64_t bytes_per_row)
{
	/* each variable column may need its own padding */
	uint64_t fixed = output->meta_bytes + 64ull * output->variable_count;
	uint64_t limit = output_payload_max(output), low = 0, high = output->schema->is_blob ? 1 : limit;

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

/* --- claim and commit -------------------------------------------------------------------------------------------- */

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
	int rc = 0;

	if (output->schema->is_blob && rows > 1)
		return enrg_error_set(err, -EINVAL, "a batch of a blob has one row");
	/* what was appended earlier stays earlier */
	if (output->set->staged && !output->set->claimed)
		rc = outputs_flush(output->set, err);
	if (rc == 0)
		rc = output_claim_body(output, rows, variable, err);
	if (rc < 0)
		return rc;
	point_columns(output, rows);
	*ret_claim = (struct enrg_claim){rows, output->buffers};
	return 0;
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
	int rc = rows > output->claim_rows ? enrg_error_set(err, -EINVAL, "commit of more rows than were claimed")
					   : check_offsets(output, rows, err);
	if (rc < 0 || !output->is_wanted) {
		enrg_output_abort(output);
		return rc;
	}
	uint8_t *body = output->claim.payload + output->meta_bytes;
	uint64_t body_bytes = ipc_compact(
		output->template, body, output->claim_rows, output->claim_variable, rows, output->used_variable);
	uint32_t crc = stream_has_checks(output->set->params.stream) ? crc32c(0, body, body_bytes) : 0;
	output_commit_claim(output, rows, output->used_variable, body_bytes, crc, acquired_ns);
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
