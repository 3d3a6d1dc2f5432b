/* ask.h: what a client says over the WebSocket: JSON objects of a closed list, each by a table of fields
 * (docs/live-protocol.md). Any thread. Process: enrgdaq-web. */
#ifndef WEB_LIVE_ASK_H
#define WEB_LIVE_ASK_H

#include <jansson.h>

#include "config/options_json.h"
#include "web/live/trigger.h"
#include "web/live/waves.h"

enum {
	ASK_BYTES_MAX = 4096,
	ASK_SCOPES_MAX = 8, /* of a client, ids from 0 */
	ASK_POINTS_MAX = 4096,
	ASK_ROWS_MAX = 512,
	ASK_COLUMNS_MAX = 8,
	ASK_CREDIT_MAX = 8,
};

enum ask_kind { ASK_LISTEN, ASK_SCOPE, ASK_SCOPE_STOP, ASK_ARM, ASK_ZOOM, ASK_CREDIT, ASK_PING, ASK_KINDS };

struct ask_listen {
	struct enrg_string_list kinds;
	int64_t since;
	const char *instance; /* NULL: none was said */
	int log_level;        /* enum enrg_level */
	const char *log_process, *log_text;
	int64_t log_lines_per_second;
	int64_t credit; /* 0: without */
};

enum ask_view { ASK_WAVES, ASK_DENSITY, ASK_STRIP };

struct ask_trigger {
	int mode, slope; /* enum trigger_mode, trigger_slope */
	bool has_level;
	double level, hysteresis;
	bool is_relative; /* to the baseline */
	int64_t channel;
	struct enrg_int_list coincidence;
	int64_t needed; /* of channel and coincidence; 0: all */
	double within_ns, hold_off_ns, auto_ms;
};

struct ask_scope {
	int64_t id, credit;
	const char *source, *tag;
	bool has_tag;
	int view; /* enum ask_view */
	const char *column;
	struct enrg_int_list channels;
	struct enrg_string_list columns;
	int64_t points, rows, from, count, average;
	double low, high, frames_per_second;
	struct ask_trigger trigger;
};

struct ask_id {
	int64_t id;
};

struct ask_zoom {
	int64_t id, from, count, points;
};

struct ask_credit {
	int64_t id; /* -1: of events */
	int64_t count;
};

struct ask {
	enum ask_kind kind;
	json_t *root; /* owns texts */
	json_t *ref;  /* of the message, said again in the answer; borrowed; NULL */
	struct options_memory *memory;
	union {
		const void *fields;
		const struct ask_listen *listen;
		const struct ask_scope *scope;
		const struct ask_id *id; /* ASK_SCOPE_STOP, ASK_ARM */
		const struct ask_zoom *zoom;
		const struct ask_credit *credit;
	};
};

struct ask_fault {
	char field[64]; /* "trigger.level"; "" where it is the message as a whole */
	char detail[600];
};

/* 0; ask_fini. Else ENRG_E_PROTOCOL with the fault; `ret_ask` then has kind and ref as far as they are known, and is
 * for ask_fini as well. */
int ask_parse(const void *bytes, size_t count, struct ask *ret_ask, struct ask_fault *ret_fault);
void ask_fini(struct ask *ask);
const char *ask_kind_name(enum ask_kind kind); /* "listen" …; "?" */
#endif
