/* sessions_test.c: sessions end by themselves, are bounded, and their cookies say what they must; failed log-ins wait.
 */
#include "web/access/sample.h"

#include "web/access/sessions.h"
#include "web/access/throttle.h"

static struct sessions sessions;
static struct throttle throttle;

static void sessions_end(void **state)
{
	char text[SESSION_TEXT_BYTES], again[SESSION_TEXT_BYTES];
	struct session *session;

	(void)state;
	sessions = (struct sessions){0};
	assert_int_equal(sessions_add(&sessions, 1000, &session, text), 0);
	assert_int_equal(strlen(text), 43); /* 256 bits */
	assert_ptr_equal(sessions_find(&sessions, text, 1000 + SESSION_IDLE_S - 1), session);
	assert_ptr_equal(sessions_find(&sessions, text, 1000 + 2 * SESSION_IDLE_S - 2), session); /* used meanwhile */
	assert_null(sessions_find(&sessions, text, 1000 + 3 * SESSION_IDLE_S - 2));
	assert_null(sessions_find(&sessions, text, 1000)); /* it is gone */
	assert_int_equal(sessions_add(&sessions, 1000, &session, again), 0);
	assert_string_not_equal(text, again);
	for (int64_t now = 1000; now < 1000 + SESSION_AGE_MAX_S; now += 3600)
		assert_non_null(sessions_find(&sessions, again, now));
	assert_null(sessions_find(&sessions, again, 1000 + SESSION_AGE_MAX_S));
	assert_null(sessions_find(&sessions, "", 1000));
	assert_int_equal(sessions_add(&sessions, 1000, &session, text), 0);
	sessions_remove(session);
	assert_null(sessions_find(&sessions, text, 1000));
}

static void the_one_unused_for_longest_makes_room(void **state)
{
	static char texts[SESSIONS_MAX + 1][SESSION_TEXT_BYTES];
	struct session *session;

	(void)state;
	sessions = (struct sessions){0};
	for (int i = 0; i < SESSIONS_MAX; i++)
		assert_int_equal(sessions_add(&sessions, 1000 + i, &session, texts[i]), 0);
	assert_non_null(sessions_find(&sessions, texts[0], 2000));
	assert_int_equal(sessions_add(&sessions, 2001, &session, texts[SESSIONS_MAX]), 0);
	assert_null(sessions_find(&sessions, texts[1], 2002));
	for (int i = 0; i <= SESSIONS_MAX; i++)
		if (i != 1)
			assert_non_null(sessions_find(&sessions, texts[i], 2002));
}

static void cookies_say_what_they_must(void **state)
{
	char cookie[ACCESS_COOKIE_BYTES];
	struct cookie_name name;

	(void)state;
	cookie_format_name(8000, false, &name);
	cookie_format(&name, false, "abc", cookie);
	assert_string_equal(cookie, "enrgdaq-8000=abc; Path=/; HttpOnly; SameSite=Strict; Max-Age=604800");
	cookie_format_name(443, true, &name);
	cookie_format(&name, true, "abc", cookie);
	assert_string_equal(
		cookie, "__Host-enrgdaq-443=abc; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=604800");
	cookie_format(&name, true, "", cookie);
	assert_string_equal(cookie, "__Host-enrgdaq-443=; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=0");
}

static void cookies_are_found(void **state)
{
	static const struct {
		const char *header, *text; /* NULL: none */
	} rows[] = {
		{"enrgdaq-8000=abc", "abc"},
		{"a=b; enrgdaq-8000=abc; c=d", "abc"},
		{"a=b;enrgdaq-8000=abc ;c=d", "abc"},
		{"enrgdaq-8000=a=b", "a=b"},
		{"", NULL},
		{";;; ;", NULL},
		{"enrgdaq-8000", NULL},
		{"enrgdaq-8000=", NULL},
		{"xenrgdaq-8000=abc", NULL},
		{"enrgdaq-80001=abc", NULL},
		{"enrgdaq-800=abc", NULL},
		{"ENRGDAQ-8000=abc", NULL},
		{"a=enrgdaq-8000=abc", NULL},
		{"enrgdaq-8000=abc; enrgdaq-8000=def", NULL}, /* one of them is not ours */
		{"enrgdaq-8000=0123456789012345678901234567890123456789012",
			"0123456789012345678901234567890123456789012"},
		{"enrgdaq-8000=01234567890123456789012345678901234567890123", NULL},
	};
	struct cookie_name name;

	(void)state;
	cookie_format_name(8000, false, &name);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[SESSION_TEXT_BYTES];
		bool is_found = cookie_find(rows[i].header, &name, text);
		if (is_found != (rows[i].text != NULL) || (is_found && strcmp(text, rows[i].text) != 0))
			fail_msg("Cookie: %s", rows[i].header);
	}
}

static void failures_wait_ever_longer(void **state)
{
	static const uint32_t waits[] = {60, 120, 240, 480, 900, 900, 900};
	int64_t now = 1000;

	(void)state;
	throttle = (struct throttle){0};
	for (int i = 0; i < THROTTLE_FREE; i++) {
		assert_int_equal(throttle_ask(&throttle, 'a', "10.1.2.9", now), 0);
		throttle_failed(&throttle, 'a', "10.1.2.9", now);
	}
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		assert_int_equal(throttle_ask(&throttle, 'a', "10.1.2.9", now), waits[i]);
		assert_int_equal(throttle_ask(&throttle, 'a', "10.1.2.8", now), 0);
		assert_int_equal(throttle_ask(&throttle, 'n', "10.1.2.9", now), 0); /* a name that looks like it */
		now += waits[i];
		assert_int_equal(throttle_ask(&throttle, 'a', "10.1.2.9", now), 0);
		throttle_failed(&throttle, 'a', "10.1.2.9", now);
	}
	now += 900 + THROTTLE_WINDOW_S; /* a minute without: forgotten */
	throttle_failed(&throttle, 'a', "10.1.2.9", now);
	assert_int_equal(throttle_ask(&throttle, 'a', "10.1.2.9", now), 0);
}

static void success_takes_back(void **state)
{
	(void)state;
	throttle = (struct throttle){0};
	for (int i = 0; i < 20; i++) { /* each charged, each good */
		throttle_failed(&throttle, 'a', "10.1.2.9", 1000);
		throttle_forgive(&throttle, 'a', "10.1.2.9");
	}
	assert_int_equal(throttle_ask(&throttle, 'a', "10.1.2.9", 1000), 0);
	for (int i = 0; i < THROTTLE_FREE; i++)
		throttle_failed(&throttle, 'n', "anna", 1000);
	throttle_forget(&throttle, 'n', "anna");
	assert_int_equal(throttle_ask(&throttle, 'n', "anna", 1000), 0);
}

static void the_table_is_bounded(void **state)
{
	char name[32];

	(void)state;
	throttle = (struct throttle){0};
	for (int i = 0; i < THROTTLE_FREE; i++)
		throttle_failed(&throttle, 'n', "anna", 1000);
	for (int i = 0; i < 3 * THROTTLE_PLACES; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		throttle_failed(&throttle, 'n', name, 1000);
	}
	assert_int_equal(
		throttle_ask(&throttle, 'n', "anna", 1000), THROTTLE_DELAY_S); /* who waits is not pushed out */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_end),
		cmocka_unit_test(the_one_unused_for_longest_makes_room),
		cmocka_unit_test(cookies_say_what_they_must),
		cmocka_unit_test(cookies_are_found),
		cmocka_unit_test(failures_wait_ever_longer),
		cmocka_unit_test(success_takes_back),
		cmocka_unit_test(the_table_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
