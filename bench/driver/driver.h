/* driver.h: one store, from its module, driven as the process of its job drives it, without rings: for the programs in
 * bench/ that ask what a store costs. One thread. */
#ifndef BENCH_DRIVER_H
#define BENCH_DRIVER_H

#include <stdint.h>

#include "enrgdaq/store.h"

#define DRIVER_PATH_BYTES 4096u

/* A new folder of this process below `parent`. */
int driver_make_folder(const char *parent, char ret_path[DRIVER_PATH_BYTES], struct enrg_error *err);
/* Removes it and all that is in it; NULL or "" does nothing. */
void driver_remove_folder(const char *path);

struct driver; /* a running store with one table */

struct driver_params {
	const char *module;       /* "csv": the file csv.so of this build */
	const char *type;         /* "DAQJobStoreCSV" */
	const char *folder;       /* the store's out_dir; its journal lies there too */
	const char *store_keys;   /* more TOML of the store; NULL = none */
	const char *section_keys; /* TOML of the producer's section */
	const struct enrg_schema *schema;
};

/* Copies nothing: `params` and what it names live as long as the driver. */
int driver_open(const struct driver_params *params, struct driver **ret_driver, struct enrg_error *err);
/* Source, run, tag and sequence are set here. */
int driver_write(struct driver *driver, const struct enrg_batch *batch, struct enrg_error *err);
/* The store's commit, the syncing that is due, and the journal's. */
int driver_commit(struct driver *driver, struct enrg_error *err);
/* Ends in order and takes all memory back, whatever it returns; takes NULL. */
int driver_close(struct driver *driver, struct enrg_error *err);

#endif
