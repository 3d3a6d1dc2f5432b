/* driver.c: a store without rings. Runs in the process of a program in bench/. */
#include "driver.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrgdaq/store_runner.h"

#define ACQUIRED_NS 1763975123000000000ull

struct driver {
	const struct driver_params *params;
	struct enrg_store_runner *runner;
	uint32_t table;
	uint64_t sequence;
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

static int start(struct driver *driver, struct enrg_error *err)
{
	const struct driver_params *params = driver->params;
	char module[DRIVER_PATH_BYTES], journal[DRIVER_PATH_BYTES];
	const struct enrg_store_runner_params store = {.size = sizeof(store),
		.module = module,
		.type = params->type,
		.journal = journal,
		.out_dir = params->folder,
		.keys = params->store_keys};
	const struct enrg_store_table table = {.source = "bench",
		.run = "run",
		.tag = "",
		.schema = params->schema,
		.section_keys = params->section_keys,
		.acquired_ns = ACQUIRED_NS};

	snprintf(module, sizeof(module), "%s/modules/%s.so", ENRG_BINARY_DIR, params->module);
	snprintf(journal, sizeof(journal), "%s/journal", params->folder);
	int rc = enrg_store_runner_open(&store, &driver->runner, err);
	return rc < 0 ? rc : enrg_store_runner_open_table(driver->runner, &table, &driver->table, err);
}

int driver_open(const struct driver_params *params, struct driver **ret_driver, struct enrg_error *err)
{
	struct driver *driver = calloc(1, sizeof(*driver));

	if (!driver)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	driver->params = params;
	int rc = start(driver, err);
	if (rc < 0) {
		enrg_store_runner_abandon(driver->runner);
		free(driver);
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
	return enrg_store_runner_write(driver->runner, driver->table, &own, err);
}

int driver_commit(struct driver *driver, struct enrg_error *err)
{
	return enrg_store_runner_commit(driver->runner, NULL, err);
}

int driver_close(struct driver *driver, struct enrg_error *err)
{
	if (!driver)
		return 0;
	int rc = enrg_store_runner_close(driver->runner, err);
	free(driver);
	return rc;
}
