/* v1_access_test.c: people, tokens, sessions and the audit, as they are asked for; no answer but the first holds a
 * token, none a password. */
#include "web/access/sample.h"

#include "config/options_json.h"
#include "web/api/query.h"
#include "web/api/routes.h"

static char folder[64], answer[65536], cookie[600];
static struct access_who who; /* that asks */
static struct web web;

static int set_up(void **state)
{
	struct access_params params = {.folder = folder, .port = 8000, .owner = getuid()};

	(void)state;
	sample_make_folder(folder);
	return access_open(&params, &web.access, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	access_close(web.access);
	sample_remove_folder(folder);
	return 0;
}

static const struct route *find_route(const char *operation)
{
	for (const struct route *route = v1_access_routes; route->path; route++)
		if (!strcmp(route->operation, operation))
			return route;
	fail_msg("no operation %s", operation);
	return NULL;
}

/* Status; `answer` is the body, `cookie` what the browser would send. `fields`: of body or query, as JSON. */
static int ask(const char *operation, const char *part, const char *fields)
{
	struct options_memory *memory = options_memory_create();
	const struct route *route = find_route(operation);
	const struct enrg_table *table = route->body ? route->body : route->query;
	struct web_request request = sample_request(route->method, route->path);
	struct call call = {.web = &web, .route = route, .request = &request, .who = who, .parts = {part}};
	json_t *json = json_loads(fields, 0, NULL);
	char wrong[1000] = "";
	void *filled = NULL;

	assert_non_null(json);
	request.cookie = *cookie ? cookie : NULL;
	if (table && options_fill_json(table, json, memory, &filled, wrong, sizeof(wrong))) {
		snprintf(answer, sizeof(answer), "%s", wrong);
		call.response.status = 422;
	} else {
		call.body = call.query = filled;
		assert_int_equal(route->handle(&call), CALL_ANSWERED);
		snprintf(answer, sizeof(answer), "%.*s", call.response.body ? (int)call.response.body->count : 0,
			call.response.body ? (const char *)call.response.body->data : "");
		for (unsigned i = 0; i < WEB_HEADERS_MAX && call.response.headers[i].name; i++)
			if (!strcmp(call.response.headers[i].name, "Set-Cookie"))
				snprintf(cookie, sizeof(cookie), "%.*s",
					(int)strcspn(call.response.headers[i].value, ";"),
					call.response.headers[i].value);
	}
	web_bytes_release(call.response.body);
	options_memory_destroy(memory);
	json_decref(json);
	return call.response.status;
}

/* A member of the last answer. */
static const char *said(const char *key)
{
	static char text[256];
	json_t *json = json_loads(answer, 0, NULL);

	snprintf(text, sizeof(text), "%s", json_string_value(json_object_get(json, key)));
	json_decref(json);
	return text;
}

static enum access_role role_of(const char *token)
{
	struct web_request request = sample_request(WEB_GET, "/x");
	struct access_verdict verdict;

	request.token = token;
	access_judge(web.access, &request, ACCESS_NOBODY, false, &verdict);
	return verdict.who.role;
}

static void tokens_come_and_go(void **state)
{
	char token[256];

	(void)state;
	assert_int_equal(ask("addToken", NULL, "{\"name\":\"script\",\"role\":\"user\",\"days\":3}"), 200);
	snprintf(token, sizeof(token), "%s", said("token"));
	assert_int_equal(strlen(said("expires")), 20);
	assert_int_equal(role_of(token), ACCESS_USER);
	assert_int_equal(ask("addToken", NULL, "{\"name\":\"script\",\"role\":\"user\"}"), 409);
	assert_int_equal(ask("listTokens", NULL, "{}"), 200);
	assert_non_null(strstr(answer, "\"script\""));
	assert_null(strstr(answer, token));
	assert_int_equal(ask("removeToken", "script", "{}"), 200);
	assert_int_equal(role_of(token), ACCESS_NOBODY);
	assert_int_equal(ask("removeToken", "script", "{}"), 404);
	static const char *const wrong[] = {"{}", "{\"name\":\"a\"}", "{\"name\":\"a\",\"role\":\"root\"}",
		"{\"name\":\"a\",\"role\":\"nobody\"}", "{\"name\":\"a b\",\"role\":\"user\"}",
		"{\"name\":\"\",\"role\":\"user\"}", "{\"name\":\"a\",\"role\":\"user\",\"days\":-1}",
		"{\"name\":\"a\",\"role\":\"user\",\"days\":36501}", "{\"name\":\"a\",\"role\":\"user\",\"x\":1}"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(ask("addToken", NULL, wrong[i]), 422);
}

static void people_come_log_in_and_go(void **state)
{
	(void)state;
	int status = ask("addUser", NULL, "{\"name\":\"anna\",\"role\":\"user\",\"password\":\"correct horse\"}");
	if (status == 503)
		skip(); /* built without libcrypt */
	assert_int_equal(status, 200);
	assert_int_equal(
		ask("addUser", NULL, "{\"name\":\"anna\",\"role\":\"admin\",\"password\":\"correct horse\"}"), 409);
	assert_int_equal(ask("addUser", NULL, "{\"name\":\"b\",\"role\":\"user\",\"password\":\"short\"}"), 422);
	assert_int_equal(ask("listUsers", NULL, "{}"), 200);
	assert_non_null(strstr(answer, "\"anna\""));
	assert_null(strstr(answer, "$y$"));
	assert_int_equal(ask("logIn", NULL, "{\"name\":\"anna\",\"password\":\"wrong horse\"}"), 401);
	*cookie = '\0';
	assert_int_equal(ask("logIn", NULL, "{\"name\":\"anna\",\"password\":\"correct horse\"}"), 200);
	assert_string_equal(said("role"), "user");
	assert_int_equal(strncmp(cookie, "enrgdaq-8000=", 13), 0);
	assert_int_equal(ask("logOut", NULL, "{}"), 200);
	assert_string_equal(cookie, "enrgdaq-8000=");
	assert_int_equal(ask("changeUser", "anna", "{}"), 422);
	assert_int_equal(ask("changeUser", "anna", "{\"role\":\"visitor\"}"), 200);
	assert_int_equal(ask("changeUser", "berta", "{\"role\":\"visitor\"}"), 404);
	assert_int_equal(ask("logIn", NULL, "{\"name\":\"anna\",\"password\":\"correct horse\"}"), 200);
	assert_string_equal(said("role"), "visitor");
	assert_int_equal(ask("removeUser", "anna", "{}"), 200);
	assert_int_equal(ask("removeUser", "anna", "{}"), 404);
	assert_int_equal(ask("logIn", NULL, "{\"name\":\"anna\",\"password\":\"correct horse\"}"), 401);
}

static void a_person_changes_the_own_password(void **state)
{
	static const char fields[] = "{\"old\":\"correct horse\",\"password\":\"another horse\"}";

	(void)state;
	if (ask("addUser", NULL, "{\"name\":\"anna\",\"role\":\"user\",\"password\":\"correct horse\"}") == 503)
		skip();                                             /* built without libcrypt */
	assert_int_equal(ask("changePassword", NULL, fields), 409); /* nobody has logged in */
	who = (struct access_who){.role = ACCESS_USER, .way = ACCESS_BY_SESSION, .name = "anna"};
	*cookie = '\0';
	assert_int_equal(ask("changePassword", NULL, "{\"old\":\"a guess\",\"password\":\"another horse\"}"), 409);
	assert_int_equal(ask("changePassword", NULL, "{\"old\":\"correct horse\",\"password\":\"short\"}"), 422);
	assert_int_equal(ask("changePassword", NULL, fields), 200);
	assert_int_equal(strncmp(cookie, "enrgdaq-8000=", 13), 0);
	assert_int_equal(ask("changePassword", NULL, fields), 409); /* the old one is not it any more */
	assert_int_equal(ask("logIn", NULL, "{\"name\":\"anna\",\"password\":\"another horse\"}"), 200);
	who.way = ACCESS_BY_BEARER;
	assert_int_equal(ask("changePassword", NULL, fields), 409);
	who = (struct access_who){.role = ACCESS_NOBODY};
}

static void a_token_becomes_a_session(void **state)
{
	char fields[600], token[256];

	(void)state;
	assert_int_equal(ask("addToken", NULL, "{\"name\":\"script\",\"role\":\"user\"}"), 200);
	snprintf(token, sizeof(token), "%s", said("token"));
	snprintf(fields, sizeof(fields), "{\"token\":\"%s\"}", token);
	*cookie = '\0';
	assert_int_equal(ask("exchangeToken", NULL, fields), 303);
	assert_int_equal(strncmp(cookie, "enrgdaq-8000=", 13), 0);
	assert_int_equal(ask("logIn", NULL, fields), 200);
	assert_string_equal(said("way"), "session");
	assert_int_equal(ask("exchangeToken", NULL, "{\"token\":\"guessed\"}"), 401);
	assert_int_equal(ask("logIn", NULL, "{\"token\":\"guessed\"}"), 401);
	assert_null(strstr(answer, "guessed"));
	static const char *const wrong[] = {"{}", "{\"name\":\"a\"}", "{\"password\":\"a\"}",
		"{\"token\":\"a\",\"name\":\"a\"}", "{\"token\":\"a\",\"password\":\"a\"}"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(ask("logIn", NULL, wrong[i]), 422);
}

static void the_audit_is_read(void **state)
{
	static const struct access_who anna = {.role = ACCESS_USER, .name = "anna", .address = "10.1.2.9"};
	char fields[600];

	(void)state;
	for (int i = 0; i < 5; i++)
		access_audit(web.access, &anna, "POST /clients/lab/stop_daqjob", NULL, "200");
	access_close(web.access); /* writes them */
	web.access = NULL;
	struct access_params params = {.folder = folder, .port = 8000, .owner = getuid()};
	assert_int_equal(access_open(&params, &web.access, NULL), 0);
	assert_int_equal(ask("listAudit", NULL, "{\"limit\":3,\"who\":\"anna\"}"), 200);
	snprintf(fields, sizeof(fields), "{\"limit\":3,\"before\":\"%s\"}", said("next"));
	assert_int_equal(ask("listAudit", NULL, fields), 200);
	json_t *page = json_loads(answer, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(page, "entries")), 2);
	json_decref(page);
	assert_int_equal(ask("listAudit", NULL, "{\"before\":\"../x\"}"), 422);
	assert_int_equal(ask("listAudit", NULL, "{\"limit\":1001}"), 422);
}

/* Whatever changes anything, or shows who may what, is for admins; log-in and log-out are for everybody. */
static void routes_say_who_may(void **state)
{
	static const char *const open[] = {"getMe", "logIn", "exchangeToken", "logOut"};

	(void)state;
	for (const struct route *route = v1_access_routes; route->path; route++) {
		bool is_open = false;
		for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
			is_open |= !strcmp(route->operation, open[i]);
		bool is_own = !strcmp(route->operation, "changePassword");
		assert_int_equal(route->least, is_open ? ACCESS_NOBODY : is_own ? ACCESS_VISITOR : ACCESS_ADMIN);
		assert_int_equal(route->is_change, route->method == WEB_POST);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tokens_come_and_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(people_come_log_in_and_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_person_changes_the_own_password, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_token_becomes_a_session, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_audit_is_read, set_up, tear_down),
		cmocka_unit_test(routes_say_who_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
