/* series.h: rotation: which of the files that one configured name stands for is written now. Names of a series are
 * name_<run>.ext (rotate_run), name_<YYYYMMDDThhmmssZ>.ext (rotate_mb, rotate_seconds), or both; the time is that of
 * the file's first open, in UTC, so that names sort by age and stay unique when old files were moved away. A second
 * file within one second is name_…Z_002.ext. After a clock was wrong, names and rotation follow the right time within
 * one rotate_seconds.
 *
 * Store process, main thread.
 */
#ifndef JOB_FILE_SERIES_H
#define JOB_FILE_SERIES_H

#include <limits.h>

#include "enrgdaq/store.h"

#define SERIES_STAMP_BYTES 17u

struct series {
	struct series *next;
	struct enrg_file *file; /* the part that is written now, while it is open */
	char *path;             /* the name without the time */
	char *run;
	char *part;                     /* path of the part that is written now; NULL: none yet */
	char stamp[SERIES_STAMP_BYTES]; /* of the part */
	uint64_t started_s;             /* the same, since 1970 */
	uint64_t begun_mono_ns;         /* when this process began with it */
	uint32_t number;                /* of the part within one second, from 1 */
};

/* Finds or makes the series that `path` and `run` belong to. Its part may be NULL. NULL: out of memory, or a name that
 * is too long. */
struct series *series_get(
	struct series **first, const struct enrg_file_rules *rules, const char *path, const char *run);
/* Takes it off the list. */
void series_drop(struct series **first, struct series *series);

bool series_is_on(const struct enrg_file_rules *rules);
/* Has a part with that many bytes been written long enough? */
bool series_is_full(const struct series *series, const struct enrg_file_rules *rules, uint64_t bytes, uint64_t wall_ns);
/* Names the next part. 0, -ENOMEM. */
int series_advance(struct series *series, const struct enrg_file_rules *rules, uint64_t wall_ns);

#endif
