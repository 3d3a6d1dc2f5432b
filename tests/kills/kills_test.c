/* kills_test.c: kills a store at each system call that it makes between its start and its end, and at each store
 * instruction into its journal in between; starts it again, and reads what is in its files: each row once. Every store
 * of tests/conformance/kinds.c.
 *
 *   test_kills MODULE [--whole] [--only TEXT]      a module whose stores no kind drives fails
 *
 * Without --whole a part of the kills is made, spread over all; with it all of them, and as many in which the instance
 * that repairs is killed as well. --only takes the variants whose line begins with TEXT ("hdf5, deflate, rotation").
 */
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/log.h"
#include "check.h"
#include "config/types.h"
#include "kinds.h"
#include "lives.h"
#include "tracer.h"

#define CALLS_MAX   4096u
#define SHORT_KILLS 8u /* of each sort, without --whole */
#define TEXT_BYTES  600u
#define ENDS_MAX    3u /* complaints of one variant; then it is enough */

struct variant {
	const char *name, *store_keys, *section_keys;
	bool is_same_day, wants_files, wants_dates;
	bool is_copied; /* between two instances */
};

/* In which file the next instance goes on: the same; a copy of it; another one that begins by itself; one of another
 * day. */
static const struct variant variants[] = {
	{.name = "one file", .is_same_day = true},
	{.name = "a copy of the folder", .is_same_day = true, .is_copied = true},
	{.name = "rotation", .store_keys = "rotate_mb = 0.0001", .is_same_day = true, .wants_files = true},
	{.name = "a file a day", .section_keys = "add_date = true", .wants_dates = true},
};

static struct {
	const struct store_kind *kind;
	struct store_kind own_kind; /* with the keys of the variant */
	const struct variant *variant;
	char store_keys[512];
	char folder[300], journal_path[350], out_dir[350];
	bool is_whole;
	const char *only; /* how the line of a variant must begin; NULL: all */
	unsigned kills, complaints;
	uint32_t *stores; /* shared with the children */
} test;

/* --- folders ------------------------------------------------------------------------------------------------------ */

static int remove_entry(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)status, (void)flag, (void)walk;
	return remove(path);
}

