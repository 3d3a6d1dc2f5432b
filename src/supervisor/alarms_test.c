/* alarms_test.c: what is told of an alarm, when, and when not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/alarms.h"

#define S      1000000000ull
#define MINUTE (60 * S)
#define HOUR   (3600 * S)
#define WALL   (1764281823ull * S)

struct world {
	struct alarms alarms;
	uint64_t now_ns;
	unsigned begins, again, ends;
	char last[1200];
};

static void tell(void *context, const struct alarm *alarm, enum alarm_event event, const char *text)
{
	struct world *world = context;

	assert_string_equal(alarm->key, "silent/camera");
	assert_string_equal(alarm->job, "camera");
	world->begins += event == ALARM_BEGINS;
	world->again += event == ALARM_AGAIN;
	world->ends += event == ALARM_ENDS;
	snprintf(world->last, sizeof(world->last), "%s", text);
}

static int set_up(void **state)
{
	static struct world world;

	world = (struct world){.now_ns = 1000 * S, .alarms = {.tell = tell, .context = &world}};
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	alarms_fini(&((struct world *)*state)->alarms);
	return 0;
}

static uint64_t wall_of(const struct world *world)
{
	return WALL + world->now_ns;
}

/* So long, looked at each second. */
static void pass(struct world *world, bool is_true, uint64_t span_ns, uint64_t hold_ns)
{
	const struct judgement judgement = {.kind = "silent",
		.subject = "camera",
		.job = "camera",
		.is_true = is_true,
		.hold_ns = hold_ns,
		.severity = ENRG_ERROR,
		.text = "camera has sent nothing"};

	for (uint64_t until_ns = world->now_ns + span_ns; world->now_ns < until_ns; world->now_ns += S) {
		alarms_judge(&world->alarms, &judgement, world->now_ns, wall_of(world));
		alarms_step(&world->alarms, world->now_ns, wall_of(world));
	}
}

static void expect(struct world *world, unsigned begins, unsigned again, unsigned ends)
{
	assert_int_equal(world->begins, begins);
	assert_int_equal(world->again, again);
	assert_int_equal(world->ends, ends);
}

static void it_is_told_once_again_and_at_its_end(void **state)
{
	struct world *world = *state;

	pass(world, false, 10 * S, 0);
	expect(world, 0, 0, 0);
	pass(world, true, 5 * MINUTE, 0);
	expect(world, 1, 0, 0);
	assert_string_equal(world->last, "camera has sent nothing");
	pass(world, true, 6 * MINUTE, 0);
	expect(world, 1, 1, 0);
	assert_non_null(strstr(world->last, "since 10 min"));
	assert_non_null(strstr(world->last, "`enrgdaq alarms ack silent/camera`"));
	pass(world, true, 2 * HOUR, 0);
	expect(world, 1, 3, 0);
	assert_int_equal(alarms_acknowledge(&world->alarms, "silent/camera"), 0);
	pass(world, true, 5 * HOUR, 0);
	expect(world, 1, 3, 0);
	pass(world, false, MINUTE, 0);
	expect(world, 1, 3, 1);
	assert_non_null(strstr(world->last, "silent/camera is over, after 7 h"));
	assert_int_equal(alarms_acknowledge(&world->alarms, "silent/camera"), -ENOENT);
	assert_int_equal(world->alarms.count, 0);
	pass(world, true, MINUTE, 0);
	expect(world, 2, 3, 1);
}

/* What is true for a moment only is none. */
static void it_has_to_last(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < 5; i++) {
		pass(world, true, 50 * S, MINUTE);
		pass(world, false, 2 * S, MINUTE);
	}
	expect(world, 0, 0, 0);
	pass(world, true, 65 * S, MINUTE);
	expect(world, 1, 0, 0);
}

static void muted_it_is_not_told(void **state)
{
	struct world *world = *state;

	/* before it begins, and beyond its end */
	assert_int_equal(alarms_mute(&world->alarms, "silent/camera", 2, "maintenance", wall_of(world)), 0);
	pass(world, true, HOUR, 0);
	pass(world, false, MINUTE, 0);
	expect(world, 0, 0, 0);
	assert_int_equal(world->alarms.count, 1);
	pass(world, true, 30 * MINUTE, 0);
	expect(world, 0, 0, 0);
	/* when that is over it is told as what it is: one that is on */
	pass(world, true, 40 * MINUTE, 0);
	expect(world, 1, 1, 0);
	/* one that was told, and ends while it is muted */
	assert_int_equal(alarms_mute(&world->alarms, "silent/camera", 1, "known", wall_of(world)), 0);
	pass(world, false, MINUTE, 0);
	expect(world, 1, 1, 0);
	assert_int_equal(alarms_mute(&world->alarms, "silent/camera", 0, "", wall_of(world)), 0);
	assert_int_equal(alarms_mute(&world->alarms, "silent/camera", 0, "", wall_of(world)), -ENOENT);
}

