/* command.c: commands and answers to and from JSON objects and bytes. */
#include "handover/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "wire/wire.h"

#define COMMAND_VERSION 1

static const char *const code_names[] = {
	[COMMAND_OK] = "ok",
	[COMMAND_REFUSED] = "refused",
	[COMMAND_WRONG_FIELDS] = "wrong_fields",
	[COMMAND_NO_KIND] = "no_kind",
	[COMMAND_NOBODY] = "nobody",
	[COMMAND_EXPIRED] = "expired",
	[COMMAND_FAILED] = "failed",
	[COMMAND_UNKNOWN] = "unknown",
};

#define CODE_COUNT (sizeof(code_names) / sizeof(code_names[0]))

const char *command_code_name(enum command_code code)
{
	return (unsigned)code < CODE_COUNT ? code_names[code] : code_names[COMMAND_UNKNOWN];
}

enum command_code command_code_parse(const char *name)
{
	for (unsigned code = 0; code < CODE_COUNT; code++)
		if (!strcmp(code_names[code], name))
			return (enum command_code)code;
	return COMMAND_UNKNOWN;
}

static const char *const role_names[] = {
	[COMMAND_NOBODY_AT_ALL] = "nobody",
	[COMMAND_VISITOR] = "visitor",
	[COMMAND_USER] = "user",
	[COMMAND_ADMIN] = "admin",
};

const char *command_role_name(enum command_role role)
{
	return (unsigned)role < COMMAND_ROLES ? role_names[role] : role_names[COMMAND_NOBODY_AT_ALL];
}

enum command_role command_role_parse(const char *name)
{
	for (unsigned role = 0; role < COMMAND_ROLES; role++)
		if (!strcmp(role_names[role], name))
			return (enum command_role)role;
	return COMMAND_NOBODY_AT_ALL;
}

void command_format_id(const uint8_t id[COMMAND_ID_BYTES], char ret_hex[COMMAND_HEX_BYTES])
{
	text_format_hex(id, COMMAND_ID_BYTES, ret_hex);
}

/* --- life --- */

int command_init(struct command *command, const char *to, const char *kind, json_t *body, uint64_t patience_ns)
{
	*command = (struct command){.body = body ? body : json_object()};
	if (strlen(to) >= sizeof(command->to) || strlen(kind) >= sizeof(command->kind))
		return -EINVAL;
	strcpy(command->to, to);
	strcpy(command->kind, kind);
	command->sender.user = geteuid();
	command->sender.pid = getpid();
	command->expires_ns = clock_wall_ns() + patience_ns;
	if (getrandom(command->id, sizeof(command->id), 0) != (ssize_t)sizeof(command->id))
		return -errno;
	return command->body ? 0 : -ENOMEM;
}

void command_fini(struct command *command)
{
	json_decref(command->body);
	command->body = NULL;
}

void command_answer_fini(struct command_answer *answer)
{
	json_decref(answer->fields);
	answer->fields = NULL;
}

int command_answer_set(struct command_answer *answer, enum command_code code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(answer->text, sizeof(answer->text), format, arguments);
	va_end(arguments);
	text_make_safe(answer->text, strlen(answer->text)); /* what was cut may end inside of a character */
	answer->code = code;
	return (int)code;
}

void command_answer_copy(const struct command_answer *answer, struct command_answer *ret_copy)
{
	*ret_copy = *answer;
	json_incref(ret_copy->fields);
}

/* --- to objects --- */

static json_t *person_to_json(const struct command_person *person)
{
	if (!person->is_there)
		return NULL;
	return json_pack("{s:s, s:s, s:s}", "who", person->who, "role", command_role_name(person->role), "address",
		person->address);
}

json_t *command_to_json(const struct command *command)
{
	char id[COMMAND_HEX_BYTES];

	command_format_id(command->id, id);
	return json_pack("{s:i, s:s, s:s, s:I, s:s, s:I, s:I, s:s, s:O*, s:o*}", "v", COMMAND_VERSION, "command",
		command->kind, "id", id, "expires_ns", (json_int_t)command->expires_ns, "to", command->to, "user",
		(json_int_t)command->sender.user, "pid", (json_int_t)command->sender.pid, "from", command->sender.name,
		"body", command->body, "for", person_to_json(&command->person));
}

