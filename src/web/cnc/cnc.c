/* cnc.c: the thread of command and control, who may ask what, and what other threads ask of it. */
#include "web/cnc/cnc.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "web/cnc/answers.h"
#include "web/cnc/client.h"
#include "web/cnc/server.h"

#define TURN_MS    100
#define AUDITS_MAX 20u   /* of refusals, in ten seconds */
#define ASKED_MAX  1024u /* that wait for the thread */

struct asked { /* by cnc_ask, of another machine */
	struct asked *next;
	char client[256];
	enum cnc_type type;
	json_t *request;
	cnc_answered *answered;
	void *context;
};

struct own { /* by cnc_ask, of this system */
	struct cnc *cnc;
	json_t *request;
	struct access_who who;
	cnc_answered *answered;
	void *context;
};

struct cnc {
	struct node *node;
	struct web_system *system;
	struct access *access;
	const struct web_settings *settings;
	void *context; /* of ZeroMQ */
	struct registry *registry;
	struct requests *requests;
	struct answers *answers;
	struct cnc_server *server; /* one of the two */
	struct cnc_client *client;
	struct notices notices;
	uint64_t audits_ns;
	unsigned audits, audits_left_out; /* since then; since the last one */
	int wake;
	pthread_t thread;
	bool is_started;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t idle;
	struct asked *first, **end;
	unsigned waiting, owns;
	bool is_stopping;
};

/* --- what peers ask --- */

static void reply(struct cnc *cnc, const struct cnc_peer *peer, const struct cnc_message *message, json_t *json)
{
	struct enrg_error err = {0};
	unsigned kept;

	if (!json)
		return;
	json_object_set(json, "req_id", json_object_get(message->json, "req_id"));
	int rc = peer ? cnc_server_send(cnc->server, peer->identity, peer->identity_bytes, json, &err)
		      : cnc_client_send(cnc->client, json, &err);
	if (rc == ENRG_E_PROTOCOL && notice_take(&cnc->notices, NOTICE_BUSY, "", clock_mono_ns(), &kept))
		log_line(ENRG_WARNING, "command and control: an answer can't be sent: %s", err.text);
	json_decref(json);
}

static json_t *list_clients(struct cnc *cnc)
{
	json_t *infos = json_pack("{s:o}", cnc->settings->supervisor_id, node_info(cnc->node));

	registry_list_infos(cnc->registry, infos);
	return json_pack("{s:s, s:o}", "type", cnc_type_name(CNC_RES_LIST_CLIENTS), "clients", infos);
}

static void fill_who(struct access_who *who, const char *name, const char *address, enum access_role role)
{
	*who = (struct access_who){.role = role, .way = ACCESS_BY_CNC};
	text_copy(who->name, sizeof(who->name), name);
	text_copy(who->address, sizeof(who->address), address);
}

/* Each refusal, but no more than AUDITS_MAX in ten seconds: the next one says how many there were besides. */
static void audit_refusal(struct cnc *cnc, const struct access_who *who, const char *what, uint64_t now_ns)
{
	char about[60] = "";

	if (now_ns - cnc->audits_ns >= NOTICE_NS) {
		cnc->audits_ns = now_ns;
		cnc->audits = 0;
	}
	if (cnc->audits++ >= AUDITS_MAX || !cnc->access) {
		cnc->audits_left_out++;
		return;
	}
	if (cnc->audits_left_out)
		snprintf(about, sizeof(about), "{\"left_out\":%u}", cnc->audits_left_out);
	cnc->audits_left_out = 0;
	access_audit(cnc->access, who, what, *about ? about : NULL, "refused");
}

static void say_refusal(struct cnc *cnc, const struct access_who *who, enum cnc_type type, const char *remedy)
{
	uint64_t now_ns = clock_mono_ns();
	unsigned kept;
	char what[80];

	snprintf(what, sizeof(what), "CNC %s", cnc_type_name(type));
	audit_refusal(cnc, who, what, now_ns);
	if (notice_take(&cnc->notices, NOTICE_REFUSED, who->address, now_ns, &kept))
		log_line(ENRG_WARNING,
			"command and control: %s of %s, %s was refused: %s (%u more of that machine since)",
			cnc_type_name(type), who->address, who->name, remedy, kept);
}

