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
	ACCESS_BY_PEER
};

struct access_who {
	enum access_role role;
	enum access_way way;
	char name[128];   /* of the token, the person, the user of this machine; "" */
	char address[46]; /* where he sits */
};

const char *access_role_name(enum access_role role); /* "nobody", "visitor", "user", "admin" */
int access_role_parse(const char *text, enum access_role *ret_role);

struct access;

struct access_params {
	const char *folder;     /* tokens, people, audit, first token: mode 0700, made where it is missing */
	const char *supervisor; /* for names of cookies */
	uint16_t port;          /* ours */
	const char *const *hosts,
		*const *origins;  /* names allowed besides loopback and the address connected to; NULL at the end */
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
	int status;         /* 0: go on; else 400, 401, 403, 429 */
	const char *detail; /* a sentence; never says whether a token exists */
	uint32_t retry_after_s;
	struct access_who who;
};

/* `least`: role that the route needs. `is_change`: it changes state (CSRF rules). Refused attempts are audited here. */
void access_judge(struct access *access, const struct web_request *request, enum access_role least, bool is_change,
	struct access_verdict *ret_verdict);

/* One line of the audit, for changes and refusals: masked, control characters escaped. `what`: "POST
 * /clients/lab/stop_daqjob"; `about`: JSON text or NULL; `result`: status. */
void access_audit(
	struct access *access, const struct access_who *who, const char *what, const char *about, const char *result);

#endif
