/* archive.h: what DAQJobArchive holds; shared by the files that decide (archive.c) and those that tell (report.c). Main
 * thread of its job process. */
#ifndef ARCHIVE_ARCHIVE_H
#define ARCHIVE_ARCHIVE_H

#include "aside.h"
#include "enrgdaq/job.h"
#include "inventory.h"
#include "records.h"
#include "state/state.h"
#include "way.h"

struct archive_options {
	const char *folder, *target, *rsync, *marker, *state_file;
	struct enrg_string_list shell, command, verify, exclude, keep;
	double keep_days, keep_gb, settle_seconds, scan_seconds, timeout_seconds, retry_seconds, alert_after_hours;
};

enum task { TASK_NONE = 0, TASK_COPY, TASK_PROVE };

/* What waits to be copied: closed files that no record knows as they are. */
struct backlog {
	uint64_t files, bytes;
	int64_t oldest_ns; /* when the oldest of them was changed */
};

struct archive {
	struct enrg_job *job;
	const struct archive_options *options;
	struct way way;
	struct state lock;
	struct records *records;
	struct inventory inventory;
	struct aside aside;
	int folder;                     /* descriptor; -1: not there yet */
	size_t next_copy, next_removal; /* places on the way through the inventory, which goes twice */
	bool is_turn_of_removal;
	uint64_t next_scan_ns, reported_ns; /* CLOCK_MONOTONIC */
	enum task task;
	struct inventory_file *at; /* of the task */
	struct backlog backlog;
	/* of this instance */
	uint64_t copied_files, copied_bytes, removed_files, removed_bytes;
	/* a fault of the target */
	bool is_failing, is_away, is_late_told;
	char fault[700];
	unsigned failures;
	uint64_t failed_ns, told_ns;
	/* what was said of files that are set aside */
	size_t aside_told;
	uint64_t aside_told_ns;
};

/* archive.c: as of struct enrg_job_type */
int archive_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err);
int archive_poll(struct enrg_job *job, void *state, struct enrg_error *err);
int archive_stop(struct enrg_job *job, void *state, struct enrg_error *err);
void archive_destroy(void *state);

/* report.c */
void archive_count_backlog(struct archive *archive);
void archive_report(struct archive *archive);
void archive_report_fault(struct archive *archive, const char *reason, uint64_t now_ns);
/* The target takes something, or nothing failed meanwhile: the end of its fault, when it lasts. */
void archive_report_end(struct archive *archive, uint64_t now_ns);
void archive_report_aside(struct archive *archive, uint64_t now_ns);
extern const struct enrg_message_type *const archive_messages[];

/* check.c: ENRG_E_CONFIG with a text that begins with the key. */
int archive_check(const void *options, struct enrg_error *err);
/* The same of folders as they lie on disk. */
int archive_check_folders(const struct archive_options *options, struct enrg_error *err);

#endif
