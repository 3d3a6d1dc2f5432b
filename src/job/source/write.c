/* write.c: copies of what lies in the author's memory: tables of numbers and blobs. The CRC is taken on the
 * way, while the bytes are in the cache. Main thread of a source process. */
#include "job/source/output.h"

#include <errno.h>

#include "base/clock.h"
#include "job/source/body.h"

static int write_part(struct enrg_output *output, uint64_t first, uint64_t rows, const void *const *columns,
	uint64_t acquired_ns, struct enrg_error *err)
{
	int rc = output_claim_body(output, rows, NULL, err);

	if (rc < 0)
		return rc;
	struct output_filler filler = output_begin_body(output);
	for (uint32_t i = 0; i < output->schema->column_count; i++)
		output_put(&filler, output->places[i].values_offset,
			(const uint8_t *)columns[i] + first * enrg_type_bytes(output->schema->columns[i].type),
			output->places[i].values_bytes);
	output_commit_body(output, &filler, acquired_ns);
	return 0;
}

int enrg_output_write(struct enrg_output *output, uint64_t rows, const void *const *columns, uint64_t acquired_ns,
	struct enrg_error *err)
{
	uint64_t done = 0, looked = rows > output->rows_max ? clock_mono_ns() : 0;
	int rc = 0;

	for (uint32_t i = 0; i < output->schema->column_count; i++)
		if (!enrg_type_bytes(output->schema->columns[i].type))
			return enrg_error_set(err, -EINVAL, "column %s: write takes tables of numbers only",
				output->schema->columns[i].name);
	if (!output->is_wanted)
		return 0;
	if (!output->rows_max && rows)
		return output_claim_body(output, 1, NULL, err); /* tells how large one row is */
	if (output->set->staged && !output->set->claimed)
		rc = outputs_flush(output->set, err);
	if (rc < 0)
		return rc;
	do {
		uint64_t part = rows - done < output->rows_max ? rows - done : output->rows_max;
		rc = write_part(output, done, part, columns, acquired_ns, err);
		done += rc == 0 ? part : 0;
		/* a store that takes a large table slowly: no claim waits for long, all of them together do */
		if (rc == 0 && done < rows && clock_mono_ns() - looked >= OUTPUT_WAIT_NS) {
			looked = clock_mono_ns();
			rc = output_must_give_up(output->set) ? ENRG_E_STOPPED : 0;
		}
	} while (rc == 0 && done < rows);
	if (rc == ENRG_E_STOPPED)
		output_count_abandoned(output, rows - done, rc);
	return rc;
}

int enrg_output_write_blob(struct enrg_output *output, const void *bytes, uint64_t byte_count, uint64_t acquired_ns,
	struct enrg_error *err)
{
	const int32_t offsets[2] = {0, (int32_t)byte_count};
	int rc = 0;

	if (!output->schema->is_blob)
		return enrg_error_set(err, -EINVAL, "write_blob on a table: open the output with enrg_schema_blob()");
	if (!output->is_wanted)
		return 0;
	if (output->set->staged && !output->set->claimed)
		rc = outputs_flush(output->set, err);
	if (rc == 0)
		rc = output_claim_body(output, 1, &byte_count, err);
	if (rc == ENRG_E_STOPPED)
		output_count_abandoned(output, 1, rc);
	if (rc < 0)
		return rc;
	struct output_filler filler = output_begin_body(output);
	output_put(&filler, output->places[0].offsets_offset, offsets, sizeof(offsets));
	output_put(&filler, output->places[0].values_offset, bytes, byte_count);
	output_commit_body(output, &filler, acquired_ns);
	return 0;
}
