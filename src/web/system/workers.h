/* workers.h: threads for work that may wait for the supervisor or a disk, and a queue of bounded length. Process:
 * enrgdaq-web. */
#ifndef WEB_SYSTEM_WORKERS_H
#define WEB_SYSTEM_WORKERS_H

#define WORKERS_THREADS_MAX 8u
#define WORKERS_QUEUE       256u

struct workers;

struct workers *workers_start(unsigned threads); /* NULL: no memory, or no thread */
/* What waits is still done; returns when the last of it is. Takes NULL. */
void workers_stop(struct workers *workers);
/* Any thread. -EAGAIN: as much as may wait does already. */
int workers_add(struct workers *workers, void (*work)(void *context), void *context);
/* How much waits, and is done, now. Any thread. */
unsigned workers_count(struct workers *workers);

#endif
