/* sequence_test.c: what becomes of a sequence by what is asked of it and by the ends of its runs. */
#include "runs/sample.h"

#include <errno.h>

#include "runs/sequence.h"

#define START_NS (SAMPLE_BEGAN_NS + 100 * SAMPLE_SECOND)

static unsigned entries; /* each has an id of its own */

static int ask(struct database *database, json_t *body)
{
	char id[40];

	snprintf(id, sizeof(id), "sequence %u", entries++);
	struct entry entry = sample_entry("sequence", 1, id, START_NS, body);
	entry.uuid[0] = '\0'; /* of no run */
	return sample_enter(database, entry);
}

static void start(struct database *database, const char *name, const char *mark)
{
	json_t *steps = json_pack("[{s:s, s:{s:i}}, {s:s, s:{s:i}}]", "description", "first", "values", "top", 1,
		"description", "second", "values", "top", 2);

	assert_int_equal(ask(database, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "do", "start", "name", name, "start",
					       mark, "type", "scan", "title", "Scan", "steps", steps)),
		0);
}

static void say(struct database *database, const char *verb, const char *name)
{
	assert_int_equal(ask(database, json_pack("{s:s, s:s}", "do", verb, "name", name)), 0);
}

static struct sequence load(struct database *database, const char *name)
{
	struct sequence sequence;

	assert_int_equal(sequence_load(database, name, &sequence, NULL), 0);
	return sequence;
}

/* The run of its attempt begins; with `end` it ends so. Then the sequence moves on as the driver has it. */
static enum sequence_verdict take(struct database *database, struct sequence *sequence, json_t *end)
{
	unsigned run = 1000 + (unsigned)sequence->step * 100 + sequence->attempt;
	enum sequence_verdict verdict;
	char name[SEQUENCE_RUN_BYTES], reason[400], id[60];

	sequence_format_run(sequence, name);
	snprintf(id, sizeof(id), "begin %s", name);
	(void)sample_enter(database, sample_entry("begin", run, id, START_NS + SAMPLE_SECOND,
					     json_pack("{s:s, s:s, s:I}", "run", name, "supervisor", "lab1", "wall_ns",
						     (json_int_t)(START_NS + SAMPLE_SECOND))));
	snprintf(id, sizeof(id), "end %s", name);
	if (end)
		(void)sample_enter(database, sample_entry("end", run, id, START_NS + 2 * SAMPLE_SECOND, end));
	assert_int_equal(sequence_judge(database, sequence, &verdict, reason, sizeof(reason), NULL), 0);
	sequence_advance(sequence, verdict, reason);
	return verdict;
}

static json_t *make_end(const char *quality, const char *by, bool by_itself)
{
	return json_pack("{s:I, s:s, s:s, s:b, s:s}", "wall_ns", (json_int_t)(START_NS + 2 * SAMPLE_SECOND), "quality",
		quality, "by", by, "by_itself", by_itself, "reason", "as it is");
}

static void test_all_steps(void **state)
{
	struct database *database = sample_open("runs.sqlite");
	json_t *step = NULL;

	(void)state;
	start(database, "scan", "0a0b0c0d");
	struct sequence sequence = load(database, "scan");
	assert_int_equal(sequence.count, 2);
	assert_string_equal(sequence.who, "somebody");
	char run[SEQUENCE_RUN_BYTES];
	sequence_format_run(&sequence, run);
	assert_string_equal(run, "scan-0a0b0c0d-00001-1");
	assert_int_equal(sequence_get_step(database, &sequence, &step, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(step, "description")), "first");
	json_decref(step);
	assert_int_equal(take(database, &sequence, NULL), SEQUENCE_OPEN);
	assert_int_equal(sequence.step, 0);
	assert_int_equal(take(database, &sequence, make_end("complete", "", true)), SEQUENCE_COMPLETE);
	assert_int_equal(sequence.step, 1);
	assert_int_equal(sequence.state, SEQUENCE_RUNNING);
	assert_int_equal(take(database, &sequence, make_end("incomplete", "", true)), SEQUENCE_COMPLETE);
	assert_int_equal(sequence.state, SEQUENCE_DONE);
	database_close(database);
}

