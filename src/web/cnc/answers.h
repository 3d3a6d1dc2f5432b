/* answers.h: requests of peers, carried out by the own system on a worker, and what came of them; the audit has those
 * that change something. Process: enrgdaq-web;
 * on the thread of CNC, unless said. */
#ifndef WEB_CNC_ANSWERS_H
#define WEB_CNC_ANSWERS_H

#include <stddef.h>

#include "web/cnc/message.h"
#include "web/node/node.h"

#define ANSWERS_MAX 32u /* under way or not fetched */

struct answer {
	struct answer *next;
	size_t identity_bytes;
	unsigned char identity[256]; /* of the peer that asked; none: the server */
	enum cnc_type type;          /* of the request */
	json_t *json;                /* with req_id */
};

struct answers;
/* `access`: NULL: no audit. NULL: no memory */
struct answers *answers_create(
	struct node *node, struct web_system *system, struct access *access, int wake_descriptor);
/* Waits for what is under way. Takes NULL. */
void answers_destroy(struct answers *answers);

struct answers_request {
	const void *identity;
	size_t identity_bytes;
	enum cnc_type type;
	json_t *json; /* borrowed */
	const struct access_who *who;
};
/* -EAGAIN: too much is under way; -ENOMEM. An eventfd (wake_descriptor) counts when it is done. */
int answers_start(struct answers *answers, const struct answers_request *request);
/* What is done; the caller's. NULL: nothing. */
struct answer *answers_take(struct answers *answers);
void answer_destroy(struct answer *answer);

#endif
