/* judge.c: who asks, and may he: Host, where it comes from, credentials, role, the rules for changes. In that order;
 * the first that refuses is the answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/path.h"
#include "base/text.h"
#include "web/access/access_state.h"
#include "web/access/origin.h"
#include "web/access/panel_token.h"
#include "web/access/peer.h"

/* Returns the status, and writes the audit: why, and, where that was it, from where. */
/* What lacks, by the least role of the route. Of visitors nothing can lack but a role above theirs. */
static const char *say_lack(enum access_role least)
{
	return least == ACCESS_ADMIN ? "this needs the role admin, and yours is less: ask an admin of this system, or "
				       "for a token of that role"
				     : "this needs the role user, and yours is visitor: ask an admin of this system "
				       "for a token of that role";
}

static int refuse(struct access *access, const struct web_request *request, int status, const char *detail,
	struct access_verdict *ret_verdict)
{
	static const char *const methods[] = {"GET", "POST", "?"};
	bool is_from = status == 403 && ret_verdict->who.way == ACCESS_BY_NOTHING;
	char what[600], result[16];

	ret_verdict->status = status;
	ret_verdict->detail = detail;
	snprintf(what, sizeof(what), "%s %.500s", methods[request->method], request->path);
	snprintf(result, sizeof(result), "%d", status);
	json_t *about = json_pack("{s:s, s:s*, s:s*}", "why", detail, "host", is_from ? request->host : NULL, "origin",
		is_from ? request->origin : NULL);
	char *text = about ? json_dumps(about, JSON_COMPACT) : NULL;
	audit_add(access->audit,
		&(struct audit_entry){
			.who = &ret_verdict->who, .what = what, .about = text, .result = result, .is_refused = true});
	free(text);
	json_decref(about);
	return status;
}

/* --- who: each sets `ret_who` and returns true, or leaves it --- */

static bool find_token(struct access *access, const char *text, enum access_way way, struct access_who *ret_who)
{
	pthread_mutex_lock(&access->mutex);
	access_refresh(access);
	const struct token *token = tokens_find(&access->tokens, text, time(NULL));
	if (token) {
		ret_who->role = token->role;
		ret_who->way = way;
		snprintf(ret_who->name, sizeof(ret_who->name), "%s", token->name);
		memcpy(ret_who->proof, token->digest, sizeof(ret_who->proof));
	}
	pthread_mutex_unlock(&access->mutex);
	return token != NULL;
}

void access_person_proof(const struct person *person, uint8_t ret_proof[SHA256_BYTES])
{
	struct sha256 sha256;

	sha256_init(&sha256);
	sha256_add(&sha256, person->name, strlen(person->name) + 1);
	sha256_add(&sha256, &person->created_s, sizeof(person->created_s));
	sha256_add(&sha256, person->hash, strlen(person->hash));
	sha256_finish(&sha256, ret_proof);
}

bool access_session_stands(struct access *access, const struct session *session, struct access_who *ret_who)
{
	uint8_t proof[SHA256_BYTES];

	if (session->is_person) {
		const struct person *person = people_find(&access->people, session->name);
		if (!person)
			return false;
		access_person_proof(person, proof);
		if (!digest_is_equal(proof, session->proof, sizeof(proof)))
			return false;
		ret_who->role = person->role;
	} else {
		const struct token *token = tokens_find_digest(&access->tokens, session->proof, time(NULL));
		if (!token)
			return false;
		ret_who->role = token->role;
	}
	ret_who->way = ACCESS_BY_SESSION;
	snprintf(ret_who->name, sizeof(ret_who->name), "%s", session->name);
	memcpy(ret_who->proof, session->digest, sizeof(ret_who->proof));
	return true;
}

static bool find_session(struct access *access, const struct web_request *request, struct access_who *ret_who)
{
	char text[SESSION_TEXT_BYTES];
	struct cookie_name name;

	cookie_format_name(access->port, request->is_tls, &name);
	if (!request->cookie || !cookie_find(request->cookie, &name, text))
		return false;
	pthread_mutex_lock(&access->mutex);
	access_refresh(access);
	struct session *session = sessions_find(&access->sessions, text, access_clock_s());
	bool stands = session && access_session_stands(access, session, ret_who);
	if (session && !stands)
		sessions_remove(session);
	pthread_mutex_unlock(&access->mutex);
	return stands;
}

/* Believed from configured proxies alone: anybody can write a header. */
static bool find_by_proxy(struct access *access, const struct web_request *request, struct access_who *ret_who)
{
	if (!request->is_proxied || !request->admin_access || !access->panel_secret ||
		panel_token_check(request->admin_access, access->panel_secret, time(NULL), ret_who))
		return false;
	ret_who->way = ACCESS_BY_PROXY;
	return true;
}

/* By connection, never by address and port: another user may get the same port a moment later. */
static bool find_peer_user(struct access *access, const struct web_request *request, uint32_t *ret_user)
{
	struct access_peer *place = &access->peers[request->connection % ACCESS_PEERS];

	pthread_mutex_lock(&access->mutex);
	bool is_known = request->connection && place->connection == request->connection;
	*ret_user = place->user;
	pthread_mutex_unlock(&access->mutex);
	if (is_known)
		return true;
	if (peer_find_user(request, ret_user))
		return false;
	pthread_mutex_lock(&access->mutex);
	*place = (struct access_peer){request->connection, *ret_user};
	pthread_mutex_unlock(&access->mutex);
	return true;
}

