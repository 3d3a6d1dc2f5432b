/* truth.h: what was in each record, as a table: so that an analysis can be compared with what happened. Rows wait here
 * until the batch that they belong to is committed. Main thread. */
#ifndef SIMULATED_DIGITIZER_TRUTH_H
#define SIMULATED_DIGITIZER_TRUTH_H

#include "board.h"
#include "enrgdaq/job.h"

struct truth_row {
	uint32_t event_counter;
	enum tank_kind kind;
	int32_t channel; /* -1: light that all may see */
	uint32_t photoelectrons;
	double time_ns;  /* since the record's first sample */
	uint64_t muon;   /* 0: of none */
	double delta_ns; /* of an electron: since its muon; else NaN */
};

struct truth {
	struct enrg_output *output;
	struct truth_row *rows;
	uint32_t count, capacity;
};

/* Without a memory where nobody takes the table. 0, -ENOMEM, and what enrg_output_open has. */
int truth_open(struct truth *truth, struct enrg_job *job, const char *group, struct enrg_error *err);
void truth_close(struct truth *truth); /* takes zeroed state */

/* After board_get_samples of all channels. 0, -ENOMEM. */
int truth_add(struct truth *truth, const struct board_record *record, uint32_t channels, uint32_t event_counter,
	struct enrg_error *err);

/* Hands over what was added. */
int truth_commit(struct truth *truth, struct enrg_error *err);

#endif
