/* watch_ledger.c: see the header. In the process of `enrgdaq watch`. */
#include "cli/watch_ledger.h"

#include <inttypes.h>
#include <string.h>

static void print_line(const struct enrg_ledger_line *line, FILE *stream)
{
	fprintf(stream, "  to %-10s %" PRIu64 " batches stored, %" PRIu64 " rows; %" PRIu64 " in flight", line->store,
		line->stored_batches, line->stored_rows, line->in_flight_batches);
	if (line->skipped_batches)
		fprintf(stream, "; %" PRIu64 " not for this store", line->skipped_batches);
	if (line->set_aside_batches)
		fprintf(stream, "; %" PRIu64 " set aside", line->set_aside_batches);
	if (line->is_accounted)
		fputs(": accounted\n", stream);
	else
		fprintf(stream, ": NOT ACCOUNTED, %" PRId64 " batches are missing\n", line->missing_batches);
}

void watch_ledger_print(struct enrg_client *client, const char *source, FILE *stream)
{
	const struct enrg_status *status;
	struct enrg_error err = {0};
	bool has_any = false;

	if (enrg_client_status(client, 0, &status, &err) < 0) {
		fprintf(stream, "ledger: %s\n", err.text);
		return;
	}
	for (uint32_t i = 0; i < status->ledger_count; i++) {
		const struct enrg_ledger_line *line = status->ledger[i];
		if (strcmp(line->source, source))
			continue;
		if (!has_any)
			fprintf(stream, "ledger: %" PRIu64 " batches produced, %" PRIu64 " rows\n",
				line->produced_batches, line->produced_rows);
		has_any = true;
		print_line(line, stream);
	}
	if (!has_any)
		fputs("ledger: no store takes its data\n", stream);
}
