/* keeper_test.c: what the supervisor makes of files of the runtime folder that are not what they were. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "handover/journal.h"
#include "handover/presence.h"
#include "supervisor/earlier/adopt.h"
#include "supervisor/keeper.h"

struct scene {
	char base[64], journal_path[RUNTIME_PATH_BYTES + 32];
	struct runtime runtime;
	struct plan plan;
	struct plan *plans[1];
	struct plan_set set;
	struct keeper keeper;
	struct losses losses;
};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct enrg_error err = {0};

	assert_non_null(scene);
	log_set_level(ENRG_ERROR + 1);
	strcpy(scene->base, "/dev/shm/keeper_test.XXXXXX");
	assert_non_null(mkdtemp(scene->base));
	assert_int_equal(setenv("ENRGDAQ_RUNTIME_DIR", scene->base, 1), 0);
	if (runtime_open("lab", NULL, &scene->runtime, &err) || runtime_begin_run(&scene->runtime, false, &err))
		fail_msg("%s", err.text);
	snprintf(scene->journal_path, sizeof(scene->journal_path), "%s/store.journal", scene->runtime.folder);
	scene->plan = (struct plan){.name = "store", .journal_path = scene->journal_path};
	scene->plans[0] = &scene->plan;
	scene->set = (struct plan_set){.count = 1, .plans = scene->plans};
	assert_int_equal(keeper_open(&scene->keeper, &scene->runtime, &scene->set, &err), 0);
	*state = scene;
	return 0;
}

static int remove_file(const char *path, void *context)
{
	(void)context;
	return unlink(path);
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	keeper_close(&scene->keeper);
	losses_fini(&scene->losses);
	presence_visit_files(scene->runtime.folder, "", remove_file, NULL);
	runtime_close(&scene->runtime);
	rmdir(scene->runtime.folder);
	rmdir(scene->base);
	free(scene);
	return 0;
}

static void look(struct scene *scene)
{
	keeper_look(&scene->keeper, NULL, &scene->losses, false);
}

static void add_streams(struct journal *journal, uint32_t from, uint32_t count)
{
	for (uint32_t i = from; i < from + count; i++) {
		uint8_t uuid[16] = {(uint8_t)i, (uint8_t)(i >> 8), 1};
		uint32_t index;

		assert_int_equal(journal_add_stream(journal, uuid, "s", &index, NULL), 0);
		journal_set_stream(journal, index, &(struct journal_stream_state){.rows = i + 1});
		journal_commit(journal);
	}
}

static void assert_last_row(const struct scene *scene, uint32_t last)
{
	uint8_t uuid[16] = {(uint8_t)last, (uint8_t)(last >> 8), 1};
	struct journal_stream_state got;
	struct enrg_error err = {0};

	if (journal_read_stream(scene->journal_path, uuid, &got, &err))
		fail_msg("%s", err.text);
	assert_int_equal(got.rows, last + 1);
}

/* A store's own copy takes the place of its journal: nothing was taken away, and what it commits from then on counts,
 * also where the store ends before anybody has looked. */
static void a_journal_that_grows_is_no_outage(void **state)
{
	struct scene *scene = *state;
	struct journal *journal;

	assert_int_equal(journal_open(scene->journal_path, &journal, NULL), 0);
	add_streams(journal, 0, 1);
	look(scene); /* takes it */
	look(scene);
	add_streams(journal, 1, JOURNAL_STREAMS);
	look(scene);
	assert_false(held_is_led(scene->journal_path));
	assert_int_equal(scene->losses.count, 0);
	assert_last_row(scene, JOURNAL_STREAMS);
	add_streams(journal, JOURNAL_STREAMS + 1, 2 * JOURNAL_STREAMS);
	journal_close(journal);
	look(scene);
	assert_false(held_is_led(scene->journal_path));
	assert_int_equal(scene->losses.count, 0);
	assert_last_row(scene, 3 * JOURNAL_STREAMS);
}

