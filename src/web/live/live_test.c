/* live_test.c: clients of the WebSocket, with stand-ins for the rooms below: what is sent, when, and to whom no more.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "config/web_options.h"
#include "web/live/viewer.h"

#define SOCKET  5u
#define SENT    4096u
#define STARVED 31000000000u

/* --- stand-ins ---------------------------------------------------------------------------------------------------- */

static struct {
	struct web_bytes *sent[SENT];
	bool is_binary[SENT];
	size_t count, read;
	uint32_t waiting; /* messages that the peer does not take */
	uint16_t closed;  /* 0: not */
	enum access_role role;
	struct snapshot snapshot;
} world;

void http_socket_send(struct http_server *server, uint64_t socket, struct web_bytes *bytes, bool is_binary)
{
	(void)server;
	assert_int_equal(socket, SOCKET);
	assert_true(world.count < SENT);
	world.is_binary[world.count] = is_binary;
	world.sent[world.count++] = bytes;
}

uint32_t http_socket_waiting(struct http_server *server, uint64_t socket)
{
	(void)server, (void)socket;
	return world.waiting;
}

void http_socket_close(struct http_server *server, uint64_t socket, uint16_t code, const char *reason)
{
	(void)server, (void)socket;
	assert_true(strlen(reason) < 120);
	world.closed = code;
}

void http_wake(struct http_server *server)
{
	(void)server;
}

enum access_role access_role_now(struct access *access, const struct access_who *who)
{
	(void)access, (void)who;
	return world.role;
}

const char *access_role_name(enum access_role role)
{
	return role == ACCESS_VISITOR ? "visitor" : "nobody";
}

const struct web_settings *system_settings(const struct web_system *system)
{
	static struct web_options options = {.scope_frames_per_second = 1000, .scope_megabytes_per_second = 1000};
	static const struct web_settings settings = {.supervisor_id = "nobody here", .web = &options};

	(void)system;
	return &settings;
}

struct snapshot *system_hold_snapshot(struct web_system *system)
{
	(void)system;
	atomic_fetch_add(&world.snapshot.references, 1);
	return &world.snapshot;
}

void system_listen(struct web_system *system, void (*on_event)(void *context, const json_t *event), void *context)
{
	(void)system, (void)on_event, (void)context;
}

/* --- a client ----------------------------------------------------------------------------------------------------- */

static struct live *begin(void)
{
	const struct access_who who = {.role = ACCESS_VISITOR};
	struct enrg_error err = {0};
	struct live *live;

	memset(&world, 0, sizeof(world));
	world.role = ACCESS_VISITOR;
	world.snapshot.references = 1;
	world.snapshot.looked_ns = 1;
	assert_int_equal(live_open(NULL, NULL, NULL, &live, &err), 0);
	live_on_open(live, SOCKET, &who);
	return live;
}

static void end(struct live *live)
{
	live_on_close(live, SOCKET);
	live_close(live);
	for (size_t i = 0; i < world.count; i++)
		web_bytes_release(world.sent[i]);
	world.count = 0;
}

static void say(struct live *live, const char *text)
{
	live_on_message(live, SOCKET, text, strlen(text), false);
}

/* The next message of this type; what comes before it is passed over. NULL: there is none. */
static json_t *next_of(const char *type)
{
	while (world.read < world.count) {
		size_t i = world.read++;
		json_t *json = world.is_binary[i]
				       ? NULL
				       : json_loadb((const char *)world.sent[i]->data, world.sent[i]->count, 0, NULL);
		const char *found = json_string_value(json_object_get(json, "type"));

		if (found && !strcmp(found, type))
			return json;
		json_decref(json);
	}
	return NULL;
}

static void check_next(const char *type, const char *member, const char *expected)
{
	json_t *json = next_of(type);

	assert_non_null(json);
	if (member)
		assert_string_equal(json_string_value(json_object_get(json, member)), expected);
	json_decref(json);
}

static json_int_t next_number(const char *type, const char *member)
{
	json_t *json = next_of(type);
	json_int_t number = json ? json_integer_value(json_object_get(json, member)) : -1;

	json_decref(json);
	return number;
}

