/* handle.h: what a store type holds of the framework (struct enrg_store of enrgdaq/store.h): name, journal, files, and
 * whom its alerts go to; and a small harness for tests of store types. Store process, main thread. */
#ifndef JOB_FILE_HANDLE_H
#define JOB_FILE_HANDLE_H

#include "enrgdaq/store.h"
#include "job/file/file.h"

struct enrg_store {
	const char *name;
	/* Says something to the operator; NULL, as in tests of a store type alone: a log line. */
	file_alert_function *alert;
	void *alert_context;
	struct journal *journal;
	struct file_set files;
	uint64_t commit_interval_ns, commit_bytes;
};

/* `name` must outlive the store. */
int store_init(struct enrg_store *store, const char *name, const char *journal_path, struct enrg_error *err);
void store_fini(struct enrg_store *store); /* takes a zeroed store */

/* A store without rings, for tests of store types: the test calls the functions of the type itself and, where the
 * framework would commit, store_commit_alone after type->commit. The journal's file is made at `journal_path`. */
int store_create_alone(
	const char *name, const char *journal_path, struct enrg_store **ret_store, struct enrg_error *err);
void store_commit_alone(struct enrg_store *store);
/* After target_close and close with `abandon`. */
int store_roll_back_alone(struct enrg_store *store, struct enrg_error *err);
/* Without a commit before, this is what a kill does. */
void store_destroy_alone(struct enrg_store *store);

#endif
