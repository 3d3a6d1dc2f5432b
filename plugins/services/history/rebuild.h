/* rebuild.h: minutes that were not written any more, since the process was killed, from the seconds that were. In the
 * process of DAQJobHistory, on its main thread. */
#ifndef HISTORY_REBUILD_H
#define HISTORY_REBUILD_H

#include "recorder.h"

/* All from the last minute on that is there; the last one of them is left open, since it may be the present one. What
 * can't be read is left out. */
int rebuild_minutes(struct recorder *recorder, const char *folder, struct enrg_error *err);

#endif
