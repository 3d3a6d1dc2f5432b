/* service.h: `enrgdaq-runs serve`: owns the database of one supervisor. Lines of JSON over standard input, which is a
 * socket; entries from the folder `book` of the supervisor's runtime folder. Ends when nothing is to be done for a
 * while, or when the supervisor hangs up and all that it left is entered. Process: the book, main thread; what waits
 * for a disk of data goes to the worker's.
 *
 * What it hears: {"do": "hello", "continues": [uuids]}, {"do": "number", "ask", "floor", "entry"}, {"do": "ping"}.
 * What it says: {"owner": true} with the descriptor of the lock, {"refused": text}, {"ready": true}, {"number", "ask"},
 * {"ask", "error"}, {"pong": true}, {"alert": key, "level", "text", "is_over"}.
 */
#ifndef RUNS_SERVICE_H
#define RUNS_SERVICE_H

#include "runs/database.h"

struct service_params {
	const char *database, *folder, *runtime_folder, *supervisor;
	int socket;
	int owner; /* the lock, from a program before this one; -1 = none */
	enum database_network network;
	uint64_t idle_ns;
};

/* An exit code. */
int service_run(const struct service_params *params);

#endif