/* An aborted run is tried once more; one that lost its supervisor is not to blame. */
static void test_aborted_twice(void **state)
{
	struct database *database = sample_open("runs.sqlite");

	(void)state;
	start(database, "scan", "0a0b0c0d");
	struct sequence sequence = load(database, "scan");
	assert_int_equal(take(database, &sequence, make_end("aborted", "", false)), SEQUENCE_ABORTED);
	assert_int_equal(take(database, &sequence, make_end("complete", "", false)), SEQUENCE_LOST);
	json_t *closed = make_end("aborted", "", false);
	json_object_set_new(closed, "by_book", json_true());
	assert_int_equal(take(database, &sequence, closed), SEQUENCE_LOST);
	assert_int_equal(sequence.state, SEQUENCE_RUNNING);
	assert_int_equal(sequence.attempt, 4);
	assert_int_equal(take(database, &sequence, make_end("aborted", "", false)), SEQUENCE_ABORTED);
	assert_int_equal(sequence.state, SEQUENCE_FAILED);
	assert_string_equal(sequence.reason, "step 1 of 2: its run was aborted twice: as it is");
	/* resumed it has two tries again, by a name that was not used */
	assert_int_equal(database_begin(database, NULL), 0);
	assert_int_equal(sequence_save(database, &sequence, NULL), 0);
	assert_int_equal(database_commit(database, NULL), 0);
	say(database, "resume", "scan");
	sequence = load(database, "scan");
	assert_int_equal(sequence.state, SEQUENCE_RUNNING);
	assert_int_equal(sequence.attempt, 5);
	assert_int_equal(take(database, &sequence, make_end("complete", "", true)), SEQUENCE_COMPLETE);
	assert_int_equal(sequence.step, 1);
	database_close(database);
}

static void test_stopped(void **state)
{
	struct database *database = sample_open("runs.sqlite");

	(void)state;
	start(database, "scan", "0a0b0c0d");
	struct sequence sequence = load(database, "scan");
	assert_int_equal(take(database, &sequence, make_end("complete", "root (enrgdaq stop)", false)), SEQUENCE_ENDED);
	assert_int_equal(sequence.state, SEQUENCE_STOPPED);
	say(database, "stop", "scan"); /* of the one that is kept, which still runs */
	assert_int_equal(load(database, "scan").state, SEQUENCE_STOPPING);
	say(database, "resume", "scan"); /* not before it has stopped */
	assert_int_equal(load(database, "scan").state, SEQUENCE_STOPPING);
	database_close(database);
}

static void test_one_at_a_time(void **state)
{
	struct database *database = sample_open("runs.sqlite");
	struct sequence sequence;
	char text[400];

	(void)state;
	start(database, "scan", "0a0b0c0d");
	start(database, "other", "0a0b0c0e");
	assert_int_equal(sequence_load(database, "other", &sequence, NULL), -ENOENT);
	sample_text(database, "SELECT value FROM state WHERE name = 'refused sequence'", text);
	assert_non_null(strstr(text, "sequence scan is running, step 1 of 2; one at a time"));
	start(database, "scan", "0a0b0c0f"); /* nor itself once more */
	assert_string_equal(load(database, "scan").start, "0a0b0c0d");
	assert_int_equal(sequence_find_active(database, &sequence, NULL), 1);
	assert_string_equal(sequence.name, "scan");
	database_close(database);
}

/* Asked for in words that are none. */
static void test_bad_requests(void **state)
{
	struct database *database = sample_open("runs.sqlite");
	struct sequence sequence;
	char name[300];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(ask(database, json_object()), 0);
	assert_int_equal(ask(database, json_pack("{s:i, s:[]}", "do", 3, "name")), 0);
	say(database, "start", "empty");
	say(database, "start", name);
	say(database, "resume", "nobody");
	say(database, "fly", "nobody");
	assert_int_equal(sequence_find_active(database, &sequence, NULL), 0);
	database_close(database);
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, sample_make_folder, sample_remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(test_all_steps),
		with_folder(test_aborted_twice),
		with_folder(test_stopped),
		with_folder(test_one_at_a_time),
		with_folder(test_bad_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