/* The grown one is held as well. */
static void a_grown_journal_that_is_removed_is_put_right(void **state)
{
	struct scene *scene = *state;
	struct journal *journal;

	assert_int_equal(journal_open(scene->journal_path, &journal, NULL), 0);
	look(scene);
	add_streams(journal, 0, JOURNAL_STREAMS + 1);
	look(scene);
	assert_int_equal(unlink(scene->journal_path), 0);
	look(scene);
	assert_true(held_is_led(scene->journal_path));
	assert_int_equal(scene->losses.count, 1);
	assert_last_row(scene, JOURNAL_STREAMS);
	/* led to a descriptor, it may grow all the same */
	add_streams(journal, JOURNAL_STREAMS + 1, 2 * JOURNAL_STREAMS);
	look(scene);
	assert_false(held_is_led(scene->journal_path));
	assert_int_equal(scene->losses.items[0].files, 1);
	assert_last_row(scene, 3 * JOURNAL_STREAMS);
	journal_close(journal);
}

/* Another journal, one of another run for example, is not what has become of this one. */
static void another_journal_in_its_place_is_an_outage(void **state)
{
	struct scene *scene = *state;
	struct journal *journal, *other;
	char path[RUNTIME_PATH_BYTES + 40];

	assert_int_equal(journal_open(scene->journal_path, &journal, NULL), 0);
	add_streams(journal, 0, 2);
	look(scene);
	snprintf(path, sizeof(path), "%s.other", scene->journal_path);
	assert_int_equal(journal_open(path, &other, NULL), 0);
	add_streams(other, 7, 2 * JOURNAL_STREAMS);
	journal_close(other);
	assert_int_equal(rename(path, scene->journal_path), 0);
	look(scene);
	assert_true(held_is_led(scene->journal_path));
	assert_int_equal(scene->losses.count, 1);
	assert_last_row(scene, 1);
	journal_close(journal);
}

static unsigned count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* A folder that can't be put right is tried again each second, for as long as it takes: that is one outage, and costs
 * nothing that is ever used up. */
static void a_folder_that_stays_away_uses_nothing_up(void **state)
{
	struct scene *scene = *state;
	const struct rlimit none = {0, RLIM_INFINITY};
	struct rlimit before;
	char path[RUNTIME_PATH_BYTES + 8];

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	snprintf(path, sizeof(path), "%s/lock", scene->runtime.folder);
	look(scene);
	assert_int_equal(unlink(path), 0);
	unsigned descriptors = count_descriptors();
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	for (int i = 0; i < 10; i++)
		look(scene);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(count_descriptors(), descriptors);
	look(scene);
	assert_int_equal(count_descriptors(), descriptors);
	assert_int_equal(runtime_look(&scene->runtime), HELD_SAME);
	assert_int_equal(scene->losses.count, 1);
	assert_int_equal(scene->losses.items[0].files, 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

/* With very many files a look is at some of them; where one is missing, and before a start, at all. */
static void many_files_have_their_turn(void **state)
{
	enum { FILES = 3 * KEEPER_FILES_A_LOOK };
	struct scene *scene = *state;
	static char paths[FILES][RUNTIME_PATH_BYTES + 32];
	static struct plan many[FILES];
	static struct plan *plans[FILES];
	struct plan_set set = {.count = FILES, .plans = plans};
	struct enrg_error err = {0};

	for (size_t i = 0; i < FILES; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/%zu.stream", scene->runtime.folder, i);
		many[i] = (struct plan){.name = "many", .stream_path = paths[i]};
		plans[i] = &many[i];
		FILE *file = fopen(paths[i], "w");
		assert_non_null(file);
		fclose(file);
	}
	keeper_close(&scene->keeper);
	assert_int_equal(keeper_open(&scene->keeper, &scene->runtime, &set, &err), 0);
	keeper_look(&scene->keeper, NULL, &scene->losses, true);
	assert_int_equal(unlink(paths[5]), 0);
	assert_int_equal(unlink(paths[FILES - 1]), 0);
	look(scene);
	assert_true(held_is_led(paths[5]));
	assert_true(held_is_led(paths[FILES - 1]));
	assert_int_equal(unlink(paths[FILES / 2]), 0);
	look(scene);
	assert_false(held_is_led(paths[FILES / 2]));
	look(scene);
	assert_true(held_is_led(paths[FILES / 2]));
	assert_int_equal(unlink(paths[FILES - 1]), 0);
	keeper_look(&scene->keeper, NULL, &scene->losses, true);
	assert_true(held_is_led(paths[FILES - 1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(many_files_have_their_turn, set_up, tear_down),
		TEST(a_journal_that_grows_is_no_outage),
		TEST(a_grown_journal_that_is_removed_is_put_right),
		TEST(another_journal_in_its_place_is_an_outage),
		TEST(a_folder_that_stays_away_uses_nothing_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
