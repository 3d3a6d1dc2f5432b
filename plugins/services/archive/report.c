/* report.c: what is said of an archive: its state, alerts, the command archive_state. In the process of DAQJobArchive,
 * on its main thread. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "archive.h"
#include "enrgdaq/message.h"

#define TOLD_EVERY_NS 21600000000000u /* the same fault again after six hours */
#define MORE_EVERY_NS 3600000000000u  /* more files that are set aside, after one */
#define CALM          12              /* times retry_seconds without a fault are its end */

static double seconds_since(int64_t then_ns)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (double)((int64_t)now.tv_sec * 1000000000 + now.tv_nsec - then_ns) / 1e9;
}

static void format_bytes(uint64_t bytes, char ret_text[32])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes;
	int unit = 0;

	for (; value >= 999.5 && unit < 6; unit++)
		value /= 1000;
	snprintf(ret_text, 32, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void archive_count_backlog(struct archive *archive)
{
	struct backlog backlog = {0};

	for (size_t i = 0; i < archive->inventory.count; i++) {
		const struct inventory_file *file = &archive->inventory.files[i];
		const struct aside_file *failed = aside_find(&archive->aside, file);
		if (!file->is_waiting || (failed && failed->is_set_aside))
			continue;
		if (!backlog.files++)
			backlog.oldest_ns = inventory_changed_ns(&file->status);
		backlog.bytes += (uint64_t)file->status.st_size;
	}
	archive->backlog = backlog;
}

static void report_late(struct archive *archive)
{
	double hours = archive->backlog.files ? seconds_since(archive->backlog.oldest_ns) / 3600 : 0;
	bool is_late = hours > archive->options->alert_after_hours;
	char bytes[32];

	if (is_late == archive->is_late_told)
		return;
	archive->is_late_told = is_late;
	format_bytes(archive->backlog.bytes, bytes);
	if (is_late)
		enrg_job_alert(archive->job, ENRG_WARNING,
			"the archive is behind: %" PRIu64
			" file(s) with %s are not copied yet, the oldest for %.1f h; if "
			"the way to the target is too slow for what the run writes, this disk will be full",
			archive->backlog.files, bytes, hours);
	else
		enrg_job_alert(archive->job, ENRG_INFO, "the archive is no longer behind");
}

void archive_report(struct archive *archive)
{
	bool is_copying = archive->task == TASK_COPY && !archive->is_failing;
	int percent = is_copying ? archive->way.type->percent(archive->way.self) : -1;
	const struct aside_file *aside = aside_first(&archive->aside);
	char text[1600], bytes[32], number[16] = "", set_aside[600] = "";

	report_late(archive);
	if (!archive->backlog.files && !archive->is_failing && !aside) {
		enrg_job_set_waiting(archive->job, NULL);
		return;
	}
	if (aside)
		snprintf(set_aside, sizeof(set_aside), "; %zu set aside, such as %.200s (%s)", archive->aside.set_aside,
			aside->name, aside->reason);
	format_bytes(archive->backlog.bytes, bytes);
	if (percent >= 0)
		snprintf(number, sizeof(number), ", %d %%", percent);
	snprintf(text, sizeof(text), "%" PRIu64 " file(s) with %s wait to be archived%s%s%s%s%s%s",
		archive->backlog.files, bytes, archive->is_failing ? ": " : "",
		archive->is_failing ? archive->fault : "", is_copying ? "; copies " : "",
		is_copying ? archive->at->name : "", number, set_aside);
	enrg_job_set_waiting(archive->job, text);
}

void archive_report_fault(struct archive *archive, const char *reason, uint64_t now_ns)
{
	bool is_new = !archive->is_failing || strcmp(archive->fault, reason) != 0;
	char bytes[32];

	archive->is_failing = true;
	archive->failed_ns = now_ns;
	snprintf(archive->fault, sizeof(archive->fault), "%s", reason);
	archive_report(archive);
	if (!is_new && now_ns - archive->told_ns < TOLD_EVERY_NS)
		return;
	archive->told_ns = now_ns;
	format_bytes(archive->backlog.bytes, bytes);
	enrg_job_alert(archive->job, ENRG_ERROR,
		"%s; nothing is removed here, and %" PRIu64
		" file(s) with %s wait, until it works again: it is tried every few minutes",
		archive->fault, archive->backlog.files, bytes);
}

/* A full disk takes a small file now and then: that is no end. A target that is there again is. */
void archive_report_end(struct archive *archive, uint64_t now_ns)
{
	uint64_t calm_ns = (uint64_t)(CALM * archive->options->retry_seconds * 1e9);

	if (!archive->is_failing || archive->aside.worked_ns <= archive->failed_ns ||
		(!archive->is_away && now_ns - archive->failed_ns < calm_ns))
		return;
	archive->is_failing = false;
	archive->failures = 0;
	enrg_job_alert(archive->job, ENRG_INFO, "the archive works again: what waited is copied now");
}

void archive_report_aside(struct archive *archive, uint64_t now_ns)
{
	const struct aside_file *first = aside_first(&archive->aside);
	size_t count = archive->aside.set_aside;
	uint64_t pause_ns = count > archive->aside_told ? MORE_EVERY_NS : TOLD_EVERY_NS;

	if (!first) {
		if (archive->aside_told)
			enrg_job_alert(archive->job, ENRG_INFO, "no file is set aside from the archive any more");
		archive->aside_told = 0;
		return;
	}
	if (archive->aside_told && now_ns - archive->aside_told_ns < pause_ns)
		return;
	archive->aside_told = count;
	archive->aside_told_ns = now_ns;
	enrg_job_alert(archive->job, ENRG_ERROR,
		"%zu file(s) can't be archived and are set aside, such as %.200s: %s; they stay here, others go on, "
		"and each is tried again after a while, at last once a day: repair what it says, or name them in "
		"`exclude`",
		count, first->name, first->reason);
}

/* --- archive_state ----------------------------------------------------------------------------------------------- */

struct nothing {
	char unused;
};

static const struct enrg_option no_fields[] = {{.key = NULL}};

static int answer_state(
	struct enrg_job *job, void *state, const void *body, struct enrg_answer *answer, struct enrg_error *err)
{
	const struct archive *archive = state;
	const struct backlog *backlog = &archive->backlog;
	struct enrg_fields *fields = enrg_answer_fields(answer);

	(void)job;
	(void)body;
	(void)err;
	enrg_fields_set_int(fields, "waiting_files", (int64_t)backlog->files);
	enrg_fields_set_int(fields, "waiting_bytes", (int64_t)backlog->bytes);
	enrg_fields_set_float(fields, "oldest_seconds", backlog->files ? seconds_since(backlog->oldest_ns) : 0);
	enrg_fields_set_int(fields, "copied_files", (int64_t)archive->copied_files);
	enrg_fields_set_int(fields, "copied_bytes", (int64_t)archive->copied_bytes);
	enrg_fields_set_int(fields, "removed_files", (int64_t)archive->removed_files);
	enrg_fields_set_int(fields, "removed_bytes", (int64_t)archive->removed_bytes);
	enrg_fields_set_int(fields, "set_aside_files", (int64_t)archive->aside.set_aside);
	enrg_fields_set_string(fields, "fault", archive->is_failing ? archive->fault : "");
	return 0;
}

static const struct enrg_message_type state_message = {
	.size = sizeof(struct enrg_message_type),
	.kind = "archive_state",
	.summary = "What waits to be archived, and what this instance has copied and removed.",
	.body = {sizeof(struct nothing), no_fields},
	.receive = answer_state,
};

const struct enrg_message_type *const archive_messages[] = {&state_message, NULL};
