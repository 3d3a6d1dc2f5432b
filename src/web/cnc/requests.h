/* requests.h: what clients were asked and have not answered. On the thread of CNC alone. Process: enrgdaq-web. */
#ifndef WEB_CNC_REQUESTS_H
#define WEB_CNC_REQUESTS_H

#include "web/cnc/cnc.h"
#include "web/cnc/message.h"

#define REQUESTS_MAX        1024u
#define REQUESTS_CLIENT_MAX 64u /* of one client */
#define REQUEST_TIMEOUT_NS  30000000000ull

struct requests;
struct requests *requests_create(void); /* NULL: out of memory */
/* All that are left are answered 503. Takes NULL. */
void requests_destroy(struct requests *requests);

struct request_params {
	const char *client;
	enum cnc_type type;
	uint64_t now_ns;
	cnc_answered *answered;
	void *context;
};
/* -EAGAIN: as many wait as may; -ENOMEM. ret_id: a text that nobody guesses. */
int requests_add(struct requests *requests, const struct request_params *params, char ret_id[37]);
/* Answers the request that this is the answer to: its id, its client, its type. Whether it is one. */
bool requests_answer(struct requests *requests, const char *client, const struct cnc_message *message);
/* It could not be sent: answers 504. */
void requests_fail(struct requests *requests, const char *id, const char *why);
/* Answers 504 for all that are too old. */
void requests_expire(struct requests *requests, uint64_t now_ns);

#endif
