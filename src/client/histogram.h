/* histogram.h: files of histograms, for the client and its test. */
#ifndef CLIENT_HISTOGRAM_H
#define CLIENT_HISTOGRAM_H

#include "enrgdaq/histogram.h"

/* Results as enrg_histogram_read. */
int histogram_read_file(const char *path, struct enrg_histogram **ret_histogram, struct enrg_error *err);

#endif
