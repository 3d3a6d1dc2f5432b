/* book.h: the run book as the supervisor sees it: a program, `enrgdaq-runs serve`, that owns the database and is there
 * while there is something to do. Nothing here touches the database or waits for its disk: entries are files on tmpfs,
 * and a number that does not come within two seconds is taken from what files say. Process: supervisor, main thread.
 *
 * A run is known by its uuid (entry_make_uuid). The book keeps in mind which runs are open: from book_ask, book_take or
 * book_continue until an "end" is put. What else is open in the database under this supervisor's name nobody continues,
 * and the program closes it as aborted.
 */
#ifndef SUPERVISOR_BOOK_H
#define SUPERVISOR_BOOK_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "enrgdaq/job.h"
#include "runs/entry/entry.h"

#define BOOK_PATH_BYTES 1024u
#define BOOK_OPEN_MAX   8u
#define BOOK_ASK_NS     2000000000ull

struct book_params {
	const char *runtime_folder; /* of this supervisor */
	const char *supervisor;
	const char *database; /* its file; "": there is no book, and numbers come from files alone */
	const char *folder;   /* of run_000123.json */
	const char *program;  /* NULL: the one that belongs to this program */
	const json_t *hooks;  /* hook_list.h; NULL: none */
	/* `key` names a state ("book/database"); is_over: it has ended. */
	void (*alert)(void *context, enum enrg_level level, const char *key, const char *text, bool is_over);
	void *context;
};

struct book_link; /* book_link.h: the program as a child */

struct book {
	bool is_on;    /* a database is wanted, and the program is there */
	bool is_ready; /* the program that runs has heard hello */
	char runtime_folder[BOOK_PATH_BYTES], supervisor[256];
	void (*alert)(void *context, enum enrg_level level, const char *key, const char *text, bool is_over);
	void *context;
	struct book_link *link;
	json_t *hooks;        /* owned; NULL: none */
	uint64_t last_number; /* that was given */
	uint32_t open_count;
	char open[BOOK_OPEN_MAX][ENTRY_UUID_BYTES]; /* runs */
	/* what was asked */
	json_t *ask; /* the line; NULL = nothing is */
	json_t *begin;
	char asked_uuid[ENTRY_UUID_BYTES];
	uint64_t ask_id, floor, ask_until_ns;
	bool is_answered;
	uint64_t number;              /* 0: none came; from files */
	uint64_t there_ns, looked_ns; /* when the program was there, when entries were looked for */
	char refused[600];            /* the database is another supervisor's; "" = no */
};

/* Starts the program, so that it is there when the first number is asked. 0 also where there is none: is_on says so. */
int book_open(struct book *book, const struct book_params *params, struct enrg_error *err);
/* Waits `patience_ns` at the most until all that was put is entered; the program ends by itself. Takes zeroed state. */
void book_close(struct book *book, uint64_t patience_ns);

/* For epoll: readable when book_step has something to do; -1 where there is no book. Stays the same. */
int book_descriptor(const struct book *book);
/* Answers, alerts, the life of the program. Also once a second. `now_ns`: CLOCK_MONOTONIC. */
void book_step(struct book *book, uint64_t now_ns);
uint64_t book_next_due(const struct book *book); /* CLOCK_MONOTONIC; UINT64_MAX = nothing */

pid_t book_pid(const struct book *book); /* of the program; 0 = none is there */

/* The supervisor goes on with that run. Behind book_open, before the first book_step. */
void book_continue(struct book *book, const char *uuid);

/* Asks for a number above `floor` for a new run; steals `begin` (docs/decisions/0021-run-book.md), where `number` is
 * set. -EBUSY: one is asked for already. */
int book_ask(struct book *book, const char *uuid, json_t *begin, uint64_t floor, struct enrg_error *err);
/* -EAGAIN: not yet, book_step first. 0 after two seconds at the latest. -EPERM: the database belongs to another
 * supervisor that is running; err says which, and no run may begin with that configuration. */
int book_poll(struct book *book, uint64_t now_ns, uint64_t *ret_number, struct enrg_error *err);
/* Both, and waits. */
int book_take(struct book *book, const char *uuid, json_t *begin, uint64_t floor, uint64_t *ret_number,
	struct enrg_error *err);

/* An entry; steals `body`. Where there is no book nothing is written. What can't be written is an alert, and no more.
 */
void book_put(struct book *book, const char *kind, const char *uuid, const char *who, json_t *body);

#endif
