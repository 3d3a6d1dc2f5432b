/* tank_pulses.h: the pulses of a file of waveforms (layout "waveforms" of the digitizers): a list of all in the order
 * of their times, and the record of a muon and its electron to show. One thread. */
#ifndef PLOT_TANK_PULSES_H
#define PLOT_TANK_PULSES_H

#include <stdint.h>

#include "enrgdaq/error.h"

#define TANK_PULSES_CHANNELS_MAX 64u

struct tank_pulses_params {
	const char *path;
	double sample_ns, mv_per_count; /* 0: what the file's notes say */
	double threshold_mv;            /* of the mean of all channels, over 20 ns */
};

struct tank_pulse {
	double time_ns;   /* since the file's first sample */
	double charge_pc; /* of all channels, at 50 ohm */
};

struct tank_example {
	uint32_t channels, samples; /* 0: no record has two pulses */
	float *mv;                  /* of each channel, over its baseline, below each other */
	double first_ns, second_ns; /* of its pulses, since its first sample */
};

struct tank_pulses {
	uint64_t records, damaged; /* damaged: batches that were passed over */
	uint32_t samples;          /* of a record */
	double sample_ns, mv_per_count;
	double first_pulse_ns; /* mean time of a record's first pulse since its first sample */
	size_t count, capacity;
	struct tank_pulse *items;
	struct tank_example example;
};

/* -EINVAL: it has not these columns, or not the notes that were needed, and err says which; -ENODATA: no record; errors
 * of enrg_reader_open. What is damaged is passed over and counted. */
int tank_pulses_read(const struct tank_pulses_params *params, struct tank_pulses *ret_pulses, struct enrg_error *err);
void tank_pulses_fini(struct tank_pulses *pulses); /* takes zeroed state */

struct tank_truth {
	size_t count, capacity;
	double *deltas_ns; /* of the electrons */
};

/* The electrons of a table of truth (.arrows). -EINVAL, -ENODATA, as above. */
int tank_truth_read(const char *path, struct tank_truth *ret_truth, struct enrg_error *err);
void tank_truth_fini(struct tank_truth *truth); /* takes zeroed state */

#endif
