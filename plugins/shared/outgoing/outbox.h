/* outbox.h: alerts that were heard and have not been sent, in memory and in a file that outlives this process: a line
 * for each that was heard, that is being sent, that was sent. Lines are written at once, which a kill can't undo, and
 * synced before something is sent, which a power cut can't undo either. One that a killed process was sending may have
 * arrived: it is sent again and says so. Main thread, but for outbox_sync. */
#ifndef OUTGOING_OUTBOX_H
#define OUTGOING_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/message.h"
#include "state/state.h"

#define OUTBOX_MAX        1000u /* alerts that wait */
#define OUTBOX_TEXT_MAX   2000u /* bytes of a message; a longer one is cut */
#define OUTBOX_ALARMS_MAX 256u
#define OUTBOX_ID_BYTES   17u

struct outbox_entry {
	struct outbox_entry *next;
	uint64_t serial;
	char id[OUTBOX_ID_BYTES]; /* the same in every receiver of this alert */
	enum enrg_level severity;
	enum enrg_alert_event event;
	uint64_t time_ns;
	bool may_have_been_sent; /* by a process that was killed meanwhile, or heard no answer */
	bool is_going, is_held;  /* for who sends */
	uint32_t failures, refusals;
	uint64_t failed_ns;                           /* CLOCK_MONOTONIC, the last time */
	const char *supervisor, *job, *key, *message; /* behind this struct */
	char texts[];
};

struct outbox {
	struct state state;
	int file;                        /* the lines; 0: none, nothing outlives this process */
	uint64_t file_bytes, kept_bytes; /* now; and after it was written anew */
	bool is_torn;                    /* the last line may be written in part */
	struct outbox_entry *first, **end;
	uint32_t count;
	uint64_t serial;
	uint64_t overflow; /* heard while OUTBOX_MAX waited, and given up */
	uint32_t alarm_count;
	uint64_t alarms[OUTBOX_ALARMS_MAX]; /* hashes of keys: their begin was heard, their end was not */
};

/* Without a path nothing is kept. -EBUSY, -errno: so is nothing, and the caller says so; outbox_close is due either
 * way. */
int outbox_open(struct outbox *outbox, const char *path, struct enrg_error *err);
void outbox_close(struct outbox *outbox);

/* 0; -ENOBUFS: too many wait, it is counted as overflow; -ENOMEM. Other codes: it is in memory, and could not be
 * written down. */
int outbox_put(struct outbox *outbox, const struct enrg_alert *alert, struct enrg_error *err);

/* An alarm of this key was put: its end is to be put as well, how ever unimportant it is. Also across kills. */
void outbox_note_alarm(struct outbox *outbox, const char *key);
/* It has ended. True: it had been noted. */
bool outbox_end_alarm(struct outbox *outbox, const char *key);

/* All entries that are `is_going`: they are being sent from now on; were sent, or given up, and are gone. */
void outbox_note_begin(struct outbox *outbox);
void outbox_note_end(struct outbox *outbox);
/* So much of the overflow has been told to the receiver; what was added since then has not. */
void outbox_note_overflow_told(struct outbox *outbox, uint64_t count);

/* Any thread, while nothing else happens to the outbox but outbox_put: what was written is on the disk. */
int outbox_sync(const struct outbox *outbox);

#endif
