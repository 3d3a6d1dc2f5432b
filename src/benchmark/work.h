/* work.h: the two ends of the benchmark, each alone in one process: making its data, and checking it. What a run is
 * divided by. One thread. */
#ifndef BENCHMARK_WORK_H
#define BENCHMARK_WORK_H

#include <stdint.h>

#include "enrgdaq/error.h"

/* Generation: rows of the benchmark's table into a message laid out as in the ring, sealed with its CRC and metadata,
 * in two buffers in turn. Checking: both CRCs over such messages, and decoding. Each in GB/s of rows × 16 bytes. */
int work_measure_generation(uint64_t rows, double *ret_gb_per_s, struct enrg_error *err);
int work_measure_checking(uint64_t rows, double *ret_gb_per_s, struct enrg_error *err);

#endif
