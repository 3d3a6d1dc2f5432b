/* gate.c: see the header. */
#include "web/cnc/gate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

#define ADDRESS "inproc://zeromq.zap.01"

enum frame { FRAME_VERSION, FRAME_ID, FRAME_DOMAIN, FRAME_ADDRESS, FRAME_IDENTITY, FRAME_MECHANISM, FRAME_KEY };

int gate_open(struct gate *gate, void *context, struct enrg_error *err)
{
	gate->socket = zmq_socket(context, ZMQ_REP);
	if (gate->socket && !frames_set_int(gate->socket, ZMQ_LINGER, 0) && !zmq_bind(gate->socket, ADDRESS))
		return 0;
	return enrg_error_set(err, -zmq_errno(), "command and control: " ADDRESS ": %s", zmq_strerror(zmq_errno()));
}

void gate_close(struct gate *gate)
{
	if (gate->socket)
		zmq_close(gate->socket);
	gate->socket = NULL;
}

static bool is_text(zmq_msg_t *frame, const char *text)
{
	return zmq_msg_size(frame) == strlen(text) && !memcmp(zmq_msg_data(frame), text, strlen(text));
}

static void copy_text(zmq_msg_t *frame, char *ret_text, size_t text_bytes)
{
	size_t count = zmq_msg_size(frame) < text_bytes ? zmq_msg_size(frame) : text_bytes - 1;

	memcpy(ret_text, zmq_msg_data(frame), count);
	ret_text[count] = '\0';
	text_make_safe(ret_text, count);
}

static bool is_allowed(const struct gate *gate, const char *key)
{
	for (size_t i = 0; i < gate->allowed->count; i++)
		if (!strcmp(gate->allowed->items[i], key))
			return true;
	return false;
}

/* Whether it may; ret_key: its key, where it has one. */
static bool judge(struct gate *gate, struct frames *asked, char ret_key[GATE_KEY_BYTES])
{
	ret_key[0] = '\0';
	if (is_text(&asked->items[FRAME_MECHANISM], "NULL"))
		return !gate->has_keys;
	if (!is_text(&asked->items[FRAME_MECHANISM], "CURVE") || asked->count <= FRAME_KEY ||
		zmq_msg_size(&asked->items[FRAME_KEY]) != 32)
		return false;
	return zmq_z85_encode(ret_key, zmq_msg_data(&asked->items[FRAME_KEY]), 32) && is_allowed(gate, ret_key);
}

static void say_refused(struct gate *gate, zmq_msg_t *frame, const char *key, uint64_t now_ns)
{
	char address[64];
	unsigned kept;

	copy_text(frame, address, sizeof(address));
	if (notice_take(gate->notices, NOTICE_KEY, address, now_ns, &kept))
		log_line(ENRG_WARNING,
			"command and control: a machine at %s was refused: its key %s is not in "
			"cnc.curve_allowed_keys; add "
			"it there if it belongs to this laboratory (%u more such since)",
			address, *key ? key : "(none)", kept);
}

void gate_block(struct gate *gate, const char *address, uint64_t now_ns)
{
	unsigned at = 0;

	for (unsigned i = 1; i < GATE_BLOCKED_MAX; i++)
		if (gate->blocked[i].until_ns < gate->blocked[at].until_ns)
			at = i;
	text_copy(gate->blocked[at].address, sizeof(gate->blocked[at].address), address);
	gate->blocked[at].until_ns = now_ns + GATE_BLOCK_NS;
}

static bool is_blocked(const struct gate *gate, zmq_msg_t *frame, uint64_t now_ns)
{
	for (unsigned i = 0; i < GATE_BLOCKED_MAX; i++)
		if (now_ns < gate->blocked[i].until_ns && is_text(frame, gate->blocked[i].address))
			return true;
	return false;
}

static void answer(struct gate *gate, struct frames *asked, uint64_t now_ns)
{
	char key[GATE_KEY_BYTES], user[80];
	bool is_good = judge(gate, asked, key);
	bool is_welcome = is_good && !gate->is_full && !is_blocked(gate, &asked->items[FRAME_ADDRESS], now_ns);

	if (!is_good)
		say_refused(gate, &asked->items[FRAME_ADDRESS], key, now_ns);
	snprintf(user, sizeof(user), "%" PRIu64 " %s", ++gate->connections, key);
	frames_send(gate->socket, "1.0", 3, true);
	frames_send(gate->socket, zmq_msg_data(&asked->items[FRAME_ID]), zmq_msg_size(&asked->items[FRAME_ID]), true);
	frames_send(gate->socket, is_welcome ? "200" : is_good ? "300" : "400", 3, true);
	frames_send(gate->socket, "", 0, true);
	frames_send(gate->socket, user, is_welcome ? strlen(user) : 0, true);
	frames_send(gate->socket, "", 0, false);
}

void gate_turn(struct gate *gate, uint64_t now_ns)
{
	struct frames asked;

	while (frames_recv(gate->socket, &asked) > 0) {
		if (asked.count > FRAME_MECHANISM)
			answer(gate, &asked, now_ns);
		else
			frames_send(gate->socket, "", 0, false); /* a REP socket has to say something */
		frames_fini(&asked);
	}
}

uint64_t gate_connection(zmq_msg_t *frame, char ret_key[GATE_KEY_BYTES])
{
	const char *user = zmq_msg_gets(frame, "User-Id");
	char *end = NULL;

	ret_key[0] = '\0';
	if (!user)
		return 0;
	uint64_t number = strtoull(user, &end, 10);
	if (*end == ' ')
		text_copy(ret_key, GATE_KEY_BYTES, end + 1);
	return number;
}
