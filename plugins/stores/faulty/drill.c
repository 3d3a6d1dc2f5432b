/* drill.c: counts the calls of a store and picks those that fail. Runs in the store's job process, on its main
 * thread. */
#include "drill.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define AT(member) offsetof(struct drill_options, member)
#define CALLS_MAX  9e15

static const struct enrg_choice errors[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO}, {NULL, 0}};

static const struct enrg_option option_list[] = {
	{.key = "fail_write_at",
		.kind = ENRG_OPTION_INT,
		.offset = AT(fail_write_at),
		.default_value = "0",
		.max = CALLS_MAX,
		.help = "The write of this number fails before it writes; 0 = none."},
	{.key = "fail_every",
		.kind = ENRG_OPTION_INT,
		.offset = AT(fail_every),
		.default_value = "0",
		.max = CALLS_MAX,
		.help = "Each write whose number is a multiple of this fails; 0 = none."},
	{.key = "fail_commit_at",
		.kind = ENRG_OPTION_INT,
		.offset = AT(fail_commit_at),
		.default_value = "0",
		.max = CALLS_MAX,
		.help = "The commit of this number fails; 0 = none."},
	{.key = "short_write_at",
		.kind = ENRG_OPTION_INT,
		.offset = AT(short_write_at),
		.default_value = "0",
		.max = CALLS_MAX,
		.help = "The write of this number writes half of its line, then fails; 0 = none."},
	{.key = "crash_at",
		.kind = ENRG_OPTION_INT,
		.offset = AT(crash_at),
		.default_value = "0",
		.max = CALLS_MAX,
		.help = "The process crashes in the write of this number; 0 = never."},
	{.key = "stop_after",
		.kind = ENRG_OPTION_INT,
		.offset = AT(stop_after),
		.default_value = "0",
		.max = CALLS_MAX,
		.help = "After so many writes the store stands still for stop_seconds; 0 = never."},
	{.key = "stop_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(stop_seconds),
		.default_value = "10.0",
		.max = 86400,
		.unit = "s",
		.help = "How long; at watchdog_seconds of the supervisor the store is killed and started again."},
	{.key = "delay_ms",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(delay_ms),
		.default_value = "0",
		.max = 60000,
		.unit = "ms",
		.help = "Each write takes so much longer."},
	{.key = "error",
		.kind = ENRG_OPTION_CHOICE,
		.offset = AT(error),
		.default_value = "\"ENOSPC\"",
		.choices = errors,
		.help = "What a call fails with."},
	{.key = "keep_counts",
		.kind = ENRG_OPTION_BOOL,
		.offset = AT(keep_counts),
		.default_value = "false",
		.help = "Goes on counting when the process is started again; the counts are in out_dir/.NAME.drill."},
	{.key = NULL},
};

const struct enrg_table drill_table = {.size = sizeof(struct drill_options), .options = option_list};

/* Of the life of this process: a failure closes the store and opens it again, and that is no new life. */
static struct drill_counts counts;
static bool is_begun;

static bool is_at(uint64_t count, int64_t number)
{
	return number > 0 && count == (uint64_t)number;
}

/* --- kept counts -------------------- */

static int read_counts(const struct drill *drill, struct enrg_error *err)
{
	int descriptor = open(drill->path, O_RDONLY | O_CLOEXEC);

	if (descriptor < 0 && errno == ENOENT)
		return 0;
	if (descriptor < 0)
		return enrg_error_set(err, -errno, "%s: can't open: %s", drill->path, enrg_error_name(-errno));
	if (read(descriptor, &counts, sizeof(counts)) != (ssize_t)sizeof(counts))
		counts = (struct drill_counts){0};
	close(descriptor);
	return 0;
}

/* Before the fault, which may be the end of the process. */
static int keep_counts(const struct drill *drill, struct enrg_error *err)
{
	if (!drill->options->keep_counts)
		return 0;
	return enrg_file_replace(drill->store, drill->path, &counts, sizeof(counts), err);
}

int drill_open(struct drill *drill, struct enrg_store *store, const struct drill_options *options, const char *out_dir,
	struct enrg_error *err)
{
	char own[ENRG_NAME_BYTES_MAX + 16];
	const struct enrg_file_name name = {.out_dir = out_dir, .file_path = own};
	int rc;

	*drill = (struct drill){.store = store, .options = options};
	snprintf(own, sizeof(own), ".%s.drill", enrg_store_name(store));
	rc = enrg_file_path(&name, drill->path, sizeof(drill->path), err);
	if (rc == 0 && options->keep_counts && !is_begun)
		rc = read_counts(drill, err);
	if (rc < 0)
		return rc;
	if (!is_begun && options->delay_ms > 0)
		enrg_store_alert(
			store, ENRG_WARNING, "drill: each write takes %g ms longer (delay_ms)", options->delay_ms);
	is_begun = true;
	return 0;
}

/* --- faults -------------------- */

static void wait_for(double seconds)
{
	struct timespec rest = {.tv_sec = (time_t)seconds};

	rest.tv_nsec = (long)((seconds - (double)rest.tv_sec) * 1e9);
	while (nanosleep(&rest, &rest) < 0 && errno == EINTR)
		;
}

static const char *error_name(int error)
{
	return error == EIO ? "EIO" : "ENOSPC";
}

static void announce(const struct drill *drill, const char *key, const char *what)
{
	enrg_store_alert(drill->store, ENRG_WARNING, "drill: write %" PRIu64 " %s (%s)", counts.writes, what, key);
}

int drill_write(struct drill *drill, enum drill_order *ret_order, struct enrg_error *err)
{
	const struct drill_options *options = drill->options;
	int rc;

	counts.writes++;
	*ret_order = DRILL_GO_ON;
	rc = keep_counts(drill, err);
	if (rc < 0)
		return rc;
	if (options->delay_ms > 0)
		wait_for(options->delay_ms / 1000);
	if (options->stop_after > 0 && counts.writes == (uint64_t)options->stop_after + 1) {
		enrg_store_alert(drill->store, ENRG_WARNING,
			"drill: after %" PRId64 " writes the store stands still "
			"for %g s (stop_after)",
			options->stop_after, options->stop_seconds);
		wait_for(options->stop_seconds);
	}
	if (is_at(counts.writes, options->crash_at)) {
		announce(drill, "crash_at", "crashes");
		abort();
	}
	if (is_at(counts.writes, options->fail_write_at)) {
		announce(drill, "fail_write_at", "fails");
		*ret_order = DRILL_FAIL;
	} else if (options->fail_every > 0 && counts.writes % (uint64_t)options->fail_every == 0) {
		announce(drill, "fail_every", "fails");
		*ret_order = DRILL_FAIL;
	} else if (is_at(counts.writes, options->short_write_at)) {
		announce(drill, "short_write_at", "writes half of its line");
		*ret_order = DRILL_SHORT;
	}
	return 0;
}

int drill_commit(struct drill *drill, enum drill_order *ret_order, struct enrg_error *err)
{
	counts.commits++;
	*ret_order = DRILL_GO_ON;
	if (is_at(counts.commits, drill->options->fail_commit_at)) {
		enrg_store_alert(
			drill->store, ENRG_WARNING, "drill: commit %" PRIu64 " fails (fail_commit_at)", counts.commits);
		*ret_order = DRILL_FAIL;
	}
	return keep_counts(drill, err);
}

int drill_fail(const struct drill *drill, const char *what, struct enrg_error *err)
{
	return enrg_error_set(err, -drill->options->error, "%s: drill: %s", what, error_name(drill->options->error));
}
