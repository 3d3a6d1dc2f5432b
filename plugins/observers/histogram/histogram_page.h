/* histogram_page.h: the file of one histogram in shared memory, which clients read (enrgdaq/histogram.h). One thread.
 */
#ifndef HISTOGRAM_HISTOGRAM_PAGE_H
#define HISTOGRAM_HISTOGRAM_PAGE_H

#include "bins.h"

struct histogram_page {
	char path[1024];
	struct enrg_histogram_page *head; /* NULL: not open */
	uint64_t file_bytes;
};

struct histogram_page_params {
	const char *folder; /* of the supervisor */
	const char *job, *name, *title;
	uint32_t index; /* of the job's histograms */
};

/* Makes the file anew; what an earlier instance left is replaced. -ENOSPC, -errno. */
int histogram_page_open(struct histogram_page *page, const struct histogram_page_params *params,
	const struct bins *bins, struct enrg_error *err);
/* Removes those from params->index on, of an instance that was killed and had more of them. */
void histogram_page_remove_rest(const struct histogram_page_params *params);
/* Removes it; takes zeroed. */
void histogram_page_close(struct histogram_page *page);
void histogram_page_show(
	struct histogram_page *page, const struct bins *bins, const char *run, const char *last_run, uint64_t since_ns);

#endif
