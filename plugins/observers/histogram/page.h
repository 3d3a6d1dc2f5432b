/* page.h: the file of one histogram in shared memory, which clients read (enrgdaq/histogram.h). One thread. */
#ifndef HISTOGRAM_PAGE_H
#define HISTOGRAM_PAGE_H

#include "bins.h"

struct page {
	char path[1024];
	struct enrg_histogram_page *head; /* NULL: not open */
	uint64_t file_bytes;
};

struct page_params {
	const char *folder; /* of the supervisor */
	const char *job, *name, *title;
	uint32_t index; /* of the job's histograms */
};

/* Makes the file anew; what an earlier instance left is replaced. -ENOSPC, -errno. */
int page_open(struct page *page, const struct page_params *params, const struct bins *bins, struct enrg_error *err);
/* Removes it; takes zeroed. */
void page_close(struct page *page);
void page_show(struct page *page, const struct bins *bins, const char *run, const char *last_run, uint64_t since_ns);

#endif
