/* v1_access.c: who one is, log-in and log-out, people, tokens, the audit. */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "web/access/audit.h"
#include "web/access/people.h"
#include "web/access/tokens.h"
#include "web/api/routes.h"

#define PROVING_MAX 3u

static atomic_uint proving; /* log-ins that are on a worker */

/* --- fields --- */

enum { ROLE_KEPT = ACCESS_NOBODY };
static const struct enrg_choice roles[] = {
	{"visitor", ACCESS_VISITOR}, {"user", ACCESS_USER}, {"admin", ACCESS_ADMIN}, {NULL, 0}};

struct log_in_body {
	const char *name, *password, *token;
};
struct own_password_body {
	const char *old, *password;
};
struct person_body {
	const char *name, *password;
	int role;
};
struct token_body {
	const char *name;
	int role;
	int64_t days;
};
struct audit_list {
	const char *who, *what, *result, *before;
	int64_t limit;
};

#define TEXT(type, member, needed, otherwise, text)                                                                    \
	{                                                                                                              \
		.key = #member, .kind = ENRG_OPTION_STRING, .offset = offsetof(struct type, member),                   \
		.required = needed, .default_value = otherwise, .help = text                                           \
	}
#define SECRET(type, member, needed, text)                                                                             \
	{                                                                                                              \
		.key = #member, .kind = ENRG_OPTION_STRING, .offset = offsetof(struct type, member),                   \
		.required = needed, .secret = true, .help = text                                                       \
	}
#define ROLE(type, needed, text)                                                                                       \
	{                                                                                                              \
		.key = "role", .kind = ENRG_OPTION_CHOICE, .offset = offsetof(struct type, role), .required = needed,  \
		.choices = roles, .help = text                                                                         \
	}
#define TABLE(name, type)                                                                                              \
	static const struct enrg_table name##_table = {.size = sizeof(struct type), .options = name##_options}

static const struct enrg_option log_in_options[] = {
	TEXT(log_in_body, name, false, "\"\"", "Of a person; with `password`."),
	SECRET(log_in_body, password, false, "Of that person."),
	SECRET(log_in_body, token, false, "In place of both: a token, for a browser."),
	{0},
};
TABLE(log_in, log_in_body);

static const struct enrg_option exchange_options[] = {
	SECRET(log_in_body, token, true, "A token, as the first start prints it in a link."),
	{0},
};
TABLE(exchange, log_in_body);

static const struct enrg_option own_password_options[] = {
	SECRET(own_password_body, old, true, "The present one."),
	SECRET(own_password_body, password, true, "Another one, of 8 to 256 bytes."),
	{0},
};
TABLE(own_password, own_password_body);

static const struct enrg_option person_options[] = {
	TEXT(person_body, name, true, NULL, "1 to 63 of A-Z a-z 0-9 . _ @ -, and no '-' first."),
	ROLE(person_body, true, "What the person may do."),
	SECRET(person_body, password, true, "8 to 256 bytes."),
	{0},
};
TABLE(person, person_body);

static const struct enrg_option change_options[] = {
	ROLE(person_body, false, "Another role; without it, it stays."),
	SECRET(person_body, password, false,
		"Another password, which ends the person's sessions; without it, it stays."),
	{0},
};
TABLE(change, person_body);

static const struct enrg_option token_options[] = {
	TEXT(token_body, name, true, NULL, "1 to 63 of A-Z a-z 0-9 . _ @ -, and no '-' first."),
	ROLE(token_body, true, "What its holder may do."),
	{.key = "days",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct token_body, days),
		.default_value = "0",
		.min = 0,
		.max = 36500,
		.unit = "d",
		.help = "It expires after so many days; 0: never."},
	{0},
};
TABLE(token, token_body);

