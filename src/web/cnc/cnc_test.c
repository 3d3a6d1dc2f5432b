/* cnc_test.c: servers and clients of command and control over real sockets of this machine, beside stand-ins of the
 * system that they belong to. Raw sockets of ZeroMQ play hostile and silent machines. */
#include "web/cnc/cnc.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

#include "base/clock.h"
#include "config/web_options.h"
#include "enrgdaq/job.h"
#include "web/cnc/message.h"

#define PATIENCE_NS 60000000000ull

/* --- the system that it belongs to --- */

struct web_system {
	struct web_settings settings;
	struct cnc_options options;
};
struct node {
	const char *id;
};

static atomic_uint asked_admin, asked_other, audits, shown_texts, hidden_texts, lines_given;

const struct web_settings *system_settings(const struct web_system *system)
{
	return &system->settings;
}

struct job {
	void (*work)(void *context);
	void *context;
};

static void *work_thread(void *context)
{
	struct job job = *(struct job *)context;

	free(context);
	job.work(job.context);
	return NULL;
}

int system_work_change(struct web_system *system, void (*work)(void *context), void *context)
{
	struct job *job = malloc(sizeof(*job));
	pthread_t thread;

	(void)system;
	*job = (struct job){work, context};
	pthread_create(&thread, NULL, work_thread, job);
	pthread_detach(thread);
	return 0;
}

int node_ask(struct node *node, const json_t *request, const struct access_who *who, json_t **ret_answer)
{
	struct cnc_message message;

	assert_int_equal(cnc_message_fit(request, &message, NULL), 0);
	atomic_fetch_add(who->role == ACCESS_ADMIN ? &asked_admin : &asked_other, 1);
	const char *type = cnc_type_name(cnc_type_answer(message.type));
	bool is_fine = message.type != CNC_REQ_STOP_DAQ_JOB;
	if (message.type == CNC_REQ_STATUS)
		*ret_answer = json_pack("{s:s, s:{s:s}}", "type", type, "status", "of", node->id);
	else if (message.type == CNC_REQ_RESTART_DAQ) /* an answer that the protocol does not know */
		*ret_answer = json_pack("{s:s}", "message", "the system is away");
	else
		*ret_answer = json_pack("{s:s, s:b, s:s}", "type", type, "success", is_fine, "message", node->id);
	cnc_message_fini(&message);
	return is_fine ? 200 : 409;
}

json_t *node_info(const struct node *node)
{
	return json_pack("{s:s, s:[s]}", "supervisor_id", node->id, "supervisor_tags", "tag");
}

json_t *node_logs(struct node *node, uint64_t *position, unsigned max)
{
	json_t *lines = json_array();

	(void)max;
	for (; *position < 3; ++*position, atomic_fetch_add(&lines_given, 1))
		json_array_append_new(
			lines, json_pack("{s:s, s:s, s:s, s:s, s:s}", "level", *position == 1 ? "DEBUG" : "INFO",
				       "message", *position ? "later" : "first", "timestamp", "2026-01-01T00:00:00",
				       "module", "m", "client_id", node->id));
	return lines;
}

json_t *shown_text_make(const struct web_settings *settings, const char *file, const char *text)
{
	(void)settings, (void)file, (void)text;
	return json_string("shown");
}

void access_audit(
	struct access *access, const struct access_who *who, const char *what, const char *about, const char *result)
{
	(void)access, (void)who, (void)what, (void)result;
	atomic_fetch_add(&audits, 1);
	if (about && strstr(about, "\"config\":\"shown\""))
		atomic_fetch_add(&shown_texts, 1);
	if (about && strstr(about, "hidden"))
		atomic_fetch_add(&hidden_texts, 1);
}

/* --- what a test has --- */

struct site {
	struct node node;
	struct web_system system;
	struct cnc *cnc;
};

/* Below those that connections get by themselves, one of which could take it before the server does. */
static uint16_t free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint16_t port = 0;

	do {
		assert_int_equal(getrandom(&port, sizeof(port), 0), sizeof(port));
		port = (uint16_t)(20000 + port % 12000);
		address.sin_port = htons(port);
	} while (bind(descriptor, (struct sockaddr *)&address, sizeof(address)));
	close(descriptor);
	return port;
}

