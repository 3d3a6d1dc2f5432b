/* run_items.c: see the header. Store process, main thread. */
#include "run_items.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rootio/streamer.h"

/* The name that the container may keep; NULL: out of memory. */
static const char *keep_name(struct run_items *items, const char *key)
{
	char **names = realloc(items->names, (items->name_count + 1) * sizeof(*names));
	char *name = NULL;

	if (!names)
		return NULL;
	items->names = names;
	int used = items->count > 1 ? asprintf(&name, "%s_%u", key, items->count) : asprintf(&name, "%s", key);
	if (used < 0)
		return NULL;
	names[items->name_count++] = name;
	return name;
}

static int put(struct container *container, const char *name, const char *text, struct place *ret_place,
	struct enrg_error *err)
{
	/* A key has no room for a long title; that of the object counts. */
	struct record record = {.class_name = "TNamed", .name = name, .title = "", .in_directory = true};
	struct bytes payload = {0};
	struct place place = {0};

	streamer_put_named(&payload, STREAMER_BITS, name, text);
	record.payload = payload.data;
	record.payload_bytes = record.object_bytes = payload.count;
	int rc = bytes_check(&payload, err);
	if (rc == 0)
		rc = container_put(container, &record, &place, err);
	bytes_fini(&payload);
	if (rc < 0)
		return rc;
	*ret_place = place;
	return container_list(container, &(struct container_key){"TNamed", name, "", place}, err);
}

static int put_all(
	struct run_items *items, struct container *container, const struct enrg_run_info *info, struct enrg_error *err)
{
	char number[24], began[24];
	const struct {
		const char *key, *text;
	} list[] = {
		{"run", info->run},
		{"run_number", number},
		{"run_uuid", info->uuid},
		{"run_type", info->type},
		{"run_description", info->description},
		{"run_began_ns", began},
		{"run_supervisor", info->supervisor},
		{"run_version", info->version},
		{"run_config_sha256", info->config_sha256},
		{"run_config", info->config},
	};
	int rc = 0;

	snprintf(number, sizeof(number), "%" PRIu64, info->number);
	snprintf(began, sizeof(began), "%" PRIu64, info->began_ns);
	for (size_t i = 0; i < sizeof(list) / sizeof(*list) && rc == 0; i++) {
		const char *name = *list[i].text ? keep_name(items, list[i].key) : "";
		if (!name)
			rc = enrg_error_set(err, -ENOMEM, "out of memory");
		else if (*name)
			rc = put(container, name, list[i].text, &(struct place){0}, err);
	}
	return rc;
}

static bool has_run(const struct run_items *items, const char *run)
{
	size_t length = strlen(run);

	for (const char *at = items->runs; at && *at; at += strcspn(at, " "), at += *at == ' ')
		if (strcspn(at, " ") == length && !memcmp(at, run, length))
			return true;
	return false;
}

int run_items_note(struct run_items *items, struct enrg_store *store, struct container *container, const char *run,
	struct enrg_error *err)
{
	char *runs = NULL;

	if (!strcmp(items->run, run))
		return 0;
	snprintf(items->run, sizeof(items->run), "%s", run);
	const struct enrg_run_info *info = enrg_store_find_run(store, run);
	if (!info || has_run(items, run))
		return 0;
	if (asprintf(&runs, "%s%s%s", items->runs ? items->runs : "", items->runs ? " " : "", run) < 0)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	free(items->runs);
	items->runs = runs;
	items->count++;
	int rc = put_all(items, container, info, err);
	struct place before = items->runs_place;
	if (rc == 0)
		rc = put(container, "runs", items->runs, &items->runs_place, err);
	return rc < 0 ? rc : container_drop(container, &before, err);
}

void run_items_fini(struct run_items *items)
{
	for (uint32_t i = 0; i < items->name_count; i++)
		free(items->names[i]);
	free(items->names);
	free(items->runs);
	*items = (struct run_items){0};
}
