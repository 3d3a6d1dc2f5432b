/* envelope_test.c: golden bytes, every bound, hostile and truncated messages. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/envelope.h"
#include "wire/wire.h"

static struct envelope example(json_t *body)
{
	struct envelope envelope = {.sent_wall_ns = 1000, .pid = 7, .body = body};

	for (unsigned i = 0; i < 16; i++)
		envelope.id[i] = (uint8_t)(i + 1);
	strcpy(envelope.kind, "stats");
	strcpy(envelope.supervisor, "lab");
	strcpy(envelope.job, "a");
	strcpy(envelope.job_type, "T");
	return envelope;
}

/* The example with {"n": -2} byte by byte, as docs/control-protocol.md prints it. */
static const uint8_t golden[] = "\x86\xa1v\x01\xa4kind\xa5stats\xa2id\xc4\x10"
				"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"
				"\xa1t\xcd\x03\xe8\xa4"
				"from\x84\xaasupervisor\xa3lab\xa3job\xa1"
				"a\xa4type\xa1T\xa3pid\x07\xa4"
				"body\x81\xa1n\xfe";
#define GOLDEN_BYTES (sizeof(golden) - 1)
#define BODY_AT      (GOLDEN_BYTES - 4)

static void test_golden(void **state)
{
	(void)state;
	struct envelope envelope = example(json_pack("{s:i}", "n", -2)), back;
	void *bytes;
	size_t count;

	assert_int_equal(envelope_format(&envelope, &bytes, &count, NULL), 0);
	assert_int_equal(count, GOLDEN_BYTES);
	assert_memory_equal(bytes, golden, GOLDEN_BYTES);
	assert_int_equal(envelope_parse(bytes, count, &back, NULL), 0);
	assert_string_equal(back.kind, "stats");
	assert_string_equal(back.supervisor, "lab");
	assert_string_equal(back.job, "a");
	assert_string_equal(back.job_type, "T");
	assert_memory_equal(back.id, envelope.id, 16);
	assert_int_equal(back.sent_wall_ns, 1000);
	assert_int_equal(back.pid, 7);
	assert_true(json_equal(back.body, envelope.body));
	free(bytes);
	envelope_fini(&envelope);
	envelope_fini(&back);
}

static void test_values_survive(void **state)
{
	(void)state;
	json_t *body = json_pack("{s:n,s:b,s:b,s:I,s:I,s:I,s:f,s:s,s:[i,[s],{}],s:{s:{s:[]}}}", "nil", "yes", 1, "no",
		0, "max", (json_int_t)INT64_MAX, "min", (json_int_t)INT64_MIN, "small", (json_int_t)-33, "real", 0.1,
		"text", "Grüße ☢", "list", 1, "x", "map", "inner", "deep");
	assert_non_null(body);
	char *text = malloc(70001);
	memset(text, 'x', 70000);
	text[70000] = 0;
	json_object_set_new(body, "long", json_string(text));
	json_object_set_new(body, "u8", json_integer(200));
	json_object_set_new(body, "u16", json_integer(60000));
	json_object_set_new(body, "u32", json_integer(4000000000));
	json_object_set_new(body, "i16", json_integer(-30000));
	json_object_set_new(body, "i32", json_integer(-2000000000));

	struct envelope envelope = example(body), back;
	void *bytes;
	size_t count;
	assert_int_equal(envelope_format(&envelope, &bytes, &count, NULL), 0);
	assert_int_equal(envelope_parse(bytes, count, &back, NULL), 0);
	assert_true(json_equal(back.body, body));
	free(bytes);
	free(text);
	envelope_fini(&envelope);
	envelope_fini(&back);
}

static void test_id_and_time_are_set(void **state)
{
	(void)state;
	static const uint8_t none[16];
	struct envelope envelope = {.kind = "heartbeat", .body = json_object()};
	void *bytes;
	size_t count;

	assert_int_equal(envelope_format(&envelope, &bytes, &count, NULL), 0);
	assert_memory_not_equal(envelope.id, none, 16);
	assert_true(envelope.sent_wall_ns > 1700000000000000000u);
	free(bytes);
	envelope_fini(&envelope);
}

/* Parses in a block of exactly that size, so that a sanitizer sees a read beyond it. */
static int parse_exact(const void *bytes, size_t count, struct enrg_error *err)
{
	struct envelope envelope;
	uint8_t *copy = malloc(count ? count : 1);

	memcpy(copy, bytes, count);
	int status = envelope_parse(copy, count, &envelope, err);
	free(copy);
	if (!status)
		envelope_fini(&envelope);
	return status;
}