static void site_init(struct site *site, const char *id, bool is_server, uint16_t port)
{
	*site = (struct site){.node.id = id};
	site->system.options = (struct cnc_options){.verbosity = ENRG_INFO,
		.is_server = is_server,
		.server_host = is_server ? NULL : "localhost",
		.server_port = port,
		.messages_per_second_max = 1000};
	site->system.settings = (struct web_settings){.supervisor_id = id, .cnc = &site->system.options};
}

static void site_open(struct site *site)
{
	struct enrg_error err = {0};

	if (cnc_open(&site->node, &site->system, (struct access *)&site->node, &site->cnc, &err))
		fail_msg("%s", err.text);
}

static void pause_briefly(void)
{
	usleep(10000);
}

/* Waits until the server has heard that client (and its heartbeat). */
static void wait_for_client(struct site *server, const char *id)
{
	uint64_t until_ns = clock_mono_ns() + PATIENCE_NS;

	for (;;) {
		json_t *clients = cnc_clients(server->cnc);
		bool is_there = json_is_object(json_object_get(json_object_get(clients, id), "info"));
		json_decref(clients);
		if (is_there)
			return;
		if (clock_mono_ns() > until_ns)
			fail_msg("\"%s\" has not registered", id);
		pause_briefly();
	}
}

struct outcome {
	atomic_int status; /* 0: none yet */
	json_t *answer;
};

static void on_answered(void *context, int status, const json_t *answer)
{
	struct outcome *outcome = context;

	outcome->answer = json_deep_copy(answer);
	atomic_store(&outcome->status, status);
}

static const struct access_who admin = {.role = ACCESS_ADMIN}, user = {.role = ACCESS_USER};

static int ask_as(
	struct site *site, const char *client, const char *request, const struct access_who *who, json_t **ret_answer)
{
	struct outcome outcome = {0};
	json_t *json = json_loads(request, 0, NULL);
	uint64_t until_ns = clock_mono_ns() + PATIENCE_NS;

	assert_non_null(json);
	cnc_ask(site->cnc, client, json, who, on_answered, &outcome);
	json_decref(json);
	while (!atomic_load(&outcome.status)) {
		assert_true(clock_mono_ns() < until_ns);
		pause_briefly();
	}
	if (ret_answer)
		*ret_answer = outcome.answer;
	else
		json_decref(outcome.answer);
	return atomic_load(&outcome.status);
}

static int ask(struct site *site, const char *client, const char *request)
{
	return ask_as(site, client, request, &admin, NULL);
}

/* --- raw sockets --- */

struct raw {
	void *context, *socket;
};

static struct raw raw_open(const char *identity, const char *endpoint)
{
	struct raw raw = {.context = zmq_ctx_new()};
	int none = 0, patience_ms = (int)(PATIENCE_NS / 1000000);

	raw.socket = zmq_socket(raw.context, ZMQ_DEALER);
	zmq_setsockopt(raw.socket, ZMQ_LINGER, &none, sizeof(none));
	zmq_setsockopt(raw.socket, ZMQ_RCVTIMEO, &patience_ms, sizeof(patience_ms));
	if (identity)
		zmq_setsockopt(raw.socket, ZMQ_ROUTING_ID, identity, strlen(identity));
	assert_int_equal(zmq_connect(raw.socket, endpoint), 0);
	return raw;
}

static struct raw raw_at(const char *identity, uint16_t port)
{
	char endpoint[64];

	snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%u", port);
	return raw_open(identity, endpoint);
}

static void raw_close(struct raw *raw)
{
	zmq_close(raw->socket);
	zmq_ctx_term(raw->context);
}

static void raw_say(struct raw *raw, const char *text)
{
	struct wire_writer writer;
	json_t *json = json_loads(text, 0, NULL);

	assert_int_equal(cnc_message_format(json, &writer, NULL), 0);
	zmq_send(raw->socket, writer.bytes, writer.count, 0);
	wire_writer_fini(&writer);
	json_decref(json);
}

