/* flight.h: a cluster on its way to the file: its pages are encoded and compressed, by the helper and, where it waits
 * for them, by the main thread. Several are under way at a time, so that both threads have work even where one column
 * is nearly all of it.
 */
#ifndef ROOT_FLIGHT_H
#define ROOT_FLIGHT_H

#include "cluster.h"
#include "pool.h"

#define FLIGHTS 3u

struct tree;

/* Its buffers are kept: memory that is new has to be mapped first, which costs as much as swapping its bytes. */
struct flight_task {
	struct bytes scratch, packed;
	uint64_t raw_bytes, elements, took_ns;
	int rc;
	struct enrg_error err;
};

struct flight_turn;

struct flight {
	struct cluster full;
	const struct cluster *rows; /* that one, or the open one of the tree */
	bool is_under_way;
	const struct tree *tree;
	struct flight_task *tasks; /* one a part of the tree */
	struct flight_turn *turns; /* in which order they are done */
	struct pool_round round;
};

/* The tree's parts are planned. */
int flight_init(struct flight *flight, const struct tree *tree, struct enrg_error *err);
void flight_fini(struct flight *flight, struct tree *tree); /* takes zeroed; waits when it is under way */

void flight_start(struct flight *flight, struct tree *tree, const struct cluster *rows);
/* Takes the open cluster over and leaves an empty one. */
void flight_start_full(struct flight *flight, struct tree *tree);
/* From then on the pages are in `tasks`, and `rows` may change. */
void flight_finish(struct flight *flight, struct tree *tree);

#endif
