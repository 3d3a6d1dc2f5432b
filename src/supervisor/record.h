/* record.h: what is known of a run when it begins: configuration with its secrets masked, program, libraries, machine,
 * clock; and run_info.json of the runtime folder, from which stores put it into their files. Process: supervisor, main
 * thread.
 *
 *   run_info.json: {"v": 1, "runs": [{"run", "number", "uuid", "type", "description", "supervisor", "began_wall_ns",
 *                   "ended_wall_ns" (0: it is on), "version", "config", "config_sha256"}, …]}, the newest first.
 *
 * A store may be some runs behind, so that several stand there.
 */
#ifndef SUPERVISOR_RECORD_H
#define SUPERVISOR_RECORD_H

#include <jansson.h>

#include "config/folder.h"

#define RECORD_INFO_NAME "run_info.json"
#define RECORD_INFO_RUNS 8u /* that stand there */

/* An object with the keys of a `begin` entry that say in what surroundings a run takes place: `supervisor`, `tags`,
 * `config`, `config_sha256`, `sources`, `versions`, `host`, `zone`, `clock`, and where they
 * are configured `license`, `publisher`, `authors`. New reference; NULL: out of memory. */
json_t *record_make(const struct folder *folder, const struct types *types);

/* The run stands in run_info.json from now on: `begin` is its entry's body (`run`, `number`, `type`, `description`,
 * `wall_ns`, and what record_make has made). To be called before any process may see the run: before the first process
 * starts, or before it is wished for. The same run again replaces what stood there. */
int record_tell_begin(const char *runtime_folder, const char *uuid, const json_t *begin, struct enrg_error *err);
/* It has ended then; to be called before its end is wished for. A run that does not stand there: nothing is done. */
int record_tell_end(const char *runtime_folder, const char *run, uint64_t wall_ns, struct enrg_error *err);

/* "2026-11-28T07:03:10.123456789+00:00", in the zone of this machine. */
void record_format_time(uint64_t wall_ns, char *ret_text, size_t text_bytes);

#endif
