/* message_test.c: what the Python program has put on the wire (tests/fuzz/corpus/cnc) is read, and written again byte
 * for byte; what is wrong is refused. */
#include "web/cnc/message.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RECORDED ENRG_SOURCE_DIR "/tests/fuzz/corpus/cnc"

static size_t read_file(const char *name, unsigned char *ret_bytes, size_t bytes_max)
{
	char path[1024];

	snprintf(path, sizeof(path), RECORDED "/%s", name);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	size_t count = fread(ret_bytes, 1, bytes_max, file);
	fclose(file);
	return count;
}

static void check_recorded(const char *name)
{
	static unsigned char bytes[CNC_FRAME_BYTES_MAX];
	size_t count = read_file(name, bytes, sizeof(bytes) - 1);
	struct cnc_message message;
	struct wire_writer writer;
	struct enrg_error err = {0};

	if (cnc_message_parse(bytes, count, &message, &err))
		fail_msg("%s: %s", name, err.text);
	assert_int_equal(cnc_message_format(message.json, &writer, &err), 0);
	if (writer.count != count || memcmp(writer.bytes, bytes, count))
		fail_msg("%s: written as %zu other bytes than the %zu recorded", name, writer.count, count);
	wire_writer_fini(&writer);
	cnc_message_fini(&message);
	/* Cut anywhere, it is refused. */
	for (size_t cut = 0; cut < count; cut++)
		assert_int_equal(cnc_message_parse(bytes, cut, &message, NULL), ENRG_E_PROTOCOL);
	bytes[count] = 0xc0;
	assert_int_equal(cnc_message_parse(bytes, count + 1, &message, NULL), ENRG_E_PROTOCOL);
}

static void recorded(void **state)
{
	DIR *folder = opendir(RECORDED);
	struct dirent *entry;
	unsigned count = 0;

	(void)state;
	assert_non_null(folder);
	while ((entry = readdir(folder)))
		if (strstr(entry->d_name, ".bin")) {
			check_recorded(entry->d_name);
			count++;
		}
	closedir(folder);
	assert_true(count >= 18);
}

static int fit(const char *text, struct cnc_message *ret_message, struct enrg_error *err)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	int rc = cnc_message_fit(json, ret_message, err);
	json_decref(json);
	return rc;
}

static void check_fits(const char *text, const char *expected)
{
	struct cnc_message message;
	struct enrg_error err = {0};

	if (fit(text, &message, &err))
		fail_msg("%s: %s", text, err.text);
	char *found = json_dumps(message.json, JSON_COMPACT);
	assert_string_equal(found, expected);
	free(found);
	cnc_message_fini(&message);
}

/* Defaults, order, and members that are not known. */
static void fitted(void **state)
{
	(void)state;
	check_fits("{\"req_id\":\"1\",\"new\":[1],\"type\":\"CNCMessageReqPing\"}",
		"{\"type\":\"CNCMessageReqPing\",\"req_id\":\"1\"}");
	check_fits("{\"type\":\"CNCMessageReqRunCustomDAQJob\",\"config\":\"a\"}",
		"{\"type\":\"CNCMessageReqRunCustomDAQJob\",\"config\":\"a\",\"restart_on_crash\":true,\"req_id\":"
		"null}");
	check_fits("{\"type\":\"CNCMessageReqStopDAQJob\"}", "{\"type\":\"CNCMessageReqStopDAQJob\",\"daq_job_name\":"
							     "null,\"daq_job_unique_id\":null,\"remove\":false,"
							     "\"req_id\":null}");
	check_fits("{\"type\":\"CNCMessageResSendMessage\",\"success\":true,\"message\":\"\"}",
		"{\"type\":\"CNCMessageResSendMessage\",\"success\":true,\"message\":\"\",\"jobs_notified\":0,\"req_"
		"id\":"
		"null}");
	check_fits("{\"type\":\"CNCMessageHeartbeat\",\"supervisor_info\":{\"supervisor_id\":\"a\",\"x\":1}}",
		"{\"type\":\"CNCMessageHeartbeat\",\"supervisor_info\":{\"supervisor_id\":\"a\",\"supervisor_tags\":[]}"
		","
		"\"req_id\":null}");
}

#define BEAT(info) ("{\"type\":\"CNCMessageHeartbeat\",\"supervisor_info\":" info "}")

static void refused(void **state)
{
	static const char *const texts[] = {"{}", "[]", "{\"type\":1}", "{\"type\":\"CNCMessageReq\"}",
		"{\"type\":\"CNCMessageReqPing\",\"req_id\":1}", "{\"type\":\"CNCMessageReqRestartDAQ\",\"update\":1}",
		"{\"type\":\"CNCMessageReqRunCustomDAQJob\"}", "{\"type\":\"CNCMessageResStatus\",\"status\":[]}",
		"{\"type\":\"CNCMessageHeartbeat\"}", BEAT("{\"supervisor_id\":\"\"}"),
		BEAT("{\"supervisor_id\":\"a\\nb\"}"), BEAT("{\"supervisor_id\":\"a\",\"supervisor_tags\":[1]}"),
		"{\"type\":\"CNCMessageResListClients\",\"clients\":{\"a\":1}}",
		"{\"type\":\"CNCMessageResSendMessage\",\"success\":true,\"message\":\"\",\"jobs_notified\":1.5}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct cnc_message message;
		struct enrg_error err = {0};
		if (fit(texts[i], &message, &err) != ENRG_E_PROTOCOL)
			fail_msg("taken: %s", texts[i]);
		assert_true(err.text[0]);
	}
}

static void names(void **state)
{
	(void)state;
	assert_true(cnc_name_is_good("lab1", 4));
	assert_true(cnc_name_is_good("m\xc3\xbcon", 5));
	assert_false(cnc_name_is_good("", 0));
	assert_false(cnc_name_is_good("\0abcd", 5)); /* as a ROUTER calls who has no name */
	assert_false(cnc_name_is_good("a\x1b[2J", 5));
	assert_false(cnc_name_is_good("a\xc2\x9b", 3));
	assert_false(cnc_name_is_good("\x83\xa4type", 6));
}

static void pairs(void **state)
{
	(void)state;
	for (unsigned type = 0; type < CNC_TYPES; type++)
		if (cnc_type_is_request((enum cnc_type)type)) {
			const char *request = cnc_type_name((enum cnc_type)type);
			const char *answer = cnc_type_name(cnc_type_answer((enum cnc_type)type));
			assert_string_equal(request + strlen("CNCMessageReq"), answer + strlen("CNCMessageRes"));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(recorded), cmocka_unit_test(fitted),
		cmocka_unit_test(refused), cmocka_unit_test(names), cmocka_unit_test(pairs)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
