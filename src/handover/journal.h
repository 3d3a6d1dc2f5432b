/* journal.h: what a store has committed: for each stream a position and counts, for each file a length. One file on
 * tmpfs a store; survives the kill of every process. A commit is one atomic store (the commit number chooses which of
 * two sets of values is valid), so it is all or nothing over any number of streams and files. docs/stream-format.md,
 * "journal". */
#ifndef HANDOVER_JOURNAL_H
#define HANDOVER_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/error.h"

/* Entries to begin with; it grows. */
#define JOURNAL_STREAMS    256u
#define JOURNAL_FILES      1024u
#define JOURNAL_PATH_BYTES 1000u
#define JOURNAL_NONE       UINT32_MAX
/* Totals behind so many boundaries of runs are kept for each stream: a run that closes, and the one that is on. */
#define JOURNAL_BOUNDARIES 6u

#define JOURNAL_MAGIC   0x4C4E524A47524E45ull /* "ENRGJRNL" */
#define JOURNAL_VERSION 2u

struct journal;

struct journal_stream_state {
	uint64_t position;
	uint64_t sequence;             /* of the last committed record */
	uint64_t batches, rows, bytes; /* stored by this store, since the stream was created */
	uint64_t skipped_batches;      /* of routes that this store does not take */
	uint64_t set_aside_batches, set_aside_rows;
	uint64_t skipped_rows;
	uint64_t corrupted_batches, corrupted_rows; /* failed their check and were stepped over */
	uint64_t lost_batches, duplicated_batches;  /* holes and repeats in the sequence of the stream */
	uint64_t gaps;                              /* gap records, which are no batches, stored or stepped over */
	/* Of batches, rows and bytes: what runs that had ended before had left to be stored. */
	uint64_t left_batches, left_rows, left_bytes;
};

/* What was taken away under the store by something else: files, and of what had been committed to them bytes, and rows
 * as far as they are known. */
struct journal_loss {
	uint64_t files, bytes, rows;
};

/* Opens or makes the file and locks it: one store process at a time. -EBUSY names the pid that has it; ENRG_E_CORRUPT;
 * -ENOSPC. */
int journal_open(const char *path, struct journal **ret_journal, struct enrg_error *err);
void journal_close(struct journal *journal);
const char *journal_get_path(const struct journal *journal);

/* Finds or adds; the index is stable in the file. Streams are told apart by uuid. A full table gives up the stream that
 * was added longest ago and is not in use in this process; where all are in use it grows. -ENOSPC: there is no room for
 * that. */
int journal_add_stream(struct journal *journal, const uint8_t uuid[16], const char *source, uint32_t *ret_index,
	struct enrg_error *err);
/* The entry that keeps what the totals of that stream were behind boundary `index` (of the stream, from 1), for
 * journal_set_stream. It is the entry of a stream of another uuid, derived from the stream's: so it is committed
 * together with the stream's own, and earlier programs see a stream that is not theirs. It takes the place of the
 * boundary JOURNAL_BOUNDARIES before. Results as journal_add_stream. */
int journal_add_boundary(struct journal *journal, const uint8_t uuid[16], const char *source, uint64_t index,
	uint32_t *ret_index, struct enrg_error *err);
/* Those that an earlier life of the store has added are in use by this one too: called with each stream. */
void journal_keep_boundaries(struct journal *journal, const uint8_t uuid[16]);
/* The same for a stream and its boundaries, where they are known. For each stream that will be added, before the first
 * of them is: a full journal gives up the oldest entry that is not in use. */
void journal_keep_stream(struct journal *journal, const uint8_t uuid[16]);
/* -ENOENT. */
int journal_find_stream(const struct journal *journal, const uint8_t uuid[16], uint32_t *ret_index);
/* *ret_known: the file had a committed length (then *ret_length is it). */
int journal_add_file(struct journal *journal, const char *path, uint32_t *ret_index, bool *ret_known,
	uint64_t *ret_length, struct enrg_error *err);
/* Gives a file its committed length at once, outside of commits: what was there before the first write, or what is left
 * after a cut. */
void journal_reset_file(struct journal *journal, uint32_t index, uint64_t length);
/* For files that are closed and committed: the next open takes them as they are. */
void journal_forget_file(struct journal *journal, uint32_t index);
/* The first file from *index on that has a committed length. */
bool journal_next_file(const struct journal *journal, uint32_t *index, const char **ret_path, uint64_t *ret_length);
/* Full path of the file of that index, or NULL where it has no committed length. */
const char *journal_file_path(const struct journal *journal, uint32_t index);
/* Full path of some file that it knows or knew, or NULL. */
const char *journal_first_file(const struct journal *journal);

