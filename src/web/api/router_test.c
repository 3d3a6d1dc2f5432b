/* router_test.c: a command that has waited for too long is not carried out. Around the router stand-ins. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "web/api/call.h"
#include "web/api/router.h"

static void (*waiting)(void *context);
static void *waits_for;
static int answered, carried_out;

void http_answer(struct http_server *server, uint64_t request, struct web_response *response)
{
	(void)server, (void)request;
	answered = response->status;
	web_bytes_release(response->body);
	response->body = NULL;
}

void access_judge(struct access *access, const struct web_request *request, enum access_role least, bool is_change,
	struct access_verdict *ret_verdict)
{
	(void)access, (void)request, (void)is_change;
	*ret_verdict = (struct access_verdict){.who = {.role = least}};
}

void access_audit(
	struct access *access, const struct access_who *who, const char *what, const char *about, const char *result)
{
	(void)access, (void)who, (void)what, (void)about, (void)result;
}

int system_ask(struct web_system *system, const struct system_command *command, struct system_answer *ret_answer,
	struct enrg_error *err)
{
	(void)system, (void)command, (void)ret_answer, (void)err;
	return -1;
}

int system_work(struct web_system *system, void (*work)(void *context), void *context)
{
	(void)system;
	waiting = work;
	waits_for = context;
	return 0;
}

int system_work_change(struct web_system *system, void (*work)(void *context), void *context)
{
	return system_work(system, work, context);
}

static enum call_outcome carry_out(struct call *call)
{
	carried_out++;
	return call_json(call, 200, json_object());
}

static const struct route_answer answers[] = {{200, "{\"type\":\"object\"}", "done"}, {0}};
static const struct route table[] = {
	{.method = WEB_POST,
		.path = "/change",
		.least = ACCESS_USER,
		.is_change = true,
		.operation = "change",
		.tag = "test",
		.summary = "Changes",
		.answers = answers,
		.handle = carry_out},
	{.method = WEB_GET,
		.path = "/look",
		.least = ACCESS_VISITOR,
		.operation = "look",
		.tag = "test",
		.summary = "Looks",
		.answers = answers,
		.handle = carry_out},
	{0},
};
static const struct route *const tables[] = {table, NULL};

/* What is answered to a request that a worker takes so much later. */
static int ask(struct router *router, enum web_method method, const char *path, uint64_t later_ns)
{
	const struct web_request request = {
		.id = 1, .method = method, .path = path, .query = "", .host = "x", .body = ""};

	answered = carried_out = 0;
	router_take(router, &request);
	assert_int_equal(answered, 0);
	((struct call_ticket *)waits_for)->came_ns -= later_ns;
	waiting(waits_for);
	return answered;
}

static void test_what_is_late_is_not_done(void **state)
{
	struct web web = {.http = NULL};
	struct router *router = NULL;

	(void)state;
	assert_int_equal(router_create(&web, tables, &router, NULL), 0);
	assert_int_equal(ask(router, WEB_POST, "/change", 0), 200);
	assert_int_equal(carried_out, 1);
	assert_int_equal(ask(router, WEB_POST, "/change", 31000000000ull), 503);
	assert_int_equal(carried_out, 0);
	assert_int_equal(ask(router, WEB_GET, "/look", 31000000000ull), 200); /* does no harm */
	assert_int_equal(carried_out, 1);
	router_destroy(router);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_is_late_is_not_done)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
