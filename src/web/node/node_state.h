/* node_state.h: what the files of this room share. Nobody else includes it. Process: enrgdaq-web, workers. */
#ifndef WEB_NODE_NODE_STATE_H
#define WEB_NODE_NODE_STATE_H

#include <pthread.h>

#include "web/node/node.h"
#include "web/node/node_log.h"
#include "web/node/node_texts.h"

struct node {
	struct web_system *system;
	struct node_log *log;
	pthread_mutex_t lock; /* of what follows */
	struct node_texts texts;
	uint64_t status_at_ns;   /* of the look that `status` was made of; 0: none yet */
	json_t *status;          /* never changed once it is here */
	struct web_bytes *bytes; /* the same, rendered */
	pthread_mutex_t templates_lock;
	struct web_bytes *templates[3]; /* by enum node_templates; NULL: not yet */
};

/* A request that is being carried out; node_call.c has what it needs. */
struct node_call {
	struct node *node;
	const json_t *request; /* an object */
	const struct access_who *who;
	char type[64];  /* of the answer */
	json_t *answer; /* what is answered besides `type`; NULL: nothing */
};

/* {"success", "message"} of it; returns `status`. */
int node_say(struct node_call *call, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Asks the supervisor or a job (`fields` is stolen), and says what came of it: its text, or `done` where it has none.
 * The fields of an answer are left in *ret_fields where that is wanted. */
struct node_command {
	const char *to, *kind;
	json_t *fields;
	const char *done;
};
int node_command(struct node_call *call, const struct node_command *command, json_t **ret_fields);

/* A member that may be missing or null. false: it has another type, and 422 is said. */
bool node_get_text(struct node_call *call, const char *key, const char **ret_text);
bool node_get_flag(struct node_call *call, const char *key, bool fallback, bool *ret_flag);
/* As node_get_text, but it must be there and not be empty. */
bool node_need_text(struct node_call *call, const char *key, const char **ret_text);
/* Its list of texts; false as above. NULL where it is missing. */
bool node_get_list(struct node_call *call, const char *key, const json_t **ret_list);

/* Requests, a function each; the HTTP status. node_jobs.c: */
int node_restart(struct node_call *call);
int node_stop_jobs(struct node_call *call);
int node_run_job(struct node_call *call);
int node_stop_job(struct node_call *call);
/* node_message.c: */
int node_send_message(struct node_call *call);
/* node_status.c: */
int node_tell_status(struct node_call *call);
int node_list_clients(struct node_call *call);

#endif
