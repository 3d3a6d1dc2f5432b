/* machine.h: how busy this machine is, from the kernel's own text files. No state, any thread. */
#ifndef PCMETRICS_MACHINE_H
#define PCMETRICS_MACHINE_H

#include <stdint.h>

#include "enrgdaq/error.h"

struct machine_cpu {
	uint64_t busy_ticks, all_ticks; /* of all processors together, since the start of the machine */
};

/* `proc` is "/proc". The percentages are 0 to 100. */
int machine_read_cpu(const char *proc, struct machine_cpu *ret_cpu, struct enrg_error *err);
int machine_read_memory(const char *proc, double *ret_percent, struct enrg_error *err);
int machine_read_disk(const char *path, double *ret_percent, struct enrg_error *err);

/* Share of busy time between two readings. Waiting for a disk counts as idle. */
double machine_cpu_percent(const struct machine_cpu *before, const struct machine_cpu *now);

/* The same from text, for the functions above and for tests. */
int machine_parse_stat(const char *text, struct machine_cpu *ret_cpu, struct enrg_error *err);
int machine_parse_meminfo(const char *text, double *ret_percent, struct enrg_error *err);

#endif
