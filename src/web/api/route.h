/* route.h: what can be asked over HTTP: one row a route. The router, OpenAPI, the walk over all roles and the manual
 * are made of these tables. Process: enrgdaq-web. */
#ifndef WEB_API_ROUTE_H
#define WEB_API_ROUTE_H

#include "enrgdaq/option.h"
#include "web/access/access.h"
#include "web/http/server.h"
#include "web/system/system.h"

struct node;
struct cnc;
struct live;
struct metrics;
struct repeats;
struct book_reader;
struct proof;

struct web { /* what handlers may use; lives as long as the program */
	struct http_server *http;
	struct access *access;
	struct web_system *system;
	struct node *node;
	struct cnc *cnc; /* NULL: no [cnc] in use */
	struct live *live;
	struct metrics *metrics;
	struct book_reader *book;          /* the run book: book_reader_open with settings' runtime_folder */
	struct proof *proof;               /* of one data file at a time: proof_open */
	struct repeats *repeats;           /* answers to what had an Idempotency-Key; of the router */
	const struct route *const *routes; /* all tables, NULL at the end; of the router */
	struct web_bytes *openapi;         /* the description of them; of the router */
};

enum call_outcome { CALL_ANSWERED, CALL_LATER };

struct call {
	struct web *web;
	const struct route *route;
	const struct web_request *request;
	struct access_who who;
	const char *parts[4]; /* of {…} in the path, in order, decoded */
	const void *query;    /* filled by route->query; NULL: it has none */
	const void *body;     /* filled by route->body; NULL */
	const json_t *json;   /* the body as it came; borrowed; NULL: none */
	struct web_response response;
};

struct route_answer {
	int status;         /* 0 ends the list */
	const char *schema; /* JSON Schema of the body, as JSON text, or "#Name" of schemas.h; NULL: no body */
	const char *help;   /* a phrase */
};

struct route {
	enum web_method method;
	const char *path;       /* "/clients/{client_id}/status"; NULL ends a table */
	enum access_role least; /* who may */
	bool is_change;         /* changes state: POST, CSRF rules, audit */
	bool is_quick;          /* answers from memory: on the main thread. Else on a worker, where it may wait */
	bool is_socket;         /* a WebSocket: answered with 101 */
	const char *operation;  /* operationId */
	const char *tag, *summary;
	const struct enrg_table *query, *body; /* NULL: none is taken */
	const char *any; /* a member of the body beside those of `body`, a JSON object with any members: the handler
			  * reads it in call->json; NULL: none */
	const struct route_answer *answers; /* those that the router gives by itself (400, 401 …) are added */
	const char *type;                   /* of the answer; NULL: application/json */
	enum call_outcome (*handle)(struct call *call);
};

/* --- answers; each sets call->response and returns CALL_ANSWERED --- */
enum call_outcome call_json(struct call *call, int status, json_t *json); /* steals */
enum call_outcome call_bytes(
	struct call *call, int status, const char *type, struct web_bytes *bytes); /* steals; with ETag */
/* {"detail": …}; 503 and 429 with Retry-After. */
enum call_outcome call_refuse(struct call *call, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* What system_ask brought, as HTTP: ok 200 {"message", "fields"}; else {"detail", "answer", "fields"} with refused and
 * failed 409, wrong_fields 422, no_kind and nobody 404, expired and unknown 504; the system is not there (rc -EAGAIN)
 * 503. Takes the answer's fields. */
enum call_outcome call_command(struct call *call, int rc, struct system_answer *answer, const struct enrg_error *err);
/* Those of call_command, for route_answer lists: all but the 200. 422 and 503 are the router's. */
#define ROUTE_COMMAND_ANSWERS                                                                                          \
	{404, "#Refusal", "there is no such job, alarm or command"},                                                   \
		{409, "#Refusal", "the system refuses it, or it failed: nothing was done, or what the text says"},     \
	{                                                                                                              \
		504, "#Refusal", "it is not known whether it was done: read the state back"                            \
	}
/* Asks the supervisor for whoever called, waits, and answers. `fields` is stolen. For workers. */
enum call_outcome call_ask(struct call *call, const char *to, const char *kind, json_t *fields);

/* What the audit has of that member of the body, a configuration's text, in place of its digest: one of shown_text.h.
 * Steals `text`. Before call_keep. */
void call_show(struct call *call, const char *key, json_t *text);

/* A call that outlives its handler: a copy of what an answer needs, answered once, from any thread. */
struct call_ticket;
struct call_ticket *call_keep(struct call *call);                            /* then return CALL_LATER */
void call_answer(struct call_ticket *ticket, struct web_response *response); /* takes body and ticket */

#endif
