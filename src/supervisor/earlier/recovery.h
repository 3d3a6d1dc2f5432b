/* recovery.h: saves what a stream still holds that no configured store will ever read: into Arrow files, one a route.
 * Process: supervisor, at start, while no job runs. */
#ifndef SUPERVISOR_EARLIER_RECOVERY_H
#define SUPERVISOR_EARLIER_RECOVERY_H

#include <stdint.h>

#include "enrgdaq/error.h"

struct recovery_params {
	const char *stream_path;
	const char *source;
	const char *consumer;   /* the required consumer that is furthest behind */
	uint64_t position;      /* from there */
	const char *out_folder; /* "out" */
	uint64_t now_wall_ns;   /* for the files' names */
};

struct recovery_result {
	uint64_t batches, rows, corrupted;
	uint32_t files;
	char first_file[528];
};

/* Writes out/recovered_<source>_<time>[_<tag or number>].arrows, syncs them, then gives them their names. The stream is
 * not touched. A record that is damaged is left out and counted. */
int recovery_save(const struct recovery_params *params, struct recovery_result *ret_result, struct enrg_error *err);

#endif