/* Committed state. */
struct journal_stream_state journal_stream(const struct journal *journal, uint32_t index);
/* Number of the last commit. */
uint64_t journal_commit_number(const struct journal *journal);
/* Prepares values of the next commit. */
void journal_set_stream(struct journal *journal, uint32_t index, const struct journal_stream_state *state);
void journal_set_file(struct journal *journal, uint32_t index, uint64_t length);
/* Makes all prepared values valid at once; the number of the commit. */
uint64_t journal_commit(struct journal *journal);
/* The same in two parts: from the first on the next set of values is whole, and only the one store that makes it valid
 * is missing. Nothing is prepared between the two. */
void journal_complete(struct journal *journal);
uint64_t journal_make_valid(struct journal *journal);
/* For a journal that nobody has open, whose next set of values was completed by a process that was killed then: makes
 * commit `number` valid where that is the next one. 1: it has; 0: there is no such file, or another commit is valid;
 * -EBUSY; ENRG_E_CORRUPT. */
int journal_roll_forward(const char *path, uint64_t number, struct enrg_error *err);

/* The record that is being worked on; stream JOURNAL_NONE: none. Two plain stores. */
void journal_set_reading(struct journal *journal, uint32_t stream, uint64_t position);
/* Called where an earlier life crashed (not: was killed): lives lost on the record that it was reading, this one
 * included; 0: it was reading none. Forgets the reading, so that a life is counted once. */
uint32_t journal_count_crash(struct journal *journal, uint32_t *ret_stream, uint64_t *ret_position);

/* At once, outside of commits. */
void journal_add_loss(struct journal *journal, const struct journal_loss *loss);
/* From outside. Zero where there is no such file, or it can't be read. */
struct journal_loss journal_read_loss(const char *path);
/* From outside: number of the last commit. -ENOENT: there is no such file, or it is no journal. */
int journal_read_number(const char *path, uint64_t *ret_number);
/* From outside: 1: the store of that journal has not closed the file of that full name; 0: it has, or there is no such
 * journal; ENRG_E_CORRUPT, -errno: it can't be told. Any process. */
int journal_names_file(const char *path, const char *file);
/* From outside, while no store has it open: a new run counts from zero. */
void journal_clear_loss(const char *path);

/* From outside, for whoever holds the journal that was at `path`: a journal that grows is a new file there. Its
 * descriptor; -ENOENT: what is there now did not grow from the file of `outgrown`. */
int journal_open_grown(const char *path, int outgrown);

/* From outside, at any time (supervisor, ledger): committed state of the stream with that uuid. -ENOENT: no such
 * file or stream. */
int journal_read_stream(
	const char *path, const uint8_t uuid[16], struct journal_stream_state *ret_state, struct enrg_error *err);

/* The same, behind boundary `index` of the stream, whose record ends at `position`. -ENOENT also where the store has
 * not committed that boundary, or has passed so many since that it is forgotten. */
int journal_read_boundary(const char *path, const uint8_t uuid[16], uint64_t index, uint64_t position,
	struct journal_stream_state *ret_state, struct enrg_error *err);

/* The same again and again, for all streams of a store: the file stays open from one look to the next. */
struct journal_watch {
	int descriptor; /* -1: not open */
	uint64_t device, inode;
	uint64_t commit; /* number of the last one, at the last look */
	uint32_t streams_max;
	struct journal_loss loss; /* at the last look */
	uint64_t news;            /* looks that found another commit, or another file, than the one before */
};
#define JOURNAL_WATCH_NONE                                                                                             \
	{                                                                                                              \
		.descriptor = -1                                                                                       \
	}
/* 0; -ENOENT: no such file; ENRG_E_CORRUPT, -errno. A journal that has grown is a new file at its path: that is opened.
 */
int journal_watch_look(struct journal_watch *watch, const char *path, struct enrg_error *err);
/* Behind a look: what is committed for the stream; *index: where it was found last, or is guessed to be. -ENOENT: not
 * known; ENRG_E_CORRUPT; -EAGAIN: changes too fast. */
int journal_watch_stream(const struct journal_watch *watch, const uint8_t uuid[16], uint32_t *index,
	struct journal_stream_state *ret_state);
void journal_watch_close(struct journal_watch *watch);

#endif
