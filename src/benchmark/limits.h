/* limits.h: what this machine can do at this moment, without ENRGDAQ: the figures that every benchmark is divided by.
 * All of it together takes about 3 s. Two processes that measure together are pinned to two CPUs of the affinity mask
 * where there are two; they are children of the caller and die with it, and leave nothing behind. One thread. */
#ifndef BENCHMARK_LIMITS_H
#define BENCHMARK_LIMITS_H

#include <stdint.h>

#include "base/copy.h"
#include "benchmark/regime.h"
#include "enrgdaq/error.h"

struct json_t;

/* Copies into the buffers with the method that is fastest with this reader on the other side. */
struct limits_bare_pair {
	double gb_per_s;
	enum copy_method method;
	double by_method_gb_per_s[3]; /* as enum copy_method */
};

struct limits_wakeup {
	double p50_us, p99_us;
};

struct limits {
	uint64_t wall_ns;           /* when */
	struct regime_probe before; /* line round trip ahead of all the others */
	struct regime_probe after;  /* and behind them */
	double memcpy_gb_per_s;     /* 8 MB, one process */
	struct limits_bare_pair bare_pair;
	struct limits_wakeup wakeup;
	double crc_gb_per_s;        /* 8 MB, one process */
	double copy_crc_gb_per_s;   /* 8 MB, copy and CRC in one pass, one process */
	double disk_mb_per_s;       /* sequential, with fdatasync; 0 = not measured */
	double generation_gb_per_s; /* the benchmark's data alone; by the caller; 0 = not measured */
	double checking_gb_per_s;   /* a store's checks of them alone; by the caller; 0 = not measured */
};

/* MB and GB are 10^6 and 10^9 bytes. */
int limits_measure_memcpy(double *ret_gb_per_s, struct enrg_error *err);
int limits_measure_crc(double *ret_gb_per_s, struct enrg_error *err);
int limits_measure_copy_crc(double *ret_gb_per_s, struct enrg_error *err);
/* Two processes hand over two buffers of 8 MB in shared memory: one copies in, one reads every byte, nothing else. */
int limits_measure_bare_pair(struct limits_bare_pair *ret_result, struct enrg_error *err);
/* The same with one method, for programs that compare again and again. */
int limits_measure_bare_pair_by(enum copy_method method, double *ret_gb_per_s, struct enrg_error *err);
/* 64 bytes and a futex to a process that really sleeps, on an idle core. */
int limits_measure_wakeup(struct limits_wakeup *ret_result, struct enrg_error *err);
/* 256 MB or 1 s into a file without a name in `folder`, in blocks of 1 MiB. */
int limits_measure_disk(const char *folder, double *ret_mb_per_s, struct enrg_error *err);

/* Any work that turns bytes over: `work` does one piece and returns its bytes. For generation and checking alone: runs
 * in a pinned process for 0.2 s, median of its rates. */
int limits_measure_work(uint64_t (*work)(void *context), void *context, double *ret_gb_per_s, struct enrg_error *err);

/* All of the above. `folder` NULL: no disk. Fields that belong to the caller stay as they are. */
int limits_measure(const char *folder, struct limits *limits, struct enrg_error *err);

enum regime limits_regime(const struct limits *limits);

/* A new object with every field; what was not measured is null. NULL: no memory. */
struct json_t *limits_format(const struct limits *limits);

/* One line a figure, for humans. */
void limits_print(const struct limits *limits);

#endif
