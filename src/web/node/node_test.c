/* node_test.c: each request of ENRGDAQ against a system that is a table of answers: what is asked of it, and what is
 * answered in which state. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "web/node/node.h"

/* --- the stand-in --------------------------------------------------------------------------------------------------
 */

static struct {
	struct web_settings settings;
	struct snapshot snapshot;
	unsigned asked, texts;
	enum enrg_answer_code text_code;
	char to[320], kind[64];
	json_t *fields; /* of the last command but job.text */
	int rc;
	struct system_answer answer;
} world;

const struct web_settings *system_settings(const struct web_system *system)
{
	(void)system;
	return &world.settings;
}

struct snapshot *system_hold_snapshot(struct web_system *system)
{
	(void)system;
	return &world.snapshot;
}

void snapshot_release(struct snapshot *snapshot)
{
	assert_ptr_equal(snapshot, &world.snapshot);
}

static int tell_text(json_t *fields, struct system_answer *ret_answer)
{
	char text[300];

	world.texts++;
	snprintf(text, sizeof(text), "# %s", json_string_value(json_object_get(fields, "name")));
	json_decref(fields);
	ret_answer->code = world.text_code;
	ret_answer->fields = world.text_code ? NULL : json_pack("{s:s, s:[s]}", "text", text, "topics", "daq_job.x");
	return 0;
}

int system_ask(struct web_system *system, const struct system_command *command, struct system_answer *ret_answer,
	struct enrg_error *err)
{
	(void)system;
	if (!strcmp(command->kind, "job.text"))
		return tell_text(command->fields, ret_answer);
	world.asked++;
	snprintf(world.to, sizeof(world.to), "%s", command->to);
	snprintf(world.kind, sizeof(world.kind), "%s", command->kind);
	json_decref(world.fields);
	world.fields = command->fields;
	if (world.rc)
		return enrg_error_set(err, world.rc, "it does not run");
	*ret_answer = world.answer;
	json_incref(world.answer.fields);
	return 0;
}

json_t *system_catalogue(struct web_system *system, struct enrg_error *err)
{
	(void)system;
	enrg_error_set(err, -ENOENT, "there is no program");
	return NULL;
}

/* Taken from web/http where that is linked; here the bytes of one test at a time. */
struct web_bytes *web_bytes_create(const void *data, size_t count)
{
	struct web_bytes *bytes = malloc(sizeof(*bytes) + count);

	atomic_init(&bytes->references, 1);
	bytes->count = count;
	memcpy(bytes->data, data, count);
	return bytes;
}

struct web_bytes *web_bytes_hold(struct web_bytes *bytes)
{
	atomic_fetch_add(&bytes->references, 1);
	return bytes;
}

void web_bytes_release(struct web_bytes *bytes)
{
	if (bytes && atomic_fetch_sub(&bytes->references, 1) == 1)
		free(bytes);
}

static const char jobs_text[] =
	"{'jobs': ["
	"{'name': 'a', 'type': 'DAQJobTest', 'state': 'running', 'id': 0, 'life': 1, 'is_alive': true, 'is_store': "
	"false,"
	" 'out': {'batches': 10}, 'in': {'batches': 0}, 'last_out_ns': 1795861623000000000, 'backlog_batches': 3,"
	" 'restarts': 0, 'cpu_percent': 1.5, 'rss_mb': 8.0, 'latency_ms': null},"
	"{'name': 'b', 'type': 'DAQJobTest', 'state': 'restarting', 'id': 1, 'life': 2, 'is_alive': false,"
	" 'is_store': false, 'out': {'batches': 5}, 'in': {'batches': 0}, 'restarts': 2, 'started_ns': "
	"1795861623000000000,"
	" 'restart_due_ns': 1795861624000000000, 'cpu_percent': 0.5, 'rss_mb': 2.0},"
	"{'name': 'csv', 'type': 'DAQJobStoreCSV', 'state': 'running', 'id': 2, 'life': 1, 'is_alive': true,"
	" 'is_store': true, 'out': {'batches': 0}, 'in': {'batches': 15}, 'backlog_batches': 4,"
	" 'latency_ms': {'count': 4, 'min': 0.5, 'max': 9.0, 'avg': 2.0, 'p95': 8.0, 'p99': 8.5}},"
	"{'name': 'over', 'type': 'DAQJobReplay', 'state': 'done', 'id': 3, 'life': 1, 'is_alive': false}],"
	"'totals': {'stored': {'batches': 15, 'bytes': 1500}, 'produced': {'batches': 16, 'bytes': 1600}}}";

