/* archive.c: DAQJobArchive: closed files go to where they are kept, are proved there, and are removed here when they
 * are old or the disk is to have room. A service in a process of its own, on its main thread, in small steps. Nothing
 * is removed that was not read back at the far side a moment before. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "archive.h"
#include "closing.h"
#include "placing.h"
#include "sending.h"

#define TRY_LAST      60u      /* times retry_seconds */
#define ASIDE_FIRST   12u      /* the same */
#define UNREADABLE    (-EBADF) /* the original, for us */
#define CHILD_LOOK_NS 1000000000u
#define REPORT_NS     1000000000u
#define NICENESS      10

static uint64_t mono_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static double seconds_since(int64_t then_wall_ns)
{
	return (double)(wall_ns() - then_wall_ns) / 1e9;
}

/* --- life -------------------------------------------------------------------------------------------------------- */

void archive_destroy(void *state)
{
	struct archive *archive = state;

	if (!archive)
		return;
	if (archive->way.type)
		archive->way.type->destroy(archive->way.self);
	records_close(archive->records);
	state_close(&archive->lock);
	inventory_fini(&archive->inventory);
	aside_fini(&archive->aside);
	if (archive->folder >= 0)
		close(archive->folder);
	free(archive);
}

static int make_way(struct archive *archive, struct enrg_error *err)
{
	const struct archive_options *options = archive->options;
	const char *job = enrg_job_name(archive->job);

	if (options->target)
		return placing_create(
			&(struct placing_params){options->target, options->marker, job}, &archive->way, err);
	return sending_create(
		&(struct sending_params){
			.rsync = options->rsync,
			.shell_count = options->shell.count,
			.shell = options->shell.items,
			.command_count = options->command.count,
			.command = options->command.items,
			.verify_count = options->verify.count,
			.verify = options->verify.items,
			.marker = options->marker,
			.job = job,
			.timeout_seconds = options->timeout_seconds,
		},
		&archive->way, err);
}

/* The folder of the records is made, and kept from other jobs, by the same hand as those of other services. */
static int open_records(struct archive *archive, struct enrg_error *err)
{
	char path[PATH_MAX];
	uint64_t dropped;

	state_format_path(archive->job, archive->options->state_file, "archive", path);
	int rc = state_open(&archive->lock, path, err);
	if (rc == 0)
		rc = records_open(path, &archive->records, &dropped, err);
	if (rc == 0 && dropped)
		enrg_job_log(archive->job, ENRG_WARNING,
			"%s: %llu line(s) are torn or damaged: what they said was archived is copied and proved again",
			path, (unsigned long long)dropped);
	return rc;
}

/* Others come first: data taking above all. */
static void step_back(void)
{
	enum { IOPRIO_WHO_PROCESS = 1, IOPRIO_IDLE = 3 << 13 };

	setpriority(PRIO_PROCESS, 0, NICENESS);
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
	signal(SIGIO, SIG_IGN); /* somebody opens a file that a lease is held on: seen when it is looked at */
}

int archive_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	struct archive *archive = calloc(1, sizeof(*archive));

	if (!archive)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	archive->job = job;
	archive->options = options;
	archive->folder = -1;
	step_back();
	int rc = archive_check_folders(archive->options, err);
	if (rc == 0)
		rc = make_way(archive, err);
	if (rc == 0)
		rc = open_records(archive, err);
	if (rc < 0) {
		archive_destroy(archive);
		return rc;
	}
	unsigned restored = inventory_restore(archive->options->folder);
	if (restored)
		enrg_job_log(job, ENRG_INFO,
			"%u file(s) that an instance was removing when it was killed have their names again", restored);
	*ret_state = archive;
	return 0;
}

/* --- what there is to do ----------------------------------------------------------------------------------------- */

static bool is_recorded(const struct archive *archive, const struct inventory_file *file)
{
	const struct record *record = records_find(archive->records, file->name);

	return record && !record->is_removed && record->bytes == (uint64_t)file->status.st_size &&
	       record->changed_ns == inventory_changed_ns(&file->status);
}