static void carry_out(
	struct cnc *cnc, const struct cnc_peer *peer, const struct cnc_message *message, const struct access_who *who)
{
	int rc = answers_start(cnc->answers, &(struct answers_request){.identity = peer ? peer->identity : NULL,
						     .identity_bytes = peer ? peer->identity_bytes : 0,
						     .type = message->type,
						     .json = message->json,
						     .who = who});

	if (rc)
		reply(cnc, peer, message,
			cnc_refuse(message->type, "Too many requests are being carried out; ask again in a moment."));
}

/* Somebody asks the server. */
static void on_peer_request(void *context, const struct cnc_peer *peer, const struct cnc_message *message)
{
	static const char remedy[] =
		"who commands over CNC needs a key that stands in cnc.curve_allowed_keys of the server "
		"(`enrgdaq cnc-keys`), or cnc.insecure = true there";
	struct cnc *cnc = context;
	struct access_who who;

	fill_who(&who, *peer->name ? peer->name : "a machine without a name", peer->address,
		peer->may_command ? ACCESS_ADMIN : ACCESS_NOBODY);
	if (message->type == CNC_REQ_PING) {
		reply(cnc, peer, message, json_pack("{s:s}", "type", cnc_type_name(CNC_RES_PING)));
	} else if (!peer->may_command) {
		say_refusal(cnc, &who, message->type, remedy);
		reply(cnc, peer, message, cnc_refuse(message->type, remedy));
	} else if (message->type == CNC_REQ_LIST_CLIENTS) {
		reply(cnc, peer, message, list_clients(cnc));
	} else {
		carry_out(cnc, peer, message, &who);
	}
}

/* The server asks this client. */
static void on_server_request(void *context, const char *address, bool may_command, const struct cnc_message *message)
{
	static const char remedy[] =
		"this system obeys a server on another machine only with cnc.curve_server_key (`enrgdaq cnc-keys`), or "
		"cnc.insecure = true";
	struct cnc *cnc = context;
	struct access_who who;

	fill_who(&who, "server", address, may_command ? ACCESS_ADMIN : ACCESS_VISITOR);
	if (message->type == CNC_REQ_PING) {
		reply(cnc, NULL, message, json_pack("{s:s}", "type", cnc_type_name(CNC_RES_PING)));
	} else if (message->type == CNC_REQ_LIST_CLIENTS) {
		json_t *infos = json_pack("{s:o}", cnc->settings->supervisor_id, node_info(cnc->node));
		reply(cnc, NULL, message,
			json_pack("{s:s, s:o}", "type", cnc_type_name(CNC_RES_LIST_CLIENTS), "clients", infos));
	} else if (cnc_type_is_change(message->type) && !may_command) {
		say_refusal(cnc, &who, message->type, remedy);
		reply(cnc, NULL, message, cnc_refuse(message->type, remedy));
	} else {
		carry_out(cnc, NULL, message, &who);
	}
}

/* An answer of the own system; where it is none that the protocol knows, it is turned into a refusal. */
static void send_answer(struct cnc *cnc, struct answer *answer)
{
	struct cnc_peer peer = {.identity = answer->identity, .identity_bytes = answer->identity_bytes};
	struct cnc_message asked = {.type = answer->type, .json = answer->json}, fitted;

	if (!cnc_message_fit(answer->json, &fitted, NULL)) {
		cnc_message_fini(&fitted);
		reply(cnc, answer->identity_bytes ? &peer : NULL, &asked, json_incref(answer->json));
	} else {
		const char *why = json_string_value(json_object_get(answer->json, "message"));
		reply(cnc, answer->identity_bytes ? &peer : NULL, &asked,
			cnc_refuse(answer->type, why ? why : "It could not be done."));
	}
	answer_destroy(answer);
}

/* --- what this program asks --- */

static void answer_now(cnc_answered *answered, void *context, int status, const char *why)
{
	json_t *body = json_pack("{s:s}", "message", why);

	answered(context, status, body);
	json_decref(body);
}

