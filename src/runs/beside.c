/* beside.c: see the header. One thread. */
#include "runs/beside.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"

#define FILES_A_TRANSACTION 200
#define KEEP_LOOKS          50 /* files, the largest numbers first, that are looked through for a run */

static json_t *load(const char *path, struct enrg_error *err)
{
	json_error_t where;
	size_t bytes;
	char *text;

	if (path_read_file(path, BESIDE_BYTES_MAX, &text, &bytes, err))
		return NULL;
	json_t *json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &where);
	free(text);
	if (!json)
		enrg_error_set(err, ENRG_E_PROTOCOL, "%s: it is not JSON: %s (line %d)", path, where.text, where.line);
	return json;
}

static bool is_of(const char *path, const char *uuid)
{
	json_t *json = load(path, NULL);
	const char *other = json_string_value(json_object_get(json, "uuid"));
	bool is_same = other && !strcmp(other, uuid);

	json_decref(json);
	return is_same;
}

void beside_format_path(
	const char *folder, uint64_t number, const char *run, const char *uuid, char ret_path[BESIDE_PATH_BYTES])
{
	char safe[180];

	snprintf(ret_path, BESIDE_PATH_BYTES, "%.900s/run_%06" PRIu64 ".json", folder, number);
	if (access(ret_path, F_OK) || is_of(ret_path, uuid))
		return;
	path_safe_name(run, safe, sizeof(safe));
	snprintf(ret_path, BESIDE_PATH_BYTES, "%.900s/run_%06" PRIu64 "_%s.json", folder, number, safe);
	if (access(ret_path, F_OK) || is_of(ret_path, uuid))
		return;
	snprintf(ret_path, BESIDE_PATH_BYTES, "%.900s/run_%06" PRIu64 "_%s.json", folder, number, uuid);
}

/* --- into the database --- */

static int enter_one(const struct enter_context *context, const json_t *item, const char *kind, const char *uuid,
	struct enrg_error *err)
{
	json_t *json = json_pack("{s:i, s:s, s:s, s:O*, s:O*, s:O*, s:O*}", "v", ENTRY_VERSION, "kind", kind, "uuid",
		uuid, "id", json_object_get(item, "id"), "wall_ns", json_object_get(item, "wall_ns"), "who",
		json_object_get(item, "who"), "body", json_object_get(item, "body"));
	struct entry entry;
	int rc = entry_parse_json(json, &entry, err);

	json_decref(json);
	if (rc)
		return rc;
	rc = enter_entry(context, &entry, err);
	entry_fini(&entry);
	return rc;
}

/* Begins first: what lists show of a run comes from there. */
static int enter_kinds(const struct enter_context *context, const json_t *json, const char *path, unsigned *ret_count,
	struct enrg_error *err)
{
	const char *uuid = json_string_value(json_object_get(json, "uuid"));
	const json_t *kinds = json_object_get(json, "entries");
	int rc = 0;

	*ret_count = 0;
	if (!uuid || !json_is_object(kinds))
		return enrg_error_set(err, ENRG_E_PROTOCOL, "%s is not the record of a run", path);
	for (unsigned kind = 0; kind < ENTRY_KIND_COUNT; kind++) {
		const char *name = entry_kind_name((enum entry_kind)kind);
		const json_t *list = json_object_get(kinds, name);
		for (size_t i = 0; rc >= 0 && i < json_array_size(list); i++) {
			rc = enter_one(context, json_array_get(list, i), name, uuid, err);
			*ret_count += rc == 0;
		}
	}
	return rc < 0 ? enrg_error_add(err, rc, "%s", path) : 0;
}

int beside_enter(const struct enter_context *context, const char *path, unsigned *ret_count, struct enrg_error *err)
{
	json_t *json = load(path, err);
	int rc = json ? enter_kinds(context, json, path, ret_count, err) : ENRG_E_PROTOCOL;

	json_decref(json);
	return rc;
}

static int is_record(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 9 && !strncmp(entry->d_name, "run_", 4) && entry->d_name[4] >= '0' && entry->d_name[4] <= '9' &&
	       !strcmp(entry->d_name + length - 5, ".json");
}

static int enter_some(const struct enter_context *context, struct dirent **names, int count, const char *folder,
	void (*complain)(void *context, const char *text), void *complain_context, unsigned *runs,
	struct enrg_error *err)
{
	char path[BESIDE_PATH_BYTES];
	unsigned entries;
	int rc = database_begin(context->database, err);

