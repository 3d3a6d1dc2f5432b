/* intake_trace.c: what a consumer says of a batch where somebody reads traces. Main thread. */
#include "job/store/intake.h"

void intake_trace(const struct intake *intake, const struct intake_record *record, uint64_t now_ns)
{
	struct traces *traces = process_traces(intake->process);

	if (!traces || record->header->type != RECORD_DATA)
		return;
	traces_note(traces, &(struct trace_note){.is_received = true,
				    .is_blob = record->route.flags & ROUTE_BLOB,
				    .stream = record->input->stream_uuid,
				    .source = record->input->source,
				    .lane = record->input->journal_index,
				    .sequence = record->header->sequence,
				    .sent_ns = record->header->committed_ns,
				    .received_ns = now_ns,
				    .rows = record->header->rows,
				    .bytes = record->payload_bytes});
}
