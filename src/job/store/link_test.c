/* link_test.c: the store of store.h, where batches come over ZeroMQ: the same guarantees. */
#include "fixtures/store.h"

#include <zmq.h>

#include "base/text.h"
#include "bus/link_frame.h"

static void store_over_link(struct fixture *f, int first_link)
{

	start_senders(f, first_link);
	start(f);
	for (int round = 0; round < 300; round++)
		for (int i = 0; i < STREAMS; i++)
			assert_int_equal(produce(&f->producers[i], 1 + (uint64_t)round % 900, 10 * NS_PER_S), 0);
	end_producers(f);
	stop_senders(f);
	assert_int_equal(stop(f), 0);
	expect_all(f);
	assert_int_equal(atomic_load(&f->page->lost) + atomic_load(&f->page->duplicated), 0);
}

static void stores_what_comes_over_the_link(void **state)
{
	store_over_link(*state, 0);
}

static void reads_rings_and_link_by_turns(void **state)
{
	store_over_link(*state, 1);
}

static void kills_over_the_link_lose_and_repeat_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t stored = 0;

	srand(11);
	start_senders(f, 0);
	for (int life = 0; life < 20; life++) {
		start(f);
		uint64_t until = clock_mono_ns() + (uint64_t)(rand() % 60000) * 1000, at_work = until + 10 * NS_PER_S;
		/* Some are killed only when they are at work, however busy the machine is. */
		do {
			struct producer *p = &f->producers[rand() % STREAMS];
			produce(p, (uint64_t)(rand() % 500), 1000000);
			stream_publish(p->stream);
		} while (clock_mono_ns() < until ||
			 (life % 5 == 4 && !atomic_load(&f->page->in_batches) && clock_mono_ns() < at_work));
		stored += atomic_load(&f->page->in_batches);
		kill(f->pid, SIGKILL);
		end_of(f);
	}
	start(f);
	end_producers(f);
	stop_senders(f);
	assert_int_equal(stop(f), 0);
	assert_true(stored > 0); /* the kills came while it was at work */
	expect_all(f);
}

static void a_long_commit_interval_over_the_link(void **state)
{
	struct fixture *f = *state;

	atomic_store(&control->interval_ns, 3600 * NS_PER_S);
	start_senders(f, 0);
	start(f);
	for (int i = 0; i < 400; i++)
		assert_int_equal(produce(&f->producers[0], 1000, 10 * NS_PER_S), 0);
	end_producers(f);
	/* The senders end when all is committed, and only a stop makes the store commit before the hour is over. */
	ask(f->pid, ORDER_DRAIN);
	stop_senders(f);
	assert_int_equal(end_of(f), 0);
	assert_in_range(atomic_load(&control->commits), 3, 60);
	expect_file(f, &f->producers[0], NULL, 0);
}

static void waits_for_a_full_disk_over_the_link(void **state)
{
	struct fixture *f = *state;

	start_senders(f, 0);
	bool is_mounted = start_on_small_disk(f);
	enlarge_disk(f, is_mounted);
	wait_for_state(f, PAGE_RUNNING);
	end_producers(f);
	stop_senders(f);
	assert_int_equal(stop(f), 0);
	expect_file(f, &f->producers[0], NULL, 0);
	journal_of(f, &f->producers[0]);
}

/* A journal that is new beside a stream that is not: a failure before the first commit must not turn all that was
 * stored by earlier lives into losses. */
