/* reader.h: what the run book says: lists, and all of a run as one JSON object. Reads alone; one thread. */
#ifndef RUNS_READER_H
#define RUNS_READER_H

#include <jansson.h>

#include "runs/database.h"

/* What is left out (0, NULL) does not matter. */
struct reader_query {
	const char *words; /* in type, description, names or notes: all of them, as parts of words */
	const char *type, *quality, *flag;
	uint64_t number_from, number_to;     /* 0: any */
	uint64_t began_from_ns, began_to_ns; /* 0: any */
	bool is_open;                        /* those that have not ended alone */
	bool with_deleted;
	int64_t before; /* id of the last row of the page before; 0: the newest */
	unsigned limit; /* rows; 0: all */
};

struct reader_row {
	int64_t id;
	uint64_t number; /* 0: it has none */
	const char *uuid, *supervisor, *run, *type, *description, *state, *quality, *flags;
	uint64_t began_ns, ended_ns; /* ended_ns 0: it is on */
	uint64_t rows, bytes;
	bool is_deleted;
};

/* The newest first. false from `each`: no more. */
int reader_list(struct database *database, const struct reader_query *query,
	bool (*each)(void *context, const struct reader_row *row), void *context, struct enrg_error *err);
/* As `EXPLAIN QUERY PLAN` says that reader_list would do it; for tests. */
int reader_explain(struct database *database, const struct reader_query *query, char *ret_text, size_t text_bytes,
	struct enrg_error *err);
json_t *reader_format_row(const struct reader_row *row); /* new reference */

/* `name`: number, run text or uuid, or "last"; where several runs have it, the newest. -ENOENT. */
int reader_find(struct database *database, const char *name, int64_t *ret_run, struct enrg_error *err);

/* All of a run:
 *
 *   {"v": 1, and what reader_format_row gives, "files": [{"path", "store", "format", "state", "open", "bytes", "rows",
 *    "first_ns", "last_ns", "sha256"}, …], "notes": [{"id", "wall_ns", "who", "text", "was": […]}, …],
 *    "entries": {"begin": [{"id", "wall_ns", "who", "body"}, …], and so each kind that there is}}
 *
 * The newest entry of a kind comes last. New reference. */
int reader_show(struct database *database, int64_t run, json_t **ret_run, struct enrg_error *err);
/* Of what reader_show gives: the body of the newest entry of that kind; NULL: there is none. Of "end" the supervisor's,
 * though the book's own be newer. Borrowed. */
const json_t *reader_newest(const json_t *run, const char *kind);

#endif
