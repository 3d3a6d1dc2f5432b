/* histogram.h: live histograms of a running system: as a client reads them, and how they lie in shared memory.
 * DAQJobHistogram fills them; who reads asks no process.
 *
 * A histogram has one or two axes. Cells are counted in the order of ROOT: cell (i, k) is i + (bins of x + 2) × k,
 * where bin 0 is the underflow and bin `bins` + 1 the overflow; with one axis k is 0.
 */
#ifndef ENRGDAQ_HISTOGRAM_H
#define ENRGDAQ_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct enrg_client;

#define ENRG_HISTOGRAM_CELLS_MAX (1u << 22) /* of one histogram, with under- and overflow */
#define ENRG_HISTOGRAM_NAME_MAX  127u       /* bytes of a name and of a label, without the final NUL */

struct enrg_histogram_axis {
	const char *label; /* "charge(samples) [counts]" */
	uint32_t bins;
	double low, high;
	const double *edges; /* bins + 1, ascending */
	bool is_regular;     /* all bins have the same width */
};

struct enrg_histogram_sums {
	uint64_t entries; /* all cells together */
	uint64_t skipped; /* values that are missing or no number */
	uint64_t batches; /* looked at */
	uint64_t missed;  /* batches that came faster than they could be looked at */
	/* Of what lies within all axes: */
	double w, x, xx, y, yy, xy;
};

struct enrg_histogram {
	uint32_t size;
	uint32_t dimensions; /* 1 or 2 */
	const char *name, *title, *job, *run;
	bool is_ranged;      /* false: it still learns its range, and all counts are 0 */
	uint64_t since_ns;   /* wall clock: it was empty then, since the run began or its job was started */
	uint64_t updated_ns; /* wall clock */
	struct enrg_histogram_axis x, y;
	uint64_t cell_count;
	const uint64_t *counts;
	struct enrg_histogram_sums sums;
	const char *last_run;        /* "": there was none */
	const uint64_t *last_counts; /* of the run before, to be drawn beside it; NULL: there was none */
	struct enrg_histogram_sums last_sums;
};

/* Names of the histograms that there are, as "JOB/NAME", NULL at the end; valid until the next call of this function
 * with this handle. 0, also where there are none; -EAGAIN: the system does not run. */
ENRG_API int enrg_histograms_list(struct enrg_client *client, const char *const **ret_names, struct enrg_error *err);

/* As it is now; belongs to the caller. `name`: "NAME", or "JOB/NAME" where two jobs have one of that name. -ENOENT: no
 * such histogram, err names those that there are; -EEXIST: several; -EAGAIN: the system does not run, or the histogram
 * changed all the time; ENRG_E_CORRUPT; -ENOMEM. */
ENRG_API int enrg_histogram_read(
	struct enrg_client *client, const char *name, struct enrg_histogram **ret_histogram, struct enrg_error *err);
ENRG_API void enrg_histogram_destroy(struct enrg_histogram *histogram); /* takes NULL */

enum enrg_histogram_form {
	ENRG_HISTOGRAM_JSROOT, /* TH1D or TH2D, as jsroot's parse() takes it */
	ENRG_HISTOGRAM_UHI,    /* as the uhi package of Python takes it: boost-histogram, hist */
};

/* One JSON object, to be freed; NULL: out of memory. */
ENRG_API char *enrg_histogram_print(const struct enrg_histogram *histogram, enum enrg_histogram_form form);

/* --- in shared memory: a file FOLDER/….histogram each, in the runtime folder of its supervisor ---------------------
 */

#define ENRG_HISTOGRAM_MAGIC   0x5453494847524E45ull /* "ENRGHIST" as it lies in memory */
#define ENRG_HISTOGRAM_VERSION 1u

enum {
	ENRG_HISTOGRAM_RANGED = 1,
	ENRG_HISTOGRAM_X_REGULAR = 2,
	ENRG_HISTOGRAM_Y_REGULAR = 4,
	ENRG_HISTOGRAM_HAS_LAST = 8,
};

/* Who reads takes what lies between two equal and even values of `sequence`. Behind it, at 4096: edges of x (bins + 1),
 * of y (bins + 1; none where it has one axis), counts, counts of the run before: 8 bytes each. */
struct enrg_histogram_page {
	uint64_t magic;
	uint32_t version, dimensions;
	uint64_t sequence; /* odd: it is being written */
	uint64_t file_bytes;
	uint32_t x_bins, y_bins;
	uint32_t flags, reserved;
	uint64_t since_ns, updated_ns;
	struct enrg_histogram_sums sums, last_sums;
	char name[128], title[256], job[256], run[64], last_run[64], x_label[128], y_label[128];
};

#define ENRG_HISTOGRAM_ARRAYS_AT 4096u

#ifdef __cplusplus
}
#endif

#endif
