/* container.c: one HDF5 file and its commits. Runs in the store's job process, on its main thread. */
#include "container.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver.h"
#include "failure.h"

#define COUNTER_BYTES_MAX    4096u      /* then it starts again */
#define PENDING_BYTES_MAX    (8u << 20) /* of a table, in memory */
#define METADATA_BLOCK_BYTES 16384u     /* keeps what a commit changes together */

/* --- open and close -------------------- */

static char *name_counter(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *own = slash ? slash + 1 : path;
	char *name;

	return asprintf(&name, "%.*s.%.200s.commits", (int)(own - path), path, own) < 0 ? NULL : name;
}

static int open_hdf5(struct container *container, hid_t driver, struct enrg_error *err)
{
	hid_t access = H5Pcreate(H5P_FILE_ACCESS);
	herr_t rc = driver_use(driver, access, container->shadow, &container->is_packed);
	bool is_new = container->shadow->committed_bytes == 0;

	if (rc >= 0)
		rc = H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
	if (rc >= 0)
		rc = H5Pset_meta_block_size(access, METADATA_BLOCK_BYTES);
	if (rc >= 0 && is_new)
		container->file = H5Fcreate(container->path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
	else if (rc >= 0)
		container->file = H5Fopen(container->path, H5F_ACC_RDWR, access);
	if (container->file < 0)
		failure_keep();
	H5Pclose(access);
	container->is_dirty = is_new; /* a new file needs a commit even without a row */
	if (container->file >= 0 && container->shadow->failure == 0)
		return 0;
	if (rc >= 0 && !is_new && container->shadow->failure == 0)
		return CONTAINER_IS_FOREIGN;
	return failure_set(err, container->shadow, is_new ? "make the file" : "open the file");
}

static int watch(struct container *container, struct enrg_store *store, struct enrg_error *err)
{
	struct enrg_watch_params params = {
		.path = container->path, .descriptor = container->shadow->descriptor, .kind = ENRG_WATCH_ROWS};
	int rc = enrg_watch_open(store, &params, &container->watch, err);

	if (rc < 0)
		return rc;
	params = (struct enrg_watch_params){.path = container->shadow->undo_path,
		.descriptor = container->shadow->undo_descriptor,
		.kind = ENRG_WATCH_HELPER,
		.part_of = container->watch};
	return enrg_watch_open(store, &params, &container->undo_watch, err);
}

static int open_container(struct container *container, struct enrg_store *store, hid_t driver, struct container *others,
	struct container **ret_container, struct enrg_error *err)
{
	int rc = enrg_file_open(store, container->counter_path, &container->counter, err);

	if (rc < 0)
		return rc;
	for (struct container *other = others; other; other = other->next) {
		if (other->counter == container->counter) {
			*ret_container = other;
			return 0;
		}
	}
	enrg_file_set_helper(container->counter);
	rc = shadow_open(container->path, enrg_file_size(container->counter), &container->shadow, err);
	if (rc == 0)
		rc = watch(container, store, err);
	if (rc == 0)
		rc = open_hdf5(container, driver, err);
	if (rc == 0)
		*ret_container = container;
	return rc;
}

int container_open(struct enrg_store *store, hid_t driver, const char *path, struct container *others,
	struct container **ret_container, struct enrg_error *err)
{
	struct container *container = calloc(1, sizeof(*container));
	int rc;

	if (!container)
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", path);
	container->file = -1;
	container->path = strdup(path);
	container->counter_path = name_counter(path);
	if (!container->path || !container->counter_path)
		rc = enrg_error_set(err, -ENOMEM, "%s: out of memory", path);
	else
		rc = open_container(container, store, driver, others, ret_container, err);
	if (rc == 0 && *ret_container != container) {
		/* Its counter is in use by the other one. */
		enrg_file_close(container->counter);
		container->counter = NULL;
		container_close(container, false);
	} else if (rc != 0) {
		container_close(container, rc == CONTAINER_IS_FOREIGN);
	}
	return rc;
}

int container_set_synced(struct container *container, struct enrg_error *err)
{
	/* In each commit: a counter that lags behind on the disk would not fit the undo file. */
	enrg_file_set_sync(container->counter, 0);
	return shadow_set_synced(container->shadow, err);
}

void container_close(struct container *container, bool is_clean)
{
	if (!container)
		return;
	/* Whatever libhdf5 still wants to write is no part of a commit. */
	if (container->shadow)
		container->shadow->is_frozen = true;
	if (container->file >= 0)
		H5Fclose(container->file);
	while (container->tables) {
		struct hdf5_table *table = container->tables;

		container->tables = table->next;
		hdf5_table_destroy(table);
	}
	enrg_watch_close(container->undo_watch);
	enrg_watch_close(container->watch);
	shadow_close(container->shadow, is_clean);
	if (container->counter) {
		enrg_file_close(container->counter);
		if (is_clean)
			unlink(container->counter_path);
	}
	free(container->counter_path);
	free(container->path);
	free(container);
}

/* --- tables -------------------- */

/* Where a write failed libhdf5 was not told. */
static int check_written(const struct container *container, int rc, struct enrg_error *err)
{
	return rc >= 0 && container->shadow->failure < 0 ? failure_set(err, container->shadow, "write") : rc;
}

int container_add_table(
	struct container *container, struct hdf5_table *table, struct hdf5_table **ret_table, struct enrg_error *err)
{
	int rc;

	for (struct hdf5_table *other = container->tables; other; other = other->next) {
		if (strcmp(other->group_name, table->group_name) != 0)
			continue;
		*ret_table = other;
		return hdf5_table_equal(other, table) ? 0 : CONTAINER_IS_FOREIGN;
	}
	rc = check_written(container, hdf5_table_open(table, container->file, container->shadow, err), err);
	if (rc != 0)
		return rc == HDF5_TABLE_IS_FOREIGN ? CONTAINER_IS_FOREIGN : rc;
	container->is_packed = container->is_packed || hdf5_table_is_packed(table);
	container->is_dirty = container->is_dirty || table->group < 0;
	table->next = container->tables;
	container->tables = table;
	*ret_table = table;
	return 0;
}

/* --- writing -------------------- */

int container_write(
	struct container *container, struct hdf5_table *table, const struct enrg_batch *batch, struct enrg_error *err)
{
	int rc;

	if (batch->is_gap || batch->rows == 0)
		return 0;
	container->is_dirty = true;
	enrg_watch_count_rows(container->watch, batch->rows);
	rc = hdf5_table_append(table, batch, container->shadow, err);
	if (rc == 0 && table->pending_bytes >= PENDING_BYTES_MAX)
		rc = hdf5_table_flush(table, container->file, container->shadow, err);
	return check_written(container, rc, err);
}

void container_enter_run(struct container *container, struct enrg_store *store, const char *run)
{
	if (run_notes_begin(&container->run, store, container->file, run ? run : ""))
		container->is_dirty = true;
}

void container_leave_run(struct container *container, struct enrg_store *store)
{
	if (run_notes_end(&container->run, store, container->file))
		container->is_dirty = true;
}

/* Called where the last commit counts for the framework as well. */
static int restart_counter(struct container *container, struct enrg_error *err)
{
	int rc;

	if (enrg_file_size(container->counter) < COUNTER_BYTES_MAX || container->shadow->committed_bytes == 0)
		return 0;
	rc = shadow_settle(container->shadow, err);
	if (rc == 0)
		rc = enrg_file_truncate(container->counter, 0, err);
	/* The next undo file is of commit 1: the disk must not have the old count beside it. */
	return rc == 0 && container->shadow->is_synced ? enrg_file_sync(container->counter, err) : rc;
}

int container_commit(struct container *container, struct enrg_error *err)
{
	int rc;

	if (!container->is_dirty)
		return 0;
	rc = restart_counter(container, err);
	for (struct hdf5_table *table = container->tables; table && rc == 0; table = table->next)
		rc = hdf5_table_flush(table, container->file, container->shadow, err);
	if (rc == 0 && H5Fflush(container->file, H5F_SCOPE_GLOBAL) < 0)
		rc = failure_set(err, container->shadow, "write");
	rc = check_written(container, rc, err);
	if (rc == 0)
		rc = shadow_commit(container->shadow, enrg_file_size(container->counter) + 1, err);
	if (rc == 0)
		rc = enrg_file_write(container->counter, "\n", 1, err);
	if (rc == 0)
		container->is_dirty = false;
	return rc;
}
