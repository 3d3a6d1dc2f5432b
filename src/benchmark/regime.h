/* regime.h: do the two CPUs share a cache at this moment? Virtual machines flip between the two within minutes, and
 * everything that passes between processes changes by up to forty times. So every benchmark measures the round trip of
 * one cache line before and after itself, carries the tag, and compares within one regime only. One thread. */
#ifndef BENCHMARK_REGIME_H
#define BENCHMARK_REGIME_H

#include "enrgdaq/error.h"

#define REGIME_SHARED_NS_MAX 150.0
#define REGIME_SPLIT_NS_MIN  250.0

enum regime { REGIME_SINGLE_CORE, REGIME_SHARED_CACHE, REGIME_MIXED, REGIME_SPLIT_CACHE };

struct regime_probe {
	enum regime regime;
	double round_trip_ns; /* of one cache line between two processes: there and back */
};

/* Takes about 30 ms. */
int regime_measure(struct regime_probe *ret_probe, struct enrg_error *err);

/* By the round trip alone, for two CPUs. */
enum regime regime_of(double round_trip_ns);

/* Of a run between two probes: theirs where they agree, else REGIME_MIXED. */
enum regime regime_join(enum regime before, enum regime after);

/* "single-core", "shared-cache", "mixed", "split-cache": the tag in results. */
const char *regime_name(enum regime regime);

#endif
