/* alarms.h: states that somebody has to be told of until they are over: told once when one begins, again until it is
 * acknowledged, and when it ends. What is true is judged elsewhere (watch_flow.h); here is what was said of it. The
 * list outlives the supervisor in a file of its runtime folder. Process: supervisor, main thread. */
#ifndef SUPERVISOR_ALARMS_H
#define SUPERVISOR_ALARMS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/job.h"

#define ALARMS_MAX        4096u
#define ALARM_KEY_BYTES   300u
#define ALARM_HOURS_MAX   8760.0
#define ALARM_UNJUDGED_NS 600000000000ull /* one that nobody has judged for so long is over */

enum alarm_event { ALARM_BEGINS, ALARM_AGAIN, ALARM_ENDS };

struct alarm {
	char key[ALARM_KEY_BYTES]; /* "silent/camera": the same as long as it is on, and the next time */
	char job[256];             /* that it is about */
	enum enrg_level severity;
	char text[800];         /* cause, what it means for the data, remedy */
	bool is_on;             /* else it is only judged true, or muted in advance */
	bool is_acknowledged;   /* is not repeated */
	uint64_t true_since_ns; /* CLOCK_MONOTONIC: judged true since then; 0 = it is not */
	uint64_t judged_ns;
	uint64_t since_wall_ns; /* when it began */
	uint64_t told_ns;       /* CLOCK_MONOTONIC: when it was told last; 0 = not yet, as it is muted */
	uint32_t told_count;
	uint64_t muted_until_wall_ns; /* 0 = it is not */
	char mute_reason[200];
};

struct alarms {
	uint32_t count;
	struct alarm *items;
	bool is_changed; /* the file does not say it yet */
	/* `text` is what is to be said. */
	void (*tell)(void *context, const struct alarm *alarm, enum alarm_event event, const char *text);
	/* An operator has said something: what was changed is to be kept now. NULL: at the next look. */
	void (*keep)(void *context);
	void *context;
};

struct judgement {
	const char *kind, *subject; /* the key: "kind/subject", or "kind" where the subject is "" */
	const char *job;
	bool is_true;
	bool is_unknown;  /* neither true nor false: one that is on stays on */
	uint64_t hold_ns; /* it has to be true for so long */
	enum enrg_level severity;
	char text[800];
};

void alarms_fini(struct alarms *alarms);
/* What is not judged stays as it is. */
void alarms_judge(struct alarms *alarms, const struct judgement *judgement, uint64_t now_ns, uint64_t wall_ns);
/* Tells what is due. */
void alarms_step(struct alarms *alarms, uint64_t now_ns, uint64_t wall_ns);
/* 0; -ENOENT: no such alarm is on. */
int alarms_acknowledge(struct alarms *alarms, const char *key);
/* 0 hours: no longer muted. One that is not on may be muted before it begins. -ENOENT: nothing to unmute; -ENOSPC. */
int alarms_mute(struct alarms *alarms, const char *key, double hours, const char *reason, uint64_t wall_ns);

/* For status.json: those that are on or muted; new reference. */
json_t *alarms_format(const struct alarms *alarms);
/* What alarms_save wrote. */
void alarms_load(struct alarms *alarms, const char *path, uint64_t now_ns);
/* Where something has changed. -errno, -ENOMEM. */
int alarms_save(struct alarms *alarms, const char *path, struct enrg_error *err);

#endif
