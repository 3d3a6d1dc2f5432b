/* repeats.h: what was answered to requests with the header Idempotency-Key: a script that has lost an answer sends the
 * same again, and nothing is done twice. Kept in memory: an hour, 256 answers, 4 MiB. Any thread. Process: enrgdaq-web.
 */
#ifndef WEB_API_REPEATS_H
#define WEB_API_REPEATS_H

#include "web/access/access.h"
#include "web/http/message.h"

#define REPEATS_KEY_BYTES_MAX 128u

struct repeats;
struct repeat; /* one that is under way */

struct repeats *repeats_create(void); /* NULL: out of memory */
void repeats_destroy(struct repeats *repeats);

enum repeats_outcome {
	REPEATS_FIRST,   /* go on; *ret_repeat: for repeats_end */
	REPEATS_AGAIN,   /* ret_response is what was answered; its body is held for the caller */
	REPEATS_RUNNING, /* the first is not answered yet */
	REPEATS_OTHER,   /* that key came with another request */
	REPEATS_FULL,    /* so many are under way */
};

enum repeats_outcome repeats_begin(struct repeats *repeats, const struct web_request *request,
	const struct access_who *who, struct repeat **ret_repeat, struct web_response *ret_response);
/* Keeps what was answered; what may be tried again (429, 503, and what was wrong with the request) is forgotten. */
void repeats_end(struct repeats *repeats, struct repeat *repeat, const struct web_response *response);

#endif
