/* history.h: what DAQJobHistory has recorded: statistics and slowly changing columns of a system, each second for two
 * days, each minute for a year. Files alone are read, no process is asked: neither system nor recorder need run.
 *
 * A series is "JOB/STATISTIC" ("dice/out_rows_per_s", docs/statistics.md) or "JOB/TABLE/COLUMN" ("hv/data/current").
 * Results belong to the caller, with all texts in them; texts are safe for a terminal. One handle belongs to one thread
 * at a time. What the files say is not trusted: of a damaged one counts what is whole. docs/history-format.md has the
 * bytes.
 */
#ifndef ENRGDAQ_HISTORY_H
#define ENRGDAQ_HISTORY_H

#include <stdint.h>

#include "enrgdaq/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct enrg_client;
struct enrg_history;

#define ENRG_HISTORY_POINTS_MAX 100000u
#define ENRG_HISTORY_CELLS_MAX  (1u << 24) /* points of all series of one query */

enum {
	ENRG_HISTORY_COUNTER = 1, /* only grows, and begins at 0 again with a run */
	ENRG_HISTORY_YES_NO = 2,  /* 0 or 1 */
};

/* The folder in which a recorder of this system writes. Valid until the next call of this function with this handle.
 * -ENOENT: none does; -EAGAIN: the system does not run; -EEXIST: several do, err names their folders. */
ENRG_API int enrg_history_find(struct enrg_client *client, const char **ret_folder, struct enrg_error *err);

/* -ENOENT: no such folder, or no history in it; -errno. */
ENRG_API int enrg_history_open(const char *folder, struct enrg_history **ret_history, struct enrg_error *err);
ENRG_API void enrg_history_close(struct enrg_history *history); /* takes NULL */

struct enrg_history_entry {
	uint32_t size;
	uint32_t flags; /* ENRG_HISTORY_… */
	const char *name, *unit;
	uint64_t first_ns, last_ns; /* wall clock: there are no values outside of these */
};

struct enrg_history_list {
	uint32_t size;
	uint32_t count;
	const struct enrg_history_entry *const *entries; /* by name */
};

/* All series, or those that `pattern` (as of fnmatch(3): "*" also stands for "/") or the exact name means; NULL: all.
 * 0, also where there are none. */
ENRG_API int enrg_history_list_series(
	struct enrg_history *history, const char *pattern, struct enrg_history_list **ret_list, struct enrg_error *err);
ENRG_API void enrg_history_list_destroy(struct enrg_history_list *list); /* takes NULL */

struct enrg_history_query {
	uint32_t size;               /* sizeof(struct enrg_history_query) */
	uint32_t points;             /* at most so many a series; 1 to ENRG_HISTORY_POINTS_MAX */
	const char *const *patterns; /* as of enrg_history_list_series, NULL at the end */
	uint64_t from_ns, to_ns;     /* wall clock */
};

/* Of one bin; all NaN where nothing is known of it. */
struct enrg_history_point {
	double min, mean, max;
	double seconds; /* for how long it was known: up to the length of the bin */
};

struct enrg_history_series {
	uint32_t size;
	uint32_t flags; /* ENRG_HISTORY_… */
	const char *name, *unit;
	const struct enrg_history_point *points; /* enrg_history_result.point_count */
};

struct enrg_history_result {
	uint32_t size;
	uint32_t series_count;
	uint32_t point_count;
	const struct enrg_history_series *const *series; /* those that have a value in that time, by name */
	uint64_t from_ns;                                /* begin of the first bin: at or before what was asked */
	uint64_t step_ns;                                /* of a bin: whole seconds */
};

/* Minimum, mean over time and maximum in equal bins. Bins of five minutes and more come from the recorded minutes, as
 * does what is older than the seconds. -EINVAL; -E2BIG: too many series times points; -ENOMEM. 0, also where nothing is
 * found. */
ENRG_API int enrg_history_read(struct enrg_history *history, const struct enrg_history_query *query,
	struct enrg_history_result **ret_result, struct enrg_error *err);
ENRG_API void enrg_history_result_destroy(struct enrg_history_result *result); /* takes NULL */

#ifdef __cplusplus
}
#endif

#endif
