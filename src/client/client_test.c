/* client_test.c: one system from outside: who it is, what it does, its alerts; while it comes, goes, and leaves
 * nonsense behind. */
#include "fixtures/supervisor.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "enrgdaq/client.h"

static struct enrg_client *open_lab(void)
{
	struct enrg_client *client;
	struct enrg_error err = {0};

	if (enrg_client_open("lab", &client, &err) < 0)
		fail_msg("%s", err.text);
	return client;
}

static void test_who_it_is(void **state)
{
	(void)state;
	struct enrg_client *client = open_lab();
	const struct enrg_supervisor *lab;
	struct enrg_supervisors *list;
	struct enrg_error err = {0};

	assert_int_equal(enrg_client_supervisor(client, &lab, &err), 0);
	assert_string_equal(lab->name, "lab");
	assert_string_equal(lab->folder, folder);
	assert_string_equal(lab->run, "r1");
	assert_string_equal(lab->state, "running");
	assert_string_equal(lab->config, "/etc/lab");
	assert_int_equal(lab->pid, getpid());
	assert_int_equal(lab->started_ns, 1764281823000000000);
	assert_true(lab->is_running && lab->is_visible);
	end_supervisor();
	assert_int_equal(enrg_client_supervisor(client, &lab, &err), -EAGAIN);
	assert_string_equal(lab->state, "gone");
	assert_non_null(strstr(err.text, "does not run now"));
	write_text("run.json", "{\"run\": \"r\\u001b[2J\", \"state\": \"ended\", \"exit_code\": 1}");
	begin_supervisor(4711);
	assert_int_equal(enrg_client_supervisor(client, &lab, NULL), 0);
	assert_int_equal(lab->pid, 4711);
	assert_string_equal(lab->run, "r [2J");
	enrg_client_close(client);

	assert_int_equal(enrg_supervisors_list(&list, NULL), 0);
	assert_in_range(enrg_supervisors_count(list), 1, 4096); /* and those of others */
	assert_string_equal(enrg_supervisors_get(list, 0)->name, "lab");
	assert_null(enrg_supervisors_get(list, 5000));
	enrg_supervisors_destroy(list);
	assert_int_equal(enrg_client_open("nobody", &client, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no supervisor \"nobody\" has run here"));
	assert_int_equal(enrg_client_open(NULL, &client, &err), 0);
	enrg_client_close(client);
	end_supervisor();
	assert_int_equal(enrg_client_open(NULL, &client, &err), -ENOENT);
}

