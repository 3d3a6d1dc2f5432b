#include "web/http/connection.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "web/http/answer.h"

enum {
	SMALL_BODY = 24576, /* is copied behind the head, so that both go in one write */
	LINGER_BYTES_MAX = 4 << 20,
	BODY_BYTES_A_SECOND = 65536,
};
#define MS_NS           UINT64_C(1000000)
#define LINGER_NS       (5000 * MS_NS) /* since the last byte */
#define LINGER_LIMIT_NS (15000 * MS_NS)
#define WRITE_STALL_NS  (30000 * MS_NS)

void connection_set_state(struct connection *connection, enum connection_state state, uint64_t patience_ns)
{
	connection->state = state;
	connection->since_ns = clock_mono_ns();
	connection->deadline_ns = patience_ns ? connection->since_ns + patience_ns : 0;
}

/* While an answer is made or goes out nothing is read: what the peer sends meanwhile waits in the kernel. */
static void set_reading(struct connection *connection, bool reads)
{
	if (connection->is_stopped != reads)
		return;
	connection->is_stopped = !reads;
	lws_rx_flow_control(connection->wsi, reads);
}

static void free_request(struct connections *all, struct request *request)
{
	if (request)
		all->body_budget += request->body_capacity;
	request_destroy(request);
}

/* A request that on_request has is valid until it is answered, also where nobody waits for that any more. */
static void let_go_of_request(struct connection *connection)
{
	struct connections *all = connection->all;

	if (connection->request_id) {
		connection->request->next = all->orphans;
		all->orphans = connection->request;
	} else {
		free_request(all, connection->request);
	}
	connection->request = NULL;
	connection->request_id = 0;
}

void connections_drop_orphan(struct connections *all, uint64_t id)
{
	for (struct request **at = &all->orphans; *at; at = &(*at)->next) {
		struct request *request = *at;
		if (request->seen.id != id)
			continue;
		*at = request->next;
		free_request(all, request);
		return;
	}
}

static void free_answer(struct connection *connection)
{
	let_go_of_request(connection);
	free(connection->output);
	connection->output = NULL;
	connection->output_bytes = connection->sent = 0;
	web_bytes_release(connection->body);
	connection->body = NULL;
}

/* --- answers --- */

static const char *date_now(struct connections *all)
{
	time_t now = (time_t)(clock_wall_ns() / 1000000000);
	struct tm parts;

	if ((uint64_t)now != all->date_s) {
		all->date_s = (uint64_t)now;
		gmtime_r(&now, &parts);
		strftime(all->date, sizeof(all->date), "%a, %d %b %Y %H:%M:%S GMT", &parts);
	}
	return all->date;
}

static bool make_accept(const char *key, char ret_accept[32])
{
	static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char joined[24 + sizeof(magic)], digest[20];

	memcpy(joined, key, 24);
	memcpy(joined + 24, magic, sizeof(magic) - 1);
	lws_SHA1(joined, 24 + sizeof(magic) - 1, digest);
	return lws_b64_encode_string((const char *)digest, sizeof(digest), ret_accept, 32) > 0;
}

/* Head and small body in one piece. */
static bool queue_output(struct connection *connection, struct answer *answer, bool sends_body)
{
	struct web_bytes *body = answer->response->body;
	char head[ANSWER_HEAD_MAX];
	size_t head_bytes = answer_format(answer, head);
	size_t small = sends_body && body && body->count <= SMALL_BODY ? body->count : 0;

	connection->output = malloc(head_bytes + small);
	if (!connection->output)
		return false;
	memcpy(connection->output, head, head_bytes);
	if (small)
		memcpy(connection->output + head_bytes, body->data, small);
	connection->output_bytes = head_bytes + small;
	if (sends_body && body && !small && body->count)
		connection->body = web_bytes_hold(body);
	return true;
}

void connections_count(struct connections *all, int status)
{
	atomic_fetch_add_explicit(&all->answers[status], 1, memory_order_relaxed);
	if (status == 429 || status == 503)
		atomic_fetch_add_explicit(&all->refused_limit, 1, memory_order_relaxed);
}

