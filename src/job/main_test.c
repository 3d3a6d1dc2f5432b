/* main_test.c: whole job processes, started as the supervisor does it: a plan in a memory file, descriptors in the
 * environment. The program starts itself again as the job. Uses the module test.so (DAQJobTest). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "handover/order.h"
#include "job/main.h"
#include "job/process/process.h"
#include "plane/stream.h"

#define TOML                                                                                                           \
	"daq_job_type = \"DAQJobTest\"\nrand_min = 1\nrand_max = 6\ninterval_seconds = 0.002\n"                        \
	"topics_to_subscribe = [\"run.\"]\n[store_config.csv]\nfile_path = \"a.csv\"\n"

struct fixture {
	char folder[64], stream_path[96], page_path[96], publish_url[128], subscribe_url[128], module_path[512];
	struct plan plan;
	int lifeline, ready, log; /* the supervisor's ends */
	pid_t pid;
	char log_text[8192];
	struct enrg_error err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *modules = getenv("ENRGDAQ_MODULE_PATH");

	strcpy(f->folder, "/dev/shm/process_test.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->stream_path, sizeof(f->stream_path), "%s/job.stream", f->folder);
	snprintf(f->page_path, sizeof(f->page_path), "%s/job.page", f->folder);
	snprintf(f->publish_url, sizeof(f->publish_url), "ipc://%s/publish", f->folder);
	snprintf(f->subscribe_url, sizeof(f->subscribe_url), "ipc://%s/subscribe", f->folder);
	snprintf(f->module_path, sizeof(f->module_path), "%s/test.so", modules ? modules : ENRG_BINARY_DIR "/modules");
	const struct stream_params params = {
		.path = f->stream_path,
		.source = "job",
		.run = "r",
		.supervisor = "lab",
		.data_bytes = 1 << 20,
		.record_bytes_max = 65536,
		.checks = true,
	};
	assert_int_equal(stream_create(&params, &f->err), 0);
	f->plan = (struct plan){
		.supervisor = "lab",
		.run = "r",
		.name = "cellar/thermometer-number-one",
		.type = "DAQJobTest",
		.module_path = f->module_path,
		.file = "t.toml",
		.toml_text = TOML,
		.runtime_folder = f->folder,
		.page_path = f->page_path,
		.verbosity = ENRG_INFO,
		.stream_path = f->stream_path,
	};
	f->lifeline = f->ready = f->log = -1;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	if (f->pid > 0) {
		kill(f->pid, SIGKILL);
		waitpid(f->pid, NULL, 0);
	}
	close(f->lifeline);
	close(f->ready);
	close(f->log);
	snprintf(command, sizeof(command), "rm -r %s", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void set_descriptor(const char *variable, int descriptor)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", descriptor);
	setenv(variable, text, 1);
}

/* Starts the job with `plan_text`; NULL: without a plan. */
static void start_text(struct fixture *f, const char *plan_text)
{
	int lifeline[2], ready[2], log[2];
	int plan = memfd_create("plan", 0);

	assert_int_equal(pipe(lifeline), 0);
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(log), 0);
	fcntl(lifeline[1], F_SETFD, FD_CLOEXEC);
	fcntl(ready[0], F_SETFD, FD_CLOEXEC);
	fcntl(log[0], F_SETFD, FD_CLOEXEC);
	set_descriptor("ENRGDAQ_PLAN_FD", plan);
	set_descriptor("ENRGDAQ_READY_FD", ready[1]);
	set_descriptor("ENRGDAQ_LIFELINE_FD", lifeline[0]);
	if (plan_text)
		assert_int_equal(write(plan, plan_text, strlen(plan_text)), strlen(plan_text));
	else
		unsetenv("ENRGDAQ_PLAN_FD");
	f->pid = fork();
	if (f->pid == 0) {
		dup2(log[1], 2);
		close(log[1]);
		execl("/proc/self/exe", "enrgdaq job", "job", NULL);
		_exit(127);
	}
	close(plan);
	close(lifeline[0]);
	close(ready[1]);
	close(log[1]);
	f->lifeline = lifeline[1];
	f->ready = ready[0];
	f->log = log[0];
}

static void start(struct fixture *f)
{
	json_t *json = plan_format(&f->plan);
	char *text = json_dumps(json, 0);

	start_text(f, text);
	free(text);
	json_decref(json);
}

