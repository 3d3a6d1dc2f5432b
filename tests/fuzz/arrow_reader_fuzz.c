/* arrow_reader_fuzz.c: any bytes as a file that a job or a program reads (enrgdaq/reader.h): every value of every batch
 * that is handed out can be looked at, and the reader comes to an end. Runs in a fuzzer or over its corpus. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "enrgdaq/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static uint64_t sum; /* so that what is read is not left out */

static void touch(const void *bytes, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		sum += ((const uint8_t *)bytes)[i];
}

static void look(const struct enrg_batch *batch)
{
	for (uint32_t i = 0; i < batch->schema->column_count; i++) {
		const struct enrg_column *column = &batch->schema->columns[i];
		const struct enrg_column_view *view = &batch->columns[i];
		if (view->validity)
			touch(view->validity, (batch->rows + 7) / 8);
		if (view->offsets && batch->rows)
			for (uint64_t row = 0; row < batch->rows; row++)
				if (view->offsets[row] > view->offsets[row + 1])
					abort();
		if (view->offsets && batch->rows)
			touch(view->values, (uint64_t)view->offsets[batch->rows] * enrg_column_item_bytes(column));
		else if (!view->offsets)
			touch(view->values, column->type == ENRG_BOOL ? (batch->rows + 7) / 8
								      : batch->rows * enrg_type_bytes(column->type));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct enrg_reader *reader;
	const struct enrg_batch *batch;
	char path[64];
	int file = memfd_create("fuzz", MFD_CLOEXEC), rc;

	if (file < 0 || pwrite(file, bytes, count, 0) != (ssize_t)count)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	if (enrg_reader_open(path, &reader, NULL) == 0) {
		for (size_t steps = 0; (rc = enrg_reader_next(reader, &batch, NULL)) != 0; steps++) {
			if (rc == 1)
				look(batch);
			if (steps > count) /* each step passes over at least 8 bytes */
				abort();
			if (rc < 0 && rc != ENRG_E_CORRUPT)
				break;
		}
		if (enrg_reader_offset(reader) > enrg_reader_bytes(reader))
			abort();
		enrg_reader_close(reader);
	}
	close(file);
	return 0;
}
