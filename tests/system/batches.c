/* batches.c: a program as a user writes it, against installed headers and libenrgdaq alone: a line for each batch of
 * its files: tag, rows, time of acquisition, a sum over all bytes of the values as they lie in the file. Gaps have
 * none; a piece that can't be read is "damaged". `batches --times FILE…` leaves the sum out. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <enrgdaq/reader.h>

static uint64_t sum_of(const struct enrg_batch *batch)
{
	const uint8_t *body = (const uint8_t *)batch->ipc + (batch->ipc_bytes - batch->body_bytes);
	uint64_t sum = 14695981039346656037u;

	for (uint64_t i = 0; i < batch->body_bytes; i++)
		sum = (sum ^ body[i]) * 1099511628211u;
	return sum;
}

static int print_file(const char *path, int has_sums)
{
	struct enrg_reader *reader;
	const struct enrg_batch *batch;
	struct enrg_error err = {0};
	int rc = enrg_reader_open(path, &reader, &err);

	if (rc == -61) /* ENODATA: no rows */
		return 0;
	if (rc < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	while ((rc = enrg_reader_next(reader, &batch, &err)) != 0) {
		if (rc < 0)
			printf("damaged\n");
		else if (!batch->is_gap)
			printf("tag=%s %" PRIu64 " %" PRIu64 " %016" PRIx64 "\n", batch->tag, batch->rows,
				batch->acquired_ns, has_sums ? sum_of(batch) : 0);
	}
	enrg_reader_close(reader);
	return 0;
}

int main(int argc, char **argv)
{
	int has_sums = argc < 2 || strcmp(argv[1], "--times") != 0, rc = 0;

	for (int i = has_sums ? 1 : 2; i < argc; i++)
		rc |= print_file(argv[i], has_sums);
	return rc;
}
