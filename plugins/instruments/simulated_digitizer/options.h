/* options.h: the keys of DAQJobSimulatedDigitizer, and what can be said of them before anything starts. */
#ifndef SIMULATED_DIGITIZER_OPTIONS_H
#define SIMULATED_DIGITIZER_OPTIONS_H

#include "board.h"
#include "enrgdaq/job.h"

enum layout { LAYOUT_WAVEFORMS, LAYOUT_SAMPLES };

struct digitizer_options {
	int64_t channels, record_samples, bits, post_trigger_size, trigger_photoelectrons, memory_records;
	int64_t seed, start_time_ns, record_limit;
	double sample_ns, input_range_mv, filter_threshold_mv, speed;
	double trigger_rate_hz, decay_fraction, lifetime_ns, muon_photoelectrons, electron_photoelectrons,
		single_rate_hz;
	double single_mv, rise_ns, fall_ns, afterpulse_probability, dark_rate_hz;
	double noise_mv, baseline_wander_mv, pickup_mv, pickup_mhz, dead_time_ns, readout_mb_per_s;
	int layout;
};

extern const struct enrg_option digitizer_option_list[];

/* The check of the job type: 0 or ENRG_E_CONFIG with a text that begins with the key. */
int digitizer_check(const void *options, struct enrg_error *err);

struct board_params digitizer_board(const struct digitizer_options *options, uint64_t seed);

#endif
