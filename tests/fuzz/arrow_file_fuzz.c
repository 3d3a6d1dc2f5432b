/* arrow_file_fuzz.c: any bytes as an .arrows file. A torn tail that was cut must be gone, and cutting must not lose a
 * batch. Runs in a fuzzer or over its corpus. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arrow/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void ignore(void *context, enum verify_finding finding, const char *sentence)
{
	(void)context;
	if (finding > VERIFY_TORN_TAIL || !sentence[0])
		abort();
}

static void check_repair(const char *path, const struct verify_report *report)
{
	struct verify_report again;

	if (!report->is_torn)
		return;
	if (verify_repair(path, report, NULL) < 0)
		abort();
	if (verify_file(path, ignore, NULL, &again, NULL) < 0) {
		/* Nothing whole was there beside the torn message. */
		if (report->batches == 0 && report->corrupted > 0)
			return;
		abort();
	}
	/* Damage in front of the cut may look torn now that nothing follows it. */
	if ((again.is_torn && report->corrupted == 0) || again.batches != report->batches || again.rows != report->rows)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct verify_report report;
	char path[64];
	int file = memfd_create("fuzz", MFD_CLOEXEC);

	if (file < 0 || pwrite(file, bytes, count, 0) != (ssize_t)count)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	if (verify_file(path, ignore, NULL, &report, NULL) == 0) {
		if (report.good_bytes > report.file_bytes || report.file_bytes != count)
			abort();
		check_repair(path, &report);
	}
	close(file);
	return 0;
}
