/* change.c: two folders compared, job by job. Process: supervisor. */
#include "supervisor/change.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct job_config *find(const struct folder *folder, const char *name)
{
	for (size_t i = 0; i < folder->job_count; i++)
		if (!strcmp(folder->jobs[i].name, name))
			return &folder->jobs[i];
	return NULL;
}

static void add(struct change *change, enum change_kind kind, const struct job_config *job)
{
	change->items[change->count++] =
		(struct change_item){.kind = kind, .name = job->name, .type = job->type->name, .file = job->file};
}

static int compare(const void *left, const void *right)
{
	const struct change_item *a = left, *b = right;

	return a->kind != b->kind ? (a->kind > b->kind) - (a->kind < b->kind) : strcmp(a->name, b->name);
}

/* --- supervisor.toml --- */

static bool is_other_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") != 0;
}

static void check_key(bool is_other, const char *key, struct problems *problems)
{
	if (is_other)
		problems_add(problems, true, "supervisor.toml", 0,
			"%s: can't change while a run is on; it counts from the next run on", key);
}

static void check_supervisor(
	const struct supervisor_options *a, const struct supervisor_options *b, struct problems *problems)
{
	if (is_other_text(a->info.supervisor_id, b->info.supervisor_id))
		problems_add(problems, false, "supervisor.toml", 0,
			"info.supervisor_id: \"%s\" runs, and \"%s\" is another supervisor: stop this run and start "
			"that one",
			a->info.supervisor_id, b->info.supervisor_id);
	check_key(a->ring_buffer_size_mb != b->ring_buffer_size_mb, "ring_buffer_size_mb", problems);
	check_key(a->ring_buffer_slot_size_kb != b->ring_buffer_slot_size_kb, "ring_buffer_slot_size_kb", problems);
	check_key(a->latency_target_ms < b->latency_target_ms || a->latency_target_ms > b->latency_target_ms,
		"latency_target_ms", problems);
	check_key(a->window_kb != b->window_kb, "window_kb", problems);
	check_key(is_other_text(a->log.file, b->log.file), "log.file", problems);
	check_key(
		a->log.rotate_mb < b->log.rotate_mb || a->log.rotate_mb > b->log.rotate_mb, "log.rotate_mb", problems);
	check_key(a->log.keep != b->log.keep, "log.keep", problems);
}

/* --- jobs --- */

static void compare_job(
	const struct folder *running, const struct job_config *job, struct change *change, struct problems *problems)
{
	const struct job_config *now = find(running, job->name);

	if (!now)
		add(change, job->type->store ? CHANGE_ADD_STORE : CHANGE_ADD_SOURCE, job);
	else if (now->type != job->type)
		problems_add(problems, false, job->file, 0,
			"%s is a %s while it runs, and can't become a %s: `enrgdaq job remove %s` first", job->name,
			now->type->name, job->type->name, job->name);
	else if (strcmp(now->toml_text, job->toml_text) != 0)
		add(change, CHANGE_RESTART, job);
}

int change_make(const struct folder *running, const struct folder *wanted, struct change **ret_change,
	struct problems *problems, struct enrg_error *err)
{
	struct change *change = calloc(1, sizeof(*change));

	if (change)
		change->items = calloc(running->job_count + wanted->job_count + 1, sizeof(*change->items));
	if (!change || !change->items) {
		free(change);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	check_supervisor(&running->supervisor, &wanted->supervisor, problems);
	for (size_t i = 0; i < running->job_count; i++)
		if (!find(wanted, running->jobs[i].name))
			add(change, running->jobs[i].type->store ? CHANGE_REMOVE_STORE : CHANGE_REMOVE_SOURCE,
				&running->jobs[i]);
	for (size_t i = 0; i < wanted->job_count; i++)
		compare_job(running, &wanted->jobs[i], change, problems);
	qsort(change->items, change->count, sizeof(*change->items), compare);
	*ret_change = change;
	return 0;
}

void change_destroy(struct change *change)
{
	if (!change)
		return;
	free(change->items);
	free(change);
}

void change_format_item(const struct change_item *item, char *ret_text, size_t text_bytes)
{
	static const char *const verbs[] = {"remove", "remove", "restart", "add", "add"};

	snprintf(ret_text, text_bytes, "%s %s (%s, %s)%s", verbs[item->kind], item->name, item->type, item->file,
		item->kind == CHANGE_RESTART ? ": its text has changed" : "");
}