static void test_truncated_at_every_byte(void **state)
{
	(void)state;
	struct enrg_error err = {0};

	for (size_t count = 0; count < GOLDEN_BYTES; count++) {
		assert_int_equal(parse_exact(golden, count, &err), ENRG_E_PROTOCOL);
		assert_non_null(strstr(err.text, "malformed envelope"));
	}
	assert_int_equal(parse_exact(golden, GOLDEN_BYTES, &err), 0);
}

static void test_every_byte_changed(void **state)
{
	(void)state;
	uint8_t bytes[GOLDEN_BYTES];

	for (size_t at = 0; at < GOLDEN_BYTES; at++)
		for (unsigned value = 0; value < 256; value++) {
			memcpy(bytes, golden, GOLDEN_BYTES);
			bytes[at] = (uint8_t)value;
			int status = parse_exact(bytes, sizeof(bytes), NULL);
			assert_true(status == 0 || status == ENRG_E_PROTOCOL);
		}
}

/* The golden message with another body. */
static int parse_body(const void *body, size_t count, struct enrg_error *err)
{
	uint8_t *bytes = malloc(BODY_AT + count);

	memcpy(bytes, golden, BODY_AT);
	memcpy(bytes + BODY_AT, body, count);
	int status = parse_exact(bytes, BODY_AT + count, err);
	free(bytes);
	return status;
}

struct hostile {
	const char *bytes;
	size_t count;
	const char *complaint;
};

#define HOSTILE(text, complaint)                                                                                       \
	{                                                                                                              \
		text, sizeof(text) - 1, complaint                                                                      \
	}

static void test_hostile_bodies(void **state)
{
	(void)state;
	static const struct hostile bodies[] = {
		HOSTILE("\x90", "not a map"),
		HOSTILE("\xc0", "not a map"),
		HOSTILE("\xdf\xff\xff\xff\xff", "more items"),
		HOSTILE("\xdf\x80\x00\x00\x00", "more items"),
		HOSTILE("\x81\xa1n\xdd\xff\xff\xff\xff", "more items"),
		HOSTILE("\x81\xa1n\xdd\x00\x00\x00\x02\x01", "more items"),
		HOSTILE("\x81\xa1n\xdb\xff\xff\xff\xff", "longer than the message"),
		HOSTILE("\x81\xa1n\xc6\xff\xff\xff\xff", "longer than the message"),
		HOSTILE("\x81\xa1n\xc4\x01x", "bytes in a body"),
		HOSTILE("\x81\xa1n\xc1", "unknown type"),
		HOSTILE("\x81\xa1n\xc7\x01\x01x", "extension"),
		HOSTILE("\x81\xa1n\xd4\x01x", "extension"),
		HOSTILE("\x81\xa1n\xcf\x80\x00\x00\x00\x00\x00\x00\x00", "63 bits"),
		HOSTILE("\x81\xa1n\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00", "not finite"),
		HOSTILE("\x81\xa1n\xca\x7f\xc0\x00\x00", "not finite"),
		HOSTILE("\x81\xa1n\xa2\xff\xff", "UTF-8"),
		HOSTILE("\x81\xa1\xff\x01", "UTF-8"),
		HOSTILE("\x81\xa1n\xa3x\x00y", "NUL"),
		HOSTILE("\x81\xa3x\x00y\x01", "NUL"),
		HOSTILE("\x81\x01\x01", "not text"),
		HOSTILE("\x82\xa1n\x01\xa1n\x02", "twice"),
		HOSTILE("\x80\x00", "behind the envelope"),
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct enrg_error err = {0};
		assert_int_equal(parse_body(bodies[i].bytes, bodies[i].count, &err), ENRG_E_PROTOCOL);
		if (!strstr(err.text, bodies[i].complaint))
			fail_msg("body %zu: %s", i, err.text);
	}
}

