/* message.c: a table of all messages; what is read and what is written is fitted to it. */
#include "web/cnc/message.h"

#include <string.h>

#include "base/text.h"

#define DEPTH       16u
#define ITEMS_MAX   (1u << 17)
#define NAME_BYTES  255u
#define TAGS_MAX    64u
#define MEMBERS_MAX 6u

enum member_kind {
	MEMBER_TEXT,
	MEMBER_TEXT_OR_NIL,
	MEMBER_BOOL,
	MEMBER_COUNT,
	MEMBER_INFO,
	MEMBER_STATUS,
	MEMBER_CLIENTS
};

struct member {
	const char *name;
	enum member_kind kind;
	bool is_required;
	bool is_true; /* the default of MEMBER_BOOL */
};

struct message_row {
	const char *type;
	struct member members[MEMBERS_MAX]; /* without `type`, and `req_id` at the end */
	bool is_request, is_change;
};

#define SAID                                                                                                           \
	{                                                                                                              \
		{.name = "success", .kind = MEMBER_BOOL, .is_required = true},                                         \
		{                                                                                                      \
			.name = "message", .kind = MEMBER_TEXT, .is_required = true                                    \
		}                                                                                                      \
	}

static const struct message_row rows[CNC_TYPES] = {
	[CNC_HEARTBEAT] = {.type = "CNCMessageHeartbeat",
		.members = {{.name = "supervisor_info", .kind = MEMBER_INFO, .is_required = true}}},
	[CNC_LOG] = {.type = "CNCMessageLog",
		.members = {{.name = "level", .kind = MEMBER_TEXT, .is_required = true},
			{.name = "message", .kind = MEMBER_TEXT, .is_required = true},
			{.name = "timestamp", .kind = MEMBER_TEXT, .is_required = true},
			{.name = "module", .kind = MEMBER_TEXT, .is_required = true},
			{.name = "client_id", .kind = MEMBER_TEXT, .is_required = true}}},
	[CNC_REQ_PING] = {.type = "CNCMessageReqPing", .is_request = true},
	[CNC_RES_PING] = {.type = "CNCMessageResPing"},
	[CNC_REQ_STATUS] = {.type = "CNCMessageReqStatus", .is_request = true},
	[CNC_RES_STATUS] = {.type = "CNCMessageResStatus",
		.members = {{.name = "status", .kind = MEMBER_STATUS, .is_required = true}}},
	[CNC_REQ_LIST_CLIENTS] = {.type = "CNCMessageReqListClients", .is_request = true},
	[CNC_RES_LIST_CLIENTS] = {.type = "CNCMessageResListClients",
		.members = {{.name = "clients", .kind = MEMBER_CLIENTS, .is_required = true}}},
	[CNC_REQ_RESTART_DAQ] = {.type = "CNCMessageReqRestartDAQ",
		.members = {{.name = "update", .kind = MEMBER_BOOL}},
		.is_request = true,
		.is_change = true},
	[CNC_RES_RESTART_DAQ] = {.type = "CNCMessageResRestartDAQ", .members = SAID},
	[CNC_REQ_STOP_DAQ_JOBS] = {.type = "CNCMessageReqStopDAQJobs", .is_request = true, .is_change = true},
	[CNC_RES_STOP_DAQ_JOBS] = {.type = "CNCMessageResStopDAQJobs", .members = SAID},
	[CNC_REQ_RUN_CUSTOM_DAQ_JOB] = {.type = "CNCMessageReqRunCustomDAQJob",
		.members = {{.name = "config", .kind = MEMBER_TEXT, .is_required = true},
			{.name = "restart_on_crash", .kind = MEMBER_BOOL, .is_true = true}},
		.is_request = true,
		.is_change = true},
	[CNC_RES_RUN_CUSTOM_DAQ_JOB] = {.type = "CNCMessageResRunCustomDAQJob", .members = SAID},
	[CNC_REQ_STOP_DAQ_JOB] = {.type = "CNCMessageReqStopDAQJob",
		.members = {{.name = "daq_job_name", .kind = MEMBER_TEXT_OR_NIL},
			{.name = "daq_job_unique_id", .kind = MEMBER_TEXT_OR_NIL},
			{.name = "remove", .kind = MEMBER_BOOL}},
		.is_request = true,
		.is_change = true},
	[CNC_RES_STOP_DAQ_JOB] = {.type = "CNCMessageResStopDAQJob", .members = SAID},
	[CNC_REQ_SEND_MESSAGE] = {.type = "CNCMessageReqSendMessage",
		.members = {{.name = "message_type", .kind = MEMBER_TEXT, .is_required = true},
			{.name = "payload", .kind = MEMBER_TEXT, .is_required = true},
			{.name = "target_daq_job_unique_id", .kind = MEMBER_TEXT_OR_NIL}},
		.is_request = true,
		.is_change = true},
	[CNC_RES_SEND_MESSAGE] = {.type = "CNCMessageResSendMessage",
		.members = {{.name = "success", .kind = MEMBER_BOOL, .is_required = true},
			{.name = "message", .kind = MEMBER_TEXT, .is_required = true},
			{.name = "jobs_notified", .kind = MEMBER_COUNT}}},
};
static const struct member req_id = {.name = "req_id", .kind = MEMBER_TEXT_OR_NIL};