static void a_failure_before_the_first_commit_is_no_loss(void **state)
{
	struct fixture *f = *state;
	struct producer *p = &f->producers[0];
	char away[128];

	start_senders(f, 0);
	start(f);
	for (int i = 0; i < 5; i++)
		assert_int_equal(produce(p, 10, 10 * NS_PER_S), 0);
	stream_publish(p->stream);
	for (uint64_t until = clock_mono_ns() + 20 * NS_PER_S; stream_in_flight(p->stream);)
		assert_true(clock_mono_ns() < until && usleep(1000) == 0);
	kill(f->pid, SIGKILL);
	end_of(f);
	snprintf(away, sizeof(away), "%s.away", f->out_dir);
	assert_int_equal(unlink(f->journal_path), 0);
	assert_int_equal(rename(f->out_dir, away), 0);
	assert_int_equal(path_write_file(f->out_dir, "", 0, 0, &f->err), 0);
	start(f);
	for (int i = 0; i < 5; i++)
		assert_int_equal(produce(p, 10, 10 * NS_PER_S), 0);
	stream_publish(p->stream);
	wait_for_state(f, PAGE_WAITING);
	assert_int_equal(unlink(f->out_dir), 0);
	assert_int_equal(rename(away, f->out_dir), 0);
	wait_for_state(f, PAGE_RUNNING);
	end_producers(f);
	stop_senders(f);
	assert_int_equal(stop(f), 0);
	expect_file(f, p, NULL, 0);
	assert_int_equal(atomic_load(&f->page->lost) + atomic_load(&f->page->duplicated), 0);
}

static void send_hello(void *socket, const char *uuid, uint64_t session, uint64_t position)
{
	struct link_note note = {.session = session, .position = position};
	struct envelope envelope = {.kind = "hello", .pid = getpid()};
	void *bytes;
	size_t count;

	memcpy(note.stream_uuid, uuid, sizeof(note.stream_uuid));
	envelope.body = link_note_format(&note);
	if (envelope_format(&envelope, &bytes, &count, NULL) < 0)
		_exit(2);
	zmq_send(socket, "store", 5, ZMQ_SNDMORE);
	zmq_send(socket, bytes, count, 0);
	free(bytes);
	envelope_fini(&envelope);
}

/* Says in the name of that stream that all up to far beyond its head is committed, then asks where the store is.
 * 0: where it was. */
static _Noreturn void live_as_forger(const struct fixture *f, const char *uuid)
{
	void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_DEALER);
	int milliseconds = 20000;
	struct envelope envelope;
	struct link_note note;
	char bytes[1024];

	zmq_setsockopt(socket, ZMQ_ROUTING_ID, uuid, LINK_UUID_BYTES);
	zmq_setsockopt(socket, ZMQ_RCVTIMEO, &milliseconds, sizeof(milliseconds));
	if (zmq_connect(socket, f->link_url))
		_exit(3);
	send_hello(socket, uuid, 1, 1ull << 40);
	send_hello(socket, uuid, 2, 0);
	for (note.session = 1; note.session != 2;) {
		if (zmq_recv(socket, bytes, sizeof(bytes), 0) < 0) /* topic */
			_exit(4);
		int count = zmq_recv(socket, bytes, sizeof(bytes), 0);
		if (count < 0 || envelope_parse(bytes, (size_t)count, &envelope, NULL) < 0 ||
			link_note_parse(envelope.body, &note, NULL) < 0)
			_exit(5);
		envelope_fini(&envelope);
	}
	_exit(note.position || note.received ? 6 : 0);
}

static int run_forger(const struct fixture *f, const char *uuid)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		live_as_forger(f, uuid);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What a sender says of its stream counts only where the stream itself says so. */
static void a_forged_position_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct stream_status status;
	char uuid[LINK_UUID_BYTES + 1];

	f->plan.link_url = f->link_url;
	for (int i = 0; i < STREAMS; i++)
		f->inputs[i].is_link = true;
	start(f);
	assert_int_equal(stream_read_status(f->producers[0].path, &status, &f->err), 0);
	text_format_hex(status.uuid, sizeof(status.uuid), uuid);
	assert_int_equal(run_forger(f, uuid), 0);
	start_senders(f, 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(produce(&f->producers[0], 100, 10 * NS_PER_S), 0);
	end_producers(f);
	stop_senders(f);
	assert_int_equal(stop(f), 0);
	expect_file(f, &f->producers[0], NULL, 0);
	assert_int_equal(atomic_load(&f->page->lost) + atomic_load(&f->page->duplicated), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(stores_what_comes_over_the_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reads_rings_and_link_by_turns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kills_over_the_link_lose_and_repeat_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_long_commit_interval_over_the_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(waits_for_a_full_disk_over_the_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_failure_before_the_first_commit_is_no_loss, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_forged_position_changes_nothing, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, share_control, NULL);
}
