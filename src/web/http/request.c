#include "web/http/request.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BODY_FIRST_BYTES = 4096 };

bool request_is_proxy(const struct request_proxies *proxies, const struct sockaddr_storage *address)
{
	for (uint32_t i = 0; i < proxies->count; i++)
		if (address_equals(&proxies->addresses[i], address))
			return true;
	return false;
}

/* The last entry of the list that is no proxy of ours: what stands before it, anybody may have written. */
static void find_client(struct request *request, const struct request_proxies *proxies, const char *list)
{
	size_t end = strlen(list);

	while (end) {
		size_t start = end;
		while (start && list[start - 1] != ',')
			start--;
		const char *entry = list + start + strspn(list + start, " \t");
		size_t bytes = (size_t)(list + end - entry);
		char text[64];
		while (bytes && (entry[bytes - 1] == ' ' || entry[bytes - 1] == '\t'))
			bytes--;
		if (bytes >= sizeof(text))
			return;
		memcpy(text, entry, bytes);
		text[bytes] = '\0';
		if (!address_parse(text, &request->client) || !request_is_proxy(proxies, &request->client))
			return;
		end = start ? start - 1 : 0;
	}
}

static void set_who(struct request *request, const struct request_peer *peer, const struct request_proxies *proxies)
{
	struct web_request *seen = &request->seen;
	const char *const *texts = request->head.texts;

	request->client = peer->socket;
	seen->connection = peer->connection;
	seen->is_tls = peer->is_tls;
	seen->is_loopback = peer->is_loopback;
	seen->is_proxied = peer->is_proxy;
	memcpy(seen->peer_address, peer->address, sizeof(seen->peer_address));
	memcpy(seen->address, peer->address, sizeof(seen->address));
	seen->peer_port = peer->port;
	seen->server_port = peer->server_port;
	memcpy(request->server_address, peer->server_address, sizeof(request->server_address));
	seen->server_address = request->server_address;
	seen->is_forwarded = request->head.is_forwarded;
	if (!peer->is_proxy)
		return;
	if (texts[HEAD_FORWARDED_FOR]) {
		find_client(request, proxies, texts[HEAD_FORWARDED_FOR]);
		address_format(&request->client, seen->address);
	}
	if (texts[HEAD_FORWARDED_PROTO])
		seen->is_tls = strcasecmp(texts[HEAD_FORWARDED_PROTO], "https") == 0;
}

static void set_texts(struct request *request)
{
	struct web_request *seen = &request->seen;
	const char *const *texts = request->head.texts;

	seen->method = request->head.method;
	seen->is_upgrade = request->head.is_upgrade;
	seen->path = request->head.target.path;
	seen->token = request->head.target.token;
	seen->query = request->head.target.query;
	seen->host = texts[HEAD_HOST];
	seen->origin = texts[HEAD_ORIGIN];
	seen->fetch_site = texts[HEAD_FETCH_SITE];
	seen->fetch_mode = texts[HEAD_FETCH_MODE];
	seen->authorization = texts[HEAD_AUTHORIZATION];
	seen->cookie = texts[HEAD_COOKIE];
	seen->content_type = texts[HEAD_CONTENT_TYPE];
	seen->if_none_match = texts[HEAD_IF_NONE_MATCH];
	seen->user_agent = texts[HEAD_USER_AGENT];
	seen->admin_access = texts[HEAD_ADMIN_ACCESS];
	seen->csrf = texts[HEAD_CSRF];
	seen->idempotency_key = texts[HEAD_IDEMPOTENCY_KEY];
	seen->protocols = texts[HEAD_SOCKET_PROTOCOL];
	seen->body = "";
}

int request_create(const char *bytes, size_t count, const struct request_peer *peer,
	const struct request_proxies *proxies, struct request **ret_request, struct head_refusal *ret_refusal)
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return -ENOMEM;
	request->text = malloc(count + 1);
	if (!request->text) {
		free(request);
		return -ENOMEM;
	}
	memcpy(request->text, bytes, count);
	request->text[count] = '\0';
	if (!head_parse(request->text, count, &request->head, ret_refusal)) {
		request_destroy(request);
		return -EINVAL;
	}
	set_texts(request);
	set_who(request, peer, proxies);
	*ret_request = request;
	return 0;
}

void request_destroy(struct request *request)
{
	if (!request)
		return;
	free(request->body);
	free(request->text);
	free(request);
}

static int grow(struct request *request, size_t wanted, size_t *budget)
{
	size_t capacity = request->body_capacity ? 2 * request->body_capacity : BODY_FIRST_BYTES;

	if (wanted <= request->body_capacity)
		return 0;
	while (capacity < wanted)
		capacity *= 2;
	if (capacity > request->head.body_bytes + 1)
		capacity = (size_t)request->head.body_bytes + 1;
	if (capacity - request->body_capacity > *budget)
		return -ENOMEM;
	char *body = realloc(request->body, capacity);
	if (!body)
		return -ENOMEM;
	*budget -= capacity - request->body_capacity;
	request->body = body;
	request->body_capacity = capacity;
	request->seen.body = body;
	return 0;
}

int request_add_body(struct request *request, const char *bytes, size_t count, size_t *budget)
{
	size_t left = (size_t)request->head.body_bytes - request->seen.body_bytes;

	if (count > left)
		count = left;
	if (count > INT_MAX)
		count = INT_MAX;
	if (!count)
		return 0;
	if (grow(request, request->seen.body_bytes + count + 1, budget))
		return -ENOMEM;
	memcpy(request->body + request->seen.body_bytes, bytes, count);
	request->seen.body_bytes += count;
	request->body[request->seen.body_bytes] = '\0';
	return (int)count;
}
