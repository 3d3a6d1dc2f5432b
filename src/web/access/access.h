/* access.h: who asks, and what he may: tokens, people with passwords, sessions, the peer socket's user; Host, Origin,
 * fetch metadata; the audit. Knows requests, no sockets. Process: enrgdaq-web; access_judge on the main thread, the
 * rest on any (it locks). */
#ifndef WEB_ACCESS_ACCESS_H
#define WEB_ACCESS_ACCESS_H

#include "enrgdaq/error.h"
#include "web/http/message.h"

enum access_role { ACCESS_NOBODY, ACCESS_VISITOR, ACCESS_USER, ACCESS_ADMIN }; /* each may what those before it may */
enum access_way {
	ACCESS_BY_NOTHING,
	ACCESS_BY_BEARER,
	ACCESS_BY_PATH,
	ACCESS_BY_SESSION,
	ACCESS_BY_PROXY,
	ACCESS_BY_PEER,
	ACCESS_BY_CNC,  /* a machine over CNC: with a key, or without where that may */
	ACCESS_BY_LOCAL /* a command line on this machine */
};

struct access_who {
	enum access_role role;
	enum access_way way;
	char name[128];          /* of the token, the person, the user of this machine; "" */
	char address[46];        /* where he sits */
	unsigned char proof[32]; /* of the token, the password or the session; all 0: none. Compared, never shown */
};

const char *access_role_name(enum access_role role); /* "nobody", "visitor", "user", "admin" */
int access_role_parse(const char *text, enum access_role *ret_role);
const char *access_way_name(
	enum access_way way); /* "none", "bearer", "path", "session", "proxy", "peer", "cnc", "local" */

struct access;

struct access_params {
	const char *folder;     /* tokens, people, audit, first token: mode 0700, made where it is missing */
	const char *supervisor; /* for messages */
	uint16_t port;          /* ours: of names of cookies */
	/* Names allowed in Host besides loopback and addresses of this machine (the program adds the name that it
	 * listens at), and origins of pages that may ask although they are not ours; NULL at the end of each. */
	const char *const *hosts, *const *origins;
	const char *panel_secret; /* HS256 key of X-Admin-Access; NULL: not believed */
	uint32_t owner;           /* uid of the supervisor */
	bool is_tls;
};

/* Reads what is there; a file that others may read is refused by name. */
int access_open(const struct access_params *params, struct access **ret_access, struct enrg_error *err);
void access_close(struct access *access);
/* No token is there yet: makes one of an admin, kept in `FOLDER/first.token` (0600). Returns whether it made one; the
 * text is for a terminal alone. */
bool access_make_first(struct access *access, char ret_token[64], char ret_path[4096], struct enrg_error *err);

struct access_verdict {
	int status;         /* 0: go on; else 400, 401, 403, 415, 429 */
	const char *detail; /* a sentence; never says whether a token exists */
	uint32_t retry_after_s;
	struct access_who who;
};

/* `least`: role that the route needs. `is_change`: it changes state (CSRF rules). Refused attempts are audited here. */
void access_judge(struct access *access, const struct web_request *request, enum access_role least, bool is_change,
	struct access_verdict *ret_verdict);

/* One line of the audit, for changes and refusals: masked, control characters escaped. `what`: "POST
 * /clients/lab/stop_daqjob"; `about`: JSON text (of a configuration: through secrets_hide_text) or NULL; `result`:
 * status. Never waits for a disk. */
void access_audit(
	struct access *access, const struct access_who *who, const char *what, const char *about, const char *result);
/* Before the process ends: until what was audited is in the file, at most a second. */
void access_flush(struct access *access);
/* The run that lines of the audit name from now on: its number, "" = none. */
void access_set_run(struct access *access, const char *run);

/* --- sessions: what the routes of log-in and log-out call --- */
enum { ACCESS_COOKIE_BYTES = 256 };
/* A name and a password; hashes, and so waits: a worker calls it. 0 with the session's Set-Cookie, or `ret_verdict` as
 * access_judge sets it (401, 429). The caller writes the audit. */
int access_log_in(struct access *access, const struct web_request *request, const char *name, const char *password,
	char ret_cookie[ACCESS_COOKIE_BYTES], struct access_verdict *ret_verdict);
/* The same for a token's text (401; 403: a link of another page). Never waits. */
int access_exchange(struct access *access, const struct web_request *request, const char *token,
	char ret_cookie[ACCESS_COOKIE_BYTES], struct access_verdict *ret_verdict);
/* Ends the session of the request's cookie. `ret_cookie`: a Set-Cookie that removes it. */
void access_log_out(struct access *access, const struct web_request *request, char ret_cookie[ACCESS_COOKIE_BYTES]);
/* Who that was is still who he was: for each message of a WebSocket that stays open. The role that he has now. */
enum access_role access_role_now(struct access *access, const struct access_who *who);
/* `web.folder`, where tokens.h, people.h and audit.h find their files. */
const char *access_folder(const struct access *access);

#endif
