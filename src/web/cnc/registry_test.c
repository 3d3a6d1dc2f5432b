/* registry_test.c: names, rooms, rings. Time is what the test says. */
#include "web/cnc/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND_NS 1000000000ull

static char owner[REGISTRY_OWNER_BYTES];

static enum registry_verdict see(struct registry *registry, const char *name, const char *who, uint64_t second)
{
	return registry_see(registry,
		&(struct registry_sight){.name = name, .owner = who, .now_ns = (second + 100) * SECOND_NS}, owner);
}

static void names(void **state)
{
	struct registry *registry = registry_create();

	(void)state;
	assert_int_equal(see(registry, "a", "10.0.0.1", 0), REGISTRY_NEW);
	assert_int_equal(see(registry, "a", "10.0.0.1", 1), REGISTRY_KNOWN);
	assert_int_equal(see(registry, "a", "10.0.0.2", 2), REGISTRY_TAKEN);
	assert_string_equal(owner, "10.0.0.1");
	assert_int_equal(see(registry, "a", "10.0.0.2", 15), REGISTRY_TAKEN);
	assert_int_equal(see(registry, "a", "10.0.0.2", 16), REGISTRY_KNOWN); /* 15 seconds of silence */
	assert_int_equal(see(registry, "a", "10.0.0.1", 17), REGISTRY_TAKEN);
	assert_int_equal(see(registry, "a", "10.0.0.2", 60), REGISTRY_NEW);
	registry_destroy(registry);
}

static void room(void **state)
{
	struct registry *registry = registry_create();
	char name[32];

	(void)state;
	for (unsigned i = 0; i < REGISTRY_CLIENTS_MAX; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(see(registry, name, "x", i == 7 ? 0 : 5), REGISTRY_NEW);
	}
	assert_int_equal(see(registry, "more", "x", 29), REGISTRY_FULL);
	assert_int_equal(see(registry, "more", "x", 30), REGISTRY_NEW);
	assert_false(registry_knows(registry, "n7"));
	assert_true(registry_knows(registry, "n8"));
	assert_int_equal(see(registry, "n7", "x", 31), REGISTRY_FULL);
	registry_destroy(registry);
}

static void log_text(struct registry *registry, unsigned number, size_t bytes)
{
	char *text = malloc(bytes + 1);

	memset(text, 'x', bytes);
	text[bytes] = '\0';
	snprintf(text, bytes, "%u", number);
	text[strlen(text)] = 'x';
	registry_add_log(
		registry, "a", json_pack("{s:s, s:s, s:n}", "type", "CNCMessageLog", "message", text, "req_id"));
	free(text);
}

static size_t count_logs(struct registry *registry, char ret_first[16])
{
	json_t *logs = registry_logs(registry, "a");
	size_t count = json_array_size(logs);

	snprintf(ret_first, 16, "%s", json_string_value(json_object_get(json_array_get(logs, 0), "message")));
	json_decref(logs);
	return count;
}

static void logs_are_bounded(void **state)
{
	struct registry *registry = registry_create();
	char first[16];

	(void)state;
	assert_null(registry_logs(registry, "a"));
	log_text(registry, 0, 20); /* of nobody */
	see(registry, "a", "x", 0);
	for (unsigned i = 0; i < 1500; i++)
		log_text(registry, i, 20);
	assert_int_equal(count_logs(registry, first), 512 * 1024 / 620 < 1000 ? 512 * 1024 / 620 : 1000);
	for (unsigned i = 2000; i < 2200; i++)
		log_text(registry, i, 100000);
	size_t count = count_logs(registry, first);
	assert_true(count > 40 && count < 70); /* of 8 KiB each */
	assert_memory_equal(first, "21", 2);
	registry_destroy(registry);
}

static void listed(void **state)
{
	struct registry *registry = registry_create();
	json_t *info = json_pack("{s:s, s:[]}", "supervisor_id", "ab", "supervisor_tags"), *clients = json_object();

	(void)state;
	registry_see(registry,
		&(struct registry_sight){
			.name = "ab", .owner = "127.0.0.1", .is_loopback = true, .info = info, .now_ns = 1},
		owner);
	json_decref(info);
	see(registry, "c", "x", 0);
	registry_list(registry, clients);
	char *text = json_dumps(json_object_get(json_object_get(clients, "ab"), "info"), JSON_COMPACT);
	assert_string_equal(text, "{\"supervisor_id\":\"ab\",\"supervisor_tags\":[]}");
	free(text);
	json_t *entry = json_object_get(clients, "c");
	assert_string_equal(json_string_value(json_object_get(entry, "identity")), "Yw==");
	assert_true(json_is_null(json_object_get(entry, "info")));
	assert_int_equal(strlen(json_string_value(json_object_get(entry, "last_seen"))), 26);
	assert_string_equal(json_string_value(json_object_get(json_object_get(clients, "ab"), "identity")), "YWI=");
	assert_true(registry_is_loopback(registry, "ab"));
	assert_false(registry_is_loopback(registry, "c"));
	assert_false(registry_is_loopback(registry, "d"));
	json_decref(clients);
	registry_destroy(registry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(room),
		cmocka_unit_test(logs_are_bounded), cmocka_unit_test(listed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
