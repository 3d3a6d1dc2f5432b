/* snapshot_test.c: what is shown of a system that comes, hangs and goes, who sends to whom, and which events that
 * makes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "web/system/change.h"

#define SOURCE(state)                                                                                                  \
	"{\"name\":\"a\",\"type\":\"S\",\"is_store\":false,\"state\":\"" state "\",\"ring_bytes\":1,\"restarts\":0,"   \
	"\"in\":{\"batches\":0,\"bytes_per_s\":0},\"out\":{\"batches\":9,\"bytes_per_s\":100}}"
#define STORE                                                                                                          \
	"{\"name\":\"b\",\"type\":\"C\",\"is_store\":true,\"state\":\"running\",\"restarts\":0,\"in\":{\"batches\":9}" \
	"}"
#define LINK                                                                                                           \
	"{\"source\":\"a\",\"store\":\"b\",\"through\":\"shared memory\",\"backlog_bytes\":7,\"backlog_batches\":1}"
#define STATUS(jobs, alarms)                                                                                           \
	"{\"state\":\"running\",\"jobs\":[" jobs "],\"links\":[" LINK "],\"alarms\":[" alarms "],\"runs\":{"           \
	"\"state\":\"idle\",\"run\":\"\"}}"
#define ALARM(on) "{\"key\":\"silent/a\",\"on\":" on ",\"acknowledged\":false,\"severity\":\"error\",\"message\":\"m\"}"

static struct snapshot *look(const struct snapshot *before, const char *json)
{
	const struct snapshot_look seen = {
		.is_there = json != NULL, .age_s = 0.5, .json = json, .reason = json ? "" : "away"};
	struct snapshot *snapshot = snapshot_create(before, &seen);

	assert_non_null(snapshot);
	return snapshot;
}

static json_t *parse(const struct web_bytes *bytes)
{
	json_t *json = json_loadb((const char *)bytes->data, bytes->count, 0, NULL);

	assert_non_null(json);
	return json;
}

static const char *text(const json_t *json, const char *key)
{
	const char *value = json_string_value(json_object_get(json, key));

	return value ? value : "";
}

static void test_nothing_is_known_yet(void **state)
{
	struct snapshot *snapshot = look(NULL, NULL);
	json_t *shown = parse(snapshot->bytes), *graph = parse(snapshot->graph);

	(void)state;
	assert_true(json_is_false(json_object_get(shown, "is_there")));
	assert_true(json_is_null(json_object_get(shown, "age_s")));
	assert_true(json_is_null(json_object_get(shown, "system")));
	assert_string_equal(text(shown, "reason"), "away");
	assert_int_equal(json_array_size(json_object_get(graph, "nodes")), 0);
	json_decref(shown);
	json_decref(graph);
	snapshot_release(snapshot);
}

static void test_what_was_known_stays_and_ages(void **state)
{
	struct snapshot *first = look(NULL, STATUS(SOURCE("running"), "")), *second = look(first, NULL);
	json_t *shown = parse(second->bytes);

	(void)state;
	assert_false(second->is_there);
	assert_int_equal(second->at_ns, first->at_ns);
	assert_true(second->age_s > first->age_s);
	assert_string_equal(text(json_object_get(shown, "system"), "state"), "running");
	snapshot_release(first); /* what is shared stays */
	assert_string_equal(text(second->status, "state"), "running");
	json_decref(shown);
	snapshot_release(second);
	struct snapshot *torn = look(NULL, "{\"state\":");
	assert_null(torn->status);
	snapshot_release(torn);
}

static void test_graph(void **state)
{
	struct snapshot *snapshot = look(NULL, STATUS(SOURCE("running") "," STORE, ""));
	json_t *graph = parse(snapshot->graph), *nodes = json_object_get(graph, "nodes");
	json_t *edge = json_array_get(json_object_get(graph, "edges"), 0);

	(void)state;
	assert_string_equal(text(json_array_get(nodes, 0), "role"), "source");
	assert_string_equal(text(json_array_get(nodes, 1), "role"), "store");
	assert_string_equal(text(edge, "from"), "a");
	assert_string_equal(text(edge, "to"), "b");
	assert_int_equal(json_integer_value(json_object_get(edge, "bytes_per_s")), 100);
	assert_int_equal(json_integer_value(json_object_get(edge, "backlog_bytes")), 7);
	json_decref(graph);
	snapshot_release(snapshot);
}

static void expect(const char *before, const char *now, const char *const *events)
{
	struct snapshot *first = look(NULL, before), *second = look(first, now);
	json_t *list = change_list(first, second);
	char said[200];
	size_t i = 0;

	for (; events[i]; i++) {
		const json_t *event = json_array_get(list, i);
		snprintf(said, sizeof(said), "%s %s%s %s", text(event, "event"), text(event, "job"), text(event, "key"),
			text(event, "state"));
		assert_string_equal(said, events[i]);
	}
	assert_int_equal(json_array_size(list), i);
	json_decref(list);
	snapshot_release(first);
	snapshot_release(second);
}

static void test_events(void **state)
{
	static const char usual[] = STATUS(SOURCE("running"), "");

	(void)state;
	expect(usual, usual, (const char *const[]){NULL});
	expect(usual, NULL, (const char *const[]){"system  ", NULL});
	expect(NULL, usual, (const char *const[]){"system  ", "state  running", "run  idle", "job a running", NULL});
	expect(usual, STATUS(SOURCE("restarting"), ""), (const char *const[]){"job a restarting", NULL});
	expect(usual, STATUS(SOURCE("running") "," STORE, ""), (const char *const[]){"job b running", NULL});
	expect(usual, STATUS(STORE, ""), (const char *const[]){"job b running", "job a ", NULL});
	expect(usual, STATUS(SOURCE("running"), ALARM("true")), (const char *const[]){"alarm silent/a ", NULL});
	expect(STATUS(SOURCE("running"), ALARM("true")), usual, (const char *const[]){"alarm silent/a ", NULL});
	struct snapshot *one = look(NULL, usual);
	json_t *list = change_list(NULL, one);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	snapshot_release(one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_known_yet),
		cmocka_unit_test(test_what_was_known_stays_and_ages),
		cmocka_unit_test(test_graph),
		cmocka_unit_test(test_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
