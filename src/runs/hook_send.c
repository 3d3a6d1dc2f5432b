/* hook_send.c: one try of a webhook, by the code that sends alerts (plugins/shared/http): the address is judged behind
 * the name, no redirect is followed, a time limit is over all of it. On the thread of hooks.c. */
#include "runs/hook.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sha256.h"
#include "base/text.h"

#ifdef ENRG_HAS_CURL
#include "http/hmac.h"
#include "http/http.h"

#define ALLOWED_MAX 64u
#define HEADER_MAX  6u

struct letter {
	char *headers[HEADER_MAX], *body;
	size_t header_count;
};

static void add_header(struct letter *letter, const char *name, const char *value)
{
	struct enrg_error err = {0};
	char *header = NULL;

	if (letter->header_count < HEADER_MAX && !http_check_header(name, value, name, &err) &&
		asprintf(&header, "%s: %s", name, value) >= 0)
		letter->headers[letter->header_count++] = header;
}

/* Over time and body, so that nobody can send an old one again. */
static void add_signature(struct letter *letter, const char *secret, const char *seconds)
{
	uint8_t mac[HMAC_BYTES];
	char digits[HMAC_HEX_BYTES], value[HMAC_HEX_BYTES + 8], *text = NULL;

	if (asprintf(&text, "%s.%s", seconds, letter->body) < 0)
		return;
	hmac_sign(secret, strlen(secret), text, strlen(text), mac);
	hmac_format(mac, digits);
	snprintf(value, sizeof(value), "sha256=%s", digits);
	add_header(letter, "X-Enrgdaq-Signature", value);
	free(text);
}

static bool write_letter(struct letter *letter, const struct hook_call *call)
{
	uint64_t now_ns = clock_wall_ns();
	char timestamp[40], seconds[24], id[SHA256_HEX_BYTES], known[200];

	clock_format_utc(now_ns, timestamp, sizeof(timestamp));
	snprintf(seconds, sizeof(seconds), "%" PRIu64, now_ns / 1000000000u);
	snprintf(known, sizeof(known), "%s %s %s", call->uuid, hook_event_name(call->event), call->key);
	sha256_format(known, strlen(known), id);
	json_t *body = hook_make_body(call, timestamp);
	letter->body = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	if (!letter->body)
		return false;
	add_header(letter, "Content-Type", "application/json; charset=utf-8");
	id[32] = '\0';
	add_header(letter, "X-Enrgdaq-Id", id);
	add_header(letter, "X-Enrgdaq-Timestamp", seconds);
	if (call->hook->secret)
		add_header(letter, "Authorization", call->hook->secret);
	if (call->hook->hmac_secret)
		add_signature(letter, call->hook->hmac_secret, seconds);
	return true;
}

void hook_try_post(struct hook_call *call, const _Atomic bool *is_ending)
{
	const char *allowed[ALLOWED_MAX];
	struct http_options options = {.timeout_seconds = call->hook->timeout_s, .ca_file = call->hook->ca_file};
	struct letter letter = {0};
	struct http_result result = {0};
	struct enrg_error err = {0};
	size_t count = json_array_size(call->hook->allow_private);

	for (size_t i = 0; i < count && i < ALLOWED_MAX; i++)
		allowed[i] = json_string_value(json_array_get(call->hook->allow_private, i));
	options.allow_private =
		(struct enrg_string_list){.count = count < ALLOWED_MAX ? count : ALLOWED_MAX, .items = allowed};
	int rc = http_init(&err);
	if (!rc && !write_letter(&letter, call))
		rc = enrg_error_set(&err, -ENOMEM, "out of memory");
	const struct http_request request = {.options = &options,
		.url = call->hook->url,
		.body = letter.body,
		.body_bytes = letter.body ? strlen(letter.body) : 0,
		.headers = (const char *const *)letter.headers,
		.header_count = letter.header_count,
		.is_ending = is_ending};
	if (!rc)
		rc = http_send(&request, &result, &err);
	call->is_done = rc == 0;
	call->is_later = rc != 0 && rc != -EBADMSG && rc != -EACCES && rc != -EXDEV;
	if (rc)
		text_copy(call->answer, sizeof(call->answer), err.text);
	else
		snprintf(call->answer, sizeof(call->answer), "%ld", result.status);
	for (size_t i = 0; i < letter.header_count; i++)
		free(letter.headers[i]);
	free(letter.body);
}

#else

void hook_try_post(struct hook_call *call, const _Atomic bool *is_ending)
{
	(void)is_ending;
	snprintf(call->answer, sizeof(call->answer),
		"this program was built without libcurl and can send nothing: install libcurl and build it again");
}

#endif
