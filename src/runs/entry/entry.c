/* entry.c: entries as text and as files. Any process and thread. */
#include "runs/entry/entry.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/sha256.h"
#include "base/text.h"

#define ENTRY_KIND_NAME(name, text) text,
static const char *const kind_names[ENTRY_KIND_COUNT] = {ENTRY_KINDS(ENTRY_KIND_NAME)};

const char *entry_kind_name(enum entry_kind kind)
{
	return kind_names[kind];
}

static bool find_kind(const char *name, enum entry_kind *ret_kind)
{
	for (unsigned i = 0; name && i < ENTRY_KIND_COUNT; i++)
		if (!strcmp(name, kind_names[i])) {
			*ret_kind = (enum entry_kind)i;
			return true;
		}
	return false;
}

/* --- writing --- */

static void make_id(char ret_id[ENTRY_ID_BYTES])
{
	static _Atomic uint64_t counter;
	uint64_t words[2];

	if (getrandom(words, sizeof(words), 0) != (ssize_t)sizeof(words)) {
		words[0] = clock_wall_ns();
		words[1] = (uint64_t)getpid() << 32 | atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed);
	}
	text_format_hex(words, sizeof(words), ret_id);
}

json_t *entry_make(const char *kind, const char *uuid, const char *who, json_t *body)
{
	char id[ENTRY_ID_BYTES];

	make_id(id);
	return json_pack("{s:i, s:s, s:s, s:s, s:I, s:s, s:o}", "v", ENTRY_VERSION, "id", id, "kind", kind, "uuid",
		uuid, "wall_ns", (json_int_t)clock_wall_ns(), "who", who, "body", body);
}

static void format_path(const char *runtime_folder, const char *kind, const char *uuid, uint64_t wall_ns,
	char *ret_path, size_t path_bytes)
{
	static _Atomic unsigned counter;

	if (!strcmp(kind, kind_names[ENTRY_PROGRESS]))
		snprintf(ret_path, path_bytes, "%s/" ENTRY_FOLDER "/progress-%s.json", runtime_folder, uuid);
	else
		snprintf(ret_path, path_bytes, "%s/" ENTRY_FOLDER "/%020llu-%07d-%06u.json", runtime_folder,
			(unsigned long long)wall_ns, (int)getpid(),
			atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed) % 1000000u);
}

static int write_text(const char *path, const char *text, struct enrg_error *err)
{
	char folder[600];
	int rc = path_write_private_file(path, text, strlen(text), NULL);

	if (rc != -ENOENT)
		return rc ? path_write_private_file(path, text, strlen(text), err) : 0;
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	rc = path_make_private_folder(folder, err);
	return rc ? rc : path_write_private_file(path, text, strlen(text), err);
}

bool entry_has_book(const char *runtime_folder)
{
	char inbox[PATH_MAX];

	snprintf(inbox, sizeof(inbox), "%.4000s/" ENTRY_FOLDER, runtime_folder);
	return access(inbox, F_OK) == 0;
}

int entry_write(const char *runtime_folder, const char *kind, const char *uuid, const char *who, json_t *body,
	struct enrg_error *err)
{
	json_t *json = entry_make(kind, uuid, who, body);
	struct entry checked;
	char path[700];
	int rc;

	if (!json)
		return enrg_error_set(
			err, -ENOMEM, "an entry \"%s\" of the run book: out of memory, or no UTF-8 text", kind);
	rc = entry_parse_json(json, &checked, err);
	char *text = rc ? NULL : json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (rc)
		return rc;
	format_path(runtime_folder, kind, uuid, checked.wall_ns, path, sizeof(path));
	entry_fini(&checked);
	if (!text)
		return enrg_error_set(err, -ENOMEM, "an entry \"%s\" of the run book: out of memory", kind);
	rc = strlen(text) > ENTRY_BYTES_MAX
		     ? enrg_error_set(err, -EFBIG, "an entry \"%s\" of the run book is longer than %u bytes", kind,
			       ENTRY_BYTES_MAX)
		     : write_text(path, text, err);
	free(text);
	return rc;
}

