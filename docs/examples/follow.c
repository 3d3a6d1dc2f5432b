/* follow.c: looks at a running system: follow SOURCE. C17 and C++17.
 *   cc follow.c $(pkg-config --cflags --libs enrgdaq) -o follow */
#include <enrgdaq/client.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

static void print_status(struct enrg_client *lab)
{
	const struct enrg_status *status;
	struct enrg_error err = {0, ""};

	if (enrg_client_status(lab, 0, &status, &err) < 0) { /* -EAGAIN: it is not there now, or only just */
		printf("status: %s\n", err.text);
		return;
	}
	printf("status: %s, run %s, %s: %s\n", status->supervisor, status->run, status->state, status->summary);
	for (uint32_t i = 0; i < status->ledger_count; i++)
		printf("ledger: %s to %s: %" PRIu64 " batches made, %" PRIu64 " stored, %" PRIu64 " on the way%s\n",
			status->ledger[i]->source, status->ledger[i]->store, status->ledger[i]->produced_batches,
			status->ledger[i]->stored_batches, status->ledger[i]->in_flight_batches,
			status->ledger[i]->is_accounted ? "" : ", NOT ACCOUNTED FOR");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct enrg_stream_params params = {sizeof(params), 1, argc > 1 ? argv[1] : "dice", NULL, 0};
	struct enrg_supervisors *list;
	struct enrg_client *lab;
	struct enrg_stream *stream = NULL;
	struct enrg_error err = {0, ""};
	const struct enrg_record *record;
	const struct enrg_batch *batch;
	int rc = enrg_supervisors_list(&list, &err);

	for (uint32_t i = 0; rc == 0 && i < enrg_supervisors_count(list); i++)
		printf("found: %s, process %" PRId64 ", run %s %s\n", enrg_supervisors_get(list, i)->name,
			enrg_supervisors_get(list, i)->pid, enrg_supervisors_get(list, i)->run,
			enrg_supervisors_get(list, i)->state);
	enrg_supervisors_destroy(rc == 0 ? list : NULL);
	if (enrg_client_open(NULL, &lab, &err) < 0 || enrg_stream_open(lab, &params, &stream, &err) < 0) {
		fprintf(stderr, "follow: %s\n", err.text);
		return 1;
	}
	for (int turn = 0; !ferror(stdout); turn++) { /* whatever ends and comes back, nothing is opened again */
		while ((rc = enrg_stream_next(stream, &record, &err)) == 1)
			if (enrg_stream_read(stream, &batch, &err) == 0)
				printf("batch %" PRIu64 " of run %s: %" PRIu64 " rows, skipped %" PRIu64 "\n",
					batch->sequence, batch->run, batch->rows, record->skipped);
		if (turn % 50 == 0)
			print_status(lab);
		poll(NULL, 0, 20);
	}
	enrg_stream_close(stream);
	enrg_client_close(lab);
	return 0;
}
