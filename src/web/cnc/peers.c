/* peers.c: see the header. */
#include "web/cnc/peers.h"

#define SECOND_NS 1000000000ull

static unsigned find(const struct peers *peers, uint64_t connection)
{
	unsigned oldest = 0;

	for (unsigned i = 0; i < PEERS_MAX; i++) {
		if (peers->items[i].connection == connection)
			return i;
		if (peers->items[i].seen_ns < peers->items[oldest].seen_ns)
			oldest = i;
	}
	return oldest;
}

bool peers_count(struct peers *peers, uint64_t connection, uint64_t now_ns, uint32_t max)
{
	unsigned at = find(peers, connection);

	if (peers->items[at].connection != connection || now_ns - peers->items[at].window_ns >= SECOND_NS) {
		peers->items[at].connection = connection;
		peers->items[at].window_ns = now_ns;
		peers->items[at].count = 0;
	}
	peers->items[at].seen_ns = now_ns;
	if (peers->items[at].count >= max)
		return false;
	peers->items[at].count++;
	return true;
}