static const struct enrg_option audit_options[] = {
	TEXT(audit_list, who, false, NULL, "Lines whose `who` holds this."),
	TEXT(audit_list, what, false, NULL, "Lines whose `what` holds this, such as a part of a path."),
	TEXT(audit_list, result, false, NULL, "Lines whose `result` holds this, such as 403."),
	TEXT(audit_list, before, false, NULL, "`next` of the answer before: how to read on."),
	{.key = "limit",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct audit_list, limit),
		.default_value = "100",
		.min = 1,
		.max = AUDIT_PAGE_MAX,
		.help = "So many lines."},
	{0},
};
TABLE(audit, audit_list);

/* --- answers --- */

static enum call_outcome refuse_error(struct call *call, int rc, const struct enrg_error *err)
{
	int status = rc == -EEXIST ? 409 : rc == -ENOENT ? 404 : rc == -EINVAL ? 422 : 503;

	return call_refuse(call, status, "%s", err->text);
}

static enum call_outcome answer_done(struct call *call, const char *message)
{
	return call_json(call, 200, json_pack("{s:s, s:n}", "message", message, "fields"));
}

static void set_header(struct call *call, unsigned index, const char *name, const char *value)
{
	call->response.headers[index].name = name;
	snprintf(call->response.headers[index].value, sizeof(call->response.headers[index].value), "%s", value);
}

static json_t *make_time(int64_t seconds)
{
	char text[32];

	record_time_format(seconds, text);
	return seconds ? json_string(text) : json_null();
}

/* --- who one is --- */

static json_t *make_who(const struct access_who *who)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "name", who->name, "role", access_role_name(who->role), "way",
		access_way_name(who->way), "address", who->address);
}

static enum call_outcome show_me(struct call *call)
{
	return call_json(call, 200, make_who(&call->who));
}

static enum call_outcome refuse_log_in(struct call *call, const struct access_verdict *verdict)
{
	call_refuse(call, verdict->status, "%s", verdict->detail);
	call->response.retry_after_s = verdict->retry_after_s;
	return CALL_ANSWERED;
}

/* A hash takes a twentieth of a second of processor by design, one after another: those that wait for theirs may not
 * take the places of commands. */
static bool begin_proof(struct call *call)
{
	if (atomic_fetch_add_explicit(&proving, 1, memory_order_relaxed) < PROVING_MAX)
		return true;
	atomic_fetch_sub_explicit(&proving, 1, memory_order_relaxed);
	call_refuse(call, 503, "other passwords are being looked at: ask again in a second");
	call->response.retry_after_s = 1;
	return false;
}

static enum call_outcome log_in(struct call *call)
{
	const struct log_in_body *body = call->body;
	char cookie[ACCESS_COOKIE_BYTES];
	struct access_verdict verdict;
	int rc;

	if (body->token ? *body->name || body->password : !*body->name || !body->password)
		return call_refuse(call, 422, "name and password, or a token, were expected");
	if (!begin_proof(call))
		return CALL_ANSWERED;
	rc = body->token
		     ? access_exchange(call->web->access, call->request, body->token, cookie, &verdict)
		     : access_log_in(call->web->access, call->request, body->name, body->password, cookie, &verdict);
	atomic_fetch_sub_explicit(&proving, 1, memory_order_relaxed);
	call->who = verdict.who; /* for the audit, too */
	if (rc)
		return refuse_log_in(call, &verdict);
	set_header(call, 0, "Set-Cookie", cookie);
	return call_json(call, 200, make_who(&verdict.who));
}

/* A link for a person: the token goes out of the address bar at once. */
static enum call_outcome exchange(struct call *call)
{
	const struct log_in_body *query = call->query;
	char cookie[ACCESS_COOKIE_BYTES];
	struct access_verdict verdict;
	int rc = access_exchange(call->web->access, call->request, query->token, cookie, &verdict);

	access_audit(call->web->access, &verdict.who, "GET /login", NULL, rc ? rc == 403 ? "403" : "401" : "303");
	if (rc)
		return refuse_log_in(call, &verdict);
	set_header(call, 0, "Set-Cookie", cookie);
	set_header(call, 1, "Location", "./"); /* below whatever a proxy has put before it */
	call->response.status = 303;
	return CALL_ANSWERED;
}

