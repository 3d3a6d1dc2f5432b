/* report.c: what is said of an archive: its state, alerts, the command archive_state. In the process of DAQJobArchive,
 * on its main thread. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "archive.h"
#include "enrgdaq/message.h"

#define TOLD_EVERY_NS 21600000000000u /* the same fault again after six hours */

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
		if (!file->is_waiting)
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
	char text[1000], bytes[32], number[16] = "";

	report_late(archive);
	if (!archive->backlog.files && !archive->is_failing) {
		enrg_job_set_waiting(archive->job, NULL);
		return;
	}
	format_bytes(archive->backlog.bytes, bytes);
	if (percent >= 0)
		snprintf(number, sizeof(number), ", %d %%", percent);
	snprintf(text, sizeof(text), "%" PRIu64 " file(s) with %s wait to be archived%s%s%s%s%s",
		archive->backlog.files, bytes, archive->is_failing ? ": " : "",
		archive->is_failing ? archive->fault : "", is_copying ? "; copies " : "",
		is_copying ? archive->at->name : "", number);
	enrg_job_set_waiting(archive->job, text);
}

void archive_report_fault(struct archive *archive, const char *reason, uint64_t now_ns)
{
	bool is_new = !archive->is_failing || strcmp(archive->fault, reason) != 0;
	char bytes[32];

	archive->is_failing = true;
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

void archive_report_end(struct archive *archive)
{
	if (!archive->is_failing)
		return;
	archive->is_failing = false;
	archive->failures = 0;
	enrg_job_alert(archive->job, ENRG_INFO, "the archive works again: what waited is copied now");
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
