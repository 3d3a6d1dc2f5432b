/* peers.h: connections of a server: how many messages each has sent this second. Bounded: the one that was silent
 * longest gives way. Arithmetic only. On the thread of CNC. Process: enrgdaq-web. */
#ifndef WEB_CNC_PEERS_H
#define WEB_CNC_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#define PEERS_MAX 512u

struct peers {
	struct {
		uint64_t connection, window_ns, seen_ns;
		uint32_t count;
	} items[PEERS_MAX];
};

/* Counts a message of that connection (> 0). False: it is more than `max` in this second. */
bool peers_count(struct peers *peers, uint64_t connection, uint64_t now_ns, uint32_t max);

#endif
