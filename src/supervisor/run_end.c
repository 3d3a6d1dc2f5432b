/* run_end.c: the ledger beside the data, and a clean runtime folder. Process: supervisor. */
#include "supervisor/run_end.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "handover/hardware.h"
#include "handover/kept.h"
#include "handover/leftover.h"
#include "handover/presence.h"
#include "handover/switches.h"
#include "supervisor/earlier/streams.h"
#include "supervisor/errand.h"
#include "supervisor/late_alerts.h"
#include "supervisor/removed.h"

bool run_end_out_folder(const struct job_config *store, char *ret_folder, size_t folder_bytes)
{
	const struct enrg_option *option = store->type->store ? store->type->store->options.options : NULL;
	const struct toml_node *node = store->root ? toml_find(store->root, "out_dir") : NULL;
	size_t length;

	while (option && option->key && strcmp(option->key, "out_dir"))
		option++;
	if (!option || !option->key)
		return false;
	if (node && node->kind == TOML_STRING && node->text_bytes) {
		snprintf(ret_folder, folder_bytes, "%s", node->text);
		return true;
	}
	/* A default is written as TOML prints it: with its quotes. */
	snprintf(ret_folder, folder_bytes, "%s", option->default_value ? option->default_value + 1 : "out");
	length = strlen(ret_folder);
	if (option->default_value && length && ret_folder[length - 1] == '"')
		ret_folder[length - 1] = '\0';
	return true;
}

/* Has a store before this one the same folder? */
static bool is_repeated(const struct roster *roster, size_t index, const char *folder)
{
	char other[RUNTIME_PATH_BYTES];

	for (size_t i = 0; i < index; i++)
		if (run_end_out_folder(roster->members[i]->config, other, sizeof(other)) && !strcmp(other, folder))
			return true;
	return false;
}

bool run_end_find_folder(const struct roster *roster, size_t index, char *ret_folder, size_t folder_bytes)
{
	return run_end_out_folder(roster->members[index]->config, ret_folder, folder_bytes) &&
	       !is_repeated(roster, index, ret_folder);
}

/* --- on a disk that may not answer: by errands -------------------------------------------------------------------- */

struct note {
	char *path, *text;
	bool is_synced;
	struct enrg_error err;
};

static int write_note(void *context)
{
	struct note *note = context;
	int rc = path_make_parent(note->path, 0755, &note->err);

	return rc ? rc : path_write_file(note->path, note->text, strlen(note->text), note->is_synced, &note->err);
}

static void release_note(void *context)
{
	struct note *note = context;

	free(note->path);
	free(note->text);
	free(note);
}

static int write_text(const char *path, const char *text, bool is_synced, struct enrg_error *err)
{
	struct note *note = calloc(1, sizeof(*note));
	struct errand *errand;
	int rc = -ENOMEM;

	if (!note)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	*note = (struct note){.path = strdup(path), .text = strdup(text), .is_synced = is_synced};
	if (!note->path || !note->text) {
		release_note(note);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	if (errand_start(&(struct errand_params){write_note, release_note, note}, &errand) < 0)
		return enrg_error_set(err, -EAGAIN, "%s: no thread to write it", path);
	if (!errand_wait(errand, RUN_END_PATIENCE_NS, &rc))
		rc = enrg_error_set(err, -ETIMEDOUT, "%s: its disk does not answer", path);
	else if (rc < 0 && err)
		*err = note->err;
	errand_end(errand);
	return rc;
}

struct search {
	char folder[RUNTIME_PATH_BYTES], ending[300];
	uint64_t largest;
	bool is_there;
};

static void look_at(struct search *search, const char *name)
{
	size_t length = strlen(name), ending = strlen(search->ending);
	uint64_t number = 0;

	if (length > 5 && !strcmp(name + length - 5, ".json") && sscanf(name, "run_%16" SCNu64, &number) == 1 &&
		number > search->largest)
		search->largest = number;
	search->is_there |= ending && length > ending && !strncmp(name, "run_", 4) &&
			    !strcmp(name + length - ending, search->ending);
}

static int read_names(void *context)
{
	struct search *search = context;
	DIR *directory = opendir(search->folder);

	for (const struct dirent *entry; directory && (entry = readdir(directory));)
		look_at(search, entry->d_name);
	if (directory)
		closedir(directory);
	return 0;
}

/* What is found there: the largest number of an account, and whether one ends like that. */
static void search_accounts(const char *folder, const char *ending, uint64_t *largest, bool *is_there)
{
	struct search *search = calloc(1, sizeof(*search));
	struct errand *errand = NULL;
	int rc;

	if (!search)
		return;
	snprintf(search->folder, sizeof(search->folder), "%s", folder);
	snprintf(search->ending, sizeof(search->ending), "%s", ending);
	if (errand_start(&(struct errand_params){read_names, free, search}, &errand) < 0)
		return;
	if (errand_wait(errand, RUN_END_PATIENCE_NS, &rc)) {
		*largest = search->largest > *largest ? search->largest : *largest;
		*is_there = *is_there || search->is_there;
	} else {
		log_line(ENRG_WARNING, "%s: its disk does not answer: which runs have accounts there is not known",
			folder);
	}
	errand_end(errand);
}

/* --- what is written and looked for ------------------------------------------------------------------------------- */

void run_end_write_beside(const struct roster *roster, const char *name, const json_t *json)
{
	char path[RUNTIME_PATH_BYTES * 2], folder[RUNTIME_PATH_BYTES], *text = json_dumps(json, JSON_INDENT(2));

	for (size_t i = 0; text && i < roster->count; i++) {
		struct enrg_error err = {0};
		if (!run_end_find_folder(roster, i, folder, sizeof(folder)))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, name);
		if (write_text(path, text, false, &err) < 0)
			log_line(ENRG_ERROR,
				"the account of a run can't be written beside the data: %s; the log has it", err.text);
	}
	free(text);
}

