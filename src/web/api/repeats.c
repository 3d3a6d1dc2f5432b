/* repeats.c: see the header. */
#include "web/api/repeats.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sha256.h"

#define KEPT_MAX  256u
#define KEPT_NS   3600000000000ull
#define BYTES_MAX (4u << 20) /* of all answers together */

struct repeat {
	bool is_used, is_running;
	uint64_t at_ns;
	uint8_t name[SHA256_BYTES], request[SHA256_BYTES]; /* who and key; path, query and body */
	struct web_response response;
};

struct repeats {
	pthread_mutex_t lock;
	struct repeat items[KEPT_MAX];
};

struct repeats *repeats_create(void)
{
	struct repeats *repeats = calloc(1, sizeof(*repeats));

	if (repeats)
		pthread_mutex_init(&repeats->lock, NULL);
	return repeats;
}

static void forget(struct repeat *repeat)
{
	web_bytes_release(repeat->response.body);
	memset(repeat, 0, sizeof(*repeat));
}

void repeats_destroy(struct repeats *repeats)
{
	if (!repeats)
		return;
	for (size_t i = 0; i < KEPT_MAX; i++)
		forget(&repeats->items[i]);
	pthread_mutex_destroy(&repeats->lock);
	free(repeats);
}

/* With the final NUL, so that no two lists of texts are the same bytes. */
static void add(struct sha256 *sum, const char *text)
{
	sha256_add(sum, text, strlen(text) + 1);
}

static void name(const struct web_request *request, const struct access_who *who, struct repeat *ret_repeat)
{
	struct sha256 sum;

	sha256_init(&sum);
	add(&sum, who->name);
	sha256_add(&sum, who->proof, sizeof(who->proof));
	add(&sum, request->idempotency_key);
	sha256_finish(&sum, ret_repeat->name);
	sha256_init(&sum);
	add(&sum, request->path);
	add(&sum, request->query);
	sha256_add(&sum, request->body, request->body_bytes);
	sha256_finish(&sum, ret_repeat->request);
}

static struct repeat *find(struct repeats *repeats, const struct repeat *wanted, uint64_t now_ns)
{
	struct repeat *found = NULL;

	for (size_t i = 0; i < KEPT_MAX; i++) {
		struct repeat *item = &repeats->items[i];
		if (item->is_used && !item->is_running && now_ns - item->at_ns > KEPT_NS)
			forget(item);
		if (item->is_used && !memcmp(item->name, wanted->name, sizeof(item->name)))
			found = item;
	}
	return found;
}

/* The oldest that is answered gives way. NULL: none is. */
static struct repeat *make_room(struct repeats *repeats)
{
	struct repeat *oldest = NULL;

	for (size_t i = 0; i < KEPT_MAX; i++) {
		struct repeat *item = &repeats->items[i];
		if (!item->is_used)
			return item;
		if (!item->is_running && (!oldest || item->at_ns < oldest->at_ns))
			oldest = item;
	}
	if (oldest)
		forget(oldest);
	return oldest;
}

static enum repeats_outcome say_again(
	const struct repeat *found, const struct repeat *wanted, struct web_response *ret_response)
{
	if (memcmp(found->request, wanted->request, sizeof(found->request)) != 0)
		return REPEATS_OTHER;
	if (found->is_running)
		return REPEATS_RUNNING;
	*ret_response = found->response;
	if (ret_response->body)
		web_bytes_hold(ret_response->body);
	return REPEATS_AGAIN;
}

enum repeats_outcome repeats_begin(struct repeats *repeats, const struct web_request *request,
	const struct access_who *who, struct repeat **ret_repeat, struct web_response *ret_response)
{
	struct repeat wanted = {.is_used = true, .is_running = true, .at_ns = clock_mono_ns()};
	enum repeats_outcome outcome = REPEATS_FIRST;

	name(request, who, &wanted);
	pthread_mutex_lock(&repeats->lock);
	struct repeat *found = find(repeats, &wanted, wanted.at_ns);
	if (found)
		outcome = say_again(found, &wanted, ret_response);
	else if ((found = make_room(repeats)))
		*found = wanted;
	else
		outcome = REPEATS_FULL;
	pthread_mutex_unlock(&repeats->lock);
	*ret_repeat = outcome == REPEATS_FIRST ? found : NULL;
	return outcome;
}

static bool is_final(int status)
{
	return status == 200 || status == 404 || status == 409 || status == 504;
}

static void keep_within(struct repeats *repeats)
{
	for (;;) {
		struct repeat *oldest = NULL;
		size_t bytes = 0;
		for (size_t i = 0; i < KEPT_MAX; i++) {
			struct repeat *item = &repeats->items[i];
			if (!item->response.body)
				continue;
			bytes += item->response.body->count;
			if (!oldest || item->at_ns < oldest->at_ns)
				oldest = item;
		}
		if (bytes <= BYTES_MAX || !oldest)
			return;
		forget(oldest);
	}
}

void repeats_end(struct repeats *repeats, struct repeat *repeat, const struct web_response *response)
{
	pthread_mutex_lock(&repeats->lock);
	if (is_final(response->status)) {
		repeat->is_running = false;
		repeat->response = *response;
		if (response->body)
			web_bytes_hold(response->body);
		keep_within(repeats);
	} else {
		forget(repeat);
	}
	pthread_mutex_unlock(&repeats->lock);
}