/* --- reading --- */

static bool is_digits(const char *text, size_t count)
{
	return strlen(text) == count && strspn(text, "0123456789abcdef") == count;
}

static bool is_uuid(const char *text)
{
	char digits[ENTRY_UUID_BYTES];
	size_t used = 0;

	if (strlen(text) != ENTRY_UUID_BYTES - 1)
		return false;
	for (size_t i = 0; text[i]; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (is_dash != (text[i] == '-'))
			return false;
		if (!is_dash)
			digits[used++] = text[i];
	}
	digits[used] = '\0';
	return is_digits(digits, 32);
}

static int refuse(struct enrg_error *err, const char *what)
{
	return enrg_error_set(err, ENRG_E_PROTOCOL, "no entry of the run book: %s", what);
}

int entry_parse_json(const json_t *json, struct entry *ret_entry, struct enrg_error *err)
{
	const char *id = json_string_value(json_object_get(json, "id"));
	const char *kind = json_string_value(json_object_get(json, "kind"));
	const char *uuid = json_string_value(json_object_get(json, "uuid"));
	const char *who = json_string_value(json_object_get(json, "who"));
	json_t *wall_ns = json_object_get(json, "wall_ns"), *body = json_object_get(json, "body");
	struct entry entry = {0};

	if (!json_is_object(json))
		return refuse(err, "it is not a JSON object");
	if (json_integer_value(json_object_get(json, "v")) != ENTRY_VERSION)
		return refuse(err, "\"v\" is not 1: another version of this program may have written it");
	if (!id || !is_digits(id, ENTRY_ID_BYTES - 1))
		return refuse(err, "\"id\" is not 32 hexadecimal digits");
	if (!find_kind(kind, &entry.kind))
		return refuse(err, "\"kind\" is none that there is");
	if (!uuid || (*uuid ? !is_uuid(uuid) : entry.kind != ENTRY_SEQUENCE && entry.kind != ENTRY_FILE))
		return refuse(err, "\"uuid\" is not that of a run");
	if (!json_is_integer(wall_ns) || json_integer_value(wall_ns) < 0)
		return refuse(err, "\"wall_ns\" is not a time in nanoseconds");
	if (!json_is_object(body))
		return refuse(err, "\"body\" is not an object");
	snprintf(entry.id, sizeof(entry.id), "%s", id);
	snprintf(entry.uuid, sizeof(entry.uuid), "%s", uuid);
	text_copy(entry.who, sizeof(entry.who), who ? who : "");
	entry.wall_ns = (uint64_t)json_integer_value(wall_ns);
	entry.body = json_incref(body);
	*ret_entry = entry;
	return 0;
}

int entry_parse(const char *text, size_t byte_count, struct entry *ret_entry, struct enrg_error *err)
{
	json_error_t where;
	json_t *json;

	if (byte_count > ENTRY_BYTES_MAX)
		return refuse(err, "it is too long");
	json = json_loadb(text, byte_count, JSON_REJECT_DUPLICATES, &where);
	if (!json)
		return refuse(err, where.text);
	int rc = entry_parse_json(json, ret_entry, err);
	json_decref(json);
	return rc;
}

void entry_fini(struct entry *entry)
{
	json_decref(entry->body);
	*entry = (struct entry){0};
}

/* --- the key of a run --- */

void entry_make_uuid(const char *supervisor, const char *run, uint64_t began_wall_ns, char ret_uuid[ENTRY_UUID_BYTES])
{
	uint8_t digest[SHA256_BYTES];
	char began[32];
	struct sha256 sha;

	snprintf(began, sizeof(began), "%llu", (unsigned long long)began_wall_ns);
	sha256_init(&sha);
	sha256_add(&sha, supervisor, strlen(supervisor) + 1); /* with its NUL: "a", "bc" is not "ab", "c" */
	sha256_add(&sha, run, strlen(run) + 1);
	sha256_add(&sha, began, strlen(began));
	sha256_finish(&sha, digest);
	text_format_uuid(digest, 8, ret_uuid);
}
