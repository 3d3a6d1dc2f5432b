/* watch.h: what happens to a store's files behind its back: about once a second each file that is open is compared
 * with what its path names. What was removed, moved, replaced, cut or unmounted is told as an error, counted in the
 * journal for the ledger, and given up: the store goes back to its last commit and begins a file anew.
 *
 * Store process, main thread.
 */
#ifndef JOB_FILE_WATCH_H
#define JOB_FILE_WATCH_H

#include "base/held.h"
#include "base/outage.h"
#include "job/file/file.h"

/* A file that the store writes by itself (enrg_watch_… of enrgdaq/store.h). */
struct enrg_watch {
	struct enrg_watch *next;
	struct file_set *set;
	char *path;
	int descriptor; /* the store's; -1: it has none to give, `name` stands for it */
	struct held_name name;
	uint64_t bytes; /* longest length seen by the descriptor */
	uint64_t rows;
	struct chronicle_file *chronicle; /* NULL: no row has come yet */
	bool is_whole;                    /* it was empty when the watch began: all its rows are counted */
	bool is_lost;
	enum enrg_watch_kind kind;
	const struct enrg_watch *part_of;
	uint64_t large_bytes;
	const char *large_text;
	struct outage large;
	/* Some bytes that are not zero, as last seen: a file that was cut and grew again has zeros there. */
	uint64_t sample_at;
	bool has_sample;
};

/* To be called when all that was written is committed. 1: something was taken away, and told; 0. */
int file_watch(struct file_set *set);
/* A file that a roll back closes, as it was committed: until the store has it open again nothing else would notice that
 * it is gone; somebody who makes room on a full disk may well remove it. */
void file_watch_part(const struct enrg_file *file);
/* The store works again: what it closed is open, or was left. Also part of file_set_fini. */
void file_watch_forget_parted(struct file_set *set);
/* Before anything is opened, where an earlier life of this run was killed: its files that are not there any more. */
void file_watch_left(struct file_set *set);
#endif