static void raw_beat(struct raw *raw, const char *id)
{
	char text[200];

	snprintf(text, sizeof(text),
		"{\"type\":\"CNCMessageHeartbeat\",\"supervisor_info\":{\"supervisor_id\":\"%s\"}}", id);
	raw_say(raw, text);
}

/* The next message as text; the caller's. */
static char *raw_hear(struct raw *raw)
{
	static char bytes[CNC_FRAME_BYTES_MAX];
	int count = zmq_recv(raw->socket, bytes, sizeof(bytes), 0);
	struct cnc_message message;

	assert_true(count > 0);
	assert_int_equal(cnc_message_parse(bytes, (size_t)count, &message, NULL), 0);
	char *text = json_dumps(message.json, JSON_COMPACT);
	cnc_message_fini(&message);
	return text;
}

static void raw_expect(struct raw *raw, const char *expected)
{
	char *text = raw_hear(raw);

	if (!strstr(text, expected))
		fail_msg("heard %s instead of %s", text, expected);
	free(text);
}

#define PING   "{\"type\":\"CNCMessageReqPing\"}"
#define STATUS "{\"type\":\"CNCMessageReqStatus\",\"req_id\":\"s\"}"
#define STOP   "{\"type\":\"CNCMessageReqStopDAQJobs\",\"req_id\":\"a\"}"
#define HIDDEN "{\"type\":\"CNCMessageReqRunCustomDAQJob\",\"config\":\"x = {url = 'hidden'}\"}"
#define RUN    "{\"type\":\"CNCMessageReqRunCustomDAQJob\",\"config\":\"\"}"

/* --- tests --- */

/* Each asks what it may of the other; what the client logs arrives. */
static void two_systems(void **state)
{
	struct site server, client;
	uint16_t port = free_port();
	json_t *answer;

	(void)state;
	site_init(&server, "lab1", true, port);
	site_init(&client, "lab2", false, port);
	site_open(&client); /* before there is a server */
	site_open(&server);
	wait_for_client(&server, "lab2");
	assert_int_equal(ask(&server, "lab1", STATUS), 200); /* of itself */
	assert_int_equal(ask(&server, "lab2", PING), 200);
	assert_int_equal(ask_as(&server, "lab2", STATUS, &user, &answer), 200);
	assert_string_equal(json_string_value(json_object_get(json_object_get(answer, "status"), "of")), "lab2");
	json_decref(answer);
	assert_int_equal(ask(&server, "lab2", STOP), 200);
	assert_int_equal(ask(&server, "lab2", RUN), 200);
	assert_int_equal(ask_as(&server, "lab2", RUN, &user, NULL), 403);
	assert_int_equal(ask(&server, "lab2", "{\"type\":\"CNCMessageReqStopDAQJob\"}"), 409);
	assert_int_equal(ask_as(&server, "lab2", "{\"type\":\"CNCMessageReqRestartDAQ\"}", &admin, &answer), 409);
	assert_string_equal(json_string_value(json_object_get(answer, "message")), "the system is away");
	json_decref(answer);
	assert_int_equal(ask(&server, "lab3", PING), 404);
	assert_int_equal(ask(&server, "lab2", "{\"type\":\"CNCMessageReqSendMessage\"}"), 422);
	json_t *logs = NULL;
	for (uint64_t until_ns = clock_mono_ns() + PATIENCE_NS; json_array_size(logs) < 2; pause_briefly()) {
		assert_true(clock_mono_ns() < until_ns);
		json_decref(logs);
		logs = cnc_logs(server.cnc, "lab2");
	}
	assert_string_equal(json_string_value(json_object_get(json_array_get(logs, 0), "message")), "first");
	assert_int_equal(json_array_size(logs), 2); /* not the one of DEBUG */
	json_decref(logs);
	cnc_close(client.cnc);
	/* It is listed, and can't be asked. What is sent before the server sees that is unanswered for 30 s, so not at
	 * once. */
	for (unsigned i = 0; i < 20; i++)
		pause_briefly();
	while (ask(&server, "lab2", PING) != 504)
		pause_briefly();
	assert_true(cnc_knows(server.cnc, "lab2"));
	site_open(&client);
	while (ask(&server, "lab2", PING) != 200)
		pause_briefly();
	cnc_close(server.cnc);
	site_open(&server);
	wait_for_client(&server, "lab2");
	cnc_close(server.cnc);
	cnc_close(client.cnc);
}