static void test_status(void **state)
{
	(void)state;
	struct enrg_client *client = open_lab();
	const struct enrg_status *status;
	struct enrg_error err = {0};

	assert_int_equal(enrg_client_status(client, 0, &status, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "has not reported its state yet"));
	write_text("status.json",
		"{\"state\": \"running\", \"supervisor_pid\": %d, \"run\": \"r1\", \"summary\": \"fine\", \"jobs\": "
		"[{\"name\": \"a\\u001b\", \"pid\": 7, \"in\": {\"rows\": 18446744073709551615}, \"out\": {\"rows\": "
		"5, "
		"\"rows_per_s\": 2.5}, \"private_mb\": 1.5, \"latency_ms\": {\"p50\": 3}}, 3, null], \"links\": "
		"[{\"source\": \"a\", \"backlog_bytes\": -4}], \"ledger\": {\"accounted\": true, \"sources\": "
		"[{\"source\": \"a\", \"produced_batches\": 9, \"stores\": [{\"store\": \"b\", \"missing_batches\": "
		"-2}, []]}, {\"stores\": {}}]}}",
		(int)getpid());
	if (enrg_client_status(client, ENRG_STATUS_FILES, &status, &err) == 0)
		fail_msg("a number beyond 63 bits is no JSON");
	assert_int_equal(err.code, ENRG_E_CORRUPT);
	write_text("status.json",
		"{\"state\": \"running\", \"supervisor_pid\": %d, \"run\": \"r1\", \"summary\": \"fine\", \"jobs\": "
		"[{\"name\": \"a\\u001b\", \"pid\": 7, \"in\": {\"rows\": 1e300}, \"out\": {\"rows\": 5, "
		"\"rows_per_s\": 2.5}, \"private_mb\": 1.5, \"acquires\": false, \"latency_ms\": {\"p50\": 3}}, 3, "
		"null], \"links\": "
		"[{\"source\": \"a\", \"backlog_bytes\": -4}], \"ledger\": {\"accounted\": true, \"sources\": "
		"[{\"source\": \"a\", \"produced_batches\": 9, \"stores\": [{\"store\": \"b\", \"missing_batches\": "
		"-2}, []]}, {\"stores\": {}}], \"processors\": [{\"processor\": \"cut\", \"accounted\": true, "
		"\"inputs\": "
		"[{\"job\": \"a\", \"read_rows\": 9, \"in_rows\": 4, \"rejected_rows\": {\"range\": 2, \"prescale\": "
		"3}}]}, "
		"7]}, \"runs\": {\"state\": \"starting\", \"run\": \"r2\", \"number\": 2, \"since_wall_ns\": 5, "
		"\"deadline_wall_ns\": 6, \"reason\": \"asked for\", \"by\": \"bob\", \"type\": \"led\", "
		"\"waits_for\": \"b is not there\", \"refused\": {\"run\": \"r0\", \"reason\": \"why\", \"wall_ns\": "
		"4}}, \"clock\": {\"locked\": true, \"offset_ns\": -5, \"uncertainty_ns\": 7, \"leap_pending\": -1}}",
		(int)getpid());
	if (enrg_client_status(client, ENRG_STATUS_FILES, &status, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(status->is_accounted);
	assert_string_equal(status->summary, "fine");
	assert_int_equal(status->job_count, 3);
	assert_string_equal(status->jobs[0]->name, "a ");
	assert_int_equal(status->jobs[0]->size, sizeof(struct enrg_job_status));
	assert_int_equal(status->jobs[0]->in.rows, 0);
	assert_int_equal(status->jobs[0]->out.rows, 5);
	assert_true(status->jobs[0]->out.rows_per_s == 2.5);
	assert_int_equal(status->jobs[0]->memory_bytes, 1500000);
	assert_true(status->jobs[0]->latency_p50_ms == 3 && isnan(status->jobs[0]->latency_p99_ms));
	assert_string_equal(status->jobs[2]->name, "");
	assert_int_equal(status->jobs[0]->acquires, 0);
	assert_int_equal(status->jobs[1]->acquires, -1);
	assert_non_null(status->run_control);
	assert_int_equal(status->run_control->size, sizeof(struct enrg_run_status));
	assert_string_equal(status->run_control->state, "starting");
	assert_string_equal(status->run_control->run, "r2");
	assert_int_equal(status->run_control->number, 2);
	assert_int_equal(status->run_control->since_ns, 5);
	assert_string_equal(status->run_control->waits_for, "b is not there");
	assert_string_equal(status->run_control->refused_run, "r0");
	assert_string_equal(status->run_control->refused_reason, "why");
	assert_int_equal(status->run_control->refused_ns, 4);
	assert_string_equal(status->run_control->closing_run, "");
	assert_string_equal(status->run_control->reason, "asked for");
	assert_string_equal(status->run_control->by, "bob");
	assert_string_equal(status->run_control->type, "led");
	assert_string_equal(status->run_control->description, "");
	assert_int_equal(status->run_control->deadline_ns, 6);
	assert_non_null(status->clock);
	assert_int_equal(status->clock->size, sizeof(struct enrg_host_clock));
	assert_true(status->clock->is_locked && status->clock->offset_ns == -5);
	assert_int_equal(status->clock->uncertainty_ns, 7);
	assert_int_equal(status->clock->leap, -1);
	assert_int_equal(status->link_count, 1);
	assert_int_equal(status->links[0]->backlog_bytes, 0);
	assert_int_equal(status->ledger_count, 2);
	assert_string_equal(status->ledger[0]->store, "b");
	assert_int_equal(status->ledger[0]->produced_batches, 9);
	assert_int_equal(status->ledger[0]->missing_batches, -2);
	assert_int_equal(status->processor_count, 1);
	assert_string_equal(status->processors[0]->processor, "cut");
	assert_int_equal(status->processors[0]->in_rows, 4);
	assert_int_equal(status->processors[0]->rejected_rows, 5);
	assert_non_null(strstr(status->json, "\"files\":"));
	enrg_client_close(client);
}

/* What a killed supervisor left is not taken for what the next one says. */
static void test_status_of_another(void **state)
{
	(void)state;
	struct enrg_client *client = open_lab();
	const struct enrg_status *status;

	write_text("status.json", "{\"state\": \"running\", \"supervisor_pid\": 1}");
	assert_int_equal(enrg_client_status(client, 0, &status, NULL), -EAGAIN);
	write_text("status.json", "{\"state\": \"ended\", \"supervisor_pid\": %d}", (int)getpid());
	assert_int_equal(enrg_client_status(client, 0, &status, NULL), -EAGAIN);
	write_text("status.json", "{\"state\": \"running\"}"); /* of an earlier program */
	assert_int_equal(enrg_client_status(client, 0, &status, NULL), 0);
	assert_int_equal(status->job_count, 0);
	write_text("status.json", "[]");
	assert_int_equal(enrg_client_status(client, 0, &status, NULL), ENRG_E_CORRUPT);
	write_text("status.json", "%s", "");
	assert_int_equal(enrg_client_status(client, 0, &status, NULL), ENRG_E_CORRUPT);
	end_supervisor();
	assert_int_equal(enrg_client_status(client, 0, &status, NULL), -EAGAIN);
	enrg_client_close(client);
}

/* The next alert as soon as there is one; -EAGAIN where the system has gone. */
static int next_alert(struct enrg_alerts *alerts, const struct enrg_client_alert **ret_alert)
{
	int rc = 0;

	for (int i = 0; i < 1000 && (rc = enrg_alerts_next(alerts, ret_alert, NULL)) == 0; i++)
		usleep(1000);
	return rc;
}

static void test_alerts(void **state)
{
	(void)state;
	struct enrg_client *client = open_lab();
	struct enrg_alerts *alerts;
	const struct enrg_client_alert *alert;

	assert_int_equal(enrg_alerts_open(client, &alerts, NULL), 0);
	enrg_client_close(client);
	assert_int_equal(enrg_alerts_next(alerts, &alert, NULL), -EAGAIN); /* no state yet */
	write_text("status.json",
		"{\"state\": \"running\", \"supervisor_pid\": %d, \"alert_count\": 7, \"alerts\": [{\"message\": "
		"\"six\", \"job\": \"a\", \"severity\": \"error\"}, {\"message\": \"seven\\n\"}]}",
		(int)getpid());
	assert_int_equal(next_alert(alerts, &alert), 1);
	assert_string_equal(alert->message, "six");
	assert_string_equal(alert->severity, "error");
	assert_int_equal(alert->missed, 5);
	assert_int_equal(enrg_alerts_next(alerts, &alert, NULL), 1);
	assert_string_equal(alert->message, "seven ");
	assert_int_equal(alert->missed, 0);
	assert_int_equal(enrg_alerts_next(alerts, &alert, NULL), 0);
	write_text("status.json",
		"{\"state\": \"running\", \"supervisor_pid\": %d, \"alert_count\": 10, \"alerts\": [{\"message\": "
		"\"nine\"}, {\"message\": \"ten\"}]}",
		(int)getpid());
	assert_int_equal(next_alert(alerts, &alert), 1);
	assert_string_equal(alert->message, "nine");
	assert_int_equal(alert->missed, 1);
	assert_int_equal(enrg_alerts_next(alerts, &alert, NULL), 1);
	end_supervisor();
	assert_int_equal(next_alert(alerts, &alert), -EAGAIN);
	begin_supervisor(4712); /* a new one counts anew, and keeps none yet */
	write_text("status.json", "{\"state\": \"running\", \"supervisor_pid\": 4712, \"alert_count\": 1, \"alerts\": "
				  "[{\"message\": \"first\"}]}");
	assert_int_equal(next_alert(alerts, &alert), 1);
	assert_string_equal(alert->message, "first");
	assert_int_equal(alert->missed, 0);
	write_text("status.json", "{\"state\": \"running\", \"supervisor_pid\": 4712, \"alert_count\": 99}");
	for (int i = 0; i < 150; i++) {
		assert_int_equal(enrg_alerts_next(alerts, &alert, NULL), 0);
		usleep(1000);
	}
	enrg_alerts_close(alerts);
}

static void test_stop(void **state)
{
	(void)state;
	struct enrg_client *client = open_lab();
	struct enrg_error err = {0};

	end_supervisor(); /* a child would inherit the lock */
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	assert_int_equal(enrg_client_stop(client, false, &err), -EAGAIN);
	assert_int_equal(enrg_client_wait(client, 0, &err), -EAGAIN);
	begin_supervisor(child);
	assert_int_equal(enrg_client_wait(client, 0, &err), -ETIMEDOUT);
	assert_int_equal(enrg_client_stop(client, false, &err), 0);
	assert_int_equal(enrg_client_wait(client, 20000, &err), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	end_supervisor();
	begin_supervisor(child); /* the lock of one that is no more */
	assert_int_equal(enrg_client_stop(client, true, &err), -ESRCH);
	enrg_client_close(client);
}

/* A handle of its own; 0, or the line that failed. */
static void *look_around(void *context)
{
	struct enrg_supervisors *list;
	struct enrg_client *client;
	const struct enrg_status *status;
	const struct enrg_supervisor *lab;

	if (enrg_client_open("lab", &client, NULL) < 0)
		return context;
	for (int i = 0; i < 100; i++) {
		if (enrg_client_status(client, ENRG_STATUS_FILES, &status, NULL) < 0 || status->job_count != 1 ||
			strcmp(status->jobs[0]->name, "a") != 0 || enrg_client_supervisor(client, &lab, NULL) < 0 ||
			enrg_supervisors_list(&list, NULL) < 0)
			return context;
		enrg_supervisors_destroy(list);
	}
	enrg_client_close(client);
	return NULL;
}

static void test_threads(void **state)
{
	(void)state;
	pthread_t threads[4];
	void *failed;

	write_text("status.json",
		"{\"state\": \"running\", \"jobs\": [{\"name\": \"a\", \"is_store\": true, \"pid\": %d}]}",
		(int)getpid());
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look_around, base), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

static void test_texts(void **state)
{
	(void)state;
	char text[32] = "a\033b", bytes[32];

	enrg_text_make_safe(text, 3);
	assert_string_equal(text, "a b");
	assert_int_equal(enrg_text_character("é", 2), 2);
	assert_string_equal(enrg_format_bytes(12345, bytes), "12.3 kB");
	assert_string_equal(enrg_format_span(250000000, bytes), "250 ms");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_who_it_is, setup_supervisor, teardown_supervisor),
		cmocka_unit_test_setup_teardown(test_status, setup_supervisor, teardown_supervisor),
		cmocka_unit_test_setup_teardown(test_status_of_another, setup_supervisor, teardown_supervisor),
		cmocka_unit_test_setup_teardown(test_alerts, setup_supervisor, teardown_supervisor),
		cmocka_unit_test_setup_teardown(test_stop, setup_supervisor, teardown_supervisor),
		cmocka_unit_test_setup_teardown(test_threads, setup_supervisor, teardown_supervisor),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
