/* driver.c: a store without rings. Runs in the process of a program in bench/. */
#include "driver.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/folder.h"
#include "job/file/handle.h"

#define ACQUIRED_NS 1763975123000000000ull

struct driver {
	const struct driver_params *params;
	struct types *types;
	struct options_memory *memory;
	const struct enrg_store_type *type;
	struct enrg_store *store;
	void *options, *section, *state, *target;
	uint64_t sequence;
	char journal[DRIVER_PATH_BYTES];
};

/* --- folders -------------------- */

int driver_make_folder(const char *parent, char ret_path[DRIVER_PATH_BYTES], struct enrg_error *err)
{
	if ((size_t)snprintf(ret_path, DRIVER_PATH_BYTES, "%s/enrgdaq_bench_XXXXXX", parent) >= DRIVER_PATH_BYTES)
		return enrg_error_set(err, -ENAMETOOLONG, "%s: the path is too long", parent);
	if (mkdtemp(ret_path))
		return 0;
	int rc = -errno;
	ret_path[0] = '\0';
	return enrg_error_set(err, rc, "%s: can't make a folder: %s", parent, strerror(-rc));
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status, (void)kind, (void)place;
	return remove(path);
}

void driver_remove_folder(const char *path)
{
	if (path && *path)
		nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- the store -------------------- */

static int tell_problems(struct problems *problems, int rc, struct enrg_error *err)
{
	if (rc < 0 && problems->count)
		enrg_error_set(err, ENRG_E_CONFIG, "%s", problems->items[0].text);
	else if (rc < 0)
		enrg_error_set(err, rc, "the store does not take its options");
	problems_fini(problems);
	return rc;
}

static int fill_options(struct driver *driver, const struct type_entry *entry, struct enrg_error *err)
{
	const struct driver_params *params = driver->params;
	char store[2 * DRIVER_PATH_BYTES], section[2 * DRIVER_PATH_BYTES];
	struct problems problems;
	struct job_common common;

	snprintf(store, sizeof(store), "daq_job_type = \"%s\"\nout_dir = \"%s\"\n%s\n", entry->name, params->folder,
		params->store_keys ? params->store_keys : "");
	snprintf(section, sizeof(section), "[store_config.%s]\n%s\n", entry->store->section, params->section_keys);
	problems_init(&problems);
	int rc = folder_fill_job(
		entry, &(struct folder_file){"bench", store}, &common, &driver->options, driver->memory, &problems);
	if (rc == 0)
		rc = folder_fill_section(entry->store, &(struct folder_file){"bench", section}, "store_config",
			&driver->section, driver->memory, &problems);
	return tell_problems(&problems, rc, err);
}

static int load(struct driver *driver, struct enrg_error *err)
{
	char path[DRIVER_PATH_BYTES];

	snprintf(path, sizeof(path), "%s/modules/%s.so", ENRG_BINARY_DIR, driver->params->module);
	int rc = types_load_one(path, &driver->types, err);
	if (rc < 0)
		return rc;
	const struct type_entry *entry = types_find(driver->types, driver->params->type, &(bool){false});
	if (!entry || !entry->store)
		return enrg_error_set(err, ENRG_E_PLUGIN, "%s has no store %s", path, driver->params->type);
	driver->type = entry->store;
	driver->memory = options_memory_create();
	return driver->memory ? fill_options(driver, entry, err) : enrg_error_set(err, -ENOMEM, "out of memory");
}

static int start(struct driver *driver, struct enrg_error *err)
{
	const struct driver_params *params = driver->params;
	int rc = load(driver, err);

	snprintf(driver->journal, sizeof(driver->journal), "%s/journal", params->folder);
	if (rc == 0)
		rc = store_create_alone("bench", driver->journal, &driver->store, err);
	if (rc == 0)
		rc = driver->type->open(driver->store, driver->options, &driver->state, err);
	if (rc < 0)
		return rc;
	const struct enrg_target target = {
		.source = "bench",
		.run = "run",
		.tag = "",
		.section = driver->section,
		.schema = params->schema,
		.acquired_ns = ACQUIRED_NS,
	};
	return driver->type->target_open(driver->state, &target, &driver->target, err);
}

static void release(struct driver *driver)
{
	store_destroy_alone(driver->store);
	if (driver->memory)
		options_memory_destroy(driver->memory);
	if (driver->types)
		types_free(driver->types);
	free(driver);
}

int driver_open(const struct driver_params *params, struct driver **ret_driver, struct enrg_error *err)
{
	struct driver *driver = calloc(1, sizeof(*driver));

	if (!driver)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	driver->params = params;
	int rc = start(driver, err);
	if (rc < 0) {
		if (driver->state)
			driver->type->close(driver->state, true, NULL);
		release(driver);
		return rc;
	}
	*ret_driver = driver;
	return 0;
}

int driver_write(struct driver *driver, const struct enrg_batch *batch, struct enrg_error *err)
{
	struct enrg_batch own = *batch;

	own.schema = driver->params->schema;
	own.source = "bench";
	own.run = "run";
	own.tag = "";
	own.sequence = ++driver->sequence;
	own.epoch = 1;
	own.acquired_ns = ACQUIRED_NS;
	own.committed_ns = 1;
	return driver->type->write(driver->state, driver->target, &own, err);
}

int driver_commit(struct driver *driver, struct enrg_error *err)
{
	int rc = driver->type->commit ? driver->type->commit(driver->state, err) : 0;

	if (rc == 0)
		store_commit_alone(driver->store);
	return rc;
}

int driver_close(struct driver *driver, struct enrg_error *err)
{
	if (!driver)
		return 0;
	int rc = driver->type->target_close(driver->state, driver->target, false, err);
	int last = driver->type->close(driver->state, false, rc < 0 ? NULL : err);
	if (rc == 0 && last == 0)
		store_commit_alone(driver->store);
	release(driver);
	return rc < 0 ? rc : last;
}
