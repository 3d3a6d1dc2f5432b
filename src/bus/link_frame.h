/* link_frame.h: the messages of a link, to and from frames. Both sides. */
#ifndef BUS_LINK_FRAME_H
#define BUS_LINK_FRAME_H

#include "bus/link.h"
#include "bus/socket.h"

#define LINK_PAYLOAD_MAX (1u << 30) /* larger records are refused when the sender starts */
#define LINK_UUID_BYTES  32u        /* hexadecimal, without the final NUL: ZeroMQ identity of a sender */

/* Everything but a batch: "hello" and "bye" of the sender, "resume", "ack" and "bye" of the receiver. What a member
 * means in which kind: docs/control-protocol.md. */
struct link_note {
	char stream_uuid[LINK_UUID_BYTES + 1];
	uint64_t life;     /* of the receiver; a new one has forgotten what it had not committed */
	uint64_t session;  /* of the sender; a new one begins wherever it must go back */
	uint64_t position; /* all before it is committed */
	uint64_t received; /* the receiver has all before it */
	uint64_t sent;     /* the sender has sent all before it in this session */
	bool is_full;      /* the sender's window is full: an early commit would help */
};

int link_note_parse(const json_t *body, struct link_note *ret_note, struct enrg_error *err);
json_t *link_note_format(const struct link_note *note); /* NULL: no memory */

/* What a batch carries beside link_batch. */
struct link_place {
	uint64_t session;
	uint64_t after; /* end of the batch before it; the receiver must have all before it */
};

/* Checks every number against its range, and the lengths in the header against each other; pointers are not set. */
int link_batch_parse(
	const json_t *body, struct link_batch *ret_batch, struct link_place *ret_place, struct enrg_error *err);
json_t *link_batch_format(const struct link_batch *batch, const struct link_place *place);

/* A random number that is not 0. */
uint64_t link_draw_number(void);

#endif