/* Without keys: pings are answered, changes refused, and what has no words for a refusal is not answered. */
static void peers_without_keys(void **state)
{
	struct site server;
	uint16_t port = free_port();

	(void)state;
	site_init(&server, "lab1", true, port);
	site_open(&server);
	struct raw raw = raw_at("script", port);
	unsigned before = atomic_load(&asked_admin) + atomic_load(&asked_other);
	raw_say(&raw, STATUS);
	raw_say(&raw, "{\"type\":\"CNCMessageReqListClients\"}");
	raw_say(&raw, STOP);
	raw_expect(&raw, "{\"type\":\"CNCMessageResStopDAQJobs\",\"success\":false,");
	raw_say(&raw, PING);
	raw_expect(&raw, "{\"type\":\"CNCMessageResPing\",\"req_id\":null}");
	assert_int_equal(atomic_load(&asked_admin) + atomic_load(&asked_other), before);
	assert_true(atomic_load(&audits) > 0);
	raw_close(&raw);
	cnc_close(server.cnc);

	server.system.options.insecure = true;
	site_open(&server);
	raw = raw_at(NULL, port); /* nor does it need a name */
	raw_say(&raw, STOP);
	raw_expect(
		&raw, "{\"type\":\"CNCMessageResStopDAQJobs\",\"success\":true,\"message\":\"lab1\",\"req_id\":\"a\"}");
	unsigned texts = atomic_load(&shown_texts);
	raw_say(&raw, HIDDEN);
	raw_expect(&raw, "{\"type\":\"CNCMessageResRunCustomDAQJob\"");
	assert_int_equal(atomic_load(&shown_texts), texts + 1); /* the text that its types have masked, and no other */
	assert_int_equal(atomic_load(&hidden_texts), 0);
	raw_say(&raw, STATUS);
	raw_expect(&raw, "{\"type\":\"CNCMessageResStatus\",\"status\":{\"of\":\"lab1\"},\"req_id\":\"s\"}");
	raw_say(&raw, "{\"type\":\"CNCMessageReqListClients\"}");
	raw_expect(&raw, "\"clients\":{\"lab1\":{\"supervisor_id\":\"lab1\",\"supervisor_tags\":[\"tag\"]}}");
	raw_close(&raw);
	cnc_close(server.cnc);
}

/* An address of this machine that is not loopback; false: it has none. */
static bool find_address(char ret_address[64])
{
	struct ifaddrs *all = NULL;
	bool is_found = false;

	getifaddrs(&all);
	for (struct ifaddrs *at = all; at && !is_found; at = at->ifa_next)
		if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET && (at->ifa_flags & IFF_UP) &&
			!(at->ifa_flags & IFF_LOOPBACK))
			is_found = inet_ntop(AF_INET, &((struct sockaddr_in *)at->ifa_addr)->sin_addr, ret_address, 64);
	freeifaddrs(all);
	return is_found;
}

/* Of another machine: seen and looked at; commanded only where both say insecure. */
static void another_machine(void **state)
{
	struct site server, client;
	uint16_t port = free_port();
	char address[64];
	json_t *answer;

	(void)state;
	if (!find_address(address))
		skip();
	site_init(&server, "lab1", true, port);
	site_init(&client, "lab2", false, port);
	client.system.options.server_host = address;
	site_open(&server);
	site_open(&client);
	wait_for_client(&server, "lab2");
	assert_int_equal(ask(&server, "lab2", PING), 200);
	assert_int_equal(ask(&server, "lab2", STATUS), 200);
	unsigned before = atomic_load(&asked_admin);
	assert_int_equal(ask_as(&server, "lab2", STOP, &admin, &answer), 409);
	assert_non_null(strstr(json_string_value(json_object_get(answer, "message")), "on this server"));
	json_decref(answer);
	cnc_close(server.cnc);
	server.system.options.insecure = true;
	site_open(&server);
	wait_for_client(&server, "lab2");
	assert_int_equal(ask_as(&server, "lab2", STOP, &admin, &answer), 409);
	assert_non_null(strstr(json_string_value(json_object_get(answer, "message")), "curve_server_key"));
	json_decref(answer);
	assert_int_equal(atomic_load(&asked_admin), before);
	cnc_close(client.cnc);
	client.system.options.insecure = true;
	site_open(&client);
	while (ask(&server, "lab2", STOP) != 200)
		pause_briefly();
	cnc_close(server.cnc);
	cnc_close(client.cnc);
}