static void test_depth(void **state)
{
	(void)state;
	for (unsigned depth = 1; depth < 20; depth++) {
		/* A map that holds arrays that hold arrays … */
		uint8_t bytes[64] = {0x81, 0xa1, 'n'};
		size_t count = 3;
		for (unsigned i = 1; i < depth; i++)
			bytes[count++] = 0x91;
		bytes[count++] = 0xc0;
		assert_int_equal(parse_body(bytes, count, NULL), depth <= ENVELOPE_DEPTH_MAX ? 0 : ENRG_E_PROTOCOL);

		json_t *value = json_null();
		for (unsigned i = 1; i < depth; i++)
			value = json_pack("[o]", value);
		struct envelope envelope = example(json_pack("{s:o}", "n", value));
		void *packed = NULL;
		int status = envelope_format(&envelope, &packed, &count, NULL);
		assert_int_equal(status, depth <= ENVELOPE_DEPTH_MAX ? 0 : ENRG_E_PROTOCOL);
		free(packed);
		envelope_fini(&envelope);
	}
}

/* A megabyte of opening brackets: neither a deep recursion nor much memory. */
static void test_nesting_bomb(void **state)
{
	(void)state;
	size_t count = ENVELOPE_BYTES_MAX - BODY_AT;
	uint8_t *body = malloc(count);

	memset(body, 0x91, count);
	memcpy(body, "\x81\xa1n", 3);
	struct enrg_error err = {0};
	assert_int_equal(parse_body(body, count, &err), ENRG_E_PROTOCOL);
	assert_non_null(strstr(err.text, "too deep"));
	/* The same where an unknown key is stepped over. */
	memcpy(body, "\x81\xa1z", 3);
	assert_int_equal(parse_exact(body, count, &err), ENRG_E_PROTOCOL);
	assert_non_null(strstr(err.text, "too deep"));
	free(body);
}

static void write_items(uint8_t *ret_body, uint32_t items, uint8_t item)
{
	uint8_t head[] = {0x81, 0xa1, 'n', 0xdd, (uint8_t)(items >> 24), (uint8_t)(items >> 16), (uint8_t)(items >> 8),
		(uint8_t)items};

	memcpy(ret_body, head, sizeof(head));
	memset(ret_body + sizeof(head), item, items);
}

static size_t largest_use;
static size_t in_use;

static void *count_malloc(size_t count)
{
	void *block = malloc(count);
	in_use += malloc_usable_size(block);
	largest_use = in_use > largest_use ? in_use : largest_use;
	return block;
}

static void count_free(void *block)
{
	in_use -= malloc_usable_size(block);
	free(block);
}

static void test_items_and_memory(void **state)
{
	(void)state;
	uint8_t *body = malloc(ENVELOPE_BYTES_MAX);
	uint32_t fits = ENVELOPE_ITEMS_MAX - 3, refused = ENVELOPE_ITEMS_MAX + 100;

	json_set_alloc_funcs(count_malloc, count_free);
	write_items(body, fits, 0x80); /* empty maps: the worst that a byte can ask for */
	assert_int_equal(parse_body(body, 8 + fits, NULL), 0);
	assert_true(largest_use <= 320u * ENVELOPE_ITEMS_MAX);
	assert_int_equal(in_use, 0);
	largest_use = 0;
	write_items(body, refused, 0x80);
	struct enrg_error err = {0};
	assert_int_equal(parse_body(body, 8 + refused, &err), ENRG_E_PROTOCOL);
	assert_non_null(strstr(err.text, "too many values"));
	assert_true(largest_use < 4096);
	json_set_alloc_funcs(malloc, free);

	json_t *array = json_array();
	for (uint32_t i = 0; i < ENVELOPE_ITEMS_MAX; i++)
		json_array_append_new(array, json_true());
	struct envelope envelope = example(json_pack("{s:o}", "n", array));
	void *bytes;
	size_t count;
	assert_int_equal(envelope_format(&envelope, &bytes, &count, &err), ENRG_E_PROTOCOL);
	assert_non_null(strstr(err.text, "too many values"));
	envelope_fini(&envelope);
	free(body);
}

static void test_total_size(void **state)
{
	(void)state;
	uint8_t *bytes = calloc(1, ENVELOPE_BYTES_MAX + 1);
	struct enrg_error err = {0};
	size_t count;

	memcpy(bytes, golden, GOLDEN_BYTES);
	assert_int_equal(parse_exact(bytes, ENVELOPE_BYTES_MAX + 1, &err), ENRG_E_PROTOCOL);
	assert_non_null(strstr(err.text, "at most"));
	free(bytes);

	char *text = malloc(ENVELOPE_BYTES_MAX + 1);
	memset(text, 'x', ENVELOPE_BYTES_MAX);
	text[ENVELOPE_BYTES_MAX] = 0;
	struct envelope envelope = example(json_pack("{s:s}", "n", text));
	void *packed;
	assert_int_equal(envelope_format(&envelope, &packed, &count, &err), ENRG_E_PROTOCOL);
	assert_non_null(strstr(err.text, "stats: a message of more than"));
	envelope_fini(&envelope);
	free(text);
}

