/* root_file.h: histograms as a ROOT file that every reader opens: TH1D and TH2D, uncompressed. Written beside its
 * place, synced, then renamed. Any thread. */
#ifndef HISTOGRAM_ROOT_FILE_H
#define HISTOGRAM_ROOT_FILE_H

#include <stddef.h>

#include "enrgdaq/histogram.h"

/* 0; -EFBIG: more than 1 GB; -errno. `path` is replaced. */
int root_file_write(const char *path, const struct enrg_histogram *histograms, size_t count, struct enrg_error *err);

#endif
