/* file.h: the output files of a store (enrg_file_… of enrgdaq/store.h): each has a length that is committed in the
 * journal and one that is written. A kill leaves bytes behind the committed length; the next open cuts them off.
 *
 * Store process, main thread.
 */
#ifndef JOB_FILE_FILE_H
#define JOB_FILE_FILE_H

#include <stdarg.h>
#include <sys/types.h>

#include "enrgdaq/store.h"
#include "handover/journal.h"
#include "handover/switches.h"
#include "job/file/chronicle.h"
#include "job/file/disk_guard.h"

typedef void file_alert_function(void *context, enum enrg_level level, const char *text);

struct enrg_file {
	struct enrg_file *next;
	struct file_set *set;
	char *path;                        /* as the store spells it */
	enrg_file_finish_function *finish; /* NULL: none */
	struct enrg_store *finish_store;
	int descriptor;
	uint32_t journal_index;
	uint32_t use_count; /* 0: closed with bytes that are not committed; kept until they are */
	uint64_t size, committed;
	bool is_continued;
	bool is_appended; /* something was written to it */
	bool is_torn;     /* a write failed half-way: bytes may lie behind `size` */
	bool is_lost;     /* file_watch: it was taken away; to be let go, and no byte of it touched */
	bool is_helper;   /* no row is in it */
	bool is_whole;    /* it was empty when it was opened: all its rows are counted */
	uint64_t rows, committed_rows;
	struct chronicle_file *chronicle; /* NULL: no row has come yet */
	uint64_t switch_offset;
	uint32_t switch_bytes; /* 0 = none; to be written over the file when the next commit is made */
	bool is_switch_due;    /* that commit was made, but the write failed: a rollback does not take it back */
	uint8_t switch_to[ENRG_FILE_SWITCH_BYTES];
	dev_t device;
	ino_t inode;
	/* What the options of all file stores ask for: rotation.c, sync.c, guard.c, direct.c. */
	struct series *series; /* that it is or was a part of; NULL: none */
	bool is_superseded;    /* its series is gone: it is not the newest part */
	uint64_t sync_ns;      /* how long the disk may lag behind the commits; UINT64_MAX: for ever */
	bool has_own_sync;     /* the store has set it for this file */
	uint64_t unsynced_ns;  /* since when it does; 0 = it does not */
	uint64_t written_back; /* so far the kernel was asked to write */
	int direct;            /* descriptor for direct I/O; -1 = not opened yet, -2 = can't be */
	uint32_t memory_align; /* that it wants, once it was opened */
};

struct file_set {
	struct journal *journal;
	struct switches left; /* of files that an earlier instance left and nobody has reached since */
	bool has_read_switches;
	struct enrg_file *first;
	struct enrg_watch *watches; /* of watch.h */
	bool has_lost;              /* a file or a watch has is_lost */
	bool is_going_back;         /* what is closed now was not closed to be left: file_watch_part */
	struct parted *parted;
	const struct enrg_file_options *options; /* NULL: the store has none of the common keys */
	struct series *series;
	struct disk_guard guard;
	struct chronicle chronicle;
	uint64_t next_sync_ns;
	file_alert_function *alert;
	void *alert_context;
};

void file_set_init(struct file_set *set, struct journal *journal, file_alert_function *alert, void *context);
/* Closes what is open, as a kill would; takes a zeroed set. */
void file_set_fini(struct file_set *set);

/* The lengths of now go into the next commit of the journal, which is made only where this returns 0 … */
int file_set_prepare(struct file_set *set, struct enrg_error *err);
/* … and that commit was made. Files that nobody has open any more are closed. */
void file_set_committed(struct file_set *set);
/* Is there a file whose switch of the last commit the disk has refused? */
bool file_set_has_due(const struct file_set *set);
/* Cuts all files back to their committed lengths. Tries all; the first failure is returned. */
int file_set_rollback(struct file_set *set, struct enrg_error *err);

/* The file is appended to from now on: enrg_file_replace no longer takes it for its own. */
void file_replace_forget(int descriptor);

#endif
