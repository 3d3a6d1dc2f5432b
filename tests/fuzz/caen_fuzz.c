/* caen_fuzz.c: any bytes as a file of WaveDump and of CoMPASS, of each kind. Every value that comes out is read. Runs
 * in a fuzzer or over its corpus; the address sanitizer sees a read outside. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "caen/caen.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static volatile uint64_t sink; /* keeps the reads */

static void read_batch(const struct enrg_batch *batch)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < batch->schema->column_count; i++) {
		const struct enrg_column_view *view = &batch->columns[i];
		uint32_t width = view->offsets ? 2 : enrg_type_bytes(batch->schema->columns[i].type);
		for (uint64_t k = 0; k < view->value_count * width; k++)
			sum += ((const uint8_t *)view->values)[k];
		if (view->offsets && (uint64_t)view->offsets[batch->rows] != view->value_count)
			abort();
	}
	sink += sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	char path[64];
	int file = memfd_create("fuzz", MFD_CLOEXEC);

	if (file < 0 || pwrite(file, bytes, count, 0) != (ssize_t)count)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	for (int kind = CAEN_WAVEDUMP; kind <= CAEN_COMPASS_CSV; kind++) {
		for (uint32_t record_length = 0; record_length <= 3; record_length += 3) {
			struct file_window window;
			struct caen caen = {0};
			struct enrg_batch batch;
			if (file_window_open(&window, path, NULL) < 0)
				abort();
			if (caen_open(&caen, (enum caen_kind)kind, &window, record_length, NULL) == 0)
				while (caen_next(&caen, &batch, NULL) > 0)
					read_batch(&batch);
			if (caen.offset > window.file_bytes)
				abort();
			caen_close(&caen);
			file_window_close(&window);
		}
	}
	close(file);
	return 0;
}
