/* statistics.h: what the figures of a job are called, their units and what they mean. For whoever hands on all of them
 * without knowing each: a store of statistics, a recorder of their history, an exporter of metrics. docs/statistics.md
 * lists them.
 *
 *     for (uint32_t i = 0; i < job->value_count; i++) {
 *             const struct enrg_statistic *statistic = enrg_statistics_get(i);
 *
 *             if (!isnan(job->values[i].number))
 *                     printf("%s = %g %s\n", statistic->name, job->values[i].number, statistic->unit);
 *     }
 *
 * with a `struct enrg_job_status` (client.h: all figures, as the supervisor has them) or a `struct enrg_stats`
 * (message.h: those that a job reports itself). Later versions append statistics; the number, name, unit, kind and
 * metric of one never change, so a name may become a column or a metric that lasts.
 */
#ifndef ENRGDAQ_STATISTICS_H
#define ENRGDAQ_STATISTICS_H

#include <stdint.h>

#include "enrgdaq/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum enrg_statistic_kind {
	ENRG_STATISTIC_COUNTER = 1, /* only grows; begins at 0 again with the run (client.h) or the instance
				     * (message.h): take differences */
	ENRG_STATISTIC_GAUGE = 2,   /* as it is now, or was in the last seconds */
};

struct enrg_statistic {
	uint32_t size;
	enum enrg_statistic_kind kind;
	const char *name;     /* letters, digits, '_': "in_rows", "latency_p99_ms" */
	const char *unit;     /* of its values: "rows", "bytes", "ms", "%", … */
	const char *help;     /* a phrase without a full stop */
	const char *heading;  /* of a narrow column, as of `enrgdaq status`: "rate", "own MB" */
	const char *metric;   /* by the rules of Prometheus, in base units; NULL: it follows from another statistic */
	const char *label;    /* that the metric has beside those of the job: "quantile=\"0.99\""; NULL: none */
	double metric_factor; /* a value times this is the metric's */
	const char *json;     /* where it stands in a job of `enrgdaq status --json`: "in.rows"; NULL: it does not */
	const char *report;   /* where it stands in the body of a report ("stats"): "latency_stats.p99_ms"; NULL: not */
};

struct enrg_statistic_value {
	double number;  /* NaN: there is none. A job that does not store has no latency, one without a stream no ring */
	uint64_t count; /* the same, exact, of what is counted in whole numbers; else 0 */
};

/* How many this program knows. */
ENRG_API uint32_t enrg_statistics_count(void);
/* Lives as long as the program; NULL: no such index. */
ENRG_API const struct enrg_statistic *enrg_statistics_get(uint32_t index);
/* Its index; enrg_statistics_count(): there is none of that name. */
ENRG_API uint32_t enrg_statistics_find(const char *name);

#ifdef __cplusplus
}
#endif

#endif