/* A name belongs to the address that uses it. */
static void names_are_kept(void **state)
{
	struct site server;
	uint16_t port = free_port();
	char other_address[64];

	(void)state;
	site_init(&server, "lab1", true, port);
	site_open(&server);
	struct raw first = raw_at("lab2", port);
	raw_beat(&first, "lab2");
	wait_for_client(&server, "lab2");
	snprintf(other_address, sizeof(other_address), "tcp://127.0.0.2:0;127.0.0.1:%u", port);
	struct raw other = raw_open("lab2", other_address), own = raw_at("lab1", port), liar = raw_at("a", port);
	raw_say(&other, "{\"type\":\"CNCMessageLog\",\"level\":\"INFO\",\"message\":\"other\",\"timestamp\":\"\","
			"\"module\":\"\",\"client_id\":\"\"}");
	raw_say(&own, "{\"type\":\"CNCMessageReqPing\"}");
	raw_beat(&liar, "b");
	raw_say(&liar, PING);
	raw_expect(&liar, "ResPing");
	/* The first has lost its connection, and comes back by itself, once its pings are not answered. */
	json_t *logs = cnc_logs(server.cnc, "lab2");
	for (; !json_array_size(logs); logs = cnc_logs(server.cnc, "lab2")) {
		json_decref(logs);
		raw_say(&first,
			"{\"type\":\"CNCMessageLog\",\"level\":\"INFO\",\"message\":\"first\",\"timestamp\":\"\","
			"\"module\":\"\",\"client_id\":\"\"}");
		pause_briefly();
	}
	json_t *clients = cnc_clients(server.cnc);
	for (size_t i = 0; i < json_array_size(logs); i++)
		assert_string_equal(json_string_value(json_object_get(json_array_get(logs, i), "message")), "first");
	assert_true(json_is_null(json_object_get(json_object_get(clients, "lab1"), "identity")));
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(clients, "lab2"), "identity")), "bGFiMg==");
	assert_true(json_is_null(json_object_get(json_object_get(clients, "a"), "info")));
	assert_null(json_object_get(clients, "b"));
	json_decref(logs);
	json_decref(clients);
	raw_close(&first);
	raw_close(&other);
	raw_close(&own);
	raw_close(&liar);
	cnc_close(server.cnc);
}

