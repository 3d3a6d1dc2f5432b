/* repeats_test.c: the same key gets the first answer, and nothing else does. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/api/repeats.h"

static struct web_request request(const char *key, const char *body)
{
	return (struct web_request){
		.path = "/a", .query = "", .idempotency_key = key, .body = body, .body_bytes = strlen(body)};
}

static const struct access_who me = {.name = "me"}, other = {.name = "other"};

static enum repeats_outcome begin(struct repeats *repeats, const char *key, const char *body,
	const struct access_who *who, struct repeat **ret_repeat)
{
	struct web_request asked = request(key, body);
	struct web_response response = {0};
	enum repeats_outcome outcome = repeats_begin(repeats, &asked, who, ret_repeat, &response);

	if (outcome == REPEATS_AGAIN) {
		assert_int_equal(response.status, 200);
		assert_memory_equal(response.body->data, "first", 5);
		web_bytes_release(response.body);
	}
	return outcome;
}

static void end(struct repeats *repeats, struct repeat *repeat, int status)
{
	struct web_response response = {.status = status, .body = web_bytes_create("first", 5)};

	repeats_end(repeats, repeat, &response);
	web_bytes_release(response.body);
}

static void test_the_first_answer_comes_again(void **state)
{
	struct repeats *repeats = repeats_create();
	struct repeat *repeat, *second;

	(void)state;
	assert_int_equal(begin(repeats, "k", "{}", &me, &repeat), REPEATS_FIRST);
	assert_int_equal(begin(repeats, "k", "{}", &me, &second), REPEATS_RUNNING);
	end(repeats, repeat, 200);
	assert_int_equal(begin(repeats, "k", "{}", &me, &second), REPEATS_AGAIN);
	assert_int_equal(begin(repeats, "k", "{} ", &me, &second), REPEATS_OTHER);
	assert_int_equal(begin(repeats, "k2", "{}", &me, &second), REPEATS_FIRST);
	end(repeats, second, 200);
	/* the key of somebody else is another one, and shows nothing of mine */
	assert_int_equal(begin(repeats, "k", "{}", &other, &second), REPEATS_FIRST);
	end(repeats, second, 200);
	repeats_destroy(repeats);
}

static void test_what_may_be_tried_again_is_forgotten(void **state)
{
	static const int statuses[] = {400, 422, 429, 503};
	struct repeats *repeats = repeats_create();
	struct repeat *repeat;

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		assert_int_equal(begin(repeats, "k", "{}", &me, &repeat), REPEATS_FIRST);
		end(repeats, repeat, statuses[i]);
	}
	repeats_destroy(repeats);
}

static void test_it_is_bounded(void **state)
{
	struct repeats *repeats = repeats_create();
	struct repeat *repeat[257];
	char key[20];

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		snprintf(key, sizeof(key), "%u", i);
		assert_int_equal(begin(repeats, key, "{}", &me, &repeat[i]), REPEATS_FIRST);
	}
	assert_int_equal(begin(repeats, "more", "{}", &me, &repeat[256]), REPEATS_FULL);
	end(repeats, repeat[0], 200);
	assert_int_equal(begin(repeats, "more", "{}", &me, &repeat[0]), REPEATS_FIRST); /* the oldest gave way */
	for (unsigned i = 0; i < 256; i++)
		end(repeats, repeat[i], 200);
	repeats_destroy(repeats);
}

static void test_large_answers_give_way(void **state)
{
	struct repeats *repeats = repeats_create();
	struct repeat *repeat;
	char *large = calloc(1, 3u << 20);

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct web_response response = {.status = 200, .body = web_bytes_create(large, 3u << 20)};
		assert_int_equal(begin(repeats, i ? "b" : "a", "{}", &me, &repeat), REPEATS_FIRST);
		repeats_end(repeats, repeat, &response);
		web_bytes_release(response.body);
	}
	assert_int_equal(begin(repeats, "a", "{}", &me, &repeat), REPEATS_FIRST); /* forgotten: 4 MiB are kept */
	end(repeats, repeat, 503);
	free(large);
	repeats_destroy(repeats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_answer_comes_again),
		cmocka_unit_test(test_what_may_be_tried_again_is_forgotten),
		cmocka_unit_test(test_it_is_bounded),
		cmocka_unit_test(test_large_answers_give_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
