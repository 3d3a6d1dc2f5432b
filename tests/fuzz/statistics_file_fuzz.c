/* statistics_file_fuzz.c: any bytes as a digitizer's table of statistics. Every row has a time. Runs in a fuzzer or
 * over its corpus. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "plot/statistics_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct statistics_file file = {0};
	FILE *stream = count ? fmemopen((void *)(uintptr_t)bytes, count, "r") : NULL;

	if (!stream)
		return 0;
	if (statistics_file_parse("fuzz", stream, &file, NULL) == 0)
		for (size_t i = 0; i < file.count; i++)
			if (!isfinite(file.rows[i][STATISTICS_TIMESTAMP]))
				abort();
	statistics_file_fini(&file);
	fclose(stream);
	return 0;
}