static void tell(struct live *live, const char *job)
{
	live_tell(live, json_pack("{s:s, s:s}", "event", "job", "job", job));
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

static void test_answers(void **state)
{
	struct live *live = begin();

	(void)state;
	check_next("hello", "role", "visitor");
	say(live, "{\"do\":\"ping\",\"ref\":\"r1\"}");
	check_next("ok", "ref", "r1");
	say(live, "{\"do\":\"listen\",\"kinds\":[\"jobs\"]}");
	check_next("error", "field", "kinds");
	say(live, "{\"do\":\"arm\",\"id\":0}");
	check_next("error", "field", "id");
	say(live, "{\"do\":\"scope\",\"id\":0,\"source\":\"a\",\"points\":3}");
	check_next("error", "field", "points");
	say(live, "no JSON");
	check_next("error", "field", "");
	live_on_message(live, SOCKET, "{\"do\":\"ping\"}", 13, true);
	check_next("error", "field", "");
	end(live);
}

static void test_events(void **state)
{
	struct live *live = begin();

	(void)state;
	tell(live, "before");
	say(live, "{\"do\":\"listen\",\"kinds\":[\"all\"]}");
	tell(live, "after");
	live_turn(live);
	check_next("event", "job", "after");
	assert_null(next_of("event"));
	/* what is kept, asked for by number */
	say(live, "{\"do\":\"listen\",\"kinds\":[\"job\"],\"since\":0}");
	live_turn(live);
	check_next("event", "job", "before");
	check_next("event", "job", "after");
	/* of another process */
	say(live, "{\"do\":\"listen\",\"kinds\":[\"job\"],\"since\":2,\"instance\":\"0\"}");
	check_next("gap", NULL, NULL);
	live_turn(live);
	check_next("event", "job", "before");
	end(live);
}

/* It takes nothing; it is told from where on it has all again, and costs nothing meanwhile. */
static void test_slow_client(void **state)
{
	struct live *live = begin();

	(void)state;
	say(live, "{\"do\":\"listen\",\"kinds\":[\"all\",\"status\"]}");
	live_turn(live);
	world.waiting = 1000;
	size_t before = world.count;
	for (int i = 0; i < EVENTS_KEPT + 100; i++) {
		tell(live, "x");
		world.snapshot.looked_ns++;
		live_turn(live);
	}
	assert_int_equal(world.count, before);
	world.waiting = 0;
	for (int i = 0; i < 20; i++)
		live_turn(live);
	world.read = before;
	assert_int_equal(next_number("gap", "until"), 100);
	assert_int_equal(next_number("event", "number"), 101);
	world.read = before;
	size_t statuses = 0;
	json_t *status;
	while ((status = next_of("status"))) {
		statuses++;
		json_decref(status);
	}
	assert_int_equal(statuses, 1);
	end(live);
}

static void test_credit_of_events(void **state)
{
	struct live *live = begin();

	(void)state;
	say(live, "{\"do\":\"listen\",\"kinds\":[\"job\"],\"credit\":2}");
	for (int i = 0; i < 5; i++)
		tell(live, "x");
	live_turn(live);
	assert_int_equal(next_number("event", "number"), 1);
	assert_int_equal(next_number("event", "number"), 2);
	assert_null(next_of("event"));
	say(live, "{\"do\":\"credit\",\"count\":1}");
	live_turn(live);
	assert_int_equal(next_number("event", "number"), 3);
	assert_null(next_of("event"));
	end(live);
}

static void test_log_filters(void **state)
{
	struct live *live = begin();

	(void)state;
	say(live, "{\"do\":\"listen\",\"kinds\":[\"log\"],\"log_level\":\"WARNING\",\"log_process\":\"tank\",\"log_"
		  "text\":"
		  "\"TRIGGER\",\"log_lines_per_second\":3}");
	const struct event_log_line lines[] = {{ENRG_INFO, "", "tank", "trigger lost"},
		{ENRG_ERROR, "", "other", "trigger lost"}, {ENRG_ERROR, "", "tank", "no"},
		{ENRG_ERROR, "", "tank", "a trigger lost"}};
	for (size_t i = 0; i < 4; i++)
		events_add_log(live->events, &lines[i]);
	live_turn(live);
	check_next("event", "message", "a trigger lost");
	assert_null(next_of("event"));
	for (int i = 0; i < 20; i++)
		events_add_log(live->events, &lines[3]);
	live_turn(live);
	size_t passed = 0;
	json_t *line;
	while ((line = next_of("event"))) {
		passed++;
		json_decref(line);
	}
	assert_true(passed <= 4); /* three a second, two of which were left */
	live->viewers[0]->log_left_out_ns = 0;
	world.read = 0;
	live_turn(live);
	assert_int_equal(next_number("log_left_out", "count"), 20 - passed);
	end(live);
}

/* The scope's thread finds no system; frames are put where it would. */
static void put_frame(struct live *live, uint64_t sequence)
{
	struct feed *feed = live->viewers[0]->scopes[0].feed;

	web_bytes_release(feed->newest);
	feed->newest = web_bytes_create("frame", 5);
	feed->newest_sequence = sequence;
}

static size_t count_frames(void)
{
	size_t count = 0;

	for (size_t i = 0; i < world.count; i++)
		count += world.is_binary[i];
	return count;
}

static void test_credit_of_frames(void **state)
{
	struct live_counts counts;
	struct live *live = begin();

	(void)state;
	say(live, "{\"do\":\"scope\",\"id\":0,\"source\":\"tank\",\"credit\":1}");
	check_next("ok", "do", "scope");
	put_frame(live, 7); /* others look at this feed for a while */
	live_turn(live);
	live_turn(live);
	assert_int_equal(count_frames(), 1);
	live_get_counts(live, &counts);
	assert_int_equal(counts.frames_skipped, 0);
	put_frame(live, 8);
	put_frame(live, 9);
	live_turn(live);
	assert_int_equal(count_frames(), 1);
	say(live, "{\"do\":\"credit\",\"id\":0}");
	live_turn(live);
	assert_int_equal(count_frames(), 2);
	live_get_counts(live, &counts);
	assert_int_equal(counts.frames_sent, 2);
	assert_int_equal(counts.frames_skipped, 1);
	say(live, "{\"do\":\"credit\",\"id\":0,\"count\":9}");
	check_next("error", "field", "count");
	/* nobody is asked to wait for who takes nothing */
	say(live, "{\"do\":\"credit\",\"id\":0}");
	world.waiting = 2;
	put_frame(live, 10);
	live_turn(live);
	assert_int_equal(count_frames(), 2);
	end(live);
}

static void test_no_credit_for_long(void **state)
{
	struct live *live = begin();

	(void)state;
	say(live, "{\"do\":\"scope\",\"id\":0,\"source\":\"tank\"}");
	live_turn(live);
	live->checked_ns = 0;
	live_turn(live);
	assert_int_equal(world.closed, 0);
	live->viewers[0]->scopes[0].starved_ns -= STARVED;
	live->checked_ns = 0;
	live_turn(live);
	assert_int_equal(world.closed, 1008);
	/* who has credit waits as long as he likes; who has stopped, too */
	world.closed = 0;
	say(live, "{\"do\":\"scope\",\"id\":0,\"source\":\"tank\",\"credit\":1}");
	live->checked_ns = 0;
	live_turn(live);
	assert_int_equal(world.closed, 0);
	say(live, "{\"do\":\"scope_stop\",\"id\":0}");
	assert_null(live->viewers[0]->scopes[0].feed);
	end(live);
}

static void test_shared_feeds(void **state)
{
	struct live *live = begin();

	(void)state;
	say(live, "{\"do\":\"scope\",\"id\":0,\"source\":\"tank\"}");
	say(live, "{\"do\":\"scope\",\"id\":1,\"source\":\"tank\",\"credit\":2}");
	say(live, "{\"do\":\"scope\",\"id\":2,\"source\":\"tank\",\"trigger\":{\"mode\":\"single\"}}");
	say(live, "{\"do\":\"scope\",\"id\":3,\"source\":\"tank\",\"trigger\":{\"mode\":\"single\"}}");
	const struct viewer_scope *scopes = live->viewers[0]->scopes;
	assert_ptr_equal(scopes[0].feed, scopes[1].feed);
	assert_ptr_not_equal(scopes[2].feed, scopes[3].feed);
	end(live);
}

static void test_too_many(void **state)
{
	struct live *live = begin();
	size_t answers = 0;
	json_t *answer;

	(void)state;
	for (int i = 0; i < 500; i++)
		say(live, "{\"do\":\"ping\"}");
	while ((answer = next_of("ok"))) {
		answers++;
		json_decref(answer);
	}
	assert_true(answers >= 40 && answers < 300);
	world.read = 0;
	check_next("error", "field", "");
	assert_int_equal(world.closed, 0);
	for (int i = 0; i < 1500 && !world.closed; i++)
		say(live, "rubbish");
	assert_int_equal(world.closed, 1008);
	end(live);
}

static void test_revoked(void **state)
{
	struct live *live = begin();

	(void)state;
	world.role = ACCESS_NOBODY;
	size_t before = world.count;
	say(live, "{\"do\":\"listen\",\"kinds\":[\"all\"]}");
	assert_int_equal(world.closed, 1008);
	assert_int_equal(world.count, before);
	end(live);
	live = begin();
	world.role = ACCESS_NOBODY;
	live_turn(live); /* the first one looks */
	assert_int_equal(world.closed, 1008);
	end(live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_slow_client),
		cmocka_unit_test(test_credit_of_events),
		cmocka_unit_test(test_log_filters),
		cmocka_unit_test(test_credit_of_frames),
		cmocka_unit_test(test_no_credit_for_long),
		cmocka_unit_test(test_shared_feeds),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_revoked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
