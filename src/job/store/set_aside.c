/* set_aside.c: saves a record that the store can't digest. Store process, main thread. */
#include "job/store/set_aside.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"

#define NAMES_MAX 1000u

bool set_aside_was_crash(const struct plan *plan)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGSYS};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (plan->previous_signal == signals[i])
			return true;
	return plan->was_hung;
}

static const char *find_out_dir(const struct process *process)
{
	const struct enrg_option *option = type_options(process->type)->options;

	for (; option && option->key; option++) {
		const char *text;
		if (option->kind != ENRG_OPTION_STRING || strcmp(option->key, "out_dir") != 0 || !process->options)
			continue;
		memcpy(&text, (const char *)process->options + option->offset, sizeof(text));
		return text;
	}
	return NULL;
}

static void choose_folder(const struct process *process, const struct journal *journal, char *ret_folder, size_t bytes)
{
	const char *folder = find_out_dir(process);
	const char *file = journal_first_file(journal);
	const char *slash = file ? strrchr(file, '/') : NULL;

	if (folder && *folder)
		snprintf(ret_folder, bytes, "%s", folder);
	else if (slash)
		snprintf(ret_folder, bytes, "%.*s", (int)(slash - file), file);
	else
		snprintf(ret_folder, bytes, "out");
}

/* Each run numbers its batches from 1: what an earlier one set aside stays. */
static int choose_name(const char *folder, const char *source, uint64_t sequence, char *ret_path, size_t path_bytes,
	struct enrg_error *err)
{
	char number[16] = "";

	for (unsigned next = 2; next <= NAMES_MAX + 1; next++) {
		int used = snprintf(ret_path, path_bytes, "%s/set_aside_%s_%llu%s.arrows", folder, source,
			(unsigned long long)sequence, number);
		if (used < 0 || (size_t)used >= path_bytes)
			return enrg_error_set(err, -ENAMETOOLONG, "%s: the path is too long", folder);
		if (access(ret_path, F_OK) < 0)
			return 0;
		snprintf(number, sizeof(number), "_%u", next);
	}
	return enrg_error_set(err, -EEXIST, "%s: it and %u like it are there already", ret_path, NAMES_MAX - 1);
}

int set_aside_write(const struct process *process, const struct journal *journal, const struct intake_record *record,
	char *ret_path, size_t path_bytes, struct enrg_error *err)
{
	char folder[2048], source[256];
	size_t schema_bytes = record->route.schema_bytes, payload_bytes = record->payload_bytes;

	choose_folder(process, journal, folder, sizeof(folder));
	path_safe_name(record->input->source, source, sizeof(source));
	int rc = choose_name(folder, source, record->header->sequence, ret_path, path_bytes, err);
	if (rc < 0)
		return rc;
	uint8_t *bytes = malloc(schema_bytes + payload_bytes + 1);
	if (!bytes)
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", ret_path);
	memcpy(bytes, record->route.schema_ipc, schema_bytes);
	memcpy(bytes + schema_bytes, record->payload, payload_bytes);
	rc = path_make_parent(ret_path, 0755, err);
	if (rc == 0)
		rc = path_write_file(ret_path, bytes, schema_bytes + payload_bytes, 1, err);
	free(bytes);
	return rc;
}

void set_aside_look_back(struct set_aside *crash, const struct plan *plan, struct journal *journal)
{
	*crash = (struct set_aside){.stream = JOURNAL_NONE};
	if (!set_aside_was_crash(plan))
		return;
	uint32_t lives = journal_count_crash(journal, &crash->stream, &crash->position);
	crash->is_careful = lives > 0;
	crash->has_poison = lives >= SET_ASIDE_AFTER_LIVES;
}

bool set_aside_is_due(struct set_aside *crash, const struct intake_record *record)
{
	bool is_of_crash = record->input->journal_index == crash->stream && record->position >= crash->position;

	if (crash->has_poison && is_of_crash && record->position == crash->position)
		return true;
	if (is_of_crash && record->position > crash->position)
		crash->is_careful = false;
	return false;
}

int set_aside_record(struct set_aside *crash, struct process *process, const struct journal *journal,
	const struct intake_record *record, const char *const words[2], struct enrg_error *err)
{
	char path[4096];
	int rc = set_aside_write(process, journal, record, path, sizeof(path), err);

	if (rc < 0)
		return rc;
	process_alert(process, ENRG_ERROR,
		"batch %" PRIu64 " of %s ended this %s %u times: it was set aside as %s and %s",
		record->header->sequence, record->input->source, words[0], SET_ASIDE_AFTER_LIVES, path, words[1]);
	record->input->now.set_aside_batches++;
	record->input->now.set_aside_rows += record->header->rows;
	intake_accept(record);
	crash->has_poison = false;
	return 0;
}