static void wait_until_ready(struct fixture *f)
{
	char line[16] = "";

	assert_int_equal(read(f->ready, line, sizeof(line) - 1), 8);
	assert_string_equal(line, "READY=1\n");
}

/* Exit code; log_text is all that the job wrote to stderr. */
static int end_of(struct fixture *f)
{
	size_t used = 0;
	ssize_t count;
	int status;

	while ((count = read(f->log, f->log_text + used, sizeof(f->log_text) - 1 - used)) > 0)
		used += (size_t)count;
	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	f->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static uint32_t end_state(struct fixture *f)
{
	const struct page *page;

	assert_int_equal(page_open(f->page_path, &page, &f->err), 0);
	uint32_t end = atomic_load(&page->state);
	page_close(page);
	return end;
}

/* A busy machine may hold a poll up for longer than its interval: what is said of that is no fault of the job. */
static bool is_all_about_overslept_polls(const char *text)
{
	while (*text) {
		const char *end = strchr(text, '\n');
		const char *about = strstr(text, ": a poll took ");

		if (!end || !about || about > end)
			return false;
		text = end + 1;
	}
	return true;
}

/* --- tests ------------------------------------------------------------------------------------------------------- */

/* As the supervisor asks: a word of order.h to the job. */
static void ask(pid_t pid, int word)
{
	assert_int_equal(order_send(pid, word), 0);
}

static void test_in_order(void **state)
{
	struct fixture *f = *state;
	char path[64], name[32] = "";
	struct stream_status status;

	start(f);
	wait_until_ready(f);
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)f->pid);
	FILE *file = fopen(path, "re");
	assert_non_null(fgets(name, sizeof(name), file));
	fclose(file);
	assert_string_equal(name, "thermometer-num\n");
	kill(f->pid, SIGINT); /* Ctrl-C is for the supervisor */
	kill(f->pid, SIGHUP);
	do
		assert_int_equal(stream_read_status(f->stream_path, &status, &f->err), 0);
	while (status.batches < 3);
	ask(f->pid, ORDER_DRAIN);
	assert_int_equal(end_of(f), 0);
	assert_int_equal(end_state(f), PAGE_DONE);
	assert_int_equal(stream_read_status(f->stream_path, &status, &f->err), 0);
	assert_true(status.is_closed);
	if (!is_all_about_overslept_polls(f->log_text))
		assert_string_equal(f->log_text, "");
}

static void test_orphan(void **state)
{
	struct fixture *f = *state;

	start(f);
	wait_until_ready(f);
	close(f->lifeline);
	f->lifeline = -1;
	assert_int_equal(end_of(f), 0);
	assert_non_null(strstr(f->log_text, "the supervisor is gone"));
}

static void test_bad_plans(void **state)
{
	struct fixture *f = *state;
	static const char *const texts[] = {"", "{", "[]", "{\"supervisor\": 1}", NULL};

	for (int i = 0; i < 5; i++) {
		start_text(f, texts[i]);
		assert_int_equal(end_of(f), texts[i] ? 1 : 2);
		assert_non_null(strstr(f->log_text, "plan"));
		close(f->lifeline);
		close(f->ready);
		close(f->log);
	}
	f->lifeline = f->ready = f->log = -1;
}

static void test_bad_configuration(void **state)
{
	struct fixture *f = *state;
	char toml[] = "daq_job_type = \"DAQJobTest\"\nrand_max = 6\n";

	f->plan.toml_text = toml;
	start(f);
	assert_int_equal(end_of(f), 2);
	assert_non_null(strstr(f->log_text, "t.toml"));
	assert_non_null(strstr(f->log_text, "rand_min"));
	assert_int_equal(end_state(f), PAGE_FAILED);
}

static void test_bad_module(void **state)
{
	struct fixture *f = *state;
	char path[] = "/nowhere/test.so", type[] = "DAQJobOther";

	f->plan.type = type;
	start(f);
	assert_int_equal(end_of(f), 2);
	assert_non_null(strstr(f->log_text, "DAQJobOther"));
	close(f->lifeline);
	close(f->ready);
	close(f->log);
	f->plan.module_path = path;
	start(f);
	assert_int_equal(end_of(f), 2);
	assert_non_null(strstr(f->log_text, "/nowhere/test.so"));
}