static void ask_client(struct cnc *cnc, const struct asked *asked)
{
	struct request_params params = {.client = asked->client,
		.type = asked->type,
		.now_ns = clock_mono_ns(),
		.answered = asked->answered,
		.context = asked->context};
	char id[37];

	if (requests_add(cnc->requests, &params, id)) {
		answer_now(asked->answered, asked->context, 503,
			"Too many requests wait for this client; ask again later.");
		return;
	}
	json_object_set_new(asked->request, "req_id", json_string(id));
	int rc = cnc_server_send(cnc->server, asked->client, strlen(asked->client), asked->request, NULL);
	if (rc)
		requests_fail(cnc->requests, id,
			rc == -EHOSTUNREACH ? "The client is not connected."
					    : "The client does not read what it is sent, or the request is too long.");
}

static struct asked *take_asked(struct cnc *cnc)
{
	pthread_mutex_lock(&cnc->lock);
	struct asked *asked = cnc->first;
	if (asked) {
		cnc->first = asked->next;
		if (!cnc->first)
			cnc->end = &cnc->first;
		cnc->waiting--;
	}
	pthread_mutex_unlock(&cnc->lock);
	return asked;
}

static void asked_destroy(struct asked *asked)
{
	json_decref(asked->request);
	free(asked);
}

/* On a worker. */
static void ask_own(void *context)
{
	struct own *own = context;
	struct cnc *cnc = own->cnc;
	json_t *answer = NULL;
	int status = node_ask(cnc->node, own->request, &own->who, &answer);

	own->answered(own->context, status, answer);
	json_decref(answer);
	json_decref(own->request);
	free(own);
	pthread_mutex_lock(&cnc->lock);
	if (!--cnc->owns)
		pthread_cond_broadcast(&cnc->idle);
	pthread_mutex_unlock(&cnc->lock);
}

static void start_own(
	struct cnc *cnc, const json_t *request, const struct access_who *who, cnc_answered *answered, void *context)
{
	struct own *own = calloc(1, sizeof(*own));

	if (!own) {
		answer_now(answered, context, 503, "Out of memory.");
		return;
	}
	*own = (struct own){
		.cnc = cnc, .request = json_deep_copy(request), .who = *who, .answered = answered, .context = context};
	pthread_mutex_lock(&cnc->lock);
	cnc->owns++;
	pthread_mutex_unlock(&cnc->lock);
	if (!system_work_change(cnc->system, ask_own, own))
		return;
	pthread_mutex_lock(&cnc->lock);
	if (!--cnc->owns)
		pthread_cond_broadcast(&cnc->idle);
	pthread_mutex_unlock(&cnc->lock);
	answer_now(answered, context, 503, "Too many requests are being carried out; ask again in a moment.");
	json_decref(own->request);
	free(own);
}

/* 0, or the status with which it is refused: ret_why says why. */
static int judge(
	struct cnc *cnc, const char *client, enum cnc_type type, const struct access_who *who, const char **ret_why)
{
	const struct cnc_options *options = cnc->settings->cnc;
	bool is_code = type == CNC_REQ_RUN_CUSTOM_DAQ_JOB || type == CNC_REQ_SEND_MESSAGE;

	if (is_code && who->role < ACCESS_ADMIN) {
		*ret_why = "On another machine this is for admins: over CNC nobody can say for whom a server asks.";
		return 403;
	}
	if (cnc_type_is_change(type) && !options->curve_secret_key && !options->insecure &&
		!registry_is_loopback(cnc->registry, client)) {
		*ret_why = "That client is another machine and has no key, so nothing that changes is asked of it: "
			   "set up keys "
			   "(`enrgdaq cnc-keys`), or cnc.insecure = true on this server.";
		return 409;
	}
	return 0;
}

