/* registry.c: a table of clients, each with a ring of its log lines. */
#include "web/cnc/registry.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "web/cnc/message.h"

#define LOGS_MAX       1000u
#define LOGS_BYTES_MAX (512u << 10) /* of one client */
#define LOG_TEXT_MAX   8192u        /* a longer one is cut */
#define LINE_BYTES     600u         /* about what a line costs besides its texts */

struct line {
	json_t *json;
	size_t bytes;
};

struct client {
	char name[256], owner[REGISTRY_OWNER_BYTES];
	bool is_loopback;
	uint64_t seen_ns, seen_wall_ns;
	json_t *info; /* NULL: no heartbeat yet */
	struct line *lines;
	unsigned first, count;
	size_t bytes;
};

struct registry {
	pthread_mutex_t lock;
	struct client *clients[REGISTRY_CLIENTS_MAX];
	unsigned count;
};

struct registry *registry_create(void)
{
	struct registry *registry = calloc(1, sizeof(*registry));

	if (registry)
		pthread_mutex_init(&registry->lock, NULL);
	return registry;
}

static void drop_line(struct client *client)
{
	struct line *line = &client->lines[client->first];

	json_decref(line->json);
	client->bytes -= line->bytes;
	client->first = (client->first + 1) % LOGS_MAX;
	client->count--;
}

static void client_destroy(struct client *client)
{
	while (client->count)
		drop_line(client);
	free(client->lines);
	json_decref(client->info);
	free(client);
}

void registry_destroy(struct registry *registry)
{
	if (!registry)
		return;
	for (unsigned i = 0; i < registry->count; i++)
		client_destroy(registry->clients[i]);
	pthread_mutex_destroy(&registry->lock);
	free(registry);
}

static struct client *find(struct registry *registry, const char *name)
{
	for (unsigned i = 0; i < registry->count; i++)
		if (!strcmp(registry->clients[i]->name, name))
			return registry->clients[i];
	return NULL;
}

/* Room for one more: false where all are there. */
static bool make_room(struct registry *registry, uint64_t now_ns)
{
	unsigned oldest = 0;

	if (registry->count < REGISTRY_CLIENTS_MAX)
		return true;
	for (unsigned i = 1; i < registry->count; i++)
		if (registry->clients[i]->seen_ns < registry->clients[oldest]->seen_ns)
			oldest = i;
	if (now_ns - registry->clients[oldest]->seen_ns < REGISTRY_GONE_NS)
		return false;
	client_destroy(registry->clients[oldest]);
	registry->clients[oldest] = registry->clients[--registry->count];
	return true;
}

static enum registry_verdict add(struct registry *registry, const struct registry_sight *sight, struct client **ret)
{
	if (!make_room(registry, sight->now_ns))
		return REGISTRY_FULL;
	struct client *client = calloc(1, sizeof(*client));
	if (!client)
		return REGISTRY_NO_MEMORY;
	text_copy(client->name, sizeof(client->name), sight->name);
	registry->clients[registry->count++] = client;
	*ret = client;
	return REGISTRY_NEW;
}

static enum registry_verdict see(struct registry *registry, const struct registry_sight *sight, char *ret_owner)
{
	struct client *client = find(registry, sight->name);
	enum registry_verdict verdict = REGISTRY_KNOWN;

	if (!client) {
		verdict = add(registry, sight, &client);
		if (verdict != REGISTRY_NEW)
			return verdict;
	} else if (strcmp(client->owner, sight->owner) && sight->now_ns - client->seen_ns < REGISTRY_FREE_NS) {
		text_copy(ret_owner, REGISTRY_OWNER_BYTES, client->owner);
		return REGISTRY_TAKEN;
	} else if (sight->now_ns - client->seen_ns >= REGISTRY_GONE_NS) {
		verdict = REGISTRY_NEW;
	}
	text_copy(client->owner, sizeof(client->owner), sight->owner);
	client->is_loopback = sight->is_loopback;
	client->seen_ns = sight->now_ns;
	client->seen_wall_ns = clock_wall_ns();
	if (sight->info) {
		json_decref(client->info);
		client->info = json_deep_copy(sight->info);
	}
	return verdict;
}

enum registry_verdict registry_see(
	struct registry *registry, const struct registry_sight *sight, char ret_owner[REGISTRY_OWNER_BYTES])
{
	pthread_mutex_lock(&registry->lock);
	enum registry_verdict verdict = see(registry, sight, ret_owner);
	pthread_mutex_unlock(&registry->lock);
	return verdict;
}

