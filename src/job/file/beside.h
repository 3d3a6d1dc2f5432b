/* beside.h: NAME.run.json beside a file: which runs are in it, where the file itself can't say that.
 *
 *   {"v": 1, "file": "dice.csv", "runs": [{"run", "number", "uuid", "type", "description", "supervisor", "version",
 *    "config_sha256", "began_wall_ns", "began"}, …], "configs": {SHA-256: text with its secrets masked}}
 *
 * Store process, main thread. */
#ifndef JOB_FILE_BESIDE_H
#define JOB_FILE_BESIDE_H

#include "enrgdaq/store.h"

#define BESIDE_SUFFIX ".run.json"

/* That run is in the file, too; `is_new`: and no run of before. Atomic; what is there and makes no sense is replaced.
 */
int beside_write(const char *path, const struct enrg_run_info *run, bool is_new, struct enrg_error *err);

#endif