/* Envelope members of the wrong type or size, members that are missing or come twice, members of later versions. */
static void test_members(void **state)
{
	(void)state;
	static const struct hostile messages[] = {
		HOSTILE("\x93", "more items"),
		HOSTILE("\x80", "missing"),
		HOSTILE("\x81\xa1v\x02", "version 2"),
		HOSTILE("\x81\xa1v\xff", "negative"),
		HOSTILE("\x81\xa4kind\x01", "text was expected"),
		HOSTILE("\x81\xa4kind\xd9\x40xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
			"too long"),
		HOSTILE("\x81\xa2id\xc4\x01x", "16 bytes"),
		HOSTILE("\x81\xa2id\xa1x", "16 bytes"),
		HOSTILE("\x81\xa1t\xa1x", "integer"),
		HOSTILE("\x81\xa4"
			"from\x01",
			"not a map"),
		HOSTILE("\x82\xa1v\x01\xa1v\x01", "twice"),
		HOSTILE("\x81\xa5later\xc1", "unknown type"),
	};
	struct enrg_error err = {0};

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		assert_int_equal(parse_exact(messages[i].bytes, messages[i].count, &err), ENRG_E_PROTOCOL);
		if (!strstr(err.text, messages[i].complaint))
			fail_msg("message %zu: %s", i, err.text);
	}
	/* Later versions may add members of any type, bytes too. */
	uint8_t later[GOLDEN_BYTES + 9];
	memcpy(later, golden, GOLDEN_BYTES);
	memcpy(later + GOLDEN_BYTES, "\xa5later\xc4\x01x", 9);
	later[0] = 0x87;
	assert_int_equal(parse_exact(later, sizeof(later), NULL), 0);
}

static void test_format_refuses(void **state)
{
	(void)state;
	struct envelope envelope = {.body = json_object()};
	struct enrg_error err = {0};
	void *bytes;
	size_t count;

	assert_int_equal(envelope_format(&envelope, &bytes, &count, &err), ENRG_E_PROTOCOL);
	assert_non_null(strstr(err.text, "without a kind"));
	envelope_fini(&envelope);

	envelope = example(json_array());
	assert_int_equal(envelope_format(&envelope, &bytes, &count, &err), ENRG_E_PROTOCOL);
	envelope_fini(&envelope);
	envelope = example(NULL);
	assert_int_equal(envelope_format(&envelope, &bytes, &count, &err), ENRG_E_PROTOCOL);

	envelope = example(json_object());
	json_object_set_new(envelope.body, "n", json_stringn("a\0b", 3));
	assert_int_equal(envelope_format(&envelope, &bytes, &count, &err), ENRG_E_PROTOCOL);
	assert_non_null(strstr(err.text, "NUL"));
	envelope_fini(&envelope);

	char key[WIRE_KEY_BYTES_MAX + 2];
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = 0;
	envelope = example(json_object());
	json_object_set_new(envelope.body, key, json_null());
	assert_int_equal(envelope_format(&envelope, &bytes, &count, &err), ENRG_E_PROTOCOL);
	assert_non_null(strstr(err.text, "a key of 256 bytes"));
	envelope_fini(&envelope);
}

static void test_topic(void **state)
{
	(void)state;
	char topic[TOPIC_BYTES_MAX], small[8];

	topic_format(topic, sizeof(topic), "supervisor.%s.daq_job.broadcast", "lab1");
	assert_string_equal(topic, "supervisor.lab1.daq_job.broadcast");
	topic_format(small, sizeof(small), "stats.supervisor.%s", "lab1");
	assert_string_equal(small, "stats.s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_values_survive),
		cmocka_unit_test(test_id_and_time_are_set),
		cmocka_unit_test(test_truncated_at_every_byte),
		cmocka_unit_test(test_every_byte_changed),
		cmocka_unit_test(test_hostile_bodies),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_nesting_bomb),
		cmocka_unit_test(test_items_and_memory),
		cmocka_unit_test(test_total_size),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_format_refuses),
		cmocka_unit_test(test_topic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
