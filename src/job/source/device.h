/* device.h: the framework's side of enrgdaq/device.h: works that hang, and the order of works between two threads. */
#ifndef JOB_SOURCE_DEVICE_H
#define JOB_SOURCE_DEVICE_H

#include <pthread.h>

#include "enrgdaq/device.h"
#include "job/source/output.h"

enum device_item_state { DEVICE_ITEM_NONE = 0, DEVICE_ITEM_WAITING, DEVICE_ITEM_DONE };

struct device_item {
	char name[ENRG_DEVICE_NAME_BYTES];
	int (*run)(void *context, struct enrg_error *err);
	void *context;
	uint64_t deadline_ns;
	int rc;
	struct enrg_error err;
};

struct enrg_device {
	struct enrg_job *job;
	struct enrg_device *next; /* of the job */
	pthread_t thread;
	char name[ENRG_DEVICE_NAME_BYTES];
	int event; /* an eventfd, readable while done > taken */

	pthread_mutex_t lock; /* over all that follows */
	pthread_cond_t wanted;
	bool is_ending;
	/* What was posted: items[n % depth] for taken <= n < posted; those below `done` are results. */
	uint32_t depth;
	uint64_t posted, done, taken;
	struct device_item *items;
	/* The one that the job's thread waits for. Its turn comes when `done` is where `posted` was. */
	enum device_item_state call_state;
	uint64_t call_turn;
	struct device_item call;
	/* What runs now. */
	const struct device_item *running; /* NULL: nothing does */
	uint64_t due_ns;                   /* CLOCK_MONOTONIC; UINT64_MAX where nothing runs */
};

/* false: `work` lacks something. */
bool device_fill_item(struct device_item *item, const struct enrg_device_work *work);
/* Ends the process where a work of the job's devices is beyond its deadline. */
void devices_check(struct enrg_job *job, uint64_t now_ns);
/* The earliest deadline of what runs or is about to, CLOCK_MONOTONIC; UINT64_MAX = none. */
uint64_t devices_deadline(const struct enrg_job *job);

#endif
