/* table.c: see the header. Runs in the store's job process, on its main thread. */
#include "table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "notice.h"

int sql_table_init(struct sql_table *target, struct enrg_store *store, const struct enrg_target *what, const char *name,
	struct enrg_error *err)
{
	target->store = store;
	target->section = what->section;
	target->source = strdup(what->source);
	target->run = strdup(what->label ? what->label : what->run);
	target->tag = strdup(what->tag);
	target->name = strdup(name);
	sql_fingerprint_columns(what->schema, target->columns);
	if (!target->source || !target->run || !target->tag || !target->name)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	return 0;
}

void sql_table_fini(struct sql_table *target)
{
	free(target->source);
	free(target->run);
	free(target->tag);
	free(target->name);
	*target = (struct sql_table){0};
}

struct sql_key sql_table_key(const struct sql_table *target)
{
	return (struct sql_key){{enrg_store_name(target->store), target->source, target->run, target->tag, target->name,
		target->columns}};
}

static bool has_same_mark(const struct sql_table *a, const struct sql_table *b)
{
	return a->place == b->place && strcmp(a->source, b->source) == 0 && strcmp(a->run, b->run) == 0 &&
	       strcmp(a->tag, b->tag) == 0 && strcmp(a->name, b->name) == 0 && strcmp(a->columns, b->columns) == 0;
}

/* Tags that differ in what the database does not allow lead to one name. */
static void tell_shared(const struct sql_table *a, const struct sql_table *b)
{
	int (*compare)(const char *, const char *) = a->ignores_case ? strcasecmp : strcmp;
	int order = strcmp(a->tag, b->tag);

	if (a->place == b->place && order != 0 && compare(a->name, b->name) == 0)
		sql_notice(a->store,
			"the tags \"%.255s\" and \"%.255s\" share %.200s: their rows are mixed there; to keep them "
			"apart, "
			"rename one of them",
			order < 0 ? a->tag : b->tag, order < 0 ? b->tag : a->tag, order < 0 ? a->name : b->name);
}

int sql_tables_add(struct sql_table **list, struct sql_table *target, const char *wanted, struct enrg_error *err)
{
	for (const struct sql_table *other = *list; other; other = other->next)
		if (other->section != target->section && has_same_mark(other, target))
			return enrg_error_set(err, -EINVAL,
				"two store groups of \"%.100s\" write to %.200s with the same tag and columns: give "
				"one %s",
				target->source, target->name, wanted);
	for (const struct sql_table *other = *list; other; other = other->next)
		tell_shared(other, target);
	target->next = *list;
	*list = target;
	return 0;
}

void sql_tables_remove(struct sql_table **list, const struct sql_table *target)
{
	while (*list && *list != target)
		list = &(*list)->next;
	if (*list)
		*list = target->next;
}

bool sql_table_wants(struct sql_table *target, const struct enrg_batch *batch, const char *where, const char *remedy)
{
	if (!target->is_checked && batch->sequence > target->done + 1)
		sql_notice(target->store,
			"%.300s: in %.200s batches %" PRIu64 " to %" PRIu64
			" of \"%.100s\" are missing: they were lost there "
			"after they had been confirmed (%s), or they went elsewhere",
			where, target->name, target->done + 1, batch->sequence - 1, target->source, remedy);
	target->is_checked = true;
	return batch->sequence > target->done;
}

void sql_table_took(struct sql_table *target, const struct enrg_batch *batch)
{
	target->done = batch->sequence;
	target->is_dirty = true;
}