/* Another supervisor says nothing twice, and goes on where this one was. */
static void it_outlives_the_supervisor(void **state)
{
	struct world *world = *state;
	char path[] = "/tmp/enrg-alarms-XXXXXX";
	struct enrg_error err = {0};
	int descriptor = mkstemp(path);

	assert_true(descriptor >= 0);
	close(descriptor);
	pass(world, true, 11 * MINUTE, 0);
	expect(world, 1, 1, 0);
	assert_int_equal(alarms_acknowledge(&world->alarms, "silent/camera"), 0);
	assert_int_equal(alarms_save(&world->alarms, path, &err), 0);
	alarms_fini(&world->alarms);
	world->alarms = (struct alarms){.tell = tell, .context = world};
	alarms_load(&world->alarms, path, world->now_ns);
	assert_int_equal(world->alarms.count, 1);
	pass(world, true, 5 * HOUR, 0);
	expect(world, 1, 1, 0);
	pass(world, false, S, 0);
	expect(world, 1, 1, 1);
	assert_non_null(strstr(world->last, "after 5 h 11 min"));
	unlink(path);
}

/* A job that is gone is judged no more. */
static void nobody_judges_it_any_more(void **state)
{
	struct world *world = *state;

	pass(world, true, MINUTE, 0);
	for (uint64_t until_ns = world->now_ns + ALARM_UNJUDGED_NS + 2 * S; world->now_ns < until_ns;
		world->now_ns += S)
		alarms_step(&world->alarms, world->now_ns, wall_of(world));
	expect(world, 1, 1, 1);
	assert_int_equal(world->alarms.count, 0);
}

/* A source that was silent under an earlier supervisor, and still is: nothing says that it is over. */
static void what_is_not_known_ends_nothing(void **state)
{
	struct world *world = *state;
	const struct judgement unknown = {
		.kind = "silent", .subject = "camera", .job = "camera", .is_unknown = true, .severity = ENRG_ERROR};

	alarms_judge(&world->alarms, &unknown, world->now_ns, wall_of(world));
	assert_int_equal(world->alarms.count, 0);
	pass(world, true, MINUTE, 0);
	for (uint64_t until_ns = world->now_ns + 2 * ALARM_UNJUDGED_NS; world->now_ns < until_ns; world->now_ns += S) {
		alarms_judge(&world->alarms, &unknown, world->now_ns, wall_of(world));
		alarms_step(&world->alarms, world->now_ns, wall_of(world));
	}
	expect(world, 1, 1, 0);
	pass(world, false, S, 0);
	expect(world, 1, 1, 1);
}

/* A message or a file with half a character can't be made: the alarm would be in none. */
static void what_is_cut_is_still_text(void **state)
{
	struct world *world = *state;
	struct judgement judgement = {
		.kind = "silent", .subject = "camera", .job = "camera", .is_true = true, .severity = ENRG_ERROR};
	char reason[400];

	for (size_t shift = 0; shift < 2; shift++) {
		memset(judgement.text, 0, sizeof(judgement.text));
		memset(reason, 0, sizeof(reason));
		for (size_t i = 0; i + 2 < sizeof(judgement.text); i++)
			judgement.text[i] = i < shift ? 'x' : (i - shift) % 2 ? '\xa4' : '\xc3'; /* an a with dots */
		memcpy(reason, judgement.text, sizeof(reason) - 1);
		alarms_judge(&world->alarms, &judgement, world->now_ns, wall_of(world));
		world->now_ns += HOUR;
		alarms_step(&world->alarms, world->now_ns, wall_of(world));
		json_t *said = json_string(world->last);
		assert_non_null(said);
		json_decref(said);
		assert_int_equal(alarms_mute(&world->alarms, "silent/camera", 1, reason, wall_of(world)), 0);
		json_t *list = alarms_format(&world->alarms);
		assert_int_equal(json_array_size(list), 1);
		json_decref(list);
	}
}

static void nonsense_in_the_file_does_no_harm(void **state)
{
	struct world *world = *state;
	static const char *const texts[] = {"", "{", "3", "[3, null, {\"key\": 4}, {\"key\": \"\"}]",
		"[{\"key\": \"silent/camera\", \"told\": -5}]"};
	char path[] = "/tmp/enrg-alarms-XXXXXX";
	int descriptor = mkstemp(path);

	assert_true(descriptor >= 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(ftruncate(descriptor, 0), 0);
		assert_true(pwrite(descriptor, texts[i], strlen(texts[i]), 0) == (ssize_t)strlen(texts[i]));
		alarms_load(&world->alarms, path, world->now_ns);
		alarms_step(&world->alarms, world->now_ns, wall_of(world));
		assert_int_equal(world->alarms.count, 0);
		alarms_fini(&world->alarms);
		world->alarms = (struct alarms){.tell = tell, .context = world};
	}
	close(descriptor);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_told_once_again_and_at_its_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_has_to_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(muted_it_is_not_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_outlives_the_supervisor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_judges_it_any_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_known_ends_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_cut_is_still_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nonsense_in_the_file_does_no_harm, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
