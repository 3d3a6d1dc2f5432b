/* run_info.h: what a store knows of a run beside its name: run_info.json of the runtime folder, which the supervisor
 * writes before any process sees the run. Store process, main thread. */
#ifndef JOB_FILE_RUN_INFO_H
#define JOB_FILE_RUN_INFO_H

#include <jansson.h>
#include <sys/stat.h>

#include "enrgdaq/store.h"

struct run_info {
	char *path;         /* NULL: there is none */
	struct stat status; /* of the file as it was read */
	json_t *json;
	struct enrg_run_info run; /* the last answer */
};

void run_info_init(struct run_info *info, const char *runtime_folder); /* NULL: nothing is known */
void run_info_fini(struct run_info *info);
/* NULL: nothing is known of it. Valid until the next call. */
const struct enrg_run_info *run_info_find(struct run_info *info, const char *run);
/* For runs that come from elsewhere: as the object of a run in run_info.json. Steals `run`. */
void run_info_add(struct run_info *info, json_t *run);
/* What a side file says of a run: its object there, without the configuration. New reference. */
json_t *run_info_format(const struct enrg_run_info *run);

#endif
