/* values.h: values of a batch as commands. */
#ifndef REDIS_VALUES_H
#define REDIS_VALUES_H

#include "enrgdaq/batch.h"
#include "request.h"

/* Rows first … end - 1 as arguments of RPUSH: integers exact; reals the shortest text that reads back the same; true,
 * false; strings and bytes as they are; lists "[1,2,3]"; a missing value is an empty text, so that the columns' rows
 * stay side by side. */
void values_add(const struct enrg_column *column, const struct enrg_column_view *view, uint64_t first, uint64_t end,
	struct request *request);

/* TS.MADD key time value …. Returns how many values were left out: not finite, or without a time. Missing ones are
 * none. */
uint64_t values_add_samples(const struct enrg_batch *batch, uint32_t time_column, uint32_t column, const char *key,
	struct request *request);

/* How many rows have the time, in ms, of the row before them; *last_ms: of the row before the batch (-1: none), and
 * then of its last row. */
uint64_t values_count_same_times(const struct enrg_batch *batch, uint32_t time_column, int64_t *last_ms);

#endif
