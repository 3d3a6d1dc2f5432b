/* recorder.h: what is known of each series now, and what of it is written: blocks of a second, blocks of a minute.
 * Knows no clock: its owner says what time it is. In the process of DAQJobHistory, on its main thread. */
#ifndef HISTORY_RECORDER_H
#define HISTORY_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "bound.h"
#include "enrgdaq/error.h"

#define RECORDER_SERIES_MAX 100000u

struct recorder;

struct recorder_params {
	const char *folder; /* is there */
	const char *supervisor, *job;
	uint64_t limit_bytes;
};

/* Minutes that an earlier process has not written any more are made of its seconds. */
int recorder_open(const struct recorder_params *params, struct recorder **ret_recorder, struct enrg_error *err);
/* Writes what is open: the present second and the part of its minute. */
int recorder_finish(struct recorder *recorder, struct enrg_error *err);
void recorder_destroy(struct recorder *recorder); /* takes NULL */

/* The number of a series; the same for the same name. -ENOMEM; -ENOSPC: RECORDER_SERIES_MAX. */
int64_t recorder_take(struct recorder *recorder, const char *name, const char *unit, uint32_t flags);
/* Is there one of that name? */
bool recorder_has(const struct recorder *recorder, const char *name);
/* A value of the present second. It counts until the next one or recorder_end. Not finite: as recorder_end. */
void recorder_set(struct recorder *recorder, uint32_t series, double value);
/* It is not known any more. */
void recorder_end(struct recorder *recorder, uint32_t series);
void recorder_end_all(struct recorder *recorder);

/* Now it is that second (s since 1970). Where it is another one than before, writes the second that is over, and the
 * minute if that is over: 1. 0: it is not, or after a fault the time to try again has not come. -errno: it could not be
 * written and is lost; what is known is kept, and after some seconds a file of its own is tried. */
int recorder_turn(struct recorder *recorder, uint64_t second, struct enrg_error *err);
/* -errno: what follows goes into a file of its own. */
int recorder_sync(struct recorder *recorder, struct enrg_error *err);

/* Nothing is written for the next seconds. */
void recorder_pause(struct recorder *recorder);

/* Files that went before their time since the last call. */
void recorder_get_report(struct recorder *recorder, struct bound_report *ret_report);

uint32_t recorder_count_known(const struct recorder *recorder);

/* --- for rebuild.c ------------------------------------------------------------------------------------------------ */

/* Values of that minute (s since 1970, a multiple of 60) follow: the one before it is over, and is written. */
int recorder_begin_minute(struct recorder *recorder, uint64_t minute, struct enrg_error *err);
/* A second of it. */
void recorder_add(struct recorder *recorder, uint32_t series, double min, double mean, double max);

#endif