const char *cnc_type_name(enum cnc_type type)
{
	return rows[type].type;
}

bool cnc_type_is_request(enum cnc_type type)
{
	return rows[type].is_request;
}

bool cnc_type_is_change(enum cnc_type type)
{
	return rows[type].is_change;
}

enum cnc_type cnc_type_answer(enum cnc_type request)
{
	return (enum cnc_type)(request + 1); /* they stand in pairs */
}

json_t *cnc_refuse(enum cnc_type request, const char *why)
{
	if (!rows[request].is_change)
		return NULL;
	return json_pack("{s:s, s:b, s:s}", "type", rows[request + 1].type, "success", 0, "message", why);
}

bool cnc_name_is_good(const void *bytes, size_t count)
{
	const char *text = bytes;

	if (!count || count > NAME_BYTES)
		return false;
	for (size_t at = 0; at < count;) {
		size_t length = text_character(text + at, count - at);
		unsigned char first = (unsigned char)text[at];
		if (!length || first < 0x20 || first == 0x7f || (first == 0xc2 && (unsigned char)text[at + 1] < 0xa0))
			return false;
		at += length;
	}
	return true;
}

static bool is_name(const json_t *json)
{
	return json_is_string(json) && cnc_name_is_good(json_string_value(json), json_string_length(json));
}

/* {"supervisor_id", "supervisor_tags"} and nothing else; NULL: it is none. */
static json_t *fit_info(const json_t *json)
{
	const json_t *tags = json_object_get(json, "supervisor_tags");

	if (!is_name(json_object_get(json, "supervisor_id")) || (tags && !json_is_array(tags)) ||
		json_array_size(tags) > TAGS_MAX)
		return NULL;
	json_t *kept = json_array();
	for (size_t i = 0; i < json_array_size(tags); i++)
		if (!is_name(json_array_get(tags, i)) || json_array_append(kept, json_array_get(tags, i))) {
			json_decref(kept);
			return NULL;
		}
	return json_pack(
		"{s:O, s:o}", "supervisor_id", json_object_get(json, "supervisor_id"), "supervisor_tags", kept);
}

static json_t *fit_clients(const json_t *json)
{
	json_t *object = (json_t *)(uintptr_t)json; /* jansson's iterators; nothing is changed */
	json_t *clients = json_is_object(json) ? json_object() : NULL;
	const char *name;
	json_t *info;

	if (!clients)
		return NULL;
	json_object_foreach(object, name, info)
	{
		bool is_good = cnc_name_is_good(name, strlen(name));
		json_t *kept = !is_good ? NULL : json_is_null(info) ? json_null() : fit_info(info);
		if (!kept || json_object_set_new(clients, name, kept)) {
			json_decref(clients);
			return NULL;
		}
	}
	return clients;
}

static json_t *default_of(const struct member *member)
{
	if (member->kind == MEMBER_BOOL)
		return json_boolean(member->is_true);
	return member->kind == MEMBER_COUNT ? json_integer(0) : json_null();
}

