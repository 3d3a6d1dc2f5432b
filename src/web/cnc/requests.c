/* requests.c: a list, oldest first. */
#include "web/cnc/requests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"

struct request {
	struct request *next;
	char id[37], client[256];
	enum cnc_type type;
	uint64_t deadline_ns;
	cnc_answered *answered;
	void *context;
};

struct requests {
	struct request *first, **end;
	unsigned count;
};

struct requests *requests_create(void)
{
	struct requests *requests = calloc(1, sizeof(*requests));

	if (requests)
		requests->end = &requests->first;
	return requests;
}

static struct request *take(struct requests *requests, struct request **at)
{
	struct request *request = *at;

	*at = request->next;
	if (!*at)
		requests->end = at;
	requests->count--;
	return request;
}

static void answer(struct request *request, int status, const char *why)
{
	json_t *body = json_pack("{s:s}", "message", why);

	request->answered(request->context, status, body);
	json_decref(body);
	free(request);
}

void requests_destroy(struct requests *requests)
{
	if (!requests)
		return;
	while (requests->first)
		answer(take(requests, &requests->first), 503, "Command and control ends here; ask again.");
	free(requests);
}

static unsigned count_of(const struct requests *requests, const char *client)
{
	unsigned count = 0;

	for (const struct request *at = requests->first; at; at = at->next)
		count += !strcmp(at->client, client);
	return count;
}

/* A UUID of version 4, as the Python program has it. */
static int format_id(char ret_id[37])
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	text_format_uuid(bytes, 4, ret_id);
	return 0;
}

int requests_add(struct requests *requests, const struct request_params *params, char ret_id[37])
{
	if (requests->count >= REQUESTS_MAX || count_of(requests, params->client) >= REQUESTS_CLIENT_MAX)
		return -EAGAIN;
	struct request *request = calloc(1, sizeof(*request));
	if (!request)
		return -ENOMEM;
	int rc = format_id(request->id);
	if (rc) {
		free(request);
		return rc;
	}
	text_copy(request->client, sizeof(request->client), params->client);
	request->type = params->type;
	request->deadline_ns = params->now_ns + REQUEST_TIMEOUT_NS;
	request->answered = params->answered;
	request->context = params->context;
	*requests->end = request;
	requests->end = &request->next;
	requests->count++;
	memcpy(ret_id, request->id, 37);
	return 0;
}

static struct request **find(struct requests *requests, const char *id)
{
	struct request **at = &requests->first;

	while (*at && strcmp((*at)->id, id))
		at = &(*at)->next;
	return at;
}

bool requests_answer(struct requests *requests, const char *client, const struct cnc_message *message)
{
	const char *id = json_string_value(json_object_get(message->json, "req_id"));
	struct request **at = id ? find(requests, id) : NULL;

	if (!at || !*at || strcmp((*at)->client, client) || cnc_type_answer((*at)->type) != message->type)
		return false;
	struct request *request = take(requests, at);
	request->answered(
		request->context, json_is_false(json_object_get(message->json, "success")) ? 409 : 200, message->json);
	free(request);
	return true;
}

void requests_fail(struct requests *requests, const char *id, const char *why)
{
	struct request **at = find(requests, id);

	if (*at)
		answer(take(requests, at), 504, why);
}

void requests_expire(struct requests *requests, uint64_t now_ns)
{
	while (requests->first && requests->first->deadline_ns <= now_ns)
		answer(take(requests, &requests->first), 504, "Timeout waiting for client response.");
}
