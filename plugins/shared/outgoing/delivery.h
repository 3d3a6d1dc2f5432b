/* delivery.h: the way of alerts out of this machine, for a service that knows one kind of receiver. What it hears goes
 * into an outbox; a device's thread sends one letter after the other; what fails is tried again after 1, 2, 4 …
 * seconds; what is too much for a minute goes out as one letter. Nobody waits for any of it. Main thread, but for
 * `send`. */
#ifndef OUTGOING_DELIVERY_H
#define OUTGOING_DELIVERY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/message.h"

/* Keys that all these services have; included in their tables. */
struct delivery_options {
	int min_severity;
	int64_t max_per_minute, max_per_minute_of_job;
	double retry_max_seconds, give_up_hours;
	const char *state_file;
};

extern const struct enrg_table delivery_table;

/* One letter to be: an alert, or a word about many. */
struct notice {
	const char *id;
	const char *sent_by;    /* this supervisor … */
	const char *supervisor; /* … and the one whose job raised it */
	const char *job;
	enum enrg_level severity;
	const char *key; /* of an alarm that begins, comes again or ends; "": none */
	enum enrg_alert_event event;
	uint64_t time_ns; /* of the first of them */
	const char *message;
	uint32_t count;       /* alerts that it stands for */
	bool may_be_repeated; /* it may have arrived: its process was killed meanwhile, or there was no answer */
};

const char *notice_severity(enum enrg_level severity); /* "error" */
const char *notice_event(enum enrg_alert_event event); /* "begins" */

struct delivery_hint {
	uint32_t retry_after_s; /* the receiver wants no other try before; 0: it says nothing */
	bool may_have_arrived;  /* it failed, and nobody knows whether before or after the receiver took it */
};

struct delivery_way {
	const char *name;       /* of the receiver, as messages call it: "Slack" */
	double timeout_seconds; /* `send` takes no longer */
	/* The letter, on the main thread; `is_ending` lives as long as it, and is set where `send` should give up.
	 * NULL: out of memory. */
	void *(*compose)(void *context, const struct notice *notice, const _Atomic bool *is_ending);
	/* On the device's thread. 0: it was taken. -EBADMSG: refused for what it says; others: later perhaps. */
	int (*send)(void *letter, struct delivery_hint *ret_hint, struct enrg_error *err);
	void (*discard)(void *letter);
	void *context;
};

struct delivery;

/* `way` is copied, `options` live as long as the delivery. */
int delivery_create(struct enrg_job *job, const struct delivery_way *way, const struct delivery_options *options,
	struct delivery **ret_delivery, struct enrg_error *err);

/* The members on_alert, poll, stop and destroy of the service's job type, whose state is the delivery alone. Alerts of
 * this job itself are left out: they would breed. `stop` sends what waits, for a few seconds; the rest is kept for the
 * next start. */
int delivery_hear(struct enrg_job *job, void *state, const struct enrg_alert *alert, struct enrg_error *err);
int delivery_poll(struct enrg_job *job, void *state, struct enrg_error *err);
int delivery_stop(struct enrg_job *job, void *state, struct enrg_error *err);
void delivery_destroy(void *state); /* takes NULL */

#endif