static int set_up(void **state)
{
	char text[sizeof(jobs_text)];

	memset(&world, 0, sizeof(world));
	strcpy(text, jobs_text);
	for (char *at = text; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	world.settings.supervisor_id = "lab";
	world.settings.tags = json_pack("[s]", "tank");
	world.snapshot.is_there = true;
	world.snapshot.looked_ns = clock_mono_ns();
	world.snapshot.status = json_loads(text, 0, NULL);
	assert_non_null(world.snapshot.status);
	return node_open(NULL, (struct node **)state, NULL);
}

static int tear_down(void **state)
{
	node_close(*state);
	json_decref(world.settings.tags);
	json_decref(world.snapshot.status);
	json_decref(world.fields);
	json_decref(world.answer.fields);
	return 0;
}

/* --- asking --------------------------------------------------------------------------------------------------------
 */

/* `request` with ' for ". The answer is checked for what every answer has. */
static json_t *ask(void **state, int wanted, const char *request)
{
	struct access_who who = {.role = ACCESS_USER, .name = "test"};
	char *text = strdup(request);
	json_t *json, *answer = NULL;

	for (char *at = text; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	assert_int_equal(node_ask(*state, json, &who, &answer), wanted);
	assert_non_null(json_string_value(json_object_get(answer, "type")));
	assert_null(json_object_get(answer, "req_id"));
	json_decref(json);
	free(text);
	return answer;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* Asked, answered with success or not and a sentence that has `word`. */
static void expect(void **state, int wanted, const char *request, const char *word)
{
	json_t *answer = ask(state, wanted, request);

	assert_int_equal(json_is_true(json_object_get(answer, "success")), wanted == 200);
	if (!strstr(text_of(answer, "message"), word))
		fail_msg("\"%s\" has no \"%s\"", text_of(answer, "message"), word);
	json_decref(answer);
}

static void a_ping_is_answered(void **state)
{
	json_t *answer = ask(state, 200, "{'type': 'CNCMessageReqPing'}");

	assert_string_equal(text_of(answer, "type"), "CNCMessageResPing");
	assert_int_equal(json_object_size(answer), 1);
	json_decref(answer);
}

static void what_is_no_request_is_refused(void **state)
{
	expect(state, 422, "{}", "there is no request");
	expect(state, 422, "{'type': 'CNCMessageReqPingPong'}", "there is no request");
	expect(state, 422, "{'type': 'CNCMessageResPing'}", "there is no request");
	expect(state, 422, "{'type': 7}", "there is no request");
	assert_int_equal(world.asked, 0);
}

/* --- status --------------------------------------------------------------------------------------------------------
 */

static void a_job_that_waits_for_its_restart_is_listed(void **state)
{
	json_t *answer = ask(state, 200, "{'type': 'CNCMessageReqStatus'}"),
	       *status = json_object_get(answer, "status");
	json_t *jobs = json_object_get(status, "daq_jobs"), *b = json_array_get(jobs, 1);
	json_t *schedule = json_array_get(json_object_get(status, "restart_schedules"), 0);

	assert_int_equal(json_array_size(jobs), 3); /* without the one that is done */
	assert_string_equal(text_of(b, "unique_id"), "b");
	assert_string_equal(text_of(b, "daq_job_type"), "DAQJobTest");
	assert_string_equal(text_of(b, "config"), "# b");
	assert_string_equal(text_of(json_object_get(b, "supervisor_info"), "supervisor_id"), "lab");
	assert_true(json_is_false(json_object_get(b, "is_alive")));
	assert_int_equal(json_array_size(json_object_get(b, "subscribed_topics")), 1);
	assert_int_equal(json_array_size(json_object_get(status, "restart_schedules")), 1);
	assert_string_equal(text_of(schedule, "job"), "DAQJobTest");
	assert_int_equal(strlen(text_of(schedule, "restart_at")), strlen("2026-11-28T10:27:04.000000"));
	json_decref(answer);
}

static void statistics_are_summed_by_type(void **state)
{
	json_t *answer = ask(state, 200, "{'type': 'CNCMessageReqStatus'}"),
	       *status = json_object_get(answer, "status");
	json_t *types = json_object_get(json_object_get(status, "daq_job_stats"), "lab");
	json_t *test = json_object_get(types, "DAQJobTest"), *csv = json_object_get(types, "DAQJobStoreCSV");
	json_int_t out = 0, waiting = 0, restarts = 0, in_waiting = 0, timed = 0, bytes = 0;
	double cpu = 0, avg = 0;
	int is_alive = 1;

	assert_int_equal(json_unpack(test, "{s:{s:I}, s:{s:I}, s:{s:I}, s:{s:f}, s:b}", "message_out_stats", "count",
				 &out, "message_out_queue_stats", "count", &waiting, "restart_stats", "count",
				 &restarts, "resource_stats", "cpu_percent", &cpu, "is_alive", &is_alive),
		0);
	assert_int_equal(out, 15);
	assert_int_equal(waiting, 3);
	assert_int_equal(restarts, 2);
	assert_true(cpu > 1.99 && cpu < 2.01);
	assert_false(is_alive);
	assert_int_equal(json_unpack(csv, "{s:{s:I}, s:{s:I, s:F}}", "message_in_queue_stats", "count", &in_waiting,
				 "latency_stats", "count", &timed, "avg_ms", &avg),
		0);
	assert_int_equal(in_waiting, 4);
	assert_int_equal(timed, 4);
	assert_true(avg > 1.99 && avg < 2.01);
	assert_int_equal(
		json_unpack(status, "{s:{s:{s:I}}}", "daq_job_remote_stats", "lab", "message_out_bytes", &bytes), 0);
	assert_int_equal(bytes, 1600);
	json_decref(answer);
}

static void a_status_is_made_once_a_look(void **state)
{
	struct enrg_error err = {0};
	int rc = 0;
	struct web_bytes *one = node_hold_status(*state, &rc, &err), *two = node_hold_status(*state, &rc, &err);

	assert_ptr_equal(one, two);
	assert_int_equal(world.texts, 3);
	web_bytes_release(two);
	world.snapshot.looked_ns++;
	two = node_hold_status(*state, &rc, &err);
	assert_ptr_not_equal(one, two);
	assert_int_equal(world.texts, 3); /* texts of instances that are known are not asked for again */
	web_bytes_release(one);
	web_bytes_release(two);
	world.snapshot.is_there = false;
	strcpy(world.snapshot.reason, "it has ended");
	assert_null(node_hold_status(*state, &rc, &err));
	assert_int_equal(rc, 503);
	assert_non_null(strstr(err.text, "it has ended"));
	world.snapshot.is_there = true;
	world.snapshot.age_s = 31;
	assert_null(node_hold_status(*state, &rc, &err));
	assert_int_equal(rc, 504);
	assert_non_null(strstr(err.text, "it hangs"));
}

static void a_supervisor_that_does_not_answer_is_asked_once(void **state)
{
	world.text_code = ENRG_ANSWER_UNKNOWN;
	json_t *answer = ask(state, 200, "{'type': 'CNCMessageReqStatus'}");
	json_t *job = json_array_get(json_object_get(json_object_get(answer, "status"), "daq_jobs"), 2);

	assert_int_equal(world.texts, 1);
	assert_string_equal(text_of(job, "config"), "");
	json_decref(answer);
}

static void another_instance_has_another_text(void **state)
{
	json_decref(ask(state, 200, "{'type': 'CNCMessageReqStatus'}"));
	json_t *jobs = json_object_get(world.snapshot.status, "jobs");
	json_object_set_new(json_array_get(jobs, 0), "life", json_integer(2));
	json_array_remove(jobs, 1);
	world.snapshot.looked_ns++;
	json_t *answer = ask(state, 200, "{'type': 'CNCMessageReqStatus'}");
	assert_int_equal(world.texts, 4);
	assert_int_equal(json_array_size(json_object_get(json_object_get(answer, "status"), "daq_jobs")), 2);
	json_decref(answer);
}

/* --- commands ------------------------------------------------------------------------------------------------------
 */

static void an_update_is_refused(void **state)
{
	expect(state, 409, "{'type': 'CNCMessageReqRestartDAQ', 'update': true}", "does not update itself");
	assert_int_equal(world.asked, 0);
	expect(state, 422, "{'type': 'CNCMessageReqRestartDAQ', 'update': 1}", "update:");
	expect(state, 200, "{'type': 'CNCMessageReqRestartDAQ', 'update': false}", "starts");
	assert_string_equal(world.kind, "restart");
}

static void a_job_is_started_by_its_text(void **state)
{
	world.answer.fields = json_pack("{s:s}", "job", "x_1");
	json_t *answer = ask(state, 200,
		"{'type': 'CNCMessageReqRunCustomDAQJob', 'config': 'a = 1', 'restart_on_crash': false, 'req_id': "
		"null}");
	assert_string_equal(world.kind, "job.add");
	assert_string_equal(text_of(world.fields, "text"), "a = 1");
	assert_true(json_is_false(json_object_get(world.fields, "restart_on_crash")));
	assert_true(json_is_false(json_object_get(world.fields, "wait")));
	assert_string_equal(text_of(answer, "daq_job_unique_id"), "x_1");
	json_decref(answer);
	expect(state, 422, "{'type': 'CNCMessageReqRunCustomDAQJob'}", "config: it is required");
	expect(state, 422, "{'type': 'CNCMessageReqRunCustomDAQJob', 'config': 7}", "config: a text");
}

static void a_refusal_is_told_with_its_reason(void **state)
{
	static const struct {
		enum enrg_answer_code code;
		int status;
	} cases[] = {{ENRG_ANSWER_REFUSED, 409}, {ENRG_ANSWER_WRONG_FIELDS, 422}, {ENRG_ANSWER_NO_KIND, 409},
		{ENRG_ANSWER_NOBODY, 409}, {ENRG_ANSWER_EXPIRED, 504}, {ENRG_ANSWER_FAILED, 409},
		{ENRG_ANSWER_UNKNOWN, 504}};

	strcpy(world.answer.text, "the reason");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world.answer.code = cases[i].code;
		expect(state, cases[i].status, "{'type': 'CNCMessageReqStopDAQJobs'}", "the reason");
	}
	world.rc = -EAGAIN;
	expect(state, 503, "{'type': 'CNCMessageReqStopDAQJobs'}", "it does not run");
	world.rc = ENRG_E_PROTOCOL; /* too long */
	expect(state, 422, "{'type': 'CNCMessageReqStopDAQJobs'}", "can't be given");
}

static void jobs_are_stopped_by_name_or_type(void **state)
{
	expect(state, 200, "{'type': 'CNCMessageReqStopDAQJob', 'daq_job_unique_id': 'b', 'remove': true}", "stops");
	assert_string_equal(world.kind, "job.remove");
	assert_string_equal(text_of(world.fields, "name"), "b");
	assert_true(json_is_false(json_object_get(world.fields, "wait")));
	expect(state, 200, "{'type': 'CNCMessageReqStopDAQJob', 'daq_job_name': 'DAQJobStoreCSV'}", "stops");
	assert_string_equal(world.kind, "job.stop");
	assert_string_equal(text_of(world.fields, "name"), "csv");
	expect(state, 409, "{'type': 'CNCMessageReqStopDAQJob', 'daq_job_name': 'Nothing'}", "no job of type");
	expect(state, 422, "{'type': 'CNCMessageReqStopDAQJob', 'remove': true}", "required");
	expect(state, 200, "{'type': 'CNCMessageReqStopDAQJobs', 'daq_job_unique_ids': ['a']}", "these");
	assert_int_equal(json_array_size(json_object_get(world.fields, "names")), 1);
	expect(state, 422, "{'type': 'CNCMessageReqStopDAQJobs', 'daq_job_unique_ids': [1]}", "a list of texts");
}

/* --- messages ------------------------------------------------------------------------------------------------------
 */

#define MESSAGE(type, payload, target)                                                                                 \
	"{'type': 'CNCMessageReqSendMessage', 'message_type': '" type "', 'payload': '" payload                        \
	"', 'target_daq_job_unique_id': " target "}"

static void a_stop_needs_a_job(void **state)
{
	expect(state, 200, MESSAGE("DAQJobMessageStop", "{\\'reason\\': \\'x\\', \\'id\\': null}", "'a'"), "stops");
	assert_string_equal(world.kind, "job.stop");
	expect(state, 409, MESSAGE("DAQJobMessageStop", "{\\'reason\\': \\'x\\'}", "null"), "name a job");
	expect(state, 422, MESSAGE("DAQJobMessageStop", "{}", "'a'"), "reason");
}

static void classes_are_mapped_or_refused(void **state)
{
	json_t *answer;

	expect(state, 409, MESSAGE("DAQJobMessageStoreRaw", "{}", "null"), "DAQJobReplay");
	expect(state, 409, MESSAGE("DAQJobMessageHeartbeat", "{}", "null"), "signs of life");
	expect(state, 409, MESSAGE("DAQJobMessage", "{}", "null"), "says nothing");
	expect(state, 409, MESSAGE("DAQJobMessageNew", "{}", "null"), "/templates/messages");
	expect(state, 422, MESSAGE("DAQJobMessageStop", "[]", "'a'"), "JSON object");
	expect(state, 422, MESSAGE("DAQJobMessageStop", "{", "'a'"), "JSON object");
	assert_int_equal(world.asked, 0);
	world.answer.fields = json_pack("{s:{s:s}, s:{s:s}}", "hv1", "answer", "ok", "hv2", "answer", "refused");
	answer = ask(state, 200,
		MESSAGE("DAQJobMessageCAENHVSetChParam", "{\\'slot\\': 1, \\'is_remote\\': false}", "null"));
	assert_string_equal(world.to, "type DAQJobCAENHV");
	assert_int_equal(json_object_size(world.fields), 1);
	assert_int_equal(json_integer_value(json_object_get(answer, "jobs_notified")), 1);
	json_decref(answer);
}

static void commands_of_jobs_are_messages_too(void **state)
{
	expect(state, 200, MESSAGE("DAQJobHeartbeat.acknowledge", "{}", "null"), "taken");
	assert_string_equal(world.to, "type DAQJobHeartbeat");
	assert_string_equal(world.kind, "acknowledge");
	expect(state, 200, MESSAGE("state", "{}", "'a'"), "taken");
	assert_string_equal(world.to, "job a");
	expect(state, 200, MESSAGE("state", "{}", "''"), "taken");
	assert_string_equal(world.to, "all");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_ping_is_answered),
		TEST(what_is_no_request_is_refused),
		TEST(a_job_that_waits_for_its_restart_is_listed),
		TEST(statistics_are_summed_by_type),
		TEST(a_status_is_made_once_a_look),
		TEST(a_supervisor_that_does_not_answer_is_asked_once),
		TEST(another_instance_has_another_text),
		TEST(an_update_is_refused),
		TEST(a_job_is_started_by_its_text),
		TEST(a_refusal_is_told_with_its_reason),
		TEST(jobs_are_stopped_by_name_or_type),
		TEST(a_stop_needs_a_job),
		TEST(classes_are_mapped_or_refused),
		TEST(commands_of_jobs_are_messages_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
