/* container.h: one HDF5 file that is being written: its tables, its shadow, and the count of its commits. One thread.
 *
 * The count is the length of a file of its own (`.NAME.commits`), opened through enrg_file_…: so the framework's
 * journal holds it together with the positions of the streams, and an HDF5 file that was committed when the framework
 * had not yet done so is put back when it is opened next.
 */
#ifndef HDF5_CONTAINER_H
#define HDF5_CONTAINER_H

#include "enrgdaq/store.h"
#include "hdf5_table.h"
#include "run_notes.h"

struct container {
	char *path, *counter_path;
	struct enrg_file *counter;
	struct shadow *shadow;
	struct enrg_watch *watch, *undo_watch;
	hid_t file;     /* < 0: closed */
	bool is_packed; /* chunks move about: see shadow.h */
	bool is_dirty;  /* something for the next commit */
	unsigned users; /* targets that write to it */
	struct hdf5_table *tables;
	struct run_notes run;
	struct container *next;
};

#define CONTAINER_IS_FOREIGN 1

/* Opens the file or makes it; or finds it among `others` by another spelling of its path. CONTAINER_IS_FOREIGN: what is
 * there can't be opened as an HDF5 file; it was not changed. */
int container_open(struct enrg_store *store, hid_t driver, const char *path, struct container *others,
	struct container **ret_container, struct enrg_error *err);
/* From now on the disk has each commit, undone or whole, before it counts. */
int container_set_synced(struct container *container, struct enrg_error *err);
/* Writes nothing more. `is_clean`: its last commit counts, and only the HDF5 file is left. Takes NULL. */
void container_close(struct container *container, bool is_clean);

/* Finds the table of that group, or takes `table` in: then *ret_table is `table`, else it is the caller's as before.
 * CONTAINER_IS_FOREIGN: the group has other columns. */
int container_add_table(
	struct container *container, struct hdf5_table *table, struct hdf5_table **ret_table, struct enrg_error *err);

int container_write(
	struct container *container, struct hdf5_table *table, const struct enrg_batch *batch, struct enrg_error *err);
/* Rows of that run come next. */
void container_enter_run(struct container *container, struct enrg_store *store, const char *run);
/* The end of the run that it was in last, where it is known by now. */
void container_leave_run(struct container *container, struct enrg_store *store);
int container_commit(struct container *container, struct enrg_error *err);

#endif