static enum call_outcome log_out(struct call *call)
{
	char cookie[ACCESS_COOKIE_BYTES];

	access_log_out(call->web->access, call->request, cookie);
	set_header(call, 0, "Set-Cookie", cookie);
	return answer_done(call, "logged out");
}

/* All sessions of the person end with the old password; the one that asks gets a new one. */
static enum call_outcome change_own_password(struct call *call)
{
	const struct own_password_body *body = call->body;
	struct access *access = call->web->access;
	char cookie[ACCESS_COOKIE_BYTES];
	struct access_verdict verdict;
	struct enrg_error err = {0};

	if (call->who.way != ACCESS_BY_SESSION)
		return call_refuse(call, 409, "only who has logged in with a password changes it so");
	if (access_log_in(access, call->request, call->who.name, body->old, cookie, &verdict))
		return verdict.status == 401 ? call_refuse(call, 409,
						       "the present password is another one, or you have "
						       "logged in with a token: nothing was changed")
					     : refuse_log_in(call, &verdict);
	int rc = people_change(access_folder(access), call->who.name, ACCESS_NOBODY, body->password, &err);
	if (rc)
		return refuse_error(call, rc, &err);
	if (!access_log_in(access, call->request, call->who.name, body->password, cookie, &verdict))
		set_header(call, 0, "Set-Cookie", cookie);
	return answer_done(call, "changed; your other sessions have ended");
}

/* --- people --- */

static enum call_outcome list_people(struct call *call)
{
	struct enrg_error err = {0};
	struct record_stamp stamp;
	struct people people;

	int rc = people_read(access_folder(call->web->access), &people, &stamp, &err);
	if (rc)
		return refuse_error(call, -EIO, &err);
	json_t *list = json_array();
	for (size_t i = 0; i < people.count; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name", people.items[i].name, "role",
						    access_role_name(people.items[i].role), "created",
						    make_time(people.items[i].created_s)));
	people_fini(&people);
	return call_json(call, 200, json_pack("{s:o}", "users", list));
}

static enum call_outcome add_person(struct call *call)
{
	const struct person_body *body = call->body;
	struct enrg_error err = {0};

	int rc = people_add(
		access_folder(call->web->access), body->name, (enum access_role)body->role, body->password, &err);
	return rc ? refuse_error(call, rc, &err) : answer_done(call, "added");
}

static enum call_outcome change_person(struct call *call)
{
	const struct person_body *body = call->body;
	struct enrg_error err = {0};

	if (body->role == ROLE_KEPT && !body->password)
		return call_refuse(call, 422, "role, password or both were expected");
	int rc = people_change(
		access_folder(call->web->access), call->parts[0], (enum access_role)body->role, body->password, &err);
	return rc ? refuse_error(call, rc, &err) : answer_done(call, "changed");
}

static enum call_outcome remove_person(struct call *call)
{
	struct enrg_error err = {0};

	int rc = people_remove(access_folder(call->web->access), call->parts[0], &err);
	return rc ? refuse_error(call, rc, &err) : answer_done(call, "removed; the sessions have ended");
}

/* --- tokens --- */

static enum call_outcome list_tokens(struct call *call)
{
	struct enrg_error err = {0};
	struct record_stamp stamp;
	struct tokens tokens;
	int64_t now_s = time(NULL);

	int rc = tokens_read(access_folder(call->web->access), &tokens, &stamp, &err);
	if (rc)
		return refuse_error(call, -EIO, &err);
	json_t *list = json_array();
	for (size_t i = 0; i < tokens.count; i++) {
		const struct token *token = &tokens.items[i];
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:o, s:o, s:b}", "name", token->name, "role",
				access_role_name(token->role), "created", make_time(token->created_s), "expires",
				make_time(token->expires_s), "expired", token->expires_s && token->expires_s <= now_s));
	}
	tokens_fini(&tokens);
	return call_json(call, 200, json_pack("{s:o}", "tokens", list));
}

