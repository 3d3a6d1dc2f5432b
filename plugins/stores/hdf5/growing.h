/* growing.h: one growing dataset of one dimension, and what waits in memory to be appended to it. One thread. */
#ifndef HDF5_GROWING_H
#define HDF5_GROWING_H

#include <hdf5.h>

#include "bytes.h"
#include "shadow.h"

struct growing {
	hid_t dataset; /* < 0: not in the file */
	hid_t type;    /* of libhdf5, static: not to be closed */
	uint32_t value_bytes;
	uint64_t count; /* values in the file */
	bool is_packed; /* has filters: chunks move about in the file */
	struct bytes pending;
};

struct growing_params {
	const char *name;        /* below the group */
	const char *kind, *unit; /* attributes; NULL or "" = none */
	int deflate_level;       /* 0 = not compressed */
	bool is_filled_with_1;   /* else with 0 */
};

/* Frees; the dataset is closed with its file. */
void growing_fini(struct growing *growing);

/* Makes the dataset, its chunks large enough for what is pending, within bounds. 0, or < 0: an error of libhdf5. */
herr_t growing_create(struct growing *growing, hid_t group, const struct growing_params *params);

/* An attribute of a dataset or group; NULL or "" = none. */
herr_t growing_write_text(hid_t object, const char *name, const char *text);

/* 1: an existing dataset that rows can be appended to; 0: something else; < 0: an error of libhdf5. */
int growing_open(struct growing *growing, hid_t group, const char *name, const char *kind);

/* Makes the dataset longer, with its fill value. */
herr_t growing_extend(struct growing *growing, uint64_t count);
/* Writes what is pending. */
herr_t growing_flush(struct growing *growing);
/* Puts values behind what is pending: many of them go straight to libhdf5, if the dataset is there, few are kept. 0,
 * -ENOMEM, or -EIO: an error of libhdf5. */
int growing_append(struct growing *growing, const void *values, uint64_t count);

#endif
