/* service_state.h: what the files of service.h share: service.c (the loop), service_say.c (lines to the supervisor),
 * service_database.c (the database and its troubles), service_inbox.c (entries), service_work.c (files). For these
 * alone. */
#ifndef RUNS_SERVICE_STATE_H
#define RUNS_SERVICE_STATE_H

#include <jansson.h>

#include "runs/beside.h"
#include "runs/hooks.h"
#include "runs/sequence_driver.h"
#include "runs/service.h"
#include "runs/worker.h"

struct service {
	const struct service_params *params;
	char folder[DATABASE_PATH_BYTES]; /* of run_000123.json, as an absolute path */
	char inbox[DATABASE_PATH_BYTES];
	char kept[DATABASE_PATH_BYTES + 300]; /* names the records that were kept beside the data without a database */
	struct database *database;            /* NULL: it can't be used now */
	bool is_proved, is_numbered;          /* its pages were looked at; floor is known */
	struct enter_context context;
	struct worker *worker;
	struct hooks *hooks; /* NULL: there are none, or hello was not said yet */
	struct sequence_driver driver;
	int socket, owner, inotify;
	json_t *continues;      /* of hello; NULL: it was not said yet */
	bool is_ready, is_over; /* hello is answered; the supervisor has hung up */
	uint64_t floor;         /* numbers up to here are used, whatever the database says */
	char *in;
	size_t in_bytes;
	uint64_t busy_ns, retry_ns, record_retry_ns; /* when it had something to do last; when the database is tried
							again, and records */
	int trouble;                                 /* code of what keeps it from the database; 0 = nothing */
	uint64_t trouble_since_ns;
	bool has_mail, has_bad; /* there may be entries; an entry was set aside, and it was said */
	bool is_work_known;     /* all files to be written or read are with the worker */
};

/* --- service_say.c --- */

void service_say(struct service *service, json_t *line);                      /* steals it */
void service_say_with(struct service *service, json_t *line, int descriptor); /* passes it; -1: none */
void service_alert(struct service *service, const char *level, const char *key, const char *text, bool is_over);

/* --- service_database.c --- */

/* false: there is none now; it is tried again by itself. */
bool service_has_database(struct service *service);
/* What a call on the database has returned; it is closed where that will not pass by itself. */
void service_note(struct service *service, int code, const struct enrg_error *err);

/* --- service_inbox.c --- */

/* Enters what lies there; without a database, and when that lasts, keeps it beside the data. */
void service_take_entries(struct service *service);
bool service_has_entries(const struct service *service);

/* --- service_work.c --- */

/* Gives the worker what there is to write and to read, and enters what it has done. */
void service_give_work(struct service *service);
void service_take_work(struct service *service);
bool service_is_writing(struct service *service);
bool service_is_hashing(struct service *service);
/* The supervisor has gone and all is entered: waits for hooks without holding the database. */
void service_call_alone(struct service *service);
/* The same: reads files without holding the database. */
void service_hash_alone(struct service *service);

#endif