/* A new reference; NULL: it does not fit. */
static json_t *fit_value(const struct member *member, json_t *value)
{
	if (!value)
		return member->is_required ? NULL : default_of(member);
	switch (member->kind) {
	case MEMBER_TEXT_OR_NIL:
		return json_is_string(value) || json_is_null(value) ? json_incref(value) : NULL;
	case MEMBER_TEXT:
		return json_is_string(value) ? json_incref(value) : NULL;
	case MEMBER_BOOL:
		return json_is_boolean(value) ? json_incref(value) : NULL;
	case MEMBER_COUNT:
		return json_is_integer(value) ? json_incref(value) : NULL;
	case MEMBER_STATUS:
		return json_is_object(value) ? json_incref(value) : NULL;
	case MEMBER_INFO:
		return fit_info(value);
	case MEMBER_CLIENTS:
		return fit_clients(value);
	}
	return NULL;
}

static int fit_member(const struct member *member, const json_t *json, json_t *fitted, struct enrg_error *err)
{
	json_t *value = json_object_get(json, member->name);
	json_t *kept = fit_value(member, value);

	if (!kept || json_object_set_new(fitted, member->name, kept))
		return enrg_error_set(err, ENRG_E_PROTOCOL, "%s: %s %s",
			json_string_value(json_object_get(fitted, "type")), member->name,
			value ? "is of another type" : "is missing");
	return 0;
}

static int find_type(const json_t *json, enum cnc_type *ret_type, struct enrg_error *err)
{
	const char *name = json_string_value(json_object_get(json, "type"));

	for (unsigned i = 0; name && i < CNC_TYPES; i++)
		if (!strcmp(rows[i].type, name)) {
			*ret_type = (enum cnc_type)i;
			return 0;
		}
	return enrg_error_set(
		err, ENRG_E_PROTOCOL, name ? "no message is called \"%.80s\"" : "a message without a type", name);
}

int cnc_message_fit(const json_t *json, struct cnc_message *ret_message, struct enrg_error *err)
{
	enum cnc_type type = CNC_HEARTBEAT;
	int rc = find_type(json, &type, err);

	if (rc)
		return rc;
	json_t *fitted = json_pack("{s:s}", "type", rows[type].type);
	for (unsigned i = 0; i < MEMBERS_MAX && rows[type].members[i].name && !rc; i++)
		rc = fit_member(&rows[type].members[i], json, fitted, err);
	if (!rc)
		rc = fit_member(&req_id, json, fitted, err);
	if (rc) {
		json_decref(fitted);
		return rc;
	}
	*ret_message = (struct cnc_message){.type = type, .json = fitted};
	return 0;
}

int cnc_message_parse(const void *bytes, size_t count, struct cnc_message *ret_message, struct enrg_error *err)
{
	struct wire_reader reader;
	json_t *json = NULL;

	if (count > CNC_FRAME_BYTES_MAX)
		return enrg_error_set(
			err, ENRG_E_PROTOCOL, "a message of %zu bytes (at most %u)", count, CNC_FRAME_BYTES_MAX);
	wire_reader_init(&reader, bytes, count, ITEMS_MAX, err);
	int rc = wire_read_json(&reader, DEPTH, &json);
	if (!rc && reader.at != reader.end)
		rc = wire_fail(&reader, "something follows the message");
	if (!rc)
		rc = cnc_message_fit(json, ret_message, err);
	json_decref(json);
	return rc;
}

int cnc_message_format(const json_t *json, struct wire_writer *ret_writer, struct enrg_error *err)
{
	struct cnc_message message;

	wire_writer_init(ret_writer, CNC_FRAME_BYTES_MAX, ITEMS_MAX);
	int rc = cnc_message_fit(json, &message, err);
	if (rc)
		return rc;
	rc = wire_write_json(ret_writer, message.json, DEPTH, err);
	cnc_message_fini(&message);
	return rc;
}

void cnc_message_fini(struct cnc_message *message)
{
	json_decref(message->json);
	message->json = NULL;
}
