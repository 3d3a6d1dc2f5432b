/* mailbox.h: messages between the reporter thread, which owns the bus, and the main thread of a job: one queue in, one
 * out, both bounded. The reporter puts and takes_out, the main thread takes and posts; the one who sleeps is woken by
 * the caller. */
#ifndef JOB_PROCESS_MAILBOX_H
#define JOB_PROCESS_MAILBOX_H

#include <stdatomic.h>

#include "bus/envelope.h"

#define MAILBOX_MAX       256u
#define MAILBOX_BYTES_MAX (256u << 10) /* of messages as they came; one alone may be larger */
#define MAILBOX_TOPICS    64u          /* that a job may subscribe to */

struct mail {
	struct mail *next;
	struct envelope envelope;
	char topic[];
};

/* On its way out. `kind` "": not a message, but a topic to subscribe to. */
struct mail_out {
	struct mail_out *next;
	char kind[sizeof(((struct envelope *)0)->kind)];
	json_t *body;
	char topic[];
};

struct mailbox;

struct mailbox *mailbox_create(void); /* NULL: out of memory */
void mailbox_destroy(struct mailbox *mailbox);

/* Reporter. Takes the envelope, or leaves it and returns false: full. */
bool mailbox_put(struct mailbox *mailbox, const char *topic, struct envelope *envelope);
/* Reporter. The next one out (free with mail_out_free), or NULL. */
struct mail_out *mailbox_take_out(struct mailbox *mailbox);
void mail_out_free(struct mail_out *mail);

/* Main thread: is there something? One load. */
bool mailbox_has(const struct mailbox *mailbox);
/* Main thread. The next one in (free with mail_free), or NULL. */
struct mail *mailbox_take(struct mailbox *mailbox);
void mail_free(struct mail *mail);
/* Main thread. Takes the body, no part of which anything else may refer to. -EAGAIN: MAILBOX_MAX are on their way
 * already; -EINVAL: a kind or topic that is too long; -ENOMEM. */
int mailbox_post(struct mailbox *mailbox, const char *topic, const char *kind, json_t *body);
/* The same for a topic to subscribe to; one that was posted before is no news. -ENOSPC: MAILBOX_TOPICS were. */
int mailbox_post_subscription(struct mailbox *mailbox, const char *topic);

#endif