static enum call_outcome add_token(struct call *call)
{
	const struct token_body *body = call->body;
	struct enrg_error err = {0};
	char text[TOKEN_TEXT_BYTES];

	int rc = tokens_add(access_folder(call->web->access), body->name, (enum access_role)body->role,
		(uint32_t)body->days, text, &err);
	if (rc)
		return refuse_error(call, rc, &err);
	json_t *json = json_pack("{s:s, s:s, s:s, s:o}", "name", body->name, "role",
		access_role_name((enum access_role)body->role), "token", text, "expires",
		make_time(body->days ? time(NULL) + body->days * 86400 : 0));
	explicit_bzero(text, sizeof(text));
	return call_json(call, 200, json);
}

static enum call_outcome remove_token(struct call *call)
{
	struct enrg_error err = {0};

	int rc = tokens_remove(access_folder(call->web->access), call->parts[0], &err);
	return rc ? refuse_error(call, rc, &err) : answer_done(call, "removed; whoever used it is refused from now on");
}

/* --- the audit --- */

static enum call_outcome list_audit(struct call *call)
{
	const struct audit_list *query = call->query;
	const struct audit_query wanted = {.who = query->who,
		.what = query->what,
		.result = query->result,
		.before = query->before,
		.limit = (uint32_t)query->limit};
	struct enrg_error err = {0};
	json_t *page = audit_read(access_folder(call->web->access), &wanted, &err);

	return page ? call_json(call, 200, page) : refuse_error(call, err.code, &err);
}

/* --- the table --- */

#define OBJECT(properties, required) "{\"type\":\"object\",\"properties\":{" properties "},\"required\":[" required "]}"
#define STRING                       "{\"type\":\"string\"}"
#define STRING_OR_NULL               "{\"type\":[\"string\",\"null\"]}"
#define ROLE_NAME                    "{\"enum\":[\"visitor\",\"user\",\"admin\"]}"
#define LIST(name, item)             OBJECT("\"" name "\":{\"type\":\"array\",\"items\":" item "}", "\"" name "\"")

#define WHO                                                                                                            \
	OBJECT("\"name\":" STRING ",\"role\":{\"enum\":[\"nobody\",\"visitor\",\"user\",\"admin\"]},\"way\":{"         \
	       "\"enum\":[\"none\",\"bearer\",\"path\",\"session\",\"proxy\",\"peer\"]},\"address\":" STRING,          \
		"\"name\",\"role\",\"way\",\"address\"")

static const struct route_answer me_answers[] = {{200, WHO, "who that is, and how that is known"}, {0}};
static const struct route_answer log_in_answers[] = {{200, WHO, "a session has begun: its cookie is set"},
	{401, "#Error", "name, password or token is wrong"}, {403, "#Error", "another page asks"},
	{429, "#Error", "too many have failed: Retry-After says how long to wait"}, {0}};
static const struct route_answer exchange_answers[] = {
	{303, NULL, "a session has begun: its cookie is set, and the page is elsewhere"},
	{401, "#Error", "the token is not valid"}, {403, "#Error", "a link on another page"}, {0}};
static const struct route_answer done_answers[] = {{200, "#Done", "done"}, {0}};
static const struct route_answer own_password_answers[] = {{200, "#Done", "changed; a new cookie is set"},
	{409, "#Error", "the present password is another one, or there is none"},
	{429, "#Error", "too many have failed: Retry-After says how long to wait"}, {0}};
static const struct route_answer add_answers[] = {
	{200, "#Done", "added"}, {409, "#Error", "there is somebody of that name"}, {0}};
static const struct route_answer change_answers[] = {
	{200, "#Done", "done"}, {404, "#Error", "there is nobody of that name"}, {0}};
static const struct route_answer people_answers[] = {
	{200,
		LIST("users", OBJECT("\"name\":" STRING ",\"role\":" ROLE_NAME ",\"created\":" STRING_OR_NULL,
				      "\"name\",\"role\",\"created\"")),
		"everybody who can log in"},
	{0}};
