/* store.h: for authors of stores.
 *
 * A store is a job that consumes. The framework reads the rings of its producers in order, checks every batch (CRC,
 * sequence), and calls the functions below on one thread. It acknowledges batches only after commit returned 0: from
 * then on they are the store's. A store may be killed at any moment: the framework cuts the files that it opened
 * through enrg_file_… back to their length at the last commit and hands over again all batches that were not committed.
 * So each batch is in the file exactly once, without work by the author.
 *
 * Order of calls: open; for each table target_open before its first batch; write …; commit; …; target_close each;
 * close. A negative result of write or commit makes the framework roll back: target_close and close with `abandon`,
 * files cut, a pause (alert; back-pressure holds the producers), then open again and the same batches again.
 */
#ifndef ENRGDAQ_STORE_H
#define ENRGDAQ_STORE_H

#include "enrgdaq/batch.h"
#include "enrgdaq/job.h"
#include "enrgdaq/module.h"
#include "enrgdaq/option.h"

#ifdef __cplusplus
extern "C" {
#endif

struct enrg_store; /* one running store; owned by the framework */
struct enrg_file;  /* one output file with a committed length; owned by the framework */

/* One table that reaches the store: the batches of one producer, store section, tag and schema. */
struct enrg_target {
	const char *source;
	const char *run;     /* "" between two runs */
	const char *tag;     /* "" where there is none */
	const void *section; /* options of [store_config.<section>], the struct of store->section */
	const struct enrg_schema *schema;
	uint64_t acquired_ns; /* wall clock of its first batch: the day for add_date */
	/* Sequences of its batches count under it: source, label, tag, columns and sequence name a batch for ever. The
	 * run, or between two runs (run "") a name that each start of a supervisor draws anew. NULL: the run. */
	const char *label;
};

struct enrg_store_type {
	size_t size;                  /* sizeof(struct enrg_store_type): what its author knew of it */
	const char *name;             /* "DAQJobStoreCSV" */
	const char *const *old_names; /* NULL-terminated, or NULL */
	const char *section;          /* "csv": key of the section in a producer's file */
	const char *summary;
	bool starts_by_default;            /* a producer may name it though no file configures the store job */
	struct enrg_table options;         /* keys of the store job */
	struct enrg_table section_options; /* keys of the section */

	/* Judges keys that one option alone can't: called in `enrgdaq check` and at the start of `run`, before anything
	 * starts, once for each section that leads to a job of this store. Touches nothing outside. Refuses what
	 * `write` could never store, by ENRG_E_CONFIG with a text that begins with the key: "table_name: expected …,
	 * found …". NULL where every section is fine. (A `file_path` below an `out_dir` is checked by the framework.)
	 */
	int (*check)(const void *options, const void *section, struct enrg_error *err);

	int (*open)(struct enrg_store *store, const void *options, void **ret_state, struct enrg_error *err);
	/* Several targets may lead to one file: enrg_file_open gives the same file for the same path. */
	int (*target_open)(void *state, const struct enrg_target *target, void **ret_target, struct enrg_error *err);
	/* May keep nothing of `batch` after it returns. */
	int (*write)(void *state, void *target, const struct enrg_batch *batch, struct enrg_error *err);
	/* Makes all that was written permanent to the level that the store promises against a killed process. NULL
	 * where write already did. */
	int (*commit)(void *state, struct enrg_error *err);
	/* About once a second, for rotation and flushing to disk; NULL where not wanted. */
	int (*tick)(void *state, uint64_t now_ns, struct enrg_error *err);
	/* `abandon`: the framework rolls back; write nothing. target_close takes NULL. */
	int (*target_close)(void *state, void *target, bool abandon, struct enrg_error *err);
	int (*close)(void *state, bool abandon, struct enrg_error *err);

	bool runs_code; /* what its files say may run programs: see struct enrg_option */
	/* Targets go on over the end of a run, as long as the store's files do not rotate with runs: nothing that they
	 * remember counts by sequence. Else each is closed where its source's run begins or ends, and opened again with
	 * the first batch behind that. */
	bool spans_runs;
};

ENRG_API const char *enrg_store_name(const struct enrg_store *store);
ENRG_API void enrg_store_log(struct enrg_store *store, enum enrg_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
ENRG_API void enrg_store_alert(struct enrg_store *store, enum enrg_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* How long batches may stay written but not committed. 0, 0 (default): commit whenever the rings are empty, or after 8
 * MiB. The framework commits earlier when a ring fills up. Producers see a longer wait as a deeper ring. */
ENRG_API void enrg_store_set_commit(struct enrg_store *store, uint64_t interval_ns, uint64_t bytes);

/* --- runs ---
 *
 * What the book of runs says of one, for the files that batches of it go into. Texts are UTF-8 and hold no secret; "":
 * not said. Grows at its end. */
struct enrg_run_info {
	size_t size;
	const char *run; /* as in struct enrg_target */
	const char *uuid, *type, *description, *supervisor;
	const char *version;                /* of ENRGDAQ */
	const char *config, *config_sha256; /* the configuration's files, one behind the other */
	uint64_t number;                    /* 0 = it has none */
	uint64_t began_ns, ended_ns;        /* wall clock; ended 0 = it is on */
};
/* NULL: nothing is known of it (between two runs, or where there is no book). Valid until the next call. */
ENRG_API const struct enrg_run_info *enrg_store_find_run(struct enrg_store *store, const char *run);

/* In open. Which runs a file holds is written beside it, NAME.run.json: where the format has no place for it (_ALL), or
 * only for the run that the file was begun in (_LATER: all but that one). Rows have to be counted. */
enum enrg_runs_beside { ENRG_RUNS_BESIDE_NONE, ENRG_RUNS_BESIDE_LATER, ENRG_RUNS_BESIDE_ALL };
ENRG_API void enrg_store_keep_runs_beside(struct enrg_store *store, enum enrg_runs_beside which);

struct enrg_file_name {
	const char *out_dir;   /* folder of the store, may be relative; created */
	const char *file_path; /* from the section; relative to out_dir; may name folders, which are created */
	const char *tag;       /* "" or NULL = none; stands before the extension, a compression suffix stays last */
	bool add_date;         /* YYYY-MM-DD_ before the file's own name */
	uint64_t date_ns;      /* wall clock, ns since 1970: the local day of add_date */
};

/* Puts the path together: out_dir/file_path, "YYYY-MM-DD_" before the name with add_date, "_tag" before the extension;
 * `a.csv.zst` with tag x is `a_x.csv.zst`. A '/' in a tag is replaced. -ENAMETOOLONG; -EINVAL: file_path is empty;
 * ENRG_E_CONFIG: it leads out of out_dir (begins with '/', has a part ".."). */
ENRG_API int enrg_file_path(
	const struct enrg_file_name *name, char *ret_path, size_t path_bytes, struct enrg_error *err);

/* Opens for appending, creates folders and file. The file is cut to its committed length where an earlier life of this
 * store left more. Counted: the same path gives the same file; close as often as opened. */
ENRG_API int enrg_file_open(
	struct enrg_store *store, const char *path, struct enrg_file **ret_file, struct enrg_error *err);
ENRG_API int enrg_file_write(struct enrg_file *file, const void *bytes, uint64_t byte_count, struct enrg_error *err);
/* Overwrites bytes inside the file at once; offset + byte_count may not pass its length. A kill or a failure does not
 * take them back: only for places that nothing committed refers to, or that mean the same before and after. */
ENRG_API int enrg_file_write_at(
	struct enrg_file *file, uint64_t offset, const void *bytes, uint64_t byte_count, struct enrg_error *err);
/* Overwrites up to ENRG_FILE_SWITCH_BYTES inside the file right after the next commit is made, and not at all when that
 * one fails: for the pointer of a format to its newest index. So a pointer never leads behind the committed length.
 * After a kill between the commit and this write the next instance makes it up before anything is opened, also for a
 * file that it never opens itself. A power cut may leave the old bytes: where they must not be lost to it, note the new
 * ones at the end of what is committed as well, and compare at open. One a file and commit: a second call takes the
 * place of the first. */
#define ENRG_FILE_SWITCH_BYTES 512u
ENRG_API int enrg_file_switch(
	struct enrg_file *file, uint64_t offset, const void *bytes, uint32_t byte_count, struct enrg_error *err);
/* Length now: what was there at open, and what was written since. 0 = a new file: write the header. */
ENRG_API uint64_t enrg_file_size(const struct enrg_file *file);
/* Cuts the file to `size` at once, as part of the next commit; for repair of a torn tail that a power cut left. */
ENRG_API int enrg_file_truncate(struct enrg_file *file, uint64_t size, struct enrg_error *err);
/* Did an earlier life of this store leave it open: the journal knew it, and it was cut to what was committed? */
ENRG_API bool enrg_file_is_continued(const struct enrg_file *file);
ENRG_API const char *enrg_file_name_of(const struct enrg_file *file);
/* Descriptor for reading what is there (at open, before the first write). Not the caller's to close. */
ENRG_API int enrg_file_descriptor(const struct enrg_file *file);
/* Waits until the disk has it (fdatasync). */
ENRG_API int enrg_file_sync(struct enrg_file *file, struct enrg_error *err);
ENRG_API void enrg_file_close(struct enrg_file *file);
/* `finish` is called with the file's path once the file is closed, all that is in it is committed, and no later start
 * will cut it back or look for its length: what is then made of it (compressed, merged) is the store type's own affair,
 * which a kill may interrupt anywhere, and which may not fail loudly. On the store's thread, perhaps after close. */
typedef void enrg_file_finish_function(struct enrg_store *store, const char *path);
ENRG_API void enrg_file_set_finish(struct enrg_store *store, struct enrg_file *file, enrg_file_finish_function *finish);

/* Rows that were put into this file, for what is said of one that is removed, cut or replaced under the store. The
 * framework compares each open file with what its path names once a second; a store whose file was taken away is closed
 * with `abandon` and opened again. */
ENRG_API void enrg_file_count_rows(struct enrg_file *file, uint64_t rows);
/* No row is in it: what is said of its loss speaks of no data. */
ENRG_API void enrg_file_set_helper(struct enrg_file *file);

/* The same watch over a file that the store writes by a descriptor of its own, or (descriptor -1) through a library,
 * from this call on. */
struct enrg_watch;
enum enrg_watch_kind {
	ENRG_WATCH_ROWS, /* becomes shorter only after enrg_watch_allow_shorter */
	ENRG_WATCH_LOG, /* the same; what is in it reaches its place when the store closes it, whatever its name does */
	ENRG_WATCH_HELPER, /* no row is in it: its name alone counts */
};
struct enrg_watch_params {
	const char *path;
	int descriptor;
	enum enrg_watch_kind kind;
	const struct enrg_watch *part_of; /* with which it goes: nothing more is said of it then; or NULL */
	uint64_t large_bytes;             /* an alert while it is larger; 0 = never */
	const char *large_text;           /* what that means and what to do; outlives the watch */
};
ENRG_API int enrg_watch_open(struct enrg_store *store, const struct enrg_watch_params *params,
	struct enrg_watch **ret_watch, struct enrg_error *err);
ENRG_API void enrg_watch_count_rows(struct enrg_watch *watch, uint64_t rows);
ENRG_API void enrg_watch_allow_shorter(struct enrg_watch *watch, uint64_t bytes);
ENRG_API void enrg_watch_close(struct enrg_watch *watch); /* takes NULL; before the descriptor is closed */

/* Replaces a whole file atomically: a reader sees the old or the new one, never half. With sync = "commit" the disk has
 * it before this returns; without, a power cut within seconds may leave an empty file. What the path held before and no
 * call of this wrote, or what was appended since, is kept as name_earlier.ext, with an alert. */
ENRG_API int enrg_file_replace(
	struct enrg_store *store, const char *path, const void *bytes, uint64_t byte_count, struct enrg_error *err);

/* --- what all file stores do alike: rotation, free space, syncing, direct I/O --- */

enum enrg_file_sync { ENRG_FILE_SYNC_NONE, ENRG_FILE_SYNC_INTERVAL, ENRG_FILE_SYNC_COMMIT };

struct enrg_file_rules {
	double rotate_mb, rotate_seconds;
	bool rotate_run;
	double min_free_gb;
	bool has_min_free_gb;
	double sync_seconds; /* from here on not in enrg_file_table_rotation */
	bool direct_io;
};

struct enrg_file_options {
	int sync; /* enum enrg_file_sync */
	struct enrg_file_rules rules;
};

/* The keys, for an option of kind ENRG_OPTION_INCLUDE in the options of a store; without the key `sync` nothing is
 * synced, or every sync_seconds. */
ENRG_API extern const struct enrg_table enrg_file_table, enrg_file_table_synced;
/* Those of rotation and free space alone, for an option at the `rules` of a struct enrg_file_options whose other
 * members stay 0: for a store that syncs by itself. */
ENRG_API extern const struct enrg_table enrg_file_table_rotation;

/* In open. `options` lives as long as the store. From then on the framework syncs the files, watches the free space and
 * holds the store up before the disk is full. Rotation needs a struct enrg_file_choice, or the two functions below. */
ENRG_API void enrg_store_set_files(struct enrg_store *store, const struct enrg_file_options *options);

/* Watches the disk of `folder`, which exists, by the same rules as those of the files: for stores that write there
 * through a library of their own. After enrg_store_set_files; a second call for the same disk changes nothing. */
ENRG_API int enrg_store_guard_folder(struct enrg_store *store, const char *folder, struct enrg_error *err);

/* The file to be written now of those that `path` (from enrg_file_path) stands for: `path` itself, or with rotation
 * name_<run>.ext, name_<YYYYMMDDThhmmssZ>.ext, name_<run>_<…>.ext: the newest where that one is not full, else a new
 * name. Open it with enrg_file_open; a new one has size 0 and wants its header. */
ENRG_API int enrg_file_part(struct enrg_store *store, const char *path, const char *run, char *ret_path,
	size_t path_bytes, struct enrg_error *err);
/* The same for a store that never continues in a file: with a time in its name always a new one, unless the newest is
 * there with 0 bytes. Without a time it may be one that is there: the store's own numbers are to follow. */
ENRG_API int enrg_file_new_part(struct enrg_store *store, const char *path, const char *run, char *ret_path,
	size_t path_bytes, struct enrg_error *err);
/* Is it time to leave this file for the next, which enrg_file_part names? To be asked before a batch is written to a
 * file into which the store has put nothing since the last commit; false while there is something in it. */
ENRG_API bool enrg_file_is_due(const struct enrg_file *file, const char *run);
/* The disk has what was stored in this file after `seconds`, whatever the store's keys say; of several calls for one
 * file the shortest time counts. */
ENRG_API void enrg_file_set_sync(struct enrg_file *file, double seconds);
/* How many bytes of padding to put in front so that `bytes`, written behind them and `before_bytes` others with one
 * enrg_file_write, go past the page cache, from memory straight to the disk. 0: no need to; they can't, or are too few.
 */
ENRG_API uint32_t enrg_file_padding(
	const struct enrg_file *file, uint64_t before_bytes, const void *bytes, uint64_t byte_count);
/* For a store that may put nothing in front: would these bytes, appended now, go past the page cache if they only lay
 * otherwise in memory? Copied to a page and written from there, they cost less than the page cache does. */
ENRG_API bool enrg_file_wants_copy(struct enrg_file *file, const void *bytes, uint64_t byte_count);

/* --- the file in which a table goes on --- */

/* Finds the file for each batch of a target, and keeps to it: the name of the section with tag and day, with rotation
 * its newest part; where what is there can't be continued, the first of name_2, name_3 … that can, announced by an
 * alert. One for each target: made in target_open, asked in write. */
struct enrg_file_choice;

struct enrg_file_candidate {
	const char *path;                 /* to be opened, or found among the files that the store has open */
	const struct enrg_schema *schema; /* of the batch that is to go into it */
	struct enrg_file *file; /* out: where enrg_file_open opened it; NULL: the store writes it in another way */
	const char *run;        /* of the batch, "" between two */
};

/* The store's judgement on a file: opens it, repairs a torn end, looks what it holds. 0: `target` continues in it, the
 * store has noted where. ENRG_FILE_IS_OTHER: it holds other columns, is of another kind, or is damaged beyond repair;
 * it was left as it is, and the next name is tried. Negative: another name does not help. */
#define ENRG_FILE_IS_OTHER 1
typedef int enrg_file_judge_function(
	void *state, void *target, struct enrg_file_candidate *candidate, struct enrg_error *err);

struct enrg_file_choice_params {
	const char *out_dir, *file_path; /* as in struct enrg_file_name */
	bool add_date;
	bool is_replaced;  /* the store replaces the whole file each time: no parts */
	const char *other; /* said of a file that was left as it is: "has other columns, or is no CSV file" */
	enrg_file_judge_function *judge;
	void *state, *target; /* for judge */
};

/* Makes the first choice: judge is called before this returns. Strings are copied. */
ENRG_API int enrg_file_choice_create(struct enrg_store *store, const struct enrg_file_choice_params *params,
	const struct enrg_target *target, struct enrg_file_choice **ret_choice, struct enrg_error *err);
/* Before a batch is written: calls judge again where a day or a part begins with it. `is_dirty`: the store has put
 * something into the target's file, or holds it in memory, that is not committed; no part ends then. */
ENRG_API int enrg_file_choice_follow(
	struct enrg_file_choice *choice, const struct enrg_batch *batch, bool is_dirty, struct enrg_error *err);
/* Takes NULL. */
ENRG_API void enrg_file_choice_destroy(struct enrg_file_choice *choice);

/* --- Arrow IPC, for stores that keep batches as the messages that they are (batch->ipc) --- */

/* The Schema message at the start of an Arrow IPC stream, in malloc'ed memory. `source` is noted in it; NULL = none. */
ENRG_API int enrg_schema_format_ipc(const struct enrg_schema *schema, const char *source, void **ret_bytes,
	uint32_t *ret_count, struct enrg_error *err);

/* The same for a file that is begun in that run: what is known of it is said in the schema's metadata; NULL: nothing.
 */
ENRG_API int enrg_schema_format_ipc_in_run(const struct enrg_schema *schema, const char *source,
	const struct enrg_run_info *run, void **ret_bytes, uint32_t *ret_count, struct enrg_error *err);

/* Prefix and metadata of the batch's message with `padding` more bytes (a multiple of 8) of zeros behind them, which
 * readers step over: ipc_bytes - body_bytes + padding bytes in all. The message's check sum is made anew. */
ENRG_API int enrg_ipc_pad(const struct enrg_batch *batch, uint32_t padding, void *ret_meta, struct enrg_error *err);

struct enrg_ipc_buffer {
	const void *bytes;
	uint64_t byte_count;
};

/* The buffers of the batch's body in the order of its columns. -ENOBUFS: *ret_count says how many there are. */
ENRG_API int enrg_ipc_buffers(const struct enrg_batch *batch, struct enrg_ipc_buffer *ret_buffers, uint32_t capacity,
	uint32_t *ret_count, struct enrg_error *err);

enum enrg_ipc_codec { ENRG_IPC_LZ4_FRAME = 0, ENRG_IPC_ZSTD = 1 };

/* The same buffers, each compressed as Arrow wants it (8 bytes of its length before, little-endian, or -1 and the bytes
 * as they were; an empty one stays empty), in one body that begins at `body`, each at a multiple of 8. */
struct enrg_ipc_compressed {
	enum enrg_ipc_codec codec;
	const struct enrg_ipc_buffer *buffers;
	uint32_t buffer_count;
	const void *body;
	uint64_t body_bytes; /* a multiple of 8 */
};

/* Prefix and metadata, with check sums, of the message that has this body in place of the batch's; malloc'ed. */
ENRG_API int enrg_ipc_format_compressed(const struct enrg_batch *batch, const struct enrg_ipc_compressed *params,
	void **ret_meta, uint32_t *ret_meta_bytes, struct enrg_error *err);

/* Rewrites a closed .arrows file in place where its small batches, merged into large ones, take much less: beside it,
 * compared with it value by value, synced, then renamed over it. A file that is not whole, large (`bytes_max`), locked,
 * or linked from elsewhere is left alone (*ret_saved_bytes 0). Negative: it could not be read or written, and is as it
 * was. */
ENRG_API int enrg_ipc_compact(const char *path, uint64_t bytes_max, uint64_t *ret_saved_bytes, struct enrg_error *err);

enum enrg_ipc_content {
	ENRG_IPC_OURS,  /* a stream of this schema, or an empty file; behind *ret_good_bytes nothing but a torn tail (a
			 * part  of a message, zeros, an end mark): cut it and append */
	ENRG_IPC_OTHER, /* a stream of another schema, or no Arrow stream: leave it alone */
	ENRG_IPC_DAMAGED, /* a stream of this schema with damage inside: readers stop there, leave it to `enrgdaq
			     verify` */
};

/* Looks at the file behind the descriptor (at open, before the first write): heads of all messages, check sum of the
 * last body. Its time goes by the number of messages, not by their size. */
ENRG_API int enrg_ipc_inspect(int descriptor, const struct enrg_schema *schema, enum enrg_ipc_content *ret_content,
	uint64_t *ret_good_bytes, struct enrg_error *err);

/* Does a note at the start of that file contradict one of the schema (the same key with another value)? 1: text says
 * which and how; 0: no. A store that continues the file tells the operator. */
ENRG_API int enrg_ipc_find_other_note(
	int descriptor, const struct enrg_schema *schema, char *ret_text, size_t text_bytes, struct enrg_error *err);

#ifdef __cplusplus
}
#endif

#endif
