/* answer.h: what a program that shows the run book to others asks of it, and the answer, as bytes to be handed on as
 * they are. Reads alone; one thread. */
#ifndef RUNS_ANSWER_H
#define RUNS_ANSWER_H

#include <jansson.h>

#include "runs/database.h"

#define ANSWER_ROWS_MAX  500u
#define ANSWER_SKIP_MAX  10000u      /* rows before a page: further on `before` leads */
#define ANSWER_BYTES_MAX (64u << 20) /* of an answer; a larger one is refused (-E2BIG) */

/* `question` is {"do": …}, and by that (members with * may be missing):
 *
 *   "list"       words*, type*, quality*, flag* (texts), number_from*, number_to*, began_from_ns*, began_to_ns*, open*,
 *                deleted*, limit* (50), page* (1), before* (`next` of the answer before):
 *                {"runs": [as reader_format_row, …], "next": integer or null}
 *   "run"        run (number, name, uuid or "last"): as reader_show
 *   "row"        run: as reader_format_row
 *   "part"       run, part: "files", "notes", "hooks", "states", "alarms", "messages", "account"
 *   "diff"       from, to: as compare_runs
 *   "export"     run, format: "ro-crate", "csv", "json"
 *   "same"       run, or type (the newest of that type): {"number", "type", "description", "comment", "values"}
 *   "sequences"  {"sequences": […]}
 *   "sequence"   name: as sequence_format
 *   "file"       path: {"files": [{"number", "uuid", "path", "store", "format", "state", "open", "bytes", "rows",
 *                "sha256"}, …]} of all runs that have it
 *
 * *ret_bytes: to be freed. -ENOENT: no such run, sequence or file, err says which; -EINVAL: no such question; -E2BIG;
 * codes of the database. */
int answer_question(
	struct database *database, const json_t *question, char **ret_bytes, size_t *ret_count, struct enrg_error *err);

#endif