static const struct route_answer token_answers[] = {
	{200,
		LIST("tokens", OBJECT("\"name\":" STRING ",\"role\":" ROLE_NAME ",\"created\":" STRING_OR_NULL
				      ",\"expires\":" STRING_OR_NULL ",\"expired\":{\"type\":\"boolean\"}",
				       "\"name\",\"role\",\"created\",\"expires\",\"expired\"")),
		"all tokens, without their texts, which nobody has but their holders"},
	{0}};
static const struct route_answer new_token_answers[] = {
	{200,
		OBJECT("\"name\":" STRING ",\"role\":" ROLE_NAME ",\"token\":" STRING ",\"expires\":" STRING_OR_NULL,
			"\"name\",\"role\",\"token\",\"expires\""),
		"the only time that its text is shown"},
	{409, "#Error", "there is one of that name"}, {0}};
static const struct route_answer gone_answers[] = {
	{200, "#Done", "removed: it counts no more from now on"}, {404, "#Error", "there is none of that name"}, {0}};
static const struct route_answer audit_answers[] = {
	{200,
		OBJECT("\"entries\":{\"type\":\"array\",\"items\":"
		       "{\"type\":\"object\"}},\"next\":{\"type\":[\"string\",\"null\"],\"description\":\"for "
		       "`before`; "
		       "null: that was all\"}",
			"\"entries\",\"next\""),
		"the newest first"},
	{0}};

#define ROW(name, role, text, list, function)                                                                          \
	.least = role, .operation = name, .tag = "access", .summary = text, .answers = list, .handle = function
#define GET(where)       .method = WEB_GET, .path = where
#define POST(where)      .method = WEB_POST, .path = where, .is_change = true
#define FIELDS_OF(table) .body = &table

const struct route v1_access_routes[] = {
	{GET("/api/v1/me"), .is_quick = true,
		ROW("getMe", ACCESS_NOBODY, "Who asks, as the server knows it", me_answers, show_me)},
	{POST("/api/v1/login"), FIELDS_OF(log_in_table),
		ROW("logIn", ACCESS_NOBODY, "Begins a session of a browser", log_in_answers, log_in)},
	{GET("/login"), .is_quick = true, .query = &exchange_table,
		ROW("exchangeToken", ACCESS_NOBODY, "A link with a token becomes a session", exchange_answers,
			exchange)},
	{POST("/api/v1/me/password"), FIELDS_OF(own_password_table),
		ROW("changePassword", ACCESS_VISITOR, "Another password of who asks", own_password_answers,
			change_own_password)},
	{POST("/api/v1/logout"), .is_quick = true,
		ROW("logOut", ACCESS_NOBODY, "Ends the session of this browser", done_answers, log_out)},
	{GET("/api/v1/users"), ROW("listUsers", ACCESS_ADMIN, "Who can log in", people_answers, list_people)},
	{POST("/api/v1/users"), FIELDS_OF(person_table),
		ROW("addUser", ACCESS_ADMIN, "Lets a person log in", add_answers, add_person)},
	{POST("/api/v1/users/{name}"), FIELDS_OF(change_table),
		ROW("changeUser", ACCESS_ADMIN, "Another role or password of a person", change_answers, change_person)},
	{POST("/api/v1/users/{name}/remove"),
		ROW("removeUser", ACCESS_ADMIN, "A person can't log in any more", gone_answers, remove_person)},
	{GET("/api/v1/tokens"), ROW("listTokens", ACCESS_ADMIN, "Tokens that there are", token_answers, list_tokens)},
	{POST("/api/v1/tokens"), FIELDS_OF(token_table),
		ROW("addToken", ACCESS_ADMIN, "Makes a token", new_token_answers, add_token)},
	{POST("/api/v1/tokens/{name}/remove"),
		ROW("removeToken", ACCESS_ADMIN, "Revokes a token", gone_answers, remove_token)},
	{GET("/api/v1/audit"), .query = &audit_table,
		ROW("listAudit", ACCESS_ADMIN, "Changes and refused attempts", audit_answers, list_audit)},
	{0},
};