/* A proxy lends its user to whoever is behind it: what has passed one is nobody here. */
static bool find_by_peer(struct access *access, const struct web_request *request, struct access_who *ret_who)
{
	uint32_t user;

	if (!request->is_loopback || request->is_proxied || request->is_forwarded ||
		!find_peer_user(access, request, &user) || user != access->owner)
		return false;
	ret_who->role = ACCESS_ADMIN;
	ret_who->way = ACCESS_BY_PEER;
	path_format_user(user, ret_who->name, sizeof(ret_who->name));
	return true;
}

/* --- the steps --- */

static const char *find_bearer(const char *authorization)
{
	if (!authorization || strncasecmp(authorization, "Bearer", 6) != 0 ||
		(authorization[6] != ' ' && authorization[6] != '\t'))
		return NULL;
	return authorization + 6 + strspn(authorization + 6, " \t");
}

/* 0, or a status. A credential that is shown has to be good: falling back on another one would hide that it is not. */
static int find_who(
	struct access *access, const struct web_request *request, enum site site, struct access_verdict *verdict)
{
	static const char wrong[] = "this token is not valid: it may be mistyped, removed, or have expired "
				    "(`enrgdaq token list`)";
	const char *bearer = find_bearer(request->authorization);

	/* Basic behind a proxy is between the browser and the proxy, which hands it on. */
	if (request->authorization && !bearer && !request->is_proxied)
		return refuse(access, request, 401,
			"Authorization has to be \"Bearer TOKEN\"; log in for a page by POST /api/v1/login", verdict);
	if (bearer && !find_token(access, bearer, ACCESS_BY_BEARER, &verdict->who))
		return refuse(access, request, 401, wrong, verdict);
	if (bearer)
		return 0;
	if (request->token && !find_token(access, request->token, ACCESS_BY_PATH, &verdict->who))
		return refuse(access, request, 401, wrong, verdict);
	if (request->token)
		return 0;
	if (site == SITE_LINK) /* the browser's rights are not those of whoever made the link */
		return 0;
	if (!find_session(access, request, &verdict->who) && !find_by_proxy(access, request, &verdict->who))
		find_by_peer(access, request, &verdict->who);
	return 0;
}

static int check_from(
	struct access *access, const struct web_request *request, enum site *ret_site, struct access_verdict *verdict)
{
	if (!host_is_ours(request, (const char *const *)access->hosts))
		return refuse(access, request, 403,
			"the header Host names no name of this server: use an address of it, or add the name to "
			"web.hosts in supervisor.toml",
			verdict);
	*ret_site = site_find(request, (const char *const *)access->origins);
	if (*ret_site == SITE_OTHER)
		return refuse(access, request, 403,
			"a page of another site asks (Origin, Sec-Fetch-Site): refused; if it shall, add its origin "
			"to web.origins in supervisor.toml",
			verdict);
	return 0;
}

static bool is_json(const char *content_type)
{
	size_t length = strlen("application/json");

	return content_type && !strncasecmp(content_type, "application/json", length) &&
	       (content_type[length] == '\0' || strchr("; \t", content_type[length]));
}

static bool is_by_token(const struct access_who *who)
{
	return who->way == ACCESS_BY_BEARER || who->way == ACCESS_BY_PATH;
}

/* What a page of another site could make a browser send is not enough: a type of forms, or the cookie alone. */
static int check_change(
	struct access *access, const struct web_request *request, enum site site, struct access_verdict *verdict)
{
	const struct access_who *who = &verdict->who;
	bool is_empty = request->body_bytes == 0;
	bool is_script = site == SITE_NONE && !request->content_type;

	if (request->method != WEB_POST)
		return refuse(access, request, 403, "only POST changes anything", verdict);
	/* axios, of which the panel is made, calls no body at all a form */
	if (!is_json(request->content_type) && !(is_empty && (is_by_token(who) || is_script)))
		return refuse(access, request, 415,
			"Content-Type has to be application/json (curl: --json '{…}', or -H 'Content-Type: "
			"application/json')",
			verdict);
	if ((who->way != ACCESS_BY_SESSION && who->way != ACCESS_BY_PROXY) || site == SITE_LISTED)
		return 0;
	if (site != SITE_OWN)
		return refuse(access, request, 403,
			"a log-in of a browser counts only for this server's own pages: Sec-Fetch-Site or Origin has "
			"to say so; scripts use a token",
			verdict);
	if (!request->csrf || !*request->csrf)
		return refuse(access, request, 403,
			"with a log-in of a browser the header X-ENRGDAQ-CSRF has to be there, with any value",
			verdict);
	return 0;
}

void access_judge(struct access *access, const struct web_request *request, enum access_role least, bool is_change,
	struct access_verdict *ret_verdict)
{
	struct access_verdict *verdict = ret_verdict;
	enum site site;

	*verdict = (struct access_verdict){0};
	snprintf(verdict->who.address, sizeof(verdict->who.address), "%s", request->address);
	if (check_from(access, request, &site, verdict) || find_who(access, request, site, verdict))
		return;
	if (verdict->who.role < least) {
		if (verdict->who.role == ACCESS_NOBODY)
			refuse(access, request, 401,
				"this needs a token (Authorization: Bearer TOKEN, or /t/TOKEN before the path) or a "
				"log-in",
				verdict);
		else
			refuse(access, request, 403, say_lack(least), verdict);
		return;
	}
	/* Browsers apply no same-origin rule to WebSockets, and always send Origin. */
	if (request->is_upgrade && !request->origin && !is_by_token(&verdict->who)) {
		refuse(access, request, 403, "a WebSocket without Origin needs a token", verdict);
		return;
	}
	if (is_change)
		check_change(access, request, site, verdict);
}
