/* gate.h: who may connect to the server at all: ZeroMQ asks it (ZAP, RFC 27) for every connection that is made in its
 * context. Each gets a number, by which its messages are told apart. On the thread of CNC. Process: enrgdaq-web. */
#ifndef WEB_CNC_GATE_H
#define WEB_CNC_GATE_H

#include "enrgdaq/option.h"
#include "web/cnc/frames.h"
#include "web/cnc/notices.h"

#define GATE_BLOCKED_MAX 16u
#define GATE_BLOCK_NS    15000000000ull

struct gate {
	void *socket; /* to poll */
	bool has_keys;
	bool is_full;                           /* nobody else may now; he may try again */
	const struct enrg_string_list *allowed; /* keys, Z85; borrowed */
	struct notices *notices;
	uint64_t connections; /* so far */
	struct {
		char address[64];
		uint64_t until_ns;
	} blocked[GATE_BLOCKED_MAX];
};

/* Before the sockets that it guards, closed after them. `has_keys`: only `allowed` may connect, else everybody. */
int gate_open(struct gate *gate, void *context, struct enrg_error *err);
void gate_close(struct gate *gate);
/* Answers all that ask. */
void gate_turn(struct gate *gate, uint64_t now_ns);
/* That address makes no new connections for GATE_BLOCK_NS; those that it has stay. */
void gate_block(struct gate *gate, const char *address, uint64_t now_ns);

#define GATE_KEY_BYTES 41u /* 40 characters and a NUL */
/* Of a frame of a message: number of its connection (0: none), and the key ("": none). */
uint64_t gate_connection(zmq_msg_t *frame, char ret_key[GATE_KEY_BYTES]);

#endif
