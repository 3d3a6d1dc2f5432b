/* pieces.c: a table of numbers that its author makes in pieces, in order of the columns: copied into the ring by the
 * instruction that serves the reader best, with the CRC taken on the way. Main thread of a source process. */
#include <errno.h>

#include "job/source/body.h"
#include "job/source/output.h"

int enrg_output_begin(struct enrg_output *output, uint64_t rows, struct enrg_error *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < output->schema->column_count; i++)
		if (!enrg_type_bytes(output->schema->columns[i].type))
			return enrg_error_set(err, -EINVAL, "column %s: pieces are for tables of numbers only",
				output->schema->columns[i].name);
	if (output->set->staged && !output->set->claimed)
		rc = outputs_flush(output->set, err);
	if (rc == 0)
		rc = output_claim_body(output, rows, NULL, err);
	if (rc < 0)
		return rc;
	output->filler = output_begin_body(output);
	output->put_column = 0;
	output->put_rows = 0;
	return 0;
}

int enrg_output_put(struct enrg_output *output, const void *values, uint64_t count, struct enrg_error *err)
{
	uint32_t column = output->put_column;

	if (output->set->claimed != output || column >= output->schema->column_count ||
		count > output->claim_rows - output->put_rows) {
		enrg_output_abort(output);
		return enrg_error_set(
			err, -EINVAL, "put of %llu values beyond the end of a column", (unsigned long long)count);
	}
	uint32_t bytes = enrg_type_bytes(output->schema->columns[column].type);
	output_put(&output->filler, output->places[column].values_offset + output->put_rows * bytes, values,
		count * bytes);
	output->put_rows += count;
	if (output->put_rows == output->claim_rows) {
		output->put_column++;
		output->put_rows = 0;
	}
	return 0;
}

int enrg_output_end(struct enrg_output *output, uint64_t acquired_ns, struct enrg_error *err)
{
	bool is_whole = output->set->claimed == output &&
			(output->put_column == output->schema->column_count || output->claim_rows == 0);

	if (!is_whole || !output->is_wanted)
		enrg_output_abort(output);
	if (!is_whole)
		return enrg_error_set(err, -EINVAL, "end of a table whose columns are not all there");
	if (output->is_wanted)
		output_commit_body(output, &output->filler, acquired_ns);
	return 0;
}
