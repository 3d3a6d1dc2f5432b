/* mail_text_test.c: a mail says what an alert says, and no more headers than we write. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "mail_text.h"

static const char *const to[] = {"shift@example.org", "root"};

static void an_alert_is_a_mail(void **state)
{
	const struct mail_head head = {.from = "daq@example.org", .subject = "[DAQ]", .to = {2, to}};
	const struct notice notice = {.id = "00ff",
		.sent_by = "lab",
		.supervisor = "lab",
		.job = "csv\r\nX-Job: 1",
		.severity = ENRG_ERROR,
		.key = "",
		.time_ns = 1764302712123456789u,
		.message = "disk is full\r\nBcc: everybody@example.org\r\n\r\n.\r\nwhat came is kept in memory until "
			   "it is "
			   "repaired; make room",
		.count = 1};

	(void)state;
	setenv("TZ", "UTC", 1);
	char *made = mail_format(&head, &notice, 1764302713000000000u);
	assert_string_equal(made,
		"From: daq@example.org\nTo: shift@example.org,\n root\n"
		"Subject: [DAQ] lab: error: csv  X-Job: 1: disk is full  Bcc: everybody@example.org    .  what came is "
		"kept in "
		"memory until it is repaired; make room\n"
		"Date: Fri, 28 Nov 2025 04:05:13 +0000\nMessage-ID: <00ff@enrgdaq.invalid>\nAuto-Submitted: "
		"auto-generated\n"
		"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
		"disk is full  Bcc: everybody@example.org    .  what came is kept in memory\n"
		"until it is repaired; make room\n"
		"\nSeverity: error\nJob: csv  X-Job: 1\nSupervisor: lab\nDate: 2025-11-28 04:05:12 +0000\nSent by: "
		"lab\n");
	free(made);
}

static void addresses_are_plain(void **state)
{
	static const char *const good[] = {"root", "a.b+c@example.org"};
	static const char *const bad[] = {"", "-oQ/tmp", "-X@example.org", "a b@example.org", "a@b@c", "a@", "@b",
		"a\n@b", "a,b@c", "a@b c", "\"a\"@b", "a@-b", "|cat", "a;b", "a@b\r\nBcc: c", "/etc/passwd",
		"a@lab_1/x"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(mail_is_address(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (mail_is_address(bad[i]))
			fail_msg("%s was taken", bad[i]);
}

static void long_words_are_broken_between_characters(void **state)
{
	const struct mail_head head = {.subject = "", .to = {1, to}};
	char message[600];
	struct notice notice = {
		.id = "1", .sent_by = "l", .supervisor = "l", .job = "j", .key = "a", .message = message, .count = 1};

	(void)state;
	message[0] = 'a';
	for (size_t i = 1; i + 2 < sizeof(message); i += 2)
		memcpy(message + i, "µ", 3);
	char *made = mail_format(&head, &notice, 1);
	assert_non_null(strstr(made, "\nReferences: <61.alarm@enrgdaq.invalid>\n"));
	for (char *rest = made, *line; (line = strsep(&rest, "\n"));)
		assert_true(strlen(line) <= 100);
	free(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_alert_is_a_mail),
		cmocka_unit_test(addresses_are_plain),
		cmocka_unit_test(long_words_are_broken_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