static int enqueue(struct cnc *cnc, struct asked *asked)
{
	int rc = -EAGAIN;

	pthread_mutex_lock(&cnc->lock);
	if (cnc->waiting < ASKED_MAX && !cnc->is_stopping) {
		*cnc->end = asked;
		cnc->end = &asked->next;
		cnc->waiting++;
		rc = 0;
	}
	pthread_mutex_unlock(&cnc->lock);
	if (!rc)
		eventfd_write(cnc->wake, 1);
	return rc;
}

static void refuse(cnc_answered *answered, void *context, enum cnc_type type, int status, const char *why)
{
	json_t *body = cnc_refuse(type, why);

	answered(context, status, body);
	json_decref(body);
}

void cnc_ask(struct cnc *cnc, const char *client_id, const json_t *request, const struct access_who *who,
	cnc_answered *answered, void *context)
{
	struct cnc_message message;
	const char *why = NULL;

	if (!strcmp(client_id, cnc->settings->supervisor_id)) {
		start_own(cnc, request, who, answered, context);
		return;
	}
	if (!cnc_knows(cnc, client_id)) {
		answer_now(answered, context, 404, "Client not found or not connected.");
		return;
	}
	if (cnc_message_fit(request, &message, NULL)) {
		answer_now(answered, context, 422, "A field is missing or of another type.");
		return;
	}
	int status = judge(cnc, client_id, message.type, who, &why);
	struct asked *asked = status ? NULL : calloc(1, sizeof(*asked));
	if (asked) {
		*asked = (struct asked){
			.type = message.type, .request = message.json, .answered = answered, .context = context};
		message.json = NULL; /* it goes to another thread as a whole */
		text_copy(asked->client, sizeof(asked->client), client_id);
	}
	if (status)
		refuse(answered, context, message.type, status, why);
	else if (!asked || enqueue(cnc, asked)) {
		if (asked)
			asked_destroy(asked);
		answer_now(answered, context, 503, "Too many requests wait; ask again in a moment.");
	}
	cnc_message_fini(&message);
}

json_t *cnc_clients(struct cnc *cnc)
{
	json_t *info = node_info(cnc->node);
	json_t *clients = json_pack("{s:o}", cnc->settings->supervisor_id, registry_entry(NULL, clock_wall_ns(), info));

	json_decref(info);
	registry_list(cnc->registry, clients);
	return clients;
}

bool cnc_knows(struct cnc *cnc, const char *client_id)
{
	return !strcmp(client_id, cnc->settings->supervisor_id) || registry_knows(cnc->registry, client_id);
}

json_t *cnc_logs(struct cnc *cnc, const char *client_id)
{
	uint64_t position = 0;

	if (!strcmp(client_id, cnc->settings->supervisor_id))
		return node_logs(cnc->node, &position, 1000);
	return registry_logs(cnc->registry, client_id);
}

/* --- the thread --- */

static bool turn(struct cnc *cnc)
{
	uint64_t now_ns = clock_mono_ns();
	struct asked *asked;
	struct answer *answer;
	bool has_more = cnc->server ? cnc_server_turn(cnc->server, now_ns) : cnc_client_turn(cnc->client, now_ns);

	while ((answer = answers_take(cnc->answers)))
		send_answer(cnc, answer);
	while ((asked = take_asked(cnc))) {
		ask_client(cnc, asked);
		asked_destroy(asked);
	}
	requests_expire(cnc->requests, now_ns);
	return has_more;
}

static bool is_stopping(struct cnc *cnc)
{
	pthread_mutex_lock(&cnc->lock);
	bool is = cnc->is_stopping;
	pthread_mutex_unlock(&cnc->lock);
	return is;
}

static void *run(void *context)
{
	struct cnc *cnc = context;

	while (!is_stopping(cnc)) {
		bool has_more = turn(cnc);
		zmq_pollitem_t items[4] = {{.fd = cnc->wake, .events = ZMQ_POLLIN}};
		unsigned count = 1;
		count += cnc->server ? cnc_server_items(cnc->server, items + 1)
				     : cnc_client_items(cnc->client, items + 1);
		zmq_poll(items, (int)count, has_more ? 0 : TURN_MS);
		eventfd_t ignored;
		if (items[0].revents & ZMQ_POLLIN)
			eventfd_read(cnc->wake, &ignored);
	}
	return NULL;
}