/* Nobody writes it, and no store will go on with it. */
static bool is_closed(const struct archive *archive, const struct inventory_file *file)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/%s", archive->options->folder, file->name) < (int)sizeof(path) &&
	       closing_is_closed(archive->folder, file->name) && !enrg_job_file_is_open(archive->job, path);
}

/* By its time of change; or, where a clock was ahead when it was written, by how long we have seen it as it is. */
static bool is_settled(const struct archive *archive, const struct inventory_file *file)
{
	double age_s = seconds_since(inventory_changed_ns(&file->status));
	double seen_s = (double)(mono_ns() - file->since_ns) / 1e9;

	return (age_s > seen_s ? age_s : seen_s) >= archive->options->settle_seconds;
}

static bool is_due(const struct archive *archive, const struct inventory_file *file)
{
	return is_settled(archive, file) && !is_recorded(archive, file) && is_closed(archive, file);
}

/* Those that are set aside are tried again, and are no backlog. */
static bool is_waiting(const struct archive *archive, const struct inventory_file *file)
{
	const struct aside_file *failed = aside_find(&archive->aside, file);

	return (!failed || !failed->is_set_aside || mono_ns() >= failed->next_ns) && is_due(archive, file);
}

static int scan(struct archive *archive, struct enrg_error *err)
{
	const struct archive_options *options = archive->options;
	const struct names_patterns exclude = {options->exclude.count, options->exclude.items};

	archive->next_scan_ns = mono_ns() + (uint64_t)(options->scan_seconds * 1e9);
	if (archive->folder >= 0)
		close(archive->folder);
	archive->folder = open(options->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	archive->next_copy = archive->next_removal = 0;
	if (archive->folder < 0) { /* no store has made it yet */
		inventory_fini(&archive->inventory);
		return 0;
	}
	int rc = archive_check_folders(options, err);
	const struct inventory_params params = {options->folder, &exclude, mono_ns()};
	if (rc == 0)
		rc = inventory_read(&archive->inventory, &params, err);
	if (rc == 0)
		aside_forget_gone(&archive->aside, &archive->inventory);
	for (size_t i = 0; rc == 0 && i < archive->inventory.count; i++)
		archive->inventory.files[i].is_waiting = is_waiting(archive, &archive->inventory.files[i]);
	archive_count_backlog(archive);
	archive_report_end(archive, mono_ns());
	archive_report_aside(archive, mono_ns());
	archive_report(archive);
	return rc;
}

/* --- copying ----------------------------------------------------------------------------------------------------- */

/* It changed or went while it was read: it is looked at again with the next scan. */
static bool is_of_moment(int rc)
{
	return rc == -EBUSY || rc == -ENOENT;
}

/* No target takes it, or nobody can read it here. */
static bool is_of_file(int rc)
{
	return rc == -ENAMETOOLONG || rc == -EFBIG || rc == UNREADABLE;
}

static bool is_set_aside(struct archive *archive, int rc, const char *reason, uint64_t now_ns)
{
	const struct aside_failure failure = {.reason = reason,
		.is_own = is_of_file(rc),
		.now_ns = now_ns,
		.delay_ns = (uint64_t)(ASIDE_FIRST * archive->options->retry_seconds * 1e9)};

	/* a target that is away says nothing of the file */
	if (rc == -ENODEV || !aside_fail(&archive->aside, archive->at, &failure))
		return false;
	enrg_job_log(archive->job, ENRG_WARNING,
		"%s is set aside: %s; it stays here, others go on, and it is tried again", archive->at->name, reason);
	archive_count_backlog(archive);
	archive_report_aside(archive, now_ns);
	return true;
}

static void give_up_task(struct archive *archive, int rc, const struct enrg_error *reason)
{
	uint64_t now_ns = mono_ns(), first_ns = (uint64_t)(archive->options->retry_seconds * 1e9), delay_ns = first_ns;

	archive->task = TASK_NONE;
	archive->at->is_waiting = false;
	if (is_of_moment(rc)) {
		enrg_job_log(archive->job, ENRG_DEBUG, "%s: %s", archive->at->name, reason->text);
		return;
	}
	if (is_set_aside(archive, rc, reason->text, now_ns))
		return;
	for (unsigned i = 0; i < archive->failures && delay_ns < TRY_LAST * first_ns; i++)
		delay_ns *= 2;
	archive->failures++;
	archive->is_away = rc == -ENODEV;
	archive->next_scan_ns = now_ns + (delay_ns < TRY_LAST * first_ns ? delay_ns : TRY_LAST * first_ns);
	archive->at->is_waiting = true; /* for the count; the next scan decides */
	archive->next_copy = archive->next_removal = 2 * archive->inventory.count;
	archive_report_fault(archive, reason->text, now_ns);
}

static int begin_copy(struct archive *archive, struct inventory_file *file, struct enrg_error *err)
{
	const struct record *record = records_find(archive->records, file->name);
	/* An earlier copy may be replaced by one that contains it, as long as the original was not removed. */
	bool has_earlier = record && !record->is_removed && record->bytes > 0;
	const struct way_file wanted = {
		.folder = archive->folder,
		.root = archive->options->folder,
		.name = file->name,
		.earlier_bytes = has_earlier ? record->bytes : 0,
		.earlier_name = has_earlier ? record->archived : NULL,
		.earlier_digest = has_earlier ? record->digest : NULL,
	};
	struct enrg_error reason = {0};

	(void)err;
	archive->at = file;
	archive->task = TASK_COPY;
	/* the way's own -EACCES is the target's */
	int rc = faccessat(archive->folder, file->name, R_OK, 0) < 0
			 ? enrg_error_set(&reason, errno == ENOENT ? -ENOENT : UNREADABLE, "it can't be read: %s",
				   strerror(errno))
			 : archive->way.type->begin(archive->way.self, &wanted, &reason);
	if (rc < 0)
		give_up_task(archive, rc, &reason);
	archive_report(archive);
	return 0;
}

static void tell_runs(struct archive *archive, const struct record *record, bool is_here)
{
	char link[40], folder[PATH_MAX], path[2 * PATH_MAX];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", archive->folder);
	ssize_t bytes = readlink(link, folder, sizeof(folder) - 1);
	if (bytes <= 0)
		return;
	folder[bytes] = '\0';
	snprintf(path, sizeof(path), "%s/%s", folder, record->name);
	enrg_job_tell_archived(archive->job, path, record->digest, record->archived, is_here);
}

static int finish_copy(struct archive *archive, const struct way_result *result, struct enrg_error *err)
{
	struct record record = {
		.name = archive->at->name,
		.archived = (char *)(uintptr_t)result->archived,
		.bytes = result->bytes,
		.changed_ns = result->changed_ns,
		.proved_ns = (uint64_t)wall_ns(),
	};

	memcpy(record.digest, result->digest, sizeof(record.digest));
	int rc = records_put(archive->records, &record, err);
	if (rc < 0)
		return rc;
	tell_runs(archive, &record, true);
	archive->at->is_waiting = false;
	archive->copied_files++;
	archive->copied_bytes += result->bytes;
	enrg_job_log(archive->job, ENRG_INFO, "archived %s, %.1f MB%s%s", archive->at->name,
		(double)result->bytes / 1e6,
		strcmp(result->archived, archive->at->name) ? ", where another file has its name, as " : "",
		strcmp(result->archived, archive->at->name) ? result->archived : "");
	return 0;
}

/* --- removing ---------------------------------------------------------------------------------------------------- */

static bool is_to_go(const struct archive *archive, const struct inventory_file *file)
{
	const struct archive_options *options = archive->options;
	const struct names_patterns keep = {options->keep.count, options->keep.items};
	const struct record *record = records_find(archive->records, file->name);
	int64_t changed_ns = inventory_changed_ns(&file->status);
	bool is_too_much = options->keep_gb > 0 && (double)archive->inventory.bytes > options->keep_gb * 1e9;

	if (!is_recorded(archive, file) || names_match(file->name, &keep))
		return false;
	if (changed_ns > (int64_t)record->proved_ns) /* of a clock that was ahead: it is no newer than its copy */
		changed_ns = (int64_t)record->proved_ns;
	bool is_old = options->keep_days > 0 && seconds_since(changed_ns) > options->keep_days * 86400;
	return (is_old || is_too_much) && is_settled(archive, file) && is_closed(archive, file);
}

/* The copy is lost or another one: what is still here is copied anew. */
static int distrust(struct archive *archive, const struct enrg_error *reason, struct enrg_error *err)
{
	struct record record = *records_find(archive->records, archive->at->name);
	char *name = strdup(record.name), *archived = strdup(record.archived);
	int rc = -ENOMEM;

	enrg_job_alert(archive->job, ENRG_ERROR,
		"%s: %s; the original is still here, stays, and is archived again: look at what happened to the copy",
		archive->at->name, reason->text);
	record.name = name;
	record.archived = archived;
	record.bytes = 0;
	record.changed_ns = 0;
	if (name && archived)
		rc = records_put(archive->records, &record, err);
	free(name);
	free(archived);
	archive->task = TASK_NONE;
	archive->next_scan_ns = 0;
	return rc;
}

static int begin_proof(struct archive *archive, struct inventory_file *file, struct enrg_error *err)
{
	const struct record *record = records_find(archive->records, file->name);
	struct enrg_error reason = {0};

	archive->at = file;
	archive->task = TASK_PROVE;
	int rc = archive->way.type->begin_proof(archive->way.self, record->archived, record->digest, &reason);
	if (rc == -ENOENT)
		return distrust(archive, &reason, err);
	if (rc < 0)
		give_up_task(archive, rc, &reason);
	return 0;
}

static int remove_proved(struct archive *archive, struct enrg_error *err)
{
	struct inventory_file *file = archive->at;
	const struct record *known = records_find(archive->records, file->name);
	struct enrg_error reason = {0};

	if (!is_recorded(archive, file) || !is_closed(archive, file))
		return 0;
	int rc = closing_remove(archive->folder, file->name, &file->status, &reason);
	if (rc < 0) {
		if (!is_of_moment(rc))
			enrg_job_log(archive->job, ENRG_WARNING, "%s", reason.text);
		return 0;
	}
	struct record record = *known;
	char *name = strdup(record.name), *archived = strdup(record.archived);
	record.name = name;
	record.archived = archived;
	record.is_removed = true;
	record.proved_ns = (uint64_t)wall_ns();
	rc = name && archived ? records_put(archive->records, &record, err) : -ENOMEM;
	if (rc >= 0)
		tell_runs(archive, &record, false);
	free(name);
	free(archived);
	archive->inventory.bytes -= (uint64_t)file->status.st_size;
	archive->removed_files++;
	archive->removed_bytes += (uint64_t)file->status.st_size;
	enrg_job_log(archive->job, ENRG_INFO, "removed %s, %.1f MB: its copy was read back a moment ago", file->name,
		(double)file->status.st_size / 1e6);
	return rc;
}

/* --- steps ------------------------------------------------------------------------------------------------------- */

static int end_task(struct archive *archive, const struct way_result *result, struct enrg_error *err)
{
	enum task task = archive->task;

	archive->task = TASK_NONE;
	aside_succeed(&archive->aside, archive->at, mono_ns());
	archive_report_end(archive, mono_ns());
	archive_report_aside(archive, mono_ns());
	int rc = task == TASK_COPY ? finish_copy(archive, result, err) : remove_proved(archive, err);
	archive_count_backlog(archive);
	archive_report(archive);
	return rc < 0 ? rc : ENRG_POLL_AGAIN;
}

static int step_task(struct archive *archive, struct enrg_error *err)
{
	struct enrg_error reason = {0};
	struct way_result result;
	int rc = archive->way.type->step(archive->way.self, &result, &reason);
	uint64_t now_ns = mono_ns();

	if (now_ns - archive->reported_ns > REPORT_NS) {
		archive->reported_ns = now_ns;
		archive_report(archive);
	}
	if (rc == WAY_DONE)
		return end_task(archive, &result, err);
	if (rc == WAY_WAITS) {
		struct pollfd child = {.fd = archive->way.type->descriptor(archive->way.self), .events = POLLIN};
		rc = enrg_job_wait_fd(archive->job, &child, 1, CHILD_LOOK_NS, err);
		return rc < 0 ? rc : ENRG_POLL_AGAIN;
	}
	if (rc < 0 && archive->task == TASK_PROVE && (rc == ENRG_E_CORRUPT || rc == -EIO)) {
		rc = distrust(archive, &reason, err);
		return rc < 0 ? rc : ENRG_POLL_AGAIN;
	}
	if (rc < 0)
		give_up_task(archive, rc, &reason);
	return ENRG_POLL_AGAIN;
}

/* The next place of a way through the inventory that goes twice: files that failed again and again have their turn
 * behind the others. NULL: it is through. */
static struct inventory_file *take_next(struct archive *archive, size_t *place, bool *ret_is_due)
{
	struct inventory *inventory = &archive->inventory;
	bool is_behind = *place >= inventory->count;

	if (*place >= 2 * inventory->count)
		return NULL;
	struct inventory_file *file = &inventory->files[is_behind ? *place - inventory->count : *place];
	*place += 1;
	*ret_is_due = aside_is_due(&archive->aside, file, is_behind, mono_ns());
	return file;
}

static bool begin_next_copy(struct archive *archive, int *ret_rc, struct enrg_error *err)
{
	struct inventory_file *file;
	bool is_due;

	while ((file = take_next(archive, &archive->next_copy, &is_due))) {
		if (!is_due || !file->is_waiting)
			continue;
		*ret_rc = begin_copy(archive, file, err);
		return true;
	}
	return false;
}

/* Not beyond where copies have come. */
static bool begin_next_removal(struct archive *archive, int *ret_rc, struct enrg_error *err)
{
	struct inventory_file *file;
	bool is_due;

	while (archive->next_removal < archive->next_copy &&
		(file = take_next(archive, &archive->next_removal, &is_due))) {
		if (!is_due || !is_to_go(archive, file))
			continue;
		*ret_rc = begin_proof(archive, file, err);
		return true;
	}
	return false;
}

/* Begins the next thing; false: there is none. Copies and removals take turns: where copying is slower than the data
 * come there is always one more to copy, and the disk would fill with what is archived already. */
static bool begin_next(struct archive *archive, int *ret_rc, struct enrg_error *err)
{
	*ret_rc = 0;
	archive->is_turn_of_removal = !archive->is_turn_of_removal;
	if (archive->is_turn_of_removal && begin_next_removal(archive, ret_rc, err))
		return true;
	return begin_next_copy(archive, ret_rc, err) || begin_next_removal(archive, ret_rc, err);
}

int archive_poll(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct archive *archive = state;
	int rc = 0;

	if (archive->task)
		return step_task(archive, err);
	if (begin_next(archive, &rc, err))
		return rc < 0 ? rc : ENRG_POLL_AGAIN;
	uint64_t now_ns = mono_ns();
	if (now_ns < archive->next_scan_ns)
		rc = enrg_job_wait_fd(job, NULL, 0, archive->next_scan_ns - now_ns, err);
	else
		rc = scan(archive, err);
	return rc < 0 ? rc : ENRG_POLL_AGAIN;
}

int archive_stop(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct archive *archive = state;

	(void)err;
	archive->way.type->abort(archive->way.self);
	if (archive->backlog.files)
		enrg_job_log(job, ENRG_INFO,
			"%llu file(s) are not archived yet; so are those that the end of the run closes: the next run "
			"copies "
			"them",
			(unsigned long long)archive->backlog.files);
	return 0;
}