/* The message as GET /clients/ID/logs shows it, with texts of a bounded length. */
static struct line line_of(json_t *json)
{
	static const char *const names[] = {"level", "message", "timestamp", "module", "client_id"};
	struct line line = {.json = json_pack("{s:s}", "type", cnc_type_name(CNC_LOG)), .bytes = LINE_BYTES};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[LOG_TEXT_MAX + 1];
		const char *value = json_string_value(json_object_get(json, names[i]));
		text_copy(text, sizeof(text), value ? value : "");
		line.bytes += strlen(text);
		json_object_set_new(line.json, names[i], json_string(text));
	}
	json_object_set_new(line.json, "req_id", json_null());
	json_decref(json);
	return line;
}

static void add_line(struct client *client, struct line line)
{
	if (!client->lines)
		client->lines = calloc(LOGS_MAX, sizeof(*client->lines));
	if (!client->lines || !line.json) {
		json_decref(line.json);
		return;
	}
	while (client->count && (client->count == LOGS_MAX || client->bytes + line.bytes > LOGS_BYTES_MAX))
		drop_line(client);
	client->lines[(client->first + client->count++) % LOGS_MAX] = line;
	client->bytes += line.bytes;
}

void registry_add_log(struct registry *registry, const char *name, json_t *json)
{
	struct line line = line_of(json);

	pthread_mutex_lock(&registry->lock);
	struct client *client = find(registry, name);
	if (client)
		add_line(client, line);
	else
		json_decref(line.json);
	pthread_mutex_unlock(&registry->lock);
}

bool registry_knows(struct registry *registry, const char *name)
{
	pthread_mutex_lock(&registry->lock);
	bool is_known = find(registry, name);
	pthread_mutex_unlock(&registry->lock);
	return is_known;
}

bool registry_is_loopback(struct registry *registry, const char *name)
{
	pthread_mutex_lock(&registry->lock);
	const struct client *client = find(registry, name);
	bool is_loopback = client && client->is_loopback;
	pthread_mutex_unlock(&registry->lock);
	return is_loopback;
}

static void format_base64(const char *text, char *ret_text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t count = strlen(text);

	for (size_t i = 0; i < count; i += 3) {
		uint32_t bits = 0;
		for (size_t j = 0; j < 3; j++)
			bits = bits << 8 | (i + j < count ? (unsigned char)text[i + j] : 0);
		for (size_t j = 0; j < 4; j++)
			*ret_text++ = i + j <= count ? digits[bits >> (18 - 6 * j) & 63] : '=';
	}
	*ret_text = '\0';
}

json_t *registry_entry(const char *identity, uint64_t seen_wall_ns, const json_t *info)
{
	char seen[40], name[4 * 256 / 3 + 8];

	clock_format_local(seen_wall_ns, seen);
	if (identity)
		format_base64(identity, name);
	return json_pack("{s:s?, s:s, s:o?}", "identity", identity ? name : NULL, "last_seen", seen, "info",
		info ? json_deep_copy(info) : NULL);
}

void registry_list(struct registry *registry, json_t *clients)
{
	pthread_mutex_lock(&registry->lock);
	for (unsigned i = 0; i < registry->count; i++) {
		const struct client *client = registry->clients[i];
		json_object_set_new(
			clients, client->name, registry_entry(client->name, client->seen_wall_ns, client->info));
	}
	pthread_mutex_unlock(&registry->lock);
}

void registry_list_infos(struct registry *registry, json_t *infos)
{
	pthread_mutex_lock(&registry->lock);
	for (unsigned i = 0; i < registry->count; i++) {
		json_t *info = registry->clients[i]->info;
		json_object_set_new(infos, registry->clients[i]->name, info ? json_deep_copy(info) : json_null());
	}
	pthread_mutex_unlock(&registry->lock);
}

json_t *registry_logs(struct registry *registry, const char *name)
{
	json_t *logs = NULL;

	pthread_mutex_lock(&registry->lock);
	const struct client *client = find(registry, name);
	if (client)
		logs = json_array();
	for (unsigned i = 0; client && i < client->count; i++)
		json_array_append_new(logs, json_deep_copy(client->lines[(client->first + i) % LOGS_MAX].json));
	pthread_mutex_unlock(&registry->lock);
	return logs;
}