json_t *command_answer_to_json(const struct command_answer *answer)
{
	char id[COMMAND_HEX_BYTES];

	command_format_id(answer->id, id);
	return json_pack("{s:i, s:s, s:s, s:s, s:O*}", "v", COMMAND_VERSION, "answer", command_code_name(answer->code),
		"id", id, "text", answer->text, "fields", answer->fields);
}

/* --- from objects --- */

static int fail(struct enrg_error *err, const char *key, const char *wanted)
{
	return enrg_error_set(err, ENRG_E_PROTOCOL, "malformed command or answer: %s: %s is wanted", key, wanted);
}

static int read_text(const json_t *json, const char *key, bool is_required, char *ret_text, size_t text_bytes,
	struct enrg_error *err)
{
	const json_t *value = json_object_get(json, key);

	if (!value && !is_required)
		return 0;
	if (!json_is_string(value) || json_string_length(value) >= text_bytes ||
		strlen(json_string_value(value)) != json_string_length(value) ||
		(is_required && !json_string_length(value)))
		return fail(err, key, "a text that is not too long");
	memcpy(ret_text, json_string_value(value), json_string_length(value) + 1);
	return 0;
}

static int read_number(const json_t *json, const char *key, int64_t max, int64_t *ret_number, struct enrg_error *err)
{
	const json_t *value = json_object_get(json, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > max)
		return fail(err, key, "a number that is not negative");
	*ret_number = json_integer_value(value);
	return 0;
}

static int read_id(const json_t *json, uint8_t ret_id[COMMAND_ID_BYTES], struct enrg_error *err)
{
	char hex[COMMAND_HEX_BYTES] = "";
	int rc = read_text(json, "id", true, hex, sizeof(hex), err);

	if (rc)
		return rc;
	return text_parse_hex(hex, COMMAND_ID_BYTES, ret_id) < 0 ? fail(err, "id", "32 hexadecimal digits") : 0;
}

/* Fields or a body: absent is empty. */
static int read_object(const json_t *json, const char *key, json_t **ret_object, struct enrg_error *err)
{
	json_t *value = json_object_get(json, key);

	if (value && !json_is_object(value))
		return fail(err, key, "a map");
	*ret_object = value ? json_incref(value) : json_object();
	return *ret_object ? 0 : enrg_error_set(err, -ENOMEM, "no memory for a command");
}

static int read_version(const json_t *json, struct enrg_error *err)
{
	const json_t *version = json_object_get(json, "v");

	if (!json_is_object(json))
		return enrg_error_set(err, ENRG_E_PROTOCOL, "malformed command or answer: a map is wanted");
	if (!json_is_integer(version) || json_integer_value(version) != COMMAND_VERSION)
		return enrg_error_set(err, ENRG_E_PROTOCOL,
			"malformed command or answer: v: another version than %d, which this program speaks",
			COMMAND_VERSION);
	return 0;
}

/* Absent: the process asks for itself. What can't be read must not count as that. */
static int read_person(const json_t *json, struct command_person *ret_person, struct enrg_error *err)
{
	const json_t *value = json_object_get(json, "for");
	char role[16] = "";

	if (!value)
		return 0;
	if (!json_is_object(value))
		return fail(err, "for", "a map");
	int rc = read_text(value, "who", false, ret_person->who, sizeof(ret_person->who), err);
	if (!rc)
		rc = read_text(value, "role", true, role, sizeof(role), err);
	if (!rc)
		rc = read_text(value, "address", false, ret_person->address, sizeof(ret_person->address), err);
	ret_person->role = command_role_parse(role);
	ret_person->is_there = true;
	return rc;
}

