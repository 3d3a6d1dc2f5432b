/* change.h: what makes one configuration of a run into another. Pure: looks at two folders, touches nothing. Process:
 * supervisor; any. */
#ifndef SUPERVISOR_CHANGE_H
#define SUPERVISOR_CHANGE_H

#include "config/folder.h"

/* In the order in which they are done: sources stop before their stores, stores start before their sources. */
enum change_kind { CHANGE_REMOVE_SOURCE, CHANGE_REMOVE_STORE, CHANGE_RESTART, CHANGE_ADD_STORE, CHANGE_ADD_SOURCE };

struct change_item {
	enum change_kind kind;
	const char *name, *type, *file; /* of the folder where the job stands */
};

struct change {
	size_t count;
	struct change_item *items;
};

/* `running` and `wanted` must live as long as the result. What can't change while a run is on is a problem: an error
 * (a job of another type by the same name, another supervisor), or a warning that it counts from the next run on. */
int change_make(const struct folder *running, const struct folder *wanted, struct change **ret_change,
	struct problems *problems, struct enrg_error *err);
void change_destroy(struct change *change);
/* "add csv2 (DAQJobStoreCSV, lab/csv2.toml)" */
void change_format_item(const struct change_item *item, char *ret_text, size_t text_bytes);

#endif