static void remove_folder(void)
{
	nftw(test.folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void new_folder(void)
{
	remove_folder();
	if (mkdir(test.folder, 0700) < 0)
		abort();
}

/* --- one series of instances -------------------------------------------------------------------------------------- */

static struct life make_life(uint32_t number)
{
	return (struct life){.kind = &test.own_kind,
		.section_keys = test.variant->section_keys,
		.journal_path = test.journal_path,
		.out_dir = test.out_dir,
		.number = number,
		.is_same_day = test.variant->is_same_day};
}

static void complain(const char *place, const char *text)
{
	printf("%s, %s: killed %s: %s\n", test.kind->name, test.variant->name, place, text);
	test.complaints++;
}

/* As somebody who moves his data to another disk does: other inodes, the same names. */
static void copy_folder(void)
{
	char command[2000];

	if (!test.variant->is_copied || access(test.out_dir, F_OK) < 0)
		return;
	snprintf(command, sizeof(command), "cp -a '%s' '%s.copy' && rm -r '%s' && mv '%s.copy' '%s'", test.out_dir,
		test.out_dir, test.out_dir, test.out_dir, test.out_dir);
	if (system(command) != 0)
		abort();
}

/* Without being killed. */
static int run_whole(struct life *life)
{
	int status;

	fflush(NULL);
	pid_t child = fork();
	if (child == 0)
		_exit(lives_run(life));
	if (child < 0 || waitpid(child, &status, 0) != child)
		abort();
	return status;
}

/* The last instance, which nobody kills, and what is there then. */
static void end_series(uint32_t number, const char *place)
{
	struct life life = make_life(number);
	char text[TEXT_BYTES];

	test.kills++;
	copy_folder();
	if (run_whole(&life) != 0)
		complain(place, "the next instance fails");
	else if (!check_folder(test.kind, test.out_dir, text, sizeof(text)))
		complain(place, text);
}

static void kill_at_call(const struct tracer_aim *aim)
{
	struct life life = make_life(0);
	struct tracer_end end;

	new_folder();
	tracer_run(lives_run, &life, aim, &end);
	if (!end.was_killed)
		snprintf(end.place, sizeof(end.place), "nowhere: it has fewer than %u calls this time", aim->call);
	end_series(1, end.place);
}

/* The instance after a kill is killed as well. */
static void kill_twice(unsigned first, unsigned second)
{
	struct life life = make_life(0), next = make_life(1);
	struct tracer_end end, next_end;
	char place[2 * sizeof(end.place) + 40];

	new_folder();
	tracer_run(lives_run, &life, &(struct tracer_aim){first, false}, &end);
	copy_folder();
	tracer_run(lives_run, &next, &(struct tracer_aim){second, false}, &next_end);
	snprintf(place, sizeof(place), "%s, and the next instance %s", end.place,
		next_end.was_killed ? next_end.place : "not");
	end_series(2, place);
}

static uint32_t run_stores(uint32_t at)
{
	struct life life = make_life(0);

	new_folder();
	life.store_at = at;
	life.stores = test.stores;
	*test.stores = 0;
	run_whole(&life);
	return *test.stores;
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

static unsigned stride_of(unsigned count)
{
	return test.is_whole || count <= SHORT_KILLS ? 1 : count / SHORT_KILLS;
}

static bool is_enough(void)
{
	return test.complaints >= ENDS_MAX;
}

/* Of the journal's first page, in which the number of the last commit stands. */
static uint64_t look_at_journal(void)
{
	static uint8_t page[4096];
	int descriptor = open(test.journal_path, O_RDONLY | O_CLOEXEC);
	ssize_t count = descriptor < 0 ? 0 : read(descriptor, page, sizeof(page));

	if (descriptor >= 0)
		close(descriptor);
	return count > 0 ? crc32c(0, page, (size_t)count) : 0;
}

/* Between a commit and the second call behind it nothing is left out. */
static bool is_chosen(const unsigned *flags, unsigned call, unsigned stride)
{
	return call % stride == 0 || (flags[call - 1] & TRACER_CHANGED) ||
	       (call > 1 && (flags[call - 2] & TRACER_CHANGED));
}

static void kill_at_calls(unsigned *ret_calls)
{
	static unsigned flags[CALLS_MAX];
	struct life life = make_life(0);
	struct tracer_end end;
	char text[TEXT_BYTES];

	new_folder();
	tracer_count(lives_run, &life, look_at_journal, flags, CALLS_MAX, &end);
	*ret_calls = end.calls;
	if (end.status != 0 || end.calls > CALLS_MAX || end.calls < 2)
		complain("never", "the first instance fails, or makes no or too many calls");
	else if (!check_folder(test.kind, test.out_dir, text, sizeof(text)))
		complain("never", text);
	for (unsigned call = 1; call <= end.calls && !is_enough(); call++) {
		if (!is_chosen(flags, call, stride_of(end.calls)))
			continue;
		kill_at_call(&(struct tracer_aim){call, false});
		if (flags[call - 1] & TRACER_CAN_TEAR)
			kill_at_call(&(struct tracer_aim){call, true});
	}
}

static void kill_at_pairs(unsigned calls)
{
	unsigned stride = test.is_whole ? 1 : 1 + calls / (SHORT_KILLS / 2);

	for (unsigned call = 1; call <= calls && !is_enough(); call += stride)
		kill_twice(call, 1 + call * 7919 % calls);
}

static void kill_at_stores(uint32_t *ret_stores)
{
	uint32_t count = run_stores(UINT32_MAX);

	*ret_stores = count;
	for (uint32_t at = 1; at <= count && !is_enough(); at += stride_of(count)) {
		char place[60];
		run_stores(at);
		snprintf(place, sizeof(place), "before store instruction %u of %u into the journal", at, count);
		end_series(1, place);
	}
}

static bool has_key(const struct enrg_table *table, const char *key)
{
	for (const struct enrg_option *option = table->options; option && option->key; option++)
		if (strcmp(option->key, key) == 0 ||
			(option->kind == ENRG_OPTION_INCLUDE && has_key(option->table, key)))
			return true;
	return false;
}

static bool is_wanted(const struct variant *variant, const struct store_kind *kind)
{
	char line[200];

	snprintf(line, sizeof(line), "%s, %s:", kind->name, variant->name);
	return !test.only || strncmp(line, test.only, strlen(test.only)) == 0;
}

static bool is_for(const struct variant *variant, const struct store_kind *kind, const struct enrg_store_type *type)
{
	if (!is_wanted(variant, kind))
		return false;
	if (variant->wants_files && (kind->keeps_newest || !has_key(&type->options, "rotate_mb")))
		return false;
	return !variant->wants_dates || (kind->has_dates && !kind->keeps_newest);
}

static bool try_variant(const struct store_kind *kind, const struct variant *variant, const char *root)
{
	unsigned calls = 0, before = check_count();
	uint32_t stores = 0;

	test.kind = kind;
	test.variant = variant;
	test.own_kind = *kind;
	snprintf(test.store_keys, sizeof(test.store_keys), "%s\n%s", kind->store_keys ? kind->store_keys : "",
		variant->store_keys ? variant->store_keys : "");
	test.own_kind.store_keys = test.store_keys;
	snprintf(test.folder, sizeof(test.folder), "%s/%td_%td", root, kind - store_kinds, variant - variants);
	snprintf(test.journal_path, sizeof(test.journal_path), "%s/journal", test.folder);
	snprintf(test.out_dir, sizeof(test.out_dir), "%s/out", test.folder);
	test.kills = test.complaints = 0;
	kill_at_calls(&calls);
	if (!is_enough())
		kill_at_pairs(calls);
	if (!is_enough())
		kill_at_stores(&stores);
	remove_folder();
	printf("%s, %s: %u kills, of %u system calls and %u stores into the journal; %u different ends: %s\n",
		kind->name, variant->name, test.kills, calls, stores, check_count() - before,
		test.complaints ? "rows were lost or are there twice" : "nothing lost, nothing twice");
	fflush(stdout);
	return test.complaints == 0;
}

/* --- the modules -------------------------------------------------------------------------------------------------- */

static bool is_elsewhere(const char *type)
{
	static const char *const types[] = {
		"DAQJobStoreMySQL",                      /* against servers: tests/databases */
		"DAQJobStoreRedis", "DAQJobStoreFaulty", /* for drills: it fails as it is told to */
		"DAQJobStoreMemory",                     /* keeps nothing */
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return false;
}

static bool try_type(const struct enrg_store_type *type, const char *root)
{
	bool is_good = true, is_known = is_elsewhere(type->name);

	for (unsigned i = 0; i < store_kind_count; i++) {
		const struct store_kind *kind = &store_kinds[i];
		if (strcmp(kind->type, type->name) != 0 || !kind->has_out_dir)
			continue;
		is_known = true;
		for (size_t j = 0; j < sizeof(variants) / sizeof(variants[0]); j++)
			if (is_for(&variants[j], kind, type))
				is_good &= try_variant(kind, &variants[j], root);
	}
	if (!is_known)
		printf("%s: no entry of tests/conformance/kinds.c drives this store: what a kill does to it is not "
		       "tested\n",
			type->name);
	return is_good && is_known;
}

static bool read_arguments(int count, char **arguments)
{
	for (int i = 2; i < count; i++)
		if (strcmp(arguments[i], "--whole") == 0)
			test.is_whole = true;
		else if (strcmp(arguments[i], "--only") == 0 && i + 1 < count)
			test.only = arguments[++i];
		else
			return false;
	return count >= 2;
}

int main(int count, char **arguments)
{
	char module[4096], root[] = "/dev/shm/enrg-kills.XXXXXX";
	struct enrg_error err = {0};
	struct types *types;
	bool is_good = true;

	if (!read_arguments(count, arguments) || !mkdtemp(root))
		return 2;
	test.stores = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	log_init("kills", ENRG_ERROR + 1);
	snprintf(module, sizeof(module), "%s/modules/%s.so", ENRG_BINARY_DIR, arguments[1]);
	if (types_load_one(module, &types, &err) < 0) {
		printf("%s\n", err.text);
		return 1;
	}
	for (size_t i = 0; i < types_count(types); i++)
		if (types_at(types, i)->store)
			is_good &= try_type(types_at(types, i)->store, root);
	types_free(types);
	rmdir(root);
	return !is_good;
}
