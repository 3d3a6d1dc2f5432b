/* sessions.c: see the header. */
#include "web/access/sessions.h"

#include <stdio.h>
#include <string.h>

static bool is_on(const struct session *session, int64_t now_s)
{
	return session->used_s && now_s - session->used_s < SESSION_IDLE_S &&
	       now_s - session->created_s < SESSION_AGE_MAX_S;
}

int sessions_add(
	struct sessions *sessions, int64_t now_s, struct session **ret_session, char ret_text[SESSION_TEXT_BYTES])
{
	struct session *place = &sessions->items[0];
	uint8_t bytes[32];

	int rc = digest_draw(bytes, sizeof(bytes));
	if (rc)
		return rc;
	for (size_t i = 0; i < SESSIONS_MAX && is_on(place, now_s); i++) {
		struct session *one = &sessions->items[i];
		if (!is_on(one, now_s) || one->used_s < place->used_s)
			place = one;
	}
	digest_format_text(bytes, sizeof(bytes), ret_text);
	*place = (struct session){.created_s = now_s, .used_s = now_s};
	digest_of(ret_text, strlen(ret_text), place->digest);
	*ret_session = place;
	return 0;
}

struct session *sessions_find_digest(struct sessions *sessions, const uint8_t digest[SHA256_BYTES], int64_t now_s)
{
	struct session *found = NULL;

	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (digest_is_equal(sessions->items[i].digest, digest, SHA256_BYTES))
			found = &sessions->items[i];
	if (!found || !found->used_s)
		return NULL;
	if (!is_on(found, now_s)) {
		sessions_remove(found);
		return NULL;
	}
	found->used_s = now_s;
	return found;
}

struct session *sessions_find(struct sessions *sessions, const char *text, int64_t now_s)
{
	uint8_t digest[SHA256_BYTES];

	digest_of(text, strlen(text), digest);
	return sessions_find_digest(sessions, digest, now_s);
}

void sessions_remove(struct session *session)
{
	*session = (struct session){0};
}

/* --- cookies --- */

void cookie_format_name(uint16_t port, bool is_tls, struct cookie_name *ret_name)
{
	snprintf(ret_name->text, sizeof(ret_name->text), "%senrgdaq-%u", is_tls ? "__Host-" : "", (unsigned)port);
}

bool cookie_find(const char *header, const struct cookie_name *name, char ret_text[SESSION_TEXT_BYTES])
{
	size_t name_bytes = strlen(name->text);
	bool is_found = false;

	while (header && *header) {
		header += strspn(header, "; \t");
		size_t length = strcspn(header, ";"), bytes = length;
		while (bytes && (header[bytes - 1] == ' ' || header[bytes - 1] == '\t'))
			bytes--;
		if (bytes > name_bytes && !strncmp(header, name->text, name_bytes) && header[name_bytes] == '=') {
			size_t value_bytes = bytes - name_bytes - 1;
			if (is_found || value_bytes == 0 || value_bytes >= SESSION_TEXT_BYTES)
				return false;
			memcpy(ret_text, header + name_bytes + 1, value_bytes);
			ret_text[value_bytes] = '\0';
			is_found = true;
		}
		header += length;
	}
	return is_found;
}

void cookie_format(const struct cookie_name *name, bool is_tls, const char *text, char ret_cookie[ACCESS_COOKIE_BYTES])
{
	snprintf(ret_cookie, ACCESS_COOKIE_BYTES, "%s=%s; Path=/; HttpOnly; SameSite=Strict%s; Max-Age=%d", name->text,
		text, is_tls ? "; Secure" : "", *text ? SESSION_AGE_MAX_S : 0);
}
