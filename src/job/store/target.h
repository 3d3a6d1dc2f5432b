/* target.h: which table of the store a record goes to: looked up once for each route of each input, then remembered.
 *
 * Store process, main thread.
 */
#ifndef JOB_STORE_TARGET_H
#define JOB_STORE_TARGET_H

#include "job/store/intake.h"

enum target_state { TARGET_NEW = 0, TARGET_READY, TARGET_SKIPPED };

struct target {
	enum target_state state;
	struct enrg_schema *schema;
	struct enrg_column_view *views; /* one a column, filled again for each batch */
	char *tag;
	const void *section;
	bool is_open;
	void *handle; /* what target_open returned */
};

struct target_cache {
	const struct enrg_store_type *type;
	struct options_memory *memory; /* of the sections */
};

/* *ret_target NULL: no section of this store takes that route. ENRG_E_CORRUPT: its schema can't be decoded. Other
 * errors concern the store (its section, memory). Does not open the target. */
int target_find(const struct target_cache *cache, const struct intake_record *record, struct target **ret_target,
	struct enrg_error *err);
/* Calls target_open where it is not open yet; `run` is that of the record. */
int target_open(const struct target_cache *cache, void *store_state, const struct intake_record *record,
	const char *run, struct target *target, struct enrg_error *err);
/* Calls target_close for all that are open; tries all, returns the first failure. */
int target_close_all(const struct target_cache *cache, void *store_state, struct intake *intake, bool abandon,
	struct enrg_error *err);
/* The same for those of one input. */
int target_close_input(
	const struct target_cache *cache, void *store_state, struct intake_input *input, struct enrg_error *err);
/* Closes and forgets those of one input. */
int target_drop(
	const struct target_cache *cache, void *store_state, struct intake_input *input, struct enrg_error *err);
void target_free_all(struct intake *intake);

#endif
