/* options.h: the keys of DAQJobSerial, and what can be said of them before anything starts. */
#ifndef SERIAL_OPTIONS_H
#define SERIAL_OPTIONS_H

#include "enrgdaq/job.h"
#include "port.h"

struct serial_options {
	const char *device, *host;
	int64_t port;
	int64_t baud_rate, data_bits, stop_bits;
	int parity, flow_control;
	const char *line_end, *pattern, *ask, *tag;
	double interval_seconds, timeout_seconds;
	bool drop_first_line;
};

extern const struct enrg_option serial_option_list[];

/* The check of the job type: 0 or ENRG_E_CONFIG with a text that begins with the key. */
int serial_check(const void *options, struct enrg_error *err);
struct port_line serial_line(const struct serial_options *options);

#endif