/* Waits for a message of that kind. */
static void expect(struct bus_client *client, const char *wanted_topic, const char *kind, struct envelope *ret_envelope)
{
	char topic[TOPIC_BYTES_MAX];
	struct enrg_error err = {0};
	uint64_t begin = clock_mono_ns();

	while (clock_mono_ns() - begin < 20000000000ull) {
		if (bus_client_recv(client, 1000, topic, sizeof(topic), ret_envelope, &err) != 1)
			continue;
		if (strcmp(topic, wanted_topic) == 0 && strcmp(ret_envelope->kind, kind) == 0)
			return;
		envelope_fini(ret_envelope);
	}
	fail_msg("no %s on %s", kind, wanted_topic);
}

static void test_bus(void **state)
{
	struct fixture *f = *state;
	struct broker *broker;
	struct bus_client *client;
	struct envelope envelope = {0};
	const struct bus_client_params params = {f->publish_url, f->subscribe_url, "lab", "test", "Test"};

	assert_int_equal(broker_start(f->publish_url, f->subscribe_url, &broker, &f->err), 0);
	assert_int_equal(bus_client_create(&params, &client, &f->err), 0);
	assert_int_equal(bus_client_subscribe(client, "", &f->err), 0);
	f->plan.publish_url = f->publish_url;
	f->plan.subscribe_url = f->subscribe_url;
	start(f);
	expect(client, "supervisor.lab.internal", "started", &envelope);
	assert_string_equal(envelope.job, "cellar/thermometer-number-one");
	assert_int_equal(envelope.pid, f->pid);
	envelope_fini(&envelope);
	for (int64_t sent = 0; sent < 3;) {
		expect(client, "stats.supervisor.lab", "stats", &envelope);
		sent = json_integer_value(json_object_get(envelope.body, "sent_count"));
		assert_true(json_is_object(json_object_get(envelope.body, "latency_stats")));
		assert_true(json_is_integer(json_object_get(envelope.body, "missed_ticks")));
		envelope_fini(&envelope);
	}
	/* a topic of another job that begins with this one's name */
	json_t *body = json_pack("{s:s}", "reason", "test");
	assert_int_equal(bus_client_send(client, "daq_job.cellar/thermometer-number-one2", "stop", body, &f->err), 0);
	expect(client, "stats.supervisor.lab", "stats", &envelope);
	envelope_fini(&envelope);
	expect(client, "stats.supervisor.lab", "stats", &envelope);
	envelope_fini(&envelope);
	assert_int_equal(bus_client_send(client, "daq_job.cellar/thermometer-number-one", "stop", body, &f->err), 0);
	json_decref(body);
	assert_int_equal(end_of(f), 4); /* to be started again: only the supervisor ends a run */
	assert_non_null(strstr(f->log_text, "asked to stop by test: test"));
	bus_client_destroy(client);
	broker_stop(broker);
}

/* An alert of a job that fails at once still goes out. */
static void test_alert(void **state)
{
	struct fixture *f = *state;
	struct broker *broker;
	struct bus_client *client;
	struct envelope envelope = {0};
	const struct bus_client_params params = {f->publish_url, f->subscribe_url, "lab", "test", "Test"};
	char toml[] = "daq_job_type = \"DAQJobTest\"\nrand_min = 7\nrand_max = 6\n";

	assert_int_equal(broker_start(f->publish_url, f->subscribe_url, &broker, &f->err), 0);
	assert_int_equal(bus_client_create(&params, &client, &f->err), 0);
	assert_int_equal(bus_client_subscribe(client, "alerts", &f->err), 0);
	f->plan.publish_url = f->publish_url;
	f->plan.subscribe_url = f->subscribe_url;
	f->plan.toml_text = toml;
	start(f);
	expect(client, "alerts", "alert", &envelope);
	assert_string_equal(json_string_value(json_object_get(envelope.body, "severity")), "error");
	assert_non_null(strstr(json_string_value(json_object_get(envelope.body, "message")), "start: rand_min"));
	envelope_fini(&envelope);
	assert_int_equal(end_of(f), 2);
	bus_client_destroy(client);
	broker_stop(broker);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_orphan, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_plans, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_configuration, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_module, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bus, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_alert, set_up, tear_down),
	};

	if (argc > 1 && strcmp(argv[1], "job") == 0)
		return process_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
