/* status_runs.h: which run is on, for `enrgdaq status`. Takes any JSON. Process: `status`. */
#ifndef CLI_STATUS_RUNS_H
#define CLI_STATUS_RUNS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* `runs`: the object of a status; nothing is printed where it is none. `now_wall_ns`: for what is still to come. */
void status_runs_print(const json_t *runs, uint64_t now_wall_ns, bool is_colored, FILE *stream);

#endif
