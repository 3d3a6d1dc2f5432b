/* harness.h: one store of any type as the framework drives it, without rings: batches are encoded and decoded as they
 * would be in a ring, commits go through the store's journal, a kill is an end without another word.
 */
#ifndef CONFORMANCE_HARNESS_H
#define CONFORMANCE_HARNESS_H

#include "enrgdaq/store.h"
#include "kinds.h"

struct harness; /* a life of a store */

struct harness_table {
	const char *source, *tag; /* "" = no tag */
	const struct enrg_schema *schema;
	const char *more_keys; /* TOML of the section beside that of the kind; NULL = none */
};

#define HARNESS_DAY_NS 1750000000000000000ull /* 2025-06-15, 15:06 UTC: acquisition where 0 is given */

/* Starts a life of the store; its journal and its out_dir are those named. */
int harness_open(const struct store_kind *kind, const char *journal_path, const char *out_dir,
	struct harness **ret_harness, struct enrg_error *err);
/* Rows first … first + count - 1. Opens the table's target before its first batch. */
int harness_write(struct harness *harness, const struct harness_table *table, uint64_t first, uint64_t count,
	uint64_t acquired_ns, struct enrg_error *err);
/* Rows of the caller's own: schema, rows and columns of `batch` count. */
int harness_write_batch(struct harness *harness, const struct harness_table *table, const struct enrg_batch *batch,
	struct enrg_error *err);
/* One blob of `count` bytes (data_build_blob). */
int harness_write_blob(
	struct harness *harness, const struct harness_table *table, size_t count, struct enrg_error *err);
int harness_write_gap(struct harness *harness, const struct harness_table *table, struct enrg_error *err);
/* `position` is kept by the journal beside the lengths of the files. */
int harness_commit(struct harness *harness, uint64_t position, struct enrg_error *err);
/* A run ends, and `run` begins; all that was written is committed. Sequences count from 1 again. */
int harness_pass_boundary(struct harness *harness, const char *run, uint64_t position, struct enrg_error *err);
/* The store's own commit alone, as when the kill comes before the journal's. */
int harness_commit_half(struct harness *harness, struct enrg_error *err);
/* Are the files that the store has open what their paths name? 1: they were taken away, and it was told; 0. */
int harness_watch(struct harness *harness);
int harness_tick(struct harness *harness, struct enrg_error *err);
/* The position of the last commit of any life; 0 = none. */
uint64_t harness_position(const struct harness *harness);
/* As after a failure: all is closed with `abandon`, files are cut, the store is opened again. */
int harness_roll_back(struct harness *harness, struct enrg_error *err);
/* Ends in order. */
int harness_close(struct harness *harness, struct enrg_error *err);
/* Ends as by a kill: no function of the store is called. */
void harness_kill(struct harness *harness);

#endif