/* --- life --- */

static int open_side(struct cnc *cnc, struct enrg_error *err)
{
	const struct cnc_options *options = cnc->settings->cnc;

	if ((options->curve_secret_key || options->curve_server_key) && !zmq_has("curve"))
		return enrg_error_set(err, ENRG_E_CONFIG,
			"cnc.curve_secret_key: libzmq of this machine was built without CURVE; nothing is served");
	if (options->is_server)
		return cnc_server_open(&(struct cnc_server_params){.context = cnc->context,
					       .own_id = cnc->settings->supervisor_id,
					       .options = options,
					       .registry = cnc->registry,
					       .requests = cnc->requests,
					       .notices = &cnc->notices,
					       .user = cnc,
					       .on_request = on_peer_request},
			&cnc->server, err);
	return cnc_client_open(&(struct cnc_client_params){.context = cnc->context,
				       .own_id = cnc->settings->supervisor_id,
				       .options = options,
				       .node = cnc->node,
				       .notices = &cnc->notices,
				       .user = cnc,
				       .on_request = on_server_request},
		&cnc->client, err);
}

static int open_parts(struct cnc *cnc, struct enrg_error *err)
{
	cnc->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	cnc->context = zmq_ctx_new();
	cnc->registry = registry_create();
	cnc->requests = requests_create();
	cnc->answers = cnc->wake < 0 ? NULL : answers_create(cnc->node, cnc->system, cnc->access, cnc->wake);
	if (!cnc->context || !cnc->registry || !cnc->requests || !cnc->answers)
		return enrg_error_set(err, -ENOMEM, "no memory or descriptors for command and control");
	int rc = open_side(cnc, err);
	if (rc)
		return rc;
	rc = -pthread_create(&cnc->thread, NULL, run, cnc);
	cnc->is_started = !rc;
	return rc ? enrg_error_set(err, rc, "no thread for command and control: %s", strerror(-rc)) : 0;
}

int cnc_open(struct node *node, struct web_system *system, struct access *access, struct cnc **ret_cnc,
	struct enrg_error *err)
{
	struct cnc *cnc = calloc(1, sizeof(*cnc));

	if (!cnc)
		return enrg_error_set(err, -ENOMEM, "no memory for command and control");
	*cnc = (struct cnc){.node = node,
		.system = system,
		.access = access,
		.settings = system_settings(system),
		.wake = -1,
		.end = &cnc->first};
	pthread_mutex_init(&cnc->lock, NULL);
	pthread_cond_init(&cnc->idle, NULL);
	int rc = open_parts(cnc, err);
	if (rc) {
		cnc_close(cnc);
		return rc;
	}
	*ret_cnc = cnc;
	return 0;
}

static void stop_thread(struct cnc *cnc)
{
	pthread_mutex_lock(&cnc->lock);
	cnc->is_stopping = true;
	pthread_mutex_unlock(&cnc->lock);
	if (!cnc->is_started)
		return;
	eventfd_write(cnc->wake, 1);
	pthread_join(cnc->thread, NULL);
}

void cnc_close(struct cnc *cnc)
{
	struct asked *asked;

	if (!cnc)
		return;
	stop_thread(cnc);
	while ((asked = take_asked(cnc))) {
		answer_now(asked->answered, asked->context, 503, "Command and control ends here; ask again.");
		asked_destroy(asked);
	}
	pthread_mutex_lock(&cnc->lock);
	while (cnc->owns)
		pthread_cond_wait(&cnc->idle, &cnc->lock);
	pthread_mutex_unlock(&cnc->lock);
	answers_destroy(cnc->answers);
	requests_destroy(cnc->requests);
	cnc_server_close(cnc->server);
	cnc_client_close(cnc->client);
	registry_destroy(cnc->registry);
	if (cnc->context)
		zmq_ctx_term(cnc->context);
	if (cnc->wake >= 0)
		close(cnc->wake);
	pthread_cond_destroy(&cnc->idle);
	pthread_mutex_destroy(&cnc->lock);
	free(cnc);
}
