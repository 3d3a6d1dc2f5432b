/* decode.c: from a record to a batch. Main thread of a job that consumes. */
#include "job/store/decode.h"

#include <inttypes.h>
#include <string.h>

#include "arrow/ipc.h"

int decode_record(const struct intake_record *record, const struct enrg_schema *schema, struct enrg_column_view *views,
	const char *tag, struct enrg_batch *ret_batch, struct enrg_error *err)
{
	const struct record *header = record->header;
	int rc = 0;

	*ret_batch = (struct enrg_batch){.is_gap = header->type == RECORD_GAP, .acquired_ns = header->acquired_ns};
	if (header->meta_bytes || header->type != RECORD_GAP)
		rc = ipc_decode_batch(schema, record->payload, record->payload_bytes, views, ret_batch, err);
	else
		memset(views, 0, schema->column_count * sizeof(*views));
	if (rc == 0 && (ret_batch->rows != header->rows || ret_batch->is_gap != (header->type == RECORD_GAP)))
		rc = enrg_error_set(err, ENRG_E_CORRUPT, "its header does not belong to it");
	if (rc < 0)
		return enrg_error_add(err, rc, "%s: batch %" PRIu64, record->input->source, header->sequence);
	ret_batch->schema = schema;
	ret_batch->columns = views;
	ret_batch->source = record->input->source;
	ret_batch->tag = tag;
	ret_batch->epoch = header->epoch;
	ret_batch->committed_ns = header->committed_ns;
	return 0;
}
