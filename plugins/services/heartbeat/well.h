/* well.h: is all well? By what the supervisor says of its jobs, and by the errors that nobody has acknowledged. No
 * clock, no file. */
#ifndef HEARTBEAT_WELL_H
#define HEARTBEAT_WELL_H

#include <stdbool.h>
#include <stdint.h>

#define WELL_TEXT_BYTES 1200u
#define WELL_SILENCE_NS 30000000000ull /* the supervisor counts as gone when it has said nothing for so long */

struct well {
	uint64_t heard_ns;             /* CLOCK_MONOTONIC: when the supervisor spoke; 0: not yet */
	char trouble[WELL_TEXT_BYTES]; /* what it said then that is not well: a job, an alarm; "": nothing */

	/* wall clock */
	uint64_t alarm_ns; /* of the newest error that is not acknowledged; 0: there is none */
	char alarm[WELL_TEXT_BYTES];
	uint64_t acknowledged_ns; /* errors up to then are */
};

/* An alert of severity error. True: it is a new alarm. */
bool well_note_error(struct well *well, uint64_t time_ns, const char *job, const char *message);
/* What the supervisor says of all (combined_stats, JSON): jobs that are given up, its own alarms that are on and not
 * acknowledged, errors that were raised while nobody listened. True: one of those errors is new. */
bool well_note_status(struct well *well, const char *json, uint64_t now_ns);
/* Nobody has to look at errors up to now any more. True: there was one. */
bool well_acknowledge(struct well *well, uint64_t wall_ns);
/* The alarm is over by itself where it is older than this; 0: never. True: it is over now. */
bool well_forget(struct well *well, uint64_t patience_ns, uint64_t wall_ns);

/* True: all is well; else why not. */
bool well_judge(const struct well *well, uint64_t now_ns, char ret_why[WELL_TEXT_BYTES]);

/* What outlives a kill, as text (to be freed; NULL: out of memory), and back; rubbish changes nothing. */
char *well_format(const struct well *well);
void well_parse(struct well *well, const char *text);

#endif