void connection_kill(struct connection *connection)
{
	connection->is_dying = true;
	lws_set_timeout(connection->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

static void queue_answer(struct connection *connection, struct web_response *response)
{
	const struct request *request = connection->request;
	bool is_head = request && request->head.has_no_body_back;
	struct answer answer = {.response = response, .date = date_now(connection->all)};
	char accept[32];

	if (response->status < 100 || response->status > 599)
		response->status = 500;
	if (response->has_etag && response->body && response->status == 200) {
		answer.etag = answer_etag(response->body);
		if (request && request->seen.method == WEB_GET && request->seen.if_none_match &&
			answer_has_etag(request->seen.if_none_match, answer.etag))
			response->status = 304;
	}
	if (response->status == 101 && make_accept(request->head.texts[HEAD_SOCKET_KEY], accept))
		answer.accept = accept;
	connection->keeps_open &= request != NULL && request->head.keeps_open;
	answer.keeps_open = connection->keeps_open;
	answer.body_bytes = response->body ? response->body->count : 0;
	bool sends_body = !is_head && response->status >= 200 && response->status != 204 && response->status != 304;
	connections_count(connection->all, response->status);
	bool is_queued = queue_output(connection, &answer, sends_body);
	web_bytes_release(response->body);
	response->body = NULL;
	connection->request_id = 0;
	connection_set_state(connection, CONNECTION_WRITING, WRITE_STALL_NS);
	if (is_queued)
		lws_callback_on_writable(connection->wsi);
	else
		connection_kill(connection);
}

static void refuse(struct connection *connection, int status, const char *detail)
{
	struct web_response response = {.status = status, .body = answer_detail(detail)};

	if (status == 426) {
		response.headers[0].name = "Sec-WebSocket-Version";
		memcpy(response.headers[0].value, "13", 3);
	}
	if (status == 429 || status == 503)
		response.retry_after_s = 1;
	queue_answer(connection, &response);
}

/* The rest of the request is not read: the connection ends with the answer. */
static void refuse_and_end(struct connection *connection, int status, const char *detail)
{
	connection->keeps_open = false;
	connection->lingers = true;
	refuse(connection, status, detail);
}

static uint64_t next_id(struct connection *connection)
{
	return ++connection->all->serial * POST_SLOTS + connection->slot;
}

static bool open_websocket(struct connection *connection)
{
	struct connections *all = connection->all;

	if (!connection->request->head.is_upgrade)
		return false;
	if (websocket_create(next_id(connection), &all->post, all->params, all->params->limits.ping_ms * MS_NS,
		    &connection->websocket))
		return false;
	atomic_fetch_add_explicit(&all->socket_count, 1, memory_order_relaxed);
	return true;
}

void connection_answer(struct connection *connection, struct web_response *response)
{
	const struct http_params *params = connection->all->params;

	if (response->status == 101 && !open_websocket(connection))
		response->status = 500;
	queue_answer(connection, response);
	if (connection->websocket && params->on_socket_open)
		params->on_socket_open(params->context, connection->websocket->id, &connection->request->seen);
}

/* --- requests --- */

static void consume(struct connection *connection, size_t bytes)
{
	connection->input_bytes -= bytes;
	memmove(connection->input, connection->input + bytes, connection->input_bytes);
	connection->input_seen = 0;
}

static bool is_within_limits(struct connection *connection)
{
	struct connections *all = connection->all;
	const struct request *request = connection->request;
	bool is_get = request->seen.method == WEB_GET;
	uint64_t now_ns = clock_mono_ns();
	struct address *address = connection->address;

	if (request->seen.is_proxied)
		address = address_find(&all->addresses, &request->client, now_ns);
	if (address && address_take(&all->addresses, address, is_get, now_ns))
		return true;
	if (request->head.body_bytes)
		connection->keeps_open = false;
	connection->lingers = request->head.body_bytes > 0;
	refuse(connection, 429, "too many requests from this address; wait a second");
	return false;
}

static bool begin_body(struct connection *connection)
{
	const struct request *request = connection->request;
	const struct http_limits *limits = &connection->all->params->limits;
	uint64_t seconds = request->head.body_bytes / BODY_BYTES_A_SECOND;

	if (request->head.body_bytes > limits->body_bytes) {
		refuse_and_end(connection, 413, "the body is longer than this server takes (web.body_kib)");
		return false;
	}
	connection->deadline_ns = clock_mono_ns() + (limits->request_ms + seconds * 1000) * MS_NS;
	if (request->head.expects_continue && request->head.body_bytes > connection->input_bytes) {
		connection->owes_continue = true;
		lws_callback_on_writable(connection->wsi);
	}
	return true;
}

/* An empty line before a request is allowed for: old clients send one behind a body. */
static void skip_empty_lines(struct connection *connection)
{
	size_t bytes = 0;

	while (bytes + 1 < connection->input_bytes && memcmp(connection->input + bytes, "\r\n", 2) == 0)
		bytes += 2;
	if (bytes)
		consume(connection, bytes);
}

/* true: there is a request now; false: more must come, or it is refused. */
static bool begin_request(struct connection *connection)
{
	struct connections *all = connection->all;
	struct head_refusal refusal = {0};

	skip_empty_lines(connection);
	if (!connection->input_bytes)
		return false;
	if (!connection->is_begun) {
		connection->is_begun = true;
		connection_set_state(connection, CONNECTION_READING, all->params->limits.request_ms * MS_NS);
	}
	size_t end = head_find_end(connection->input, connection->input_bytes, connection->input_seen);
	connection->input_seen = connection->input_bytes;
	if (end > HEAD_BYTES_MAX || (!end && connection->input_bytes > HEAD_BYTES_MAX)) {
		refuse_and_end(connection, 431, "the head of the request is longer than 16 KiB");
		return false;
	}
	if (!end)
		return false;
	connection->keeps_open = true;
	int rc = request_create(
		connection->input, end, &connection->peer, &all->proxies, &connection->request, &refusal);
	consume(connection, end);
	if (rc == -EINVAL)
		refuse_and_end(connection, refusal.status, refusal.detail);
	else if (rc)
		refuse_and_end(connection, 503, "out of memory");
	return !rc && is_within_limits(connection) && begin_body(connection);
}

static void hand_on(struct connection *connection)
{
	const struct http_params *params = connection->all->params;

	connection->is_begun = false;
	connection->owes_continue = false;
	connection->request_id = next_id(connection);
	connection->request->seen.id = connection->request_id;
	connection_set_state(connection, CONNECTION_ANSWERING, params->limits.answer_ms * MS_NS);
	params->on_request(params->context, &connection->request->seen);
}

/* true: the whole request is there and handed on. */
static bool add_body(struct connection *connection)
{
	struct request *request = connection->request;
	int taken =
		request_add_body(request, connection->input, connection->input_bytes, &connection->all->body_budget);

	if (taken < 0) {
		refuse_and_end(connection, 503, "too many large requests at once; wait a second");
		return false;
	}
	consume(connection, (size_t)taken);
	if (request->seen.body_bytes < request->head.body_bytes)
		return false;
	hand_on(connection);
	return true;
}

static void read_requests(struct connection *connection)
{
	while (connection->state == CONNECTION_READING)
		if (!(connection->request || begin_request(connection)) || !add_body(connection))
			break;
}

static void read_socket(struct connection *connection)
{
	websocket_receive(connection->websocket, connection->input, connection->input_bytes, clock_mono_ns());
	connection->input_bytes = 0;
	if (websocket_has_output(connection->websocket))
		lws_callback_on_writable(connection->wsi);
}

static bool add_input(struct connection *connection, const void *bytes, size_t count)
{
	size_t wanted = connection->input_bytes + count;

	if (wanted > connection->input_capacity) {
		size_t capacity = wanted < 2048 ? 2048 : wanted + wanted / 2;
		char *input = realloc(connection->input, capacity);
		if (!input)
			return false;
		connection->input = input;
		connection->input_capacity = capacity;
	}
	memcpy(connection->input + connection->input_bytes, bytes, count);
	connection->input_bytes = wanted;
	return true;
}

/* What has come is taken as far as it can be now. */
static void take_input(struct connection *connection)
{
	if (connection->state == CONNECTION_SOCKET)
		read_socket(connection);
	else
		read_requests(connection);
	set_reading(connection, connection->state != CONNECTION_ANSWERING && connection->state != CONNECTION_WRITING);
}

static int discard(struct connection *connection, size_t count)
{
	uint64_t now_ns = clock_mono_ns();

	connection->discarded += count;
	if (now_ns < connection->since_ns + LINGER_LIMIT_NS)
		connection->deadline_ns = now_ns + LINGER_NS;
	return connection->discarded > LINGER_BYTES_MAX ? -1 : 0;
}

int connection_read(struct connection *connection, const void *bytes, size_t count)
{
	if (!connection->answered && !connection->is_begun) /* libwebsockets' own, of the TLS handshake */
		lws_set_timeout(connection->wsi, NO_PENDING_TIMEOUT, 0);
	if (connection->state == CONNECTION_LINGERING)
		return discard(connection, count);
	if (!add_input(connection, bytes, count))
		return -1;
	take_input(connection);
	return 0;
}

/* --- output --- */

static int write_bytes(struct connection *connection, const unsigned char *bytes, size_t count)
{
	/* libwebsockets does not change what it writes raw, but does not say so */
	int rc = lws_write(connection->wsi, (unsigned char *)(uintptr_t)bytes, count, LWS_WRITE_RAW);

	return rc < 0 ? -1 : 0;
}

/* Nothing follows: FIN, or its form of TLS. */
static void say_end(struct connection *connection)
{
	if (connection->all->is_tls)
		SSL_shutdown(lws_get_ssl(connection->wsi));
	else
		shutdown(lws_get_socket_fd(connection->wsi), SHUT_WR);
}

static int end_answer(struct connection *connection)
{
	bool is_socket = connection->websocket != NULL;

	free_answer(connection);
	connection->answered++;
	if (is_socket) {
		connection_set_state(connection, CONNECTION_SOCKET, 0);
	} else if (connection->keeps_open) {
		connection->is_begun = false;
		connection_set_state(connection, CONNECTION_READING, connection->all->params->limits.idle_ms * MS_NS);
	} else if (connection->lingers) {
		say_end(connection);
		connection->input_bytes = 0;
		connection_set_state(connection, CONNECTION_LINGERING, LINGER_NS);
		set_reading(connection, true);
		return 0;
	} else {
		say_end(connection);
		return -1;
	}
	take_input(connection); /* that came behind the request */
	return 0;
}

static int write_answer(struct connection *connection)
{
	size_t total = connection->output_bytes + (connection->body ? connection->body->count : 0);
	size_t at = connection->sent, count;
	const unsigned char *from;

	if (at < connection->output_bytes) {
		from = connection->output + at;
		count = connection->output_bytes - at;
	} else if (at < total) {
		from = connection->body->data + (at - connection->output_bytes);
		count = total - at;
	} else {
		return end_answer(connection);
	}
	if (count > CONNECTION_PIECE)
		count = CONNECTION_PIECE;
	if (write_bytes(connection, from, count))
		return -1;
	connection->sent += count;
	connection->deadline_ns = clock_mono_ns() + WRITE_STALL_NS;
	if (connection->sent == total && !lws_partial_buffered(connection->wsi))
		return end_answer(connection);
	lws_callback_on_writable(connection->wsi);
	return 0;
}

static int write_socket(struct connection *connection)
{
	struct connections *all = connection->all;
	uint64_t now_ns = clock_mono_ns();
	size_t count = websocket_fill(connection->websocket, all->piece, CONNECTION_PIECE, now_ns);

	if (count && write_bytes(connection, all->piece, count))
		return -1;
	/* while the peer takes nothing, nothing is taken from it */
	bool is_stuck = lws_partial_buffered(connection->wsi);
	set_reading(connection, !is_stuck);
	if (!is_stuck && websocket_is_over(connection->websocket, now_ns))
		return -1;
	if (is_stuck || websocket_has_output(connection->websocket))
		lws_callback_on_writable(connection->wsi);
	return 0;
}

int connection_write(struct connection *connection)
{
	static const char proceed[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (connection->state == CONNECTION_WRITING)
		return write_answer(connection);
	if (connection->state == CONNECTION_SOCKET)
		return write_socket(connection);
	if (connection->state == CONNECTION_READING && connection->owes_continue) {
		connection->owes_continue = false;
		return write_bytes(connection, (const unsigned char *)proceed, sizeof(proceed) - 1);
	}
	return 0;
}

/* --- the life of connections --- */

void connection_close(struct connection *connection)
{
	struct connections *all = connection->all;

	if (connection->state == CONNECTION_FREE)
		return;
	connection->state = CONNECTION_FREE;
	if (connection->websocket) {
		uint64_t id = connection->websocket->id;
		websocket_destroy(connection->websocket);
		connection->websocket = NULL;
		atomic_fetch_sub_explicit(&all->socket_count, 1, memory_order_relaxed);
		if (all->params->on_socket_close)
			all->params->on_socket_close(all->params->context, id);
	}
	free_answer(connection);
	free(connection->input);
	if (connection->address)
		connection->address->connections--;
	*connection = (struct connection){.all = all, .slot = connection->slot};
	all->used--;
	atomic_fetch_sub_explicit(&all->connection_count, 1, memory_order_relaxed);
}

static void give_up(struct connection *connection)
{
	let_go_of_request(connection);
	connection->keeps_open = false;
	refuse(connection, 504, "there was no answer in time");
}

void connection_end_by_time(struct connection *connection)
{
	bool has_begun = connection->is_begun || connection->request;

	if (connection->state == CONNECTION_READING && has_begun && connection->wsi)
		refuse_and_end(connection, 408, "the request did not arrive in time");
	else if (connection->state == CONNECTION_ANSWERING)
		give_up(connection);
	else if (connection->wsi)
		connection_kill(connection);
}
