/* message.h: the messages of ENRGDAQ's command and control as bytes and as JSON: what each must have, in the order in
 * which the Python program writes it (docs/cnc.md). Library code, any thread. Process: enrgdaq-web. */
#ifndef WEB_CNC_MESSAGE_H
#define WEB_CNC_MESSAGE_H

#include "wire/wire.h"

#define CNC_FRAME_BYTES_MAX (1u << 20)

enum cnc_type {
	CNC_HEARTBEAT,
	CNC_LOG,
	CNC_REQ_PING,
	CNC_RES_PING,
	CNC_REQ_STATUS,
	CNC_RES_STATUS,
	CNC_REQ_LIST_CLIENTS,
	CNC_RES_LIST_CLIENTS,
	CNC_REQ_RESTART_DAQ,
	CNC_RES_RESTART_DAQ,
	CNC_REQ_STOP_DAQ_JOBS,
	CNC_RES_STOP_DAQ_JOBS,
	CNC_REQ_RUN_CUSTOM_DAQ_JOB,
	CNC_RES_RUN_CUSTOM_DAQ_JOB,
	CNC_REQ_STOP_DAQ_JOB,
	CNC_RES_STOP_DAQ_JOB,
	CNC_REQ_SEND_MESSAGE,
	CNC_RES_SEND_MESSAGE,
	CNC_TYPES
};

struct cnc_message {
	enum cnc_type type;
	json_t *json; /* all members of the type, with defaults, `type` first; no others */
};

const char *cnc_type_name(enum cnc_type type); /* "CNCMessageReqPing" */
/* A question: some peer is asked to answer it. */
bool cnc_type_is_request(enum cnc_type type);
/* A question that changes the state of whoever is asked. */
bool cnc_type_is_change(enum cnc_type type);
enum cnc_type cnc_type_answer(enum cnc_type request);
/* Says that it was refused, where that type has words for it; NULL: it has none (or no memory). */
json_t *cnc_refuse(enum cnc_type request, const char *why);

/* ENRG_E_PROTOCOL: no such message, a member is missing or of another type; members that it does not have are left out.
 * `json` is borrowed. */
int cnc_message_fit(const json_t *json, struct cnc_message *ret_message, struct enrg_error *err);
/* Bytes of a frame, hostile ones too: what is built takes a bounded multiple of them. */
int cnc_message_parse(const void *bytes, size_t count, struct cnc_message *ret_message, struct enrg_error *err);
/* Writes `json` as the Python program would; the writer is initialized here, and the caller's to fini. */
int cnc_message_format(const json_t *json, struct wire_writer *ret_writer, struct enrg_error *err);
void cnc_message_fini(struct cnc_message *message);

/* A name that may stand in lists and paths: 1 to 255 bytes of UTF-8 text without control characters. */
bool cnc_name_is_good(const void *bytes, size_t count);

#endif