static bool is_kind(const char *kind)
{
	return strspn(kind, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == strlen(kind);
}

int command_from_json(const json_t *json, struct command *ret_command, struct enrg_error *err)
{
	struct command command = {0};
	int64_t expires = 0, user = 0;
	int rc = read_version(json, err);

	if (!rc)
		rc = read_text(json, "command", true, command.kind, sizeof(command.kind), err);
	if (!rc && !is_kind(command.kind))
		rc = fail(err, "command", "a word of letters, digits, '_', '-' and '.'");
	if (!rc)
		rc = read_id(json, command.id, err);
	if (!rc)
		rc = read_number(json, "expires_ns", INT64_MAX, &expires, err);
	if (!rc)
		rc = read_text(json, "to", true, command.to, sizeof(command.to), err);
	if (!rc)
		rc = read_number(json, "user", UINT32_MAX, &user, err);
	if (!rc)
		rc = read_number(json, "pid", INT64_MAX, &command.sender.pid, err);
	if (!rc)
		rc = read_text(json, "from", false, command.sender.name, sizeof(command.sender.name), err);
	if (!rc)
		rc = read_person(json, &command.person, err);
	if (!rc)
		rc = read_object(json, "body", &command.body, err);
	if (rc)
		return rc;
	command.expires_ns = (uint64_t)expires;
	command.sender.user = (uint32_t)user;
	*ret_command = command;
	return 0;
}

int command_answer_from_json(const json_t *json, struct command_answer *ret_answer, struct enrg_error *err)
{
	struct command_answer answer = {0};
	char code[64] = "";
	int rc = read_version(json, err);

	if (!rc)
		rc = read_text(json, "answer", true, code, sizeof(code), err);
	if (!rc)
		rc = read_id(json, answer.id, err);
	if (!rc)
		rc = read_text(json, "text", false, answer.text, sizeof(answer.text), err);
	if (!rc)
		rc = read_object(json, "fields", &answer.fields, err);
	if (rc)
		return rc;
	answer.code = command_code_parse(code);
	*ret_answer = answer;
	return 0;
}

/* --- bytes --- */

/* Takes the object. */
static int format_bytes(json_t *json, void **ret_bytes, size_t *ret_count, struct enrg_error *err)
{
	struct wire_writer writer;
	int rc;

	if (!json)
		return enrg_error_set(err, ENRG_E_PROTOCOL, "a command that is not UTF-8 text, or no memory");
	wire_writer_init(&writer, COMMAND_BYTES_MAX, COMMAND_ITEMS_MAX);
	rc = wire_write_json(&writer, json, COMMAND_DEPTH_MAX, err);
	json_decref(json);
	if (rc) {
		wire_writer_fini(&writer);
		return rc;
	}
	*ret_bytes = writer.bytes;
	*ret_count = writer.count;
	return 0;
}

static int parse_bytes(const void *bytes, size_t count, json_t **ret_json, struct enrg_error *err)
{
	struct wire_reader reader;
	int rc;

	if (count > COMMAND_BYTES_MAX)
		return enrg_error_set(
			err, ENRG_E_PROTOCOL, "a command of %zu bytes (at most %u)", count, COMMAND_BYTES_MAX);
	wire_reader_init(&reader, bytes, count, COMMAND_ITEMS_MAX, err);
	rc = wire_read_json(&reader, COMMAND_DEPTH_MAX, ret_json);
	if (!rc && reader.at != reader.end) {
		json_decref(*ret_json);
		*ret_json = NULL;
		rc = wire_fail(&reader, "bytes behind the command");
	}
	return rc ? enrg_error_add(err, rc, "malformed command or answer") : 0;
}

int command_format(const struct command *command, void **ret_bytes, size_t *ret_count, struct enrg_error *err)
{
	return format_bytes(command_to_json(command), ret_bytes, ret_count, err);
}

int command_answer_format(
	const struct command_answer *answer, void **ret_bytes, size_t *ret_count, struct enrg_error *err)
{
	return format_bytes(command_answer_to_json(answer), ret_bytes, ret_count, err);
}

int command_parse(const void *bytes, size_t count, struct command *ret_command, struct enrg_error *err)
{
	json_t *json = NULL;
	int rc = parse_bytes(bytes, count, &json, err);

	if (!rc)
		rc = command_from_json(json, ret_command, err);
	json_decref(json);
	return rc;
}

int command_answer_parse(const void *bytes, size_t count, struct command_answer *ret_answer, struct enrg_error *err)
{
	json_t *json = NULL;
	int rc = parse_bytes(bytes, count, &json, err);

	if (!rc)
		rc = command_answer_from_json(json, ret_answer, err);
	json_decref(json);
	return rc;
}
