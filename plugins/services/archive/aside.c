/* aside.c: see the header. In the process of DAQJobArchive, on its main thread. */
#include "aside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

#define DELAY_MAX_NS 86400000000000u

static size_t place_of(const struct aside *aside, const char *name, bool *ret_is_there)
{
	return names_find(aside->files, aside->count, sizeof(*aside->files), name, ret_is_there);
}

static bool is_same(const struct aside_file *entry, const struct inventory_file *file)
{
	return entry->bytes == (uint64_t)file->status.st_size &&
	       entry->changed_ns == inventory_changed_ns(&file->status);
}

static struct aside_file *find(const struct aside *aside, const struct inventory_file *file)
{
	bool is_there;
	size_t place = place_of(aside, file->name, &is_there);

	return is_there && is_same(&aside->files[place], file) ? &aside->files[place] : NULL;
}

static void drop(struct aside *aside, size_t place)
{
	struct aside_file *entry = &aside->files[place];

	aside->set_aside -= entry->is_set_aside;
	free(entry->name);
	aside->count--;
	memmove(entry, entry + 1, (aside->count - place) * sizeof(*entry));
}

/* NULL: there is no memory, or too many have failed to remember each. */
static struct aside_file *add(struct aside *aside, const struct inventory_file *file)
{
	bool is_there;
	size_t place = place_of(aside, file->name, &is_there);

	if (is_there)
		drop(aside, place);
	if (aside->count == ASIDE_MAX)
		return NULL;
	if (aside->count == aside->capacity) {
		size_t capacity = aside->capacity ? 2 * aside->capacity : 16;
		struct aside_file *grown = realloc(aside->files, capacity * sizeof(*grown));
		if (!grown)
			return NULL;
		aside->files = grown;
		aside->capacity = capacity;
	}
	char *name = strdup(file->name);
	if (!name)
		return NULL;
	struct aside_file *entry = &aside->files[place];
	memmove(entry + 1, entry, (aside->count - place) * sizeof(*entry));
	aside->count++;
	*entry = (struct aside_file){.name = name,
		.changed_ns = inventory_changed_ns(&file->status),
		.bytes = (uint64_t)file->status.st_size};
	return entry;
}

void aside_fini(struct aside *aside)
{
	for (size_t i = 0; i < aside->count; i++)
		free(aside->files[i].name);
	free(aside->files);
	*aside = (struct aside){0};
}

const struct aside_file *aside_find(const struct aside *aside, const struct inventory_file *file)
{
	return find(aside, file);
}

bool aside_is_due(const struct aside *aside, const struct inventory_file *file, bool is_behind, uint64_t now_ns)
{
	const struct aside_file *entry = find(aside, file);

	if (!entry)
		return !is_behind;
	if (entry->is_set_aside)
		return is_behind && now_ns >= entry->next_ns;
	return (entry->failures >= ASIDE_TRIES) == is_behind;
}

/* Others are set aside for that very reason, and the target took something since: it is no news of the target. */
static bool is_known_reason(const struct aside *aside, const char *reason)
{
	uint64_t last_ns = 0;

	for (size_t i = 0; i < aside->count; i++) {
		const struct aside_file *entry = &aside->files[i];
		if (entry->is_set_aside && entry->failed_ns > last_ns && strcmp(entry->reason, reason) == 0)
			last_ns = entry->failed_ns;
	}
	return last_ns && aside->worked_ns > last_ns;
}

static void set_aside(
	struct aside *aside, struct aside_file *entry, const struct aside_failure *failure, unsigned times_before)
{
	uint64_t delay_ns = failure->delay_ns;

	for (unsigned i = 0; i < times_before && delay_ns < DELAY_MAX_NS; i++)
		delay_ns *= 2;
	aside->set_aside += !entry->is_set_aside;
	entry->is_set_aside = true;
	entry->next_ns = failure->now_ns + (delay_ns < DELAY_MAX_NS ? delay_ns : DELAY_MAX_NS);
}

bool aside_fail(struct aside *aside, const struct inventory_file *file, const struct aside_failure *failure)
{
	struct aside_file *entry = find(aside, file);
	bool is_known = is_known_reason(aside, failure->reason);

	if (!entry)
		entry = add(aside, file);
	if (!entry)
		return false;
	bool is_alone = entry->failures && aside->worked_ns > entry->failed_ns;
	entry->failures++;
	entry->failed_ns = failure->now_ns;
	snprintf(entry->reason, sizeof(entry->reason), "%s", failure->reason);
	if (!entry->is_set_aside && (failure->is_own || is_known || (is_alone && entry->failures > ASIDE_TRIES))) {
		entry->failures = 0;
		set_aside(aside, entry, failure, 0);
	} else if (entry->is_set_aside) {
		set_aside(aside, entry, failure, entry->failures);
	}
	return entry->is_set_aside;
}

void aside_succeed(struct aside *aside, const struct inventory_file *file, uint64_t now_ns)
{
	bool is_there;
	size_t place = place_of(aside, file->name, &is_there);

	if (is_there)
		drop(aside, place);
	aside->worked_ns = now_ns;
}

void aside_forget_gone(struct aside *aside, const struct inventory *inventory)
{
	size_t kept = 0;

	for (size_t i = 0; aside->count && i < inventory->count; i++) {
		struct aside_file *entry = find(aside, &inventory->files[i]);
		if (entry)
			entry->is_there = true;
	}
	for (size_t i = 0; i < aside->count; i++) {
		struct aside_file *entry = &aside->files[i];
		if (!entry->is_there) {
			aside->set_aside -= entry->is_set_aside;
			free(entry->name);
			continue;
		}
		entry->is_there = false;
		aside->files[kept++] = *entry;
	}
	aside->count = kept;
}

const struct aside_file *aside_first(const struct aside *aside)
{
	for (size_t i = 0; aside->set_aside && i < aside->count; i++)
		if (aside->files[i].is_set_aside)
			return &aside->files[i];
	return NULL;
}