/* An answer counts of who was asked, once, and of the right type. */
static void answers_are_checked(void **state)
{
	struct site server;
	uint16_t port = free_port();
	struct outcome outcome = {0};
	char answer[200];

	(void)state;
	site_init(&server, "lab1", true, port);
	site_open(&server);
	struct raw client = raw_at("lab2", port), other = raw_at("lab3", port);
	raw_beat(&client, "lab2");
	raw_beat(&other, "lab3");
	wait_for_client(&server, "lab2");
	wait_for_client(&server, "lab3");
	json_t *request = json_loads(PING, 0, NULL);
	cnc_ask(server.cnc, "lab2", request, &admin, on_answered, &outcome);
	json_decref(request);
	char *heard = raw_hear(&client);
	json_t *json = json_loads(heard, 0, NULL);
	const char *id = json_string_value(json_object_get(json, "req_id"));
	assert_int_equal(strlen(id), 36);
	snprintf(answer, sizeof(answer), "{\"type\":\"CNCMessageResPing\",\"req_id\":\"%s\"}", id);
	raw_say(&other, answer);
	raw_say(&other, PING);
	raw_expect(&other, "ResPing"); /* so the one before was heard */
	assert_int_equal(atomic_load(&outcome.status), 0);
	snprintf(answer, sizeof(answer),
		"{\"type\":\"CNCMessageResStopDAQJobs\",\"success\":true,\"message\":\"\",\"req_id\":\"%s\"}", id);
	raw_say(&client, answer);
	raw_say(&client, PING);
	raw_expect(&client, "ResPing");
	assert_int_equal(atomic_load(&outcome.status), 0);
	snprintf(answer, sizeof(answer), "{\"type\":\"CNCMessageResPing\",\"req_id\":\"%s\"}", id);
	raw_say(&client, answer);
	raw_say(&client, answer);
	while (!atomic_load(&outcome.status))
		pause_briefly();
	assert_int_equal(atomic_load(&outcome.status), 200);
	json_decref(outcome.answer);
	json_decref(json);
	free(heard);
	/* What is open when it ends is answered as well. */
	outcome = (struct outcome){0};
	request = json_loads(PING, 0, NULL);
	cnc_ask(server.cnc, "lab2", request, &admin, on_answered, &outcome);
	json_decref(request);
	cnc_close(server.cnc);
	assert_int_equal(atomic_load(&outcome.status), 503);
	json_decref(outcome.answer);
	raw_close(&client);
	raw_close(&other);
}

/* Bytes that are no messages, frames too many, a storm: the others are served. */
static void hostile(void **state)
{
	struct site server;
	uint16_t port = free_port();
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	(void)state;
	site_init(&server, "lab1", true, port);
	site_open(&server);
	struct raw bad = raw_at("bad", port), good = raw_at("good", port);
	for (unsigned i = 0; i < 200; i++) {
		unsigned char bytes[64];
		for (unsigned j = 0; j < sizeof(bytes); j++)
			bytes[j] = (unsigned char)(i * 37 + j * j * 11);
		zmq_send(bad.socket, bytes, i % sizeof(bytes), i % 3 ? 0 : ZMQ_SNDMORE);
	}
	zmq_send(bad.socket, "", 0, 0);
	for (unsigned i = 0; i < 10000; i++)
		raw_say(&bad, PING);
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	while (connect(descriptor, (struct sockaddr *)&address, sizeof(address)))
		pause_briefly();
	assert_true(write(descriptor, "GET / HTTP/1.1\r\n\r\n", 18) == 18);
	raw_beat(&good, "good");
	wait_for_client(&server, "good");
	raw_say(&good, PING);
	raw_expect(&good, "ResPing");
	close(descriptor);
	raw_close(&bad);
	raw_close(&good);
	cnc_close(server.cnc);
}

/* The process grows by what is not of the port (answers of HTTP, say) and keeps it: the port comes back. */
static void memory_of_others(void **state)
{
	enum { GROWN_BYTES = 320 << 20 };
	const struct timeval patience = {.tv_sec = (time_t)(PATIENCE_NS / 1000000000)};
	struct site server;
	uint16_t port = free_port();
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char greeting[64];

	(void)state;
	site_init(&server, "lab1", true, port);
	site_open(&server);
	struct raw good = raw_at("good", port);
	raw_say(&good, PING);
	raw_expect(&good, "ResPing");
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(descriptor, (struct sockaddr *)&address, sizeof(address)), 0);
	char *grown = malloc(GROWN_BYTES);
	memset(grown, 1, GROWN_BYTES);
	while (read(descriptor, greeting, sizeof(greeting)) > 0) /* until all connections are closed */
		;
	zmq_pollitem_t item = {.socket = good.socket, .events = ZMQ_POLLIN};
	uint64_t end_ns = clock_mono_ns() + PATIENCE_NS;
	do {
		assert_true(clock_mono_ns() < end_ns);
		raw_say(&good, PING);
	} while (zmq_poll(&item, 1, 200) < 1);
	raw_expect(&good, "ResPing");
	assert_int_equal(grown[GROWN_BYTES - 1], 1);
	free(grown);
	close(descriptor);
	raw_close(&good);
	cnc_close(server.cnc);
}

