/* body.c: see the header. */
#include "body.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "http/hmac.h"
#include "outgoing/draft.h"

static void add_member(struct draft *json, const char *key, const char *value)
{
	draft_add(json, "\"%s\":", key);
	draft_add_json(json, value);
	draft_add(json, ",");
}

static void add_time(struct draft *json, const char *key, uint64_t time_ns)
{
	draft_add(json, "\"%s\":\"", key);
	draft_add_utc(json, time_ns);
	draft_add(json, "\",");
}

char *body_format(const struct notice *notice, uint64_t now_ns)
{
	struct draft json = {0};

	draft_add(&json, "{\"event\":\"alert\",");
	add_time(&json, "timestamp", now_ns);
	draft_add(&json, "\"data\":{");
	add_member(&json, "id", notice->id);
	add_time(&json, "time", notice->time_ns);
	add_member(&json, "severity", notice_severity(notice->severity));
	add_member(&json, "supervisor", notice->supervisor);
	add_member(&json, "job", notice->job);
	add_member(&json, "message", notice->message);
	if (notice->key[0]) {
		add_member(&json, "key", notice->key);
		add_member(&json, "event", notice_event(notice->event));
	}
	add_member(&json, "sent_by", notice->sent_by);
	draft_add(&json, "\"count\":%" PRIu32 ",\"may_be_repeated\":%s}}", notice->count,
		notice->may_be_repeated ? "true" : "false");
	return draft_take(&json);
}

char *body_sign(const char *secret, uint64_t seconds, const char *body)
{
	struct draft signed_text = {0}, signature = {0};
	uint8_t mac[HMAC_BYTES];
	char digits[HMAC_HEX_BYTES];

	draft_add(&signed_text, "%" PRIu64 ".%s", seconds, body);
	char *text = draft_take(&signed_text);
	if (!text)
		return NULL;
	hmac_sign(secret, strlen(secret), text, strlen(text), mac);
	free(text);
	hmac_format(mac, digits);
	draft_add(&signature, "sha256=%s", digits);
	return draft_take(&signature);
}
