/* feed.h: the slowly changing columns of one source, seen by an observer of its stream: nobody waits for it. In the
 * process of DAQJobHistory, on its main thread. */
#ifndef HISTORY_FEED_H
#define HISTORY_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/client.h"
#include "enrgdaq/job.h"
#include "recorder.h"

/* How often tables come, whose columns are recorded. */
struct feed_rules {
	double slow_hz;
	struct enrg_string_list columns_of; /* patterns of sources whose tables are recorded however often they come */
	const struct enrg_string_list *exclude;
};

struct feed;

/* NULL: out of memory. */
struct feed *feed_create(
	struct enrg_job *job, struct recorder *recorder, const struct feed_rules *rules, const char *source);
void feed_destroy(struct feed *feed); /* ends its series; takes NULL */
const char *feed_source(const struct feed *feed);

/* Takes what came. Opens the stream where it is not open yet. -ENOMEM. */
int feed_look(struct feed *feed, struct enrg_client *client, uint64_t now_ns);

#endif