	for (int i = 0; !rc && i < count; i++) {
		struct enrg_error problem = {0};
		snprintf(path, sizeof(path), "%.900s/%.255s", folder, names[i]->d_name);
		rc = beside_enter(context, path, &entries, &problem);
		*runs += !rc;
		if (rc == ENRG_E_PROTOCOL) { /* the account of a supervisor without a book, or somebody else's */
			complain(complain_context, problem.text);
			rc = 0;
		} else if (rc) {
			*err = problem;
		}
	}
	if (!rc)
		return database_commit(context->database, err);
	database_abort(context->database);
	return rc;
}

int beside_enter_all(const struct enter_context *context, const char *folder,
	void (*complain)(void *context, const char *text), void *complain_context, unsigned *ret_runs,
	struct enrg_error *err)
{
	struct dirent **names = NULL;
	int count = scandir(folder, &names, is_record, alphasort), rc = 0;

	*ret_runs = 0;
	if (count < 0) {
		rc = -errno;
		return enrg_error_set(err, rc, "%s: %s", folder, strerror(-rc));
	}
	for (int i = 0; !rc && i < count; i += FILES_A_TRANSACTION)
		rc = enter_some(context, names + i, count - i < FILES_A_TRANSACTION ? count - i : FILES_A_TRANSACTION,
			folder, complain, complain_context, ret_runs, err);
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return rc;
}

/* --- without a database --- */

static bool find_by_uuid(const char *folder, const char *uuid, char ret_path[BESIDE_PATH_BYTES])
{
	struct dirent **names = NULL;
	int count = scandir(folder, &names, is_record, alphasort);
	bool is_found = false;

	for (int i = count - 1; i >= 0; i--) {
		if (!is_found && count - i <= KEEP_LOOKS) {
			snprintf(ret_path, BESIDE_PATH_BYTES, "%.900s/%.255s", folder, names[i]->d_name);
			is_found = is_of(ret_path, uuid);
		}
		free(names[i]);
	}
	free(names);
	return is_found;
}

static json_t *make_record(const struct entry *entry)
{
	const json_t *body = entry->body;
	json_t *json = json_pack("{s:i, s:s, s:{}}", "v", 1, "uuid", entry->uuid, "entries");
	static const char *const keys[] = {"number", "run", "supervisor", "type", "description"};

	for (size_t i = 0; json && entry->kind == ENTRY_BEGIN && i < sizeof(keys) / sizeof(keys[0]); i++)
		if (json_object_get(body, keys[i]))
			json_object_set(json, keys[i], json_object_get(body, keys[i]));
	return json;
}

static void add_entry(json_t *json, const struct entry *entry)
{
	json_t *kinds = json_object_get(json, "entries"), *list = json_object_get(kinds, entry_kind_name(entry->kind));

	if (!list) {
		list = json_array();
		json_object_set_new(kinds, entry_kind_name(entry->kind), list);
	}
	if (entry->kind == ENTRY_PROGRESS)
		json_array_clear(list);
	json_array_append_new(list, json_pack("{s:s, s:I, s:s, s:O}", "id", entry->id, "wall_ns",
					    (json_int_t)entry->wall_ns, "who", entry->who, "body", entry->body));
}

/* Of a run that nobody has begun here the name has its key. */
static void format_new_path(const char *folder, const struct entry *entry, char ret_path[BESIDE_PATH_BYTES])
{
	json_int_t number = json_integer_value(json_object_get(entry->body, "number"));
	const char *run = json_string_value(json_object_get(entry->body, "run"));

	if (entry->kind == ENTRY_BEGIN && number > 0)
		beside_format_path(folder, (uint64_t)number, run ? run : "", entry->uuid, ret_path);
	else
		snprintf(ret_path, BESIDE_PATH_BYTES, "%.900s/run_000000_%s.json", folder, entry->uuid);
}

int beside_keep(const char *folder, const struct entry *entry, char ret_path[BESIDE_PATH_BYTES], struct enrg_error *err)
{
	json_t *json = find_by_uuid(folder, entry->uuid, ret_path) ? load(ret_path, NULL) : NULL;

	if (!json) { /* where its name has its key it lies before those that are looked through */
		format_new_path(folder, entry, ret_path);
		json = is_of(ret_path, entry->uuid) ? load(ret_path, NULL) : make_record(entry);
	}
	if (!json_is_object(json_object_get(json, "entries")))
		json_object_set_new(json, "entries", json_object());
	if (json)
		add_entry(json, entry);
	char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
	int rc = text ? path_write_file(ret_path, text, strlen(text), 1, err)
		      : enrg_error_set(err, -ENOMEM, "out of memory");
	free(text);
	json_decref(json);
	return rc;
}
