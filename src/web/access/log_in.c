/* log_in.c: sessions begin and end. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "web/access/access_state.h"
#include "web/access/origin.h"

static bool is_loopback_address(const struct web_request *request)
{
	return request->is_loopback && !request->is_proxied && !request->is_forwarded;
}

static int begin(struct access *access, const struct web_request *request, const struct session *proved,
	char ret_cookie[ACCESS_COOKIE_BYTES])
{
	char text[SESSION_TEXT_BYTES];
	struct cookie_name name;
	struct session *session;

	int rc = sessions_add(&access->sessions, access_clock_s(), &session, text);
	if (rc)
		return rc;
	session->is_person = proved->is_person;
	memcpy(session->proof, proved->proof, sizeof(session->proof));
	memcpy(session->name, proved->name, sizeof(session->name));
	cookie_format_name(access->port, request->is_tls, &name);
	cookie_format(&name, request->is_tls, text, ret_cookie);
	explicit_bzero(text, sizeof(text));
	return 0;
}

/* Charged before it is known: what is tried at the same time gets no more tries. */
static uint32_t charge(struct access *access, const struct web_request *request, const char *name)
{
	int64_t now_s = access_clock_s();

	if (is_loopback_address(request))
		return 0;
	uint32_t by_address = throttle_ask(&access->throttle, 'a', request->address, now_s),
		 by_name = throttle_ask(&access->throttle, 'n', name, now_s);
	if (by_address || by_name)
		return by_address > by_name ? by_address : by_name;
	throttle_failed(&access->throttle, 'a', request->address, now_s);
	throttle_failed(&access->throttle, 'n', name, now_s);
	return 0;
}

static void take_back(struct access *access, const struct web_request *request, const char *name)
{
	if (is_loopback_address(request))
		return;
	throttle_forgive(&access->throttle, 'a', request->address);
	throttle_forget(&access->throttle, 'n', name);
}

static void say_who(const struct web_request *request, const char *name, struct access_verdict *ret_verdict)
{
	*ret_verdict = (struct access_verdict){0};
	snprintf(ret_verdict->who.address, sizeof(ret_verdict->who.address), "%s", request->address);
	snprintf(ret_verdict->who.name, sizeof(ret_verdict->who.name), "%s", name);
}

static int refuse(int status, const char *detail, struct access_verdict *ret_verdict)
{
	ret_verdict->status = status;
	ret_verdict->detail = detail;
	return status;
}

/* With the mutex: the password was right for this line of the file, which must still be there. */
static bool begin_person(struct access *access, const struct web_request *request, const struct person *checked,
	char ret_cookie[ACCESS_COOKIE_BYTES], struct access_who *ret_who)
{
	struct session proved = {.is_person = true};

	snprintf(proved.name, sizeof(proved.name), "%s", checked->name);
	access_person_proof(checked, proved.proof);
	return access_session_stands(access, &proved, ret_who) && !begin(access, request, &proved, ret_cookie);
}

int access_log_in(struct access *access, const struct web_request *request, const char *name, const char *password,
	char ret_cookie[ACCESS_COOKIE_BYTES], struct access_verdict *ret_verdict)
{
	struct person person = {0};

	say_who(request, name, ret_verdict);
	pthread_mutex_lock(&access->mutex);
	access_refresh(access);
	uint32_t wait_s = charge(access, request, name);
	const struct person *found = people_find(&access->people, name);
	if (found)
		person = *found;
	pthread_mutex_unlock(&access->mutex);
	if (wait_s) {
		ret_verdict->retry_after_s = wait_s;
		return refuse(
			429, "too many log-ins have failed, from this address or with this name: wait", ret_verdict);
	}
	bool is_it = password_is(password, found ? person.hash : NULL); /* without the lock: it takes its time */
	pthread_mutex_lock(&access->mutex);
	access_refresh(access);
	is_it = is_it && begin_person(access, request, &person, ret_cookie, &ret_verdict->who);
	if (is_it)
		take_back(access, request, name);
	pthread_mutex_unlock(&access->mutex);
	explicit_bzero(&person, sizeof(person));
	if (!is_it)
		return refuse(401, "name or password is wrong", ret_verdict);
	return 0;
}

int access_exchange(struct access *access, const struct web_request *request, const char *token,
	char ret_cookie[ACCESS_COOKIE_BYTES], struct access_verdict *ret_verdict)
{
	struct session proved = {0};

	say_who(request, "", ret_verdict);
	/* A browser that a page of somebody else has logged in would work as somebody else from then on. */
	enum site site = site_find(request, NULL);
	if (site != SITE_NONE && site != SITE_OWN)
		return refuse(403, "a link on another page can't log in: open it by the address bar", ret_verdict);
	pthread_mutex_lock(&access->mutex);
	access_refresh(access);
	const struct token *found = tokens_find(&access->tokens, token, time(NULL));
	if (found) {
		snprintf(proved.name, sizeof(proved.name), "%s", found->name);
		memcpy(proved.proof, found->digest, sizeof(proved.proof));
	}
	bool is_it = found && access_session_stands(access, &proved, &ret_verdict->who) &&
		     !begin(access, request, &proved, ret_cookie);
	pthread_mutex_unlock(&access->mutex);
	if (!is_it)
		return refuse(
			401, "this token is not valid: it may be mistyped, removed, or have expired", ret_verdict);
	return 0;
}

void access_log_out(struct access *access, const struct web_request *request, char ret_cookie[ACCESS_COOKIE_BYTES])
{
	char text[SESSION_TEXT_BYTES];
	struct cookie_name name;

	cookie_format_name(access->port, request->is_tls, &name);
	cookie_format(&name, request->is_tls, "", ret_cookie);
	if (!request->cookie || !cookie_find(request->cookie, &name, text))
		return;
	pthread_mutex_lock(&access->mutex);
	struct session *session = sessions_find(&access->sessions, text, access_clock_s());
	if (session)
		sessions_remove(session);
	pthread_mutex_unlock(&access->mutex);
}

enum access_role access_role_now(struct access *access, const struct access_who *who)
{
	struct access_who current = *who;

	if (who->way != ACCESS_BY_BEARER && who->way != ACCESS_BY_PATH && who->way != ACCESS_BY_SESSION)
		return who->role;
	pthread_mutex_lock(&access->mutex);
	access_refresh(access);
	if (who->way == ACCESS_BY_SESSION) {
		struct session *session = sessions_find_digest(&access->sessions, who->proof, access_clock_s());
		if (!session || !access_session_stands(access, session, &current))
			current.role = ACCESS_NOBODY;
	} else {
		const struct token *token = tokens_find_digest(&access->tokens, who->proof, time(NULL));
		current.role = token ? token->role : ACCESS_NOBODY;
	}
	pthread_mutex_unlock(&access->mutex);
	return current.role;
}
