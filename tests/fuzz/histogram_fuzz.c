/* histogram_fuzz.c: a client reads the page of a histogram that another process wrote, and prints it in both forms. The
 * input is the file; its sequence is made even, since an odd one is only waited for. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/histogram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t count);

static char path[64];

static void remove_file(void)
{
	unlink(path);
}

static int open_file(void)
{
	if (!path[0]) {
		snprintf(path, sizeof(path), "/dev/shm/enrgdaq-fuzz-histogram.%d", (int)getpid());
		atexit(remove_file);
	}
	return open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t count)
{
	struct enrg_histogram *histogram = NULL;
	uint8_t even = count > 16 ? data[16] & 0xFEu : 0;
	int descriptor = open_file();

	if (descriptor < 0)
		abort();
	if (write(descriptor, data, count) != (ssize_t)count || (count > 16 && pwrite(descriptor, &even, 1, 16) != 1))
		abort();
	close(descriptor);
	if (histogram_read_file(path, &histogram, NULL) < 0)
		return 0;
	for (int form = ENRG_HISTOGRAM_JSROOT; form <= ENRG_HISTOGRAM_UHI; form++) {
		char *text = enrg_histogram_print(histogram, (enum enrg_histogram_form)form);
		if (!text || text[strlen(text) - 1] != '}')
			abort();
		free(text);
	}
	enrg_histogram_destroy(histogram);
	return 0;
}
