/* bound.h: which files of a history go, so that it stays within its bounds: by unlinking alone, the oldest first.
 * In the process of DAQJobHistory, on its main thread. */
#ifndef HISTORY_BOUND_H
#define HISTORY_BOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#define BOUND_HOURS  49u /* with the one that has begun */
#define BOUND_MONTHS 13u
#define BOUND_FILES  1000u /* of a level: a recorder that is started again and again begins one each time */

struct bound {
	const char *folder;
	uint64_t limit_bytes;
	uint32_t seconds_number, minutes_number; /* of the files that are being written; 0: none */
};

struct bound_report {
	uint64_t bytes; /* that are left */
	/* of what went because of `limit_bytes`, before its time */
	uint32_t early_seconds, early_minutes;
	uint64_t seconds_from_ns, minutes_from_ns; /* what is left of each level begins there */
};

/* So that `more_bytes` still fit. What can't be removed is an error. */
int bound_keep(const struct bound *bound, uint64_t more_bytes, struct bound_report *ret_report, struct enrg_error *err);

#endif
