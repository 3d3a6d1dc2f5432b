/* store_runner.h: for tests and tools of store authors: one store, from its options to its close, driven as the process
 * of its job drives it, but without rings, supervisor and waiting. A program that uses it links with -lenrgdaq-kit
 * (pkg-config enrgdaq-kit); docs/writing-a-store.md shows one.
 *
 * The store begins at the last commit of its journal: what a killed instance wrote behind that is cut off, as by the
 * framework. The caller is the producer, so after a kill or a roll back it hands over again what was not committed; two
 * numbers of its own, the *mark*, are kept with each commit for that.
 *
 * All calls of one runner come from one thread. A call that fails leaves the store as its type left it:
 * enrg_store_runner_roll_back is what the framework would do, enrg_store_runner_abandon ends it.
 */
#ifndef ENRGDAQ_STORE_RUNNER_H
#define ENRGDAQ_STORE_RUNNER_H

#include "enrgdaq/store.h"

#ifdef __cplusplus
extern "C" {
#endif

struct enrg_store_runner;

struct enrg_store_runner_params {
	uint32_t size;       /* sizeof(struct enrg_store_runner_params) */
	const char *module;  /* path of the .so; NULL: found where `enrgdaq` finds modules */
	const char *type;    /* "DAQJobStoreCSV"; NULL: the one of `section` */
	const char *section; /* "csv", where type is NULL */
	const char *journal; /* path of a file, made where there is none; not below out_dir */
	const char *out_dir; /* NULL: the type has no such key */
	const char *keys;    /* more TOML of the store's own file; NULL: none */
};

struct enrg_store_table {
	const char *source, *run, *tag; /* "": no tag, no run */
	const struct enrg_schema *schema;
	const char *section_keys; /* TOML of the producer's section; NULL: none */
	uint64_t acquired_ns;     /* wall clock of its first batch */
};

struct enrg_store_mark {
	uint64_t position, sequence;
};

/* Loads the type, checks its options, cuts files, calls `open`. Copies what `params` names. ENRG_E_CONFIG: the options
 * are wrong; ENRG_E_PLUGIN: no such module or type. */
ENRG_API int enrg_store_runner_open(
	const struct enrg_store_runner_params *params, struct enrg_store_runner **ret_runner, struct enrg_error *err);
/* What is known of a run that tables may be of, for enrg_store_find_run; copied. -ENOMEM. */
ENRG_API int enrg_store_runner_add_run(
	struct enrg_store_runner *runner, const struct enrg_run_info *run, struct enrg_error *err);
/* Calls `target_open`; what `table` names lives as long as the table is open. *ret_table: its number. */
ENRG_API int enrg_store_runner_open_table(struct enrg_store_runner *runner, const struct enrg_store_table *table,
	uint32_t *ret_table, struct enrg_error *err);
/* Calls `write`. Source, run, tag, schema and sequence of `batch` are the caller's to set. */
ENRG_API int enrg_store_runner_write(
	struct enrg_store_runner *runner, uint32_t table, const struct enrg_batch *batch, struct enrg_error *err);
/* Would the framework commit now? After 8 MiB, or what the store has asked for by enrg_store_set_commit. */
ENRG_API bool enrg_store_runner_is_due(const struct enrg_store_runner *runner);
/* The store's commit, then that of the journal; `mark` NULL: as it was. */
ENRG_API int enrg_store_runner_commit(
	struct enrg_store_runner *runner, const struct enrg_store_mark *mark, struct enrg_error *err);
/* The store's own commit alone, as when a kill comes before that of the journal. */
ENRG_API int enrg_store_runner_commit_half(struct enrg_store_runner *runner, struct enrg_error *err);
/* Of the last commit of this or an earlier instance; zeros: there was none. */
ENRG_API struct enrg_store_mark enrg_store_runner_get_mark(const struct enrg_store_runner *runner);
/* A run ends: tables are closed unless the type spans runs, then all is committed. 1: tables are still open; 0: their
 * numbers are worth nothing any more. */
ENRG_API int enrg_store_runner_end_run(
	struct enrg_store_runner *runner, const struct enrg_store_mark *mark, struct enrg_error *err);
/* Calls `tick`. */
ENRG_API int enrg_store_runner_tick(struct enrg_store_runner *runner, uint64_t now_ns, struct enrg_error *err);
/* Compares the open files with what their paths name. 1: one was taken away: roll back; 0. */
ENRG_API int enrg_store_runner_watch(struct enrg_store_runner *runner);
/* As after a failure: all is closed with `abandon`, files go back to the last commit, `open` is called again. Numbers
 * of tables are worth nothing any more. */
ENRG_API int enrg_store_runner_roll_back(struct enrg_store_runner *runner, struct enrg_error *err);

/* Three ends; each frees the runner, whatever it returns. In order: all is closed and committed. */
ENRG_API int enrg_store_runner_close(struct enrg_store_runner *runner, struct enrg_error *err);
/* Closed with `abandon`: what is not committed stays behind, and is cut at the next start. Takes NULL. */
ENRG_API void enrg_store_runner_abandon(struct enrg_store_runner *runner);
/* As by a kill: no function of the type is called, and memory of the store stays. */
ENRG_API void enrg_store_runner_kill(struct enrg_store_runner *runner);

#ifdef __cplusplus
}
#endif

#endif
