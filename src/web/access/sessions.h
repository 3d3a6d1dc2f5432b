/* sessions.h: who has logged in with a browser: random texts in cookies, in memory alone. Belongs to whoever locks. */
#ifndef WEB_ACCESS_SESSIONS_H
#define WEB_ACCESS_SESSIONS_H

#include "web/access/access.h"
#include "web/access/digest.h"

enum {
	SESSIONS_MAX = 256,
	SESSION_IDLE_S = 12 * 3600,
	SESSION_AGE_MAX_S = 7 * 86400,
	SESSION_TEXT_BYTES = DIGEST_TEXT_BYTES(32)
};

struct session {
	uint8_t digest[SHA256_BYTES]; /* of its text */
	uint8_t proof[SHA256_BYTES];  /* what it rests on: a token's digest, that of a person's line */
	bool is_person;
	char name[64];             /* of token or person */
	int64_t created_s, used_s; /* of a clock that only goes on; used_s 0: free */
};

struct sessions {
	struct session items[SESSIONS_MAX];
};

/* In the place of a free one, of one that is over, or of the one that was not used for longest. -errno: no random
 * bytes. The caller fills the rest of *ret_session. */
int sessions_add(
	struct sessions *sessions, int64_t now_s, struct session **ret_session, char ret_text[SESSION_TEXT_BYTES]);
/* One that is on; it counts as used. NULL. */
struct session *sessions_find(struct sessions *sessions, const char *text, int64_t now_s);
/* The same, by its digest. */
struct session *sessions_find_digest(struct sessions *sessions, const uint8_t digest[SHA256_BYTES], int64_t now_s);
void sessions_remove(struct session *session);

/* --- cookies --- */
struct cookie_name {
	char text[48];
};
/* Cookies are shared by all ports of a host: the name holds ours. */
void cookie_format_name(uint16_t port, bool is_tls, struct cookie_name *ret_name);
/* The value of that cookie in a Cookie header; false: not there, there twice, or longer than a session's text. */
bool cookie_find(const char *header, const struct cookie_name *name, char ret_text[SESSION_TEXT_BYTES]);
/* "": one that removes it. */
void cookie_format(const struct cookie_name *name, bool is_tls, const char *text, char ret_cookie[ACCESS_COOKIE_BYTES]);

#endif