bool run_end_has_account(const struct roster *roster, const char *id)
{
	char folder[RUNTIME_PATH_BYTES], ending[300];
	uint64_t largest = 0;
	bool is_there = false;

	snprintf(ending, sizeof(ending), "_%.200s.json", id);
	for (size_t i = 0; i < roster->count && !is_there; i++)
		if (run_end_find_folder(roster, i, folder, sizeof(folder)))
			search_accounts(folder, ending, &largest, &is_there);
	return is_there;
}

uint64_t run_end_last_number(const struct roster *roster)
{
	char folder[RUNTIME_PATH_BYTES];
	uint64_t largest = 0;
	bool is_there = false;

	for (size_t i = 0; i < roster->count; i++)
		if (run_end_find_folder(roster, i, folder, sizeof(folder)))
			search_accounts(folder, "", &largest, &is_there);
	return largest;
}

void run_end_write_ledger(const struct runtime *runtime, const struct roster *roster, const json_t *ledger)
{
	char *text = json_dumps(ledger, JSON_INDENT(2));
	char kept[RUNTIME_PATH_BYTES * 2], path[RUNTIME_PATH_BYTES * 2], folder[RUNTIME_PATH_BYTES];
	struct enrg_error err = {0};

	if (!text)
		return;
	snprintf(kept, sizeof(kept), "%s/ledger.json", runtime->folder);
	bool is_kept = !path_make_parent(kept, 0700, &err) && !path_write_private_file(kept, text, strlen(text), &err);
	if (!is_kept)
		log_line(ENRG_ERROR, "the ledger can't be written: %s", err.text);
	for (size_t i = 0; i < roster->count; i++) {
		if (!run_end_find_folder(roster, i, folder, sizeof(folder)))
			continue;
		size_t length = strlen(folder);
		snprintf(path, sizeof(path), "%s%sledger_%s.json", folder,
			length && folder[length - 1] == '/' ? "" : "/", runtime->run);
		err = (struct enrg_error){0};
		if (!write_text(path, text, true, &err))
			continue;
		log_line(ENRG_ERROR, "the ledger can't be written beside the data: %s; %s%s", err.text,
			is_kept ? "until the next run ends it is kept in "
				: "what `enrgdaq run` prints at its end says it",
			is_kept ? kept : "");
	}
	free(text);
}

static int remove_or_count(const char *path, void *context)
{
	*(size_t *)context += !stream_remove_settled(path);
	return 0;
}

static int remove_file(const char *path, void *context)
{
	(void)context;
	unlink(path);
	return 0;
}

size_t run_end_clean(const struct runtime *runtime, const struct roster *roster)
{
	size_t left = 0;

	/* also those of jobs that were removed */
	presence_visit_files(runtime->folder, ".stream", remove_or_count, &left);
	streams_drop_parted(runtime->folder);
	removed_drop(runtime->folder);
	late_alerts_drop(runtime->folder);
	presence_visit_files(runtime->folder, KEPT_SUFFIX, remove_file, NULL);
	presence_visit_files(runtime->folder, HARDWARE_SUFFIX, remove_file, NULL);

	for (size_t i = 0; i < roster->count; i++) {
		const struct member *member = roster->members[i];

		unlink(member->plan->page_path);
		/* A store that was killed may have written more than it committed: its successor needs the journal. So
		 * it does where files of an earlier instance are on a disk that is away. */
		if (!left && member->plan->journal_path && member->last_code == 0 &&
			!leftover_remains(member->plan->journal_path)) {
			switches_remove(member->plan->journal_path);
			unlink(member->plan->journal_path);
			if (member->plan->checkpoint_path)
				unlink(member->plan->checkpoint_path);
		}
	}
	return left;
}