/* Waits until that endpoint has refused a key. */
static void expect_refused(const char *endpoint, const char *server_key, const char *public, const char *secret)
{
	void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_DEALER), *monitor;
	int none = 0;
	uint16_t event = 0;

	zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof(none));
	zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server_key, 41);
	zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, public, 41);
	zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret, 41);
	zmq_setsockopt(socket, ZMQ_ROUTING_ID, "stranger", 8);
	assert_int_equal(zmq_socket_monitor(socket, "inproc://events", ZMQ_EVENT_HANDSHAKE_FAILED_AUTH), 0);
	monitor = zmq_socket(context, ZMQ_PAIR);
	zmq_connect(monitor, "inproc://events");
	zmq_connect(socket, endpoint);
	unsigned char bytes[64];
	assert_true(zmq_recv(monitor, bytes, sizeof(bytes), 0) >= 2);
	memcpy(&event, bytes, sizeof(event));
	assert_int_equal(event, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
	zmq_recv(monitor, bytes, sizeof(bytes), 0);
	zmq_close(socket);
	zmq_close(monitor);
	zmq_ctx_term(context);
}

/* Only keys that are allowed connect, and they command. */
static void keys(void **state)
{
	struct site server, client, stranger;
	uint16_t port = free_port();
	static char public[3][41], secret[3][41];
	const char *allowed[] = {public[1]};

	(void)state;
	if (!zmq_has("curve"))
		skip();
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(zmq_curve_keypair(public[i], secret[i]), 0);
	site_init(&server, "lab1", true, port);
	site_init(&client, "lab2", false, port);
	site_init(&stranger, "lab3", false, port);
	struct site *sites[] = {&server, &client, &stranger};
	for (unsigned i = 0; i < 3; i++) {
		sites[i]->system.options.curve_public_key = public[i];
		sites[i]->system.options.curve_secret_key = secret[i];
		sites[i]->system.options.curve_server_key = i ? public[0] : NULL;
	}
	server.system.options.curve_allowed_keys.items = allowed;
	server.system.options.curve_allowed_keys.count = 1;
	site_open(&server);
	site_open(&stranger);
	struct raw plain = raw_at("plain", port);
	raw_beat(&plain, "plain");
	site_open(&client);
	wait_for_client(&server, "lab2");
	assert_int_equal(ask(&server, "lab2", STOP), 200);
	char endpoint[64];
	snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%u", port);
	expect_refused(endpoint, public[0], public[2], secret[2]);
	assert_false(cnc_knows(server.cnc, "stranger"));
	assert_false(cnc_knows(server.cnc, "lab3"));
	assert_false(cnc_knows(server.cnc, "plain"));
	/* Once it is allowed there, it finds its way by itself. */
	cnc_close(server.cnc);
	allowed[0] = public[2];
	site_open(&server);
	wait_for_client(&server, "lab3");
	assert_false(cnc_knows(server.cnc, "lab2"));
	raw_close(&plain);
	cnc_close(server.cnc);
	cnc_close(client.cnc);
	cnc_close(stranger.cnc);
}

/* A port that is in use is tried again. */
static void port_in_use(void **state)
{
	struct site first, second, client;
	uint16_t port = free_port();

	(void)state;
	site_init(&first, "lab1", true, port);
	site_init(&second, "lab2", true, port);
	site_init(&client, "lab3", false, port);
	site_open(&first);
	site_open(&client);
	wait_for_client(&first, "lab3");
	site_open(&second);
	assert_int_equal(ask(&second, "lab2", PING), 200);
	cnc_close(first.cnc);
	wait_for_client(&second, "lab3");
	cnc_close(second.cnc);
	cnc_close(client.cnc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(two_systems), cmocka_unit_test(peers_without_keys),
		cmocka_unit_test(another_machine), cmocka_unit_test(names_are_kept),
		cmocka_unit_test(answers_are_checked), cmocka_unit_test(hostile), cmocka_unit_test(memory_of_others),
		cmocka_unit_test(keys), cmocka_unit_test(port_in_use)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
