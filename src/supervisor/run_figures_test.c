/* run_figures_test.c: dead time, restarts and rates of a run, from members as the supervisor has sampled them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "supervisor/run_figures.h"

#define SECOND 1000000000ull

static int poll_nothing(struct enrg_job *job, void *state, struct enrg_error *err)
{
	(void)job, (void)state, (void)err;
	return 0;
}

static const struct enrg_job_type job_type = {.size = sizeof(job_type), .name = "Source", .poll = poll_nothing};
static const struct enrg_store_type store_type = {.size = sizeof(store_type), .name = "Store"};
static const struct type_entry source = {.job = &job_type, .name = "Source"};
static const struct type_entry store = {.store = &store_type, .name = "Store"};
static struct job_config configs[] = {{.name = "dice", .type = &source}, {.name = "csv", .type = &store}};
static struct plan plans[] = {{.name = "dice", .page_path = "/none/dice.page", .stream_path = "/none/dice.stream"},
	{.name = "csv", .page_path = "/none/csv.page", .is_store = true}};
static struct member members[] = {{.config = &configs[0],
					  .plan = &plans[0],
					  .state = MEMBER_RUNNING,
					  .lives = 1,
					  .now = {.out_rows = 500},
					  .sampled_ns = 3 * SECOND},
	{.config = &configs[1], .plan = &plans[1], .state = MEMBER_RUNNING, .lives = 1}};
static struct member *list[] = {&members[0], &members[1]};
static const struct roster roster = {.count = 2, .members = list};

static void expect(const json_t *object, const char *key, double value)
{
	const json_t *found = json_object_get(object, key);

	assert_true(json_is_number(found));
	assert_true(fabs(json_number_value(found) - value) < 1e-9);
}

static void dead_time_is_that_of_a_source(void **state)
{
	struct run_figures figures = {0};
	json_t *body = json_object();

	(void)state;
	run_figures_tick(&figures, &roster, SECOND); /* no run */
	run_figures_begin(&figures, &roster, 10 * SECOND);
	members[0].blocked_percent = 50;
	run_figures_tick(&figures, &roster, 12 * SECOND); /* 1 s blocked */
	members[0].blocked_percent = 0;
	members[0].state = members[1].state = MEMBER_PAUSING;
	run_figures_tick(&figures, &roster, 15 * SECOND); /* 3 s down */
	members[0].state = members[1].state = MEMBER_RUNNING;
	members[0].lives = 3;
	members[0].now.out_rows = 1500;
	members[0].sampled_ns += 10 * SECOND;
	run_figures_tick(&figures, &roster, 20 * SECOND);
	run_figures_format(&figures, &roster, body);
	const json_t *dead = json_object_get(body, "dead");
	expect(json_object_get(dead, "dice"), "down_s", 3);
	expect(json_object_get(dead, "dice"), "blocked_s", 1);
	assert_null(json_object_get(dead, "csv")); /* sources alone are dead */
	expect(json_object_get(body, "restarts"), "dice", 2);
	expect(json_object_get(json_object_get(body, "rates"), "dice"), "rows_per_s", 100);
	json_decref(body);
	run_figures_fini(&figures);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(dead_time_is_that_of_a_source)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
