/* adopt.c: left-overs of an earlier supervisor. Process: supervisor, at start. */
#include "supervisor/earlier/adopt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/held.h"
#include "base/log.h"
#include "base/path.h"
#include "base/version.h"
#include "handover/checkpoint.h"
#include "handover/hardware.h"
#include "handover/journal.h"
#include "handover/kept.h"
#include "handover/presence.h"
#include "plane/segment.h"
#include "supervisor/earlier/recovery.h"

/* What a visitor of files needs. */
struct adopt_visit {
	const struct runtime *runtime;
	struct enrg_error *err;
};

#define PATIENCE_NS      15000000000ull
#define KILL_PATIENCE_NS 3000000000ull

/* --- jobs that still run --- */

static int is_stream_attached(const char *path, void *context)
{
	struct stream_status status;
	int attached;

	(void)context;
	if (stream_read_status(path, &status, NULL))
		return 0;
	attached = status.is_attached;
	for (uint32_t i = 0; i < status.consumer_count; i++)
		attached |= status.consumers[i].is_attached;
	return attached;
}

static int is_journal_locked(const char *path, void *context)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int descriptor = open(path, O_RDWR | O_CLOEXEC), locked;

	(void)context;
	if (descriptor < 0)
		return 0;
	locked = !fcntl(descriptor, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
	close(descriptor);
	return locked;
}

static bool is_any_running(const char *folder)
{
	return presence_visit_files(folder, ".stream", is_stream_attached, NULL) ||
	       presence_visit_files(folder, ".journal", is_journal_locked, NULL);
}

static int kill_job(const char *path, void *context)
{
	pid_t pid = presence_find_job(path);

	(void)context;
	if (pid) {
		log_line(
			ENRG_WARNING, "killing process %d, a job of an earlier supervisor that does not end", (int)pid);
		kill(pid, SIGKILL);
	}
	return 0;
}

static bool wait_ended(const char *folder, uint64_t patience_ns)
{
	uint64_t end_ns = clock_mono_ns() + patience_ns;

	/* Locks of strangers can't be waited for with a time limit: look ten times a second. */
	while (is_any_running(folder)) {
		if (clock_mono_ns() >= end_ns)
			return false;
		poll(NULL, 0, 100);
	}
	return true;
}

/* --- versions --- */

/* Each format begins with eight bytes that tell what it is, and its version. */
static int check_version(const char *path, uint64_t magic, uint32_t newest, const struct adopt_visit *visit)
{
	struct {
		uint64_t magic;
		uint32_t version, rest;
	} head = {0};
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t count = descriptor < 0 ? 0 : read(descriptor, &head, sizeof(head));

	if (descriptor >= 0)
		close(descriptor);
	if (count != (ssize_t)sizeof(head) || head.magic != magic || head.version <= newest)
		return 0;
	return enrg_error_set(visit->err, ENRG_E_VERSION,
		"%s has version %u of its format, and this program, enrgdaq %s, knows no later one than %u: enrgdaq "
		"%s left it, perhaps with batches that wait to be stored. Start that version to store them, or move "
		"the folder away; nothing was changed",
		path, head.version, version_text(), newest,
		visit->runtime->last_version[0] ? visit->runtime->last_version : "of a later version");
}

static int check_stream(const char *path, void *context)
{
	return check_version(path, SEGMENT_MAGIC, SEGMENT_VERSION, context);
}

static int check_journal(const char *path, void *context)
{
	return check_version(path, JOURNAL_MAGIC, JOURNAL_VERSION, context);
}

static int check_checkpoint(const char *path, void *context)
{
	return check_version(path, CHECKPOINT_MAGIC, CHECKPOINT_VERSION, context);
}

int adopt_check_versions(const struct runtime *runtime, struct enrg_error *err)
{
	struct adopt_visit visit = {.runtime = runtime, .err = err};
	int rc = presence_visit_files(runtime->folder, ".stream", check_stream, &visit);

	if (!rc)
		rc = presence_visit_files(runtime->folder, ".journal", check_journal, &visit);
	return rc ? rc : presence_visit_files(runtime->folder, ".checkpoint", check_checkpoint, &visit);
}

int adopt_wait(const struct runtime *runtime, struct enrg_error *err)
{
	if (!is_any_running(runtime->folder))
		return 0;
	log_line(ENRG_WARNING, "jobs of an earlier supervisor still run: waiting up to 15 s for them to end in order");
	if (wait_ended(runtime->folder, PATIENCE_NS))
		return 0;
	presence_visit_files(runtime->folder, ".page", kill_job, NULL);
	if (wait_ended(runtime->folder, KILL_PATIENCE_NS))
		return 0;
	return enrg_error_set(err, -EBUSY,
		"%s: jobs of an earlier supervisor hold their streams and do not end; find them "
		"with `ps -ef | grep enrgdaq-job` and end them",
		runtime->folder);
}

/* --- streams --- */

uint64_t adopt_position(const struct runtime *runtime, const struct stream_status *status, const char **ret_name)
{
	uint64_t least = status->head;

	*ret_name = NULL;
	for (uint32_t i = 0; i < status->consumer_count; i++) {
		const struct stream_consumer_status *consumer = &status->consumers[i];
		struct journal_stream_state state;
		char path[RUNTIME_PATH_BYTES + 200], safe[180];
		uint64_t position = consumer->ack;

		path_safe_name(consumer->name, safe, sizeof(safe));
		snprintf(path, sizeof(path), "%s/%s.journal", runtime->folder, safe);
		if (!journal_read_stream(path, status->uuid, &state, NULL) && state.position > position &&
			state.position <= status->head)
			position = state.position;
		if (position <= least) {
			least = position;
			*ret_name = consumer->name;
		}
	}
	return least;
}

enum adopt_verdict adopt_judge(const struct stream_spec *spec, const struct stream_status *status, bool is_settled)
{
	if (spec && stream_spec_fits(spec, status))
		return ADOPT_KEEP;
	if (spec && !is_settled && stream_spec_takes(spec, status))
		return ADOPT_FIT;
	return is_settled ? ADOPT_REMOVE : ADOPT_RECOVER;
}

struct adoption {
	const struct runtime *runtime;
	struct stream_specs *specs;
	struct adopt_result *result;
	struct enrg_error *err;
};

/* What an earlier supervisor saw last: batches and bytes that waited in the stream with that file. */
static void find_last_known(const struct adoption *adoption, const char *path, struct loss *loss)
{
	char name[RUNTIME_PATH_BYTES + 16], safe[180], *text;
	const char *slash = strrchr(path, '/');
	json_t *json, *source, *store;
	size_t count, i, k;

	snprintf(loss->name, sizeof(loss->name), "%.*s", (int)(strlen(slash + 1) - strlen(".stream")), slash + 1);
	snprintf(name, sizeof(name), "%s/status.json", adoption->runtime->folder);
	if (path_read_file(name, 1 << 24, &text, &count, NULL))
		return;
	json = json_loadb(text, count, 0, NULL);
	free(text);
	json_array_foreach(json_object_get(json_object_get(json, "ledger"), "sources"), i, source)
	{
		const char *of = json_string_value(json_object_get(source, "source"));

		path_safe_name(of ? of : "", safe, sizeof(safe));
		if (!of || strcmp(safe, loss->name))
			continue;
		json_array_foreach(json_object_get(source, "stores"), k, store)
		{
			uint64_t batches = (uint64_t)json_integer_value(json_object_get(store, "in_flight_batches"));
			uint64_t bytes = (uint64_t)json_integer_value(json_object_get(store, "in_flight_bytes"));

			loss->batches = batches > loss->batches ? batches : loss->batches;
			loss->bytes = bytes > loss->bytes ? bytes : loss->bytes;
		}
		snprintf(loss->name, sizeof(loss->name), "%s", of);
		break;
	}
	json_decref(json);
}

static void note_loss(const char *path, struct adoption *adoption)
{
	struct loss loss = {.kind = LOSS_STREAM, .files = 1};

	find_last_known(adoption, path, &loss);
	losses_set(&adoption->result->losses, &loss);
	adoption->result->damaged++;
	if (loss.batches)
		log_line(ENRG_ERROR,
			"%s: %llu batches (%.2f MB) waited in that stream when they were counted last; what of them "
			"its "
			"stores had not stored is gone",
			loss.name, (unsigned long long)loss.batches, (double)loss.bytes / 1e6);
	else
		log_line(ENRG_ERROR, "%s: how much of it was not stored is not known", loss.name);
}

static int set_aside_damaged(const char *path, const struct enrg_error *why, struct adoption *adoption)
{
	char new_path[RUNTIME_PATH_BYTES + 320];

	snprintf(new_path, sizeof(new_path), "%s.damaged-%llu", path, (unsigned long long)clock_wall_ns());
	if (rename(path, new_path))
		return enrg_error_set(adoption->err, -errno, "%s: %s", path, strerror(errno));
	log_line(ENRG_ERROR, "%s; moved to %s, remove it by hand when it is of no use", why->text, new_path);
	note_loss(path, adoption);
	return 0;
}

/* Its folder was removed while it was in use, and then its supervisor was killed, which alone still had it. */
static int drop_led(const char *path, struct adoption *adoption)
{
	if (unlink(path))
		return enrg_error_set(adoption->err, -errno, "%s: %s", path, strerror(errno));
	log_line(ENRG_ERROR,
		"%s was removed while it was in use, and the supervisor that still held it has been killed since",
		path);
	note_loss(path, adoption);
	return 0;
}

static int recover(const char *path, const struct stream_status *status, const char *consumer, uint64_t position,
	struct adoption *adoption)
{
	const struct recovery_params params = {.stream_path = path,
		.source = status->source,
		.consumer = consumer,
		.position = position,
		.out_folder = "out",
		.now_wall_ns = clock_wall_ns()};
	struct recovery_result result;
	int rc = recovery_save(&params, &result, adoption->err);

	if (rc)
		return enrg_error_add(adoption->err, rc,
			"%s holds batches that no configured store takes, and they can't be "
			"saved",
			path);
	log_line(ENRG_WARNING,
		"%s: %llu batches (%llu rows) of run %s that %s had not stored, and that no store of this "
		"configuration continues with, were saved in %s%s; other stores may have them",
		status->source, (unsigned long long)result.batches, (unsigned long long)result.rows, status->run,
		consumer ? consumer : "its stores", result.files ? result.first_file : "no file",
		result.files > 1 ? " and others beside it" : "");
	if (result.corrupted) {
		struct loss loss = {.kind = LOSS_STREAM, .files = 1, .batches = result.corrupted};

		log_line(ENRG_ERROR, "%s: %llu damaged batches could not be saved", status->source,
			(unsigned long long)result.corrupted);
		snprintf(loss.name, sizeof(loss.name), "%s", status->source);
		losses_set(&adoption->result->losses, &loss);
	}
	return 0;
}

/* --- streams that continue with other sizes or stores --- */

/* What waits for stores that are configured no more is saved, from the one that is furthest behind; then they hold
 * nobody back. */
static int drop_stores(
	const char *path, const struct stream_spec *spec, const struct stream_status *status, struct adoption *adoption)
{
	struct stream_status dropped = *status;
	const char *name;
	uint64_t position;
	int rc = 0;

	dropped.consumer_count = 0;
	for (uint32_t i = 0; i < status->consumer_count; i++)
		if (!stream_spec_has_sink(spec, status->consumers[i].name))
			dropped.consumers[dropped.consumer_count++] = status->consumers[i];
	position = adopt_position(adoption->runtime, &dropped, &name);
	if (position < status->head)
		rc = recover(path, status, name, position, adoption);
	for (uint32_t i = 0; !rc && i < dropped.consumer_count; i++)
		rc = stream_drop_consumer(path, dropped.consumers[i].name, adoption->err);
	return rc;
}

/* A store that is new to the stream begins at its head: what came before was not for it. */
static int add_store(const struct adoption *adoption, const char *path, const struct stream_status *status,
	const char *store, struct enrg_error *err)
{
	const struct journal_stream_state state = {.position = status->head,
		.sequence = status->sequence,
		.skipped_batches = status->batches - status->gaps,
		.skipped_rows = status->rows,
		.gaps = status->gaps};
	char journal_path[RUNTIME_PATH_BYTES + 200], checkpoint_path[RUNTIME_PATH_BYTES + 200], safe[180];
	struct journal *journal;
	uint32_t index;

	path_safe_name(store, safe, sizeof(safe));
	snprintf(checkpoint_path, sizeof(checkpoint_path), "%s/%s.checkpoint", adoption->runtime->folder, safe);
	snprintf(journal_path, sizeof(journal_path), "%s/%s.journal", adoption->runtime->folder, safe);
	int rc = journal_open(journal_path, &journal, err);
	if (rc)
		return rc;
	rc = journal_add_stream(journal, status->uuid, status->source, &index, err);
	if (!rc) {
		journal_set_stream(journal, index, &state);
		journal_complete(journal);
		rc = checkpoint_follow(checkpoint_path, journal_commit_number(journal), err);
		if (!rc)
			journal_make_valid(journal);
	}
	journal_close(journal);
	return rc ? rc : stream_add_consumer(path, store, err);
}

static bool has_consumer(const struct stream_status *status, const char *name)
{
	for (uint32_t i = 0; i < status->consumer_count; i++)
		if (!strcmp(status->consumers[i].name, name))
			return true;
	return false;
}

static int fit(const char *path, struct stream_spec *spec, struct stream_status *status, struct adoption *adoption)
{
	bool is_other_size = spec->data_bytes != status->data_bytes;
	int rc = drop_stores(path, spec, status, adoption);

	for (size_t i = 0; !rc && i < spec->plan->sink_count; i++)
		if (!has_consumer(status, spec->plan->sinks[i].store_name))
			rc = add_store(adoption, path, status, spec->plan->sinks[i].store_name, adoption->err);
	if (!rc)
		rc = stream_read_status(path, status, adoption->err);
	if (!rc && is_other_size)
		log_line(ENRG_INFO,
			"%s: continues with its ring of %.1f MB, as batches wait in it or its run goes on; the sizes "
			"of this "
			"configuration "
			"count from the first start that finds it empty",
			spec->plan->name, (double)status->data_bytes / 1e6);
	return rc;
}

static bool may_run_go_on(const struct runtime *runtime)
{
	return runtime->last_was_killed && !strcmp(runtime->last_version, version_text());
}

static int adopt_one(const char *path, void *context)
{
	struct adoption *adoption = context;
	struct stream_status status;
	struct enrg_error why = {0};
	struct stream_spec *spec = NULL;
	const char *consumer;
	uint64_t position;

	if (held_is_led(path))
		return drop_led(path, adoption);
	if (stream_read_status(path, &status, &why) || stream_drop_joining(path, &why))
		return set_aside_damaged(path, &why, adoption);
	for (size_t i = 0; i < adoption->specs->count; i++)
		if (!strcmp(adoption->specs->items[i].plan->stream_path, path))
			spec = &adoption->specs->items[i];
	position = adopt_position(adoption->runtime, &status, &consumer);
	bool is_settled = position >= status.head, may_go_on = may_run_go_on(adoption->runtime);
	/* Of a job that was removed while the run was on, and whose supervisor was killed before it had put that aside.
	 */
	if (!spec && is_settled && may_go_on)
		return stream_part(path, adoption->err);
	/* Another size is no reason to end a run: jobs that came later have changed the shares of those that were
	 * there.
	 */
	switch (adopt_judge(spec, &status, is_settled && !may_go_on)) {
	case ADOPT_FIT:
		if (fit(path, spec, &status, adoption))
			return adoption->err->code ? adoption->err->code : -EIO;
		/* fallthrough */
	case ADOPT_KEEP:
		free(spec->kept);
		spec->kept = calloc(1, sizeof(*spec->kept));
		if (!spec->kept)
			return enrg_error_set(adoption->err, -ENOMEM, "out of memory");
		spec->kept->status = status;
		adoption->result->kept++;
		return 0;
	case ADOPT_RECOVER:
		if (recover(path, &status, consumer, position, adoption))
			return adoption->err->code ? adoption->err->code : -EIO;
		adoption->result->recovered++;
		break;
	case ADOPT_REMOVE:
		adoption->result->removed++;
		break;
	}
	return unlink(path) ? enrg_error_set(adoption->err, -errno, "%s: %s", path, strerror(errno)) : 0;
}

static int tell_stores(const struct stream_spec *spec, const struct plan_set *plans, struct enrg_error *err)
{
	for (size_t i = 0; i < plans->count; i++) {
		for (size_t k = 0; k < plans->plans[i]->input_count; k++) {
			struct plan_input *input = &plans->plans[i]->inputs[k];

			if (strcmp(input->source, spec->plan->name))
				continue;
			free(input->earlier_runs);
			input->earlier_runs = strdup(spec->kept->earlier.runs);
			if (!input->earlier_runs)
				return enrg_error_set(err, -ENOMEM, "out of memory");
		}
	}
	return 0;
}

int adopt_name_runs(struct runtime *runtime, struct stream_specs *specs, const struct plan_set *plans, bool goes_on,
	struct enrg_error *err)
{
	/* with what stands there of streams that were put aside */
	json_t *all = goes_on && runtime->earlier ? json_copy(runtime->earlier) : json_object();
	int rc = 0;

	for (size_t i = 0; !rc && i < specs->count; i++) {
		struct stream_spec *spec = &specs->items[i];
		char key[33], runs[256];
		struct kept_stream *kept = spec->kept;
		struct earlier last;
		const char *name;
		bool has_last;
		double waiting;

		if (!kept)
			continue;
		waiting = (double)(kept->status.head - adopt_position(runtime, &kept->status, &name)) / 1e6;
		earlier_format_key(kept->status.uuid, key);
		has_last = earlier_parse(json_object_get(runtime->earlier, key), &last);
		if (goes_on)
			kept->earlier = last;
		else
			earlier_take(&kept->status, runtime->folder, has_last ? &last : NULL, runtime->last_run,
				&kept->earlier);
		earlier_describe(&kept->earlier, runs, sizeof(runs));
		if (goes_on)
			log_line(ENRG_INFO, "%s: continues with its stream, %.1f MB to store", spec->plan->name,
				waiting);
		else
			log_line(ENRG_INFO, "%s: %.1f MB of %s are left and are stored first", spec->plan->name,
				waiting, runs);
		if (!kept->earlier.runs[0])
			continue;
		json_object_set_new(all, key, earlier_format(&kept->earlier));
		spec->plan->earlier_batches = kept->earlier.batches - kept->earlier.gaps;
		spec->plan->earlier_rows = kept->earlier.rows;
		rc = tell_stores(spec, plans, err);
	}
	json_decref(runtime->earlier);
	runtime->earlier = all;
	return rc;
}

/* What it led to is gone with the supervisor that held it. */
static int remove_led(const char *path, void *context)
{
	(void)context;
	if (held_is_led(path))
		unlink(path);
	return 0;
}

static int remove_file(const char *path, void *context)
{
	(void)context;
	unlink(path);
	return 0;
}

/* Sources that were removed in the run that may go on, and that the folder still has, come again. */
static int return_parted(const struct runtime *runtime, const struct stream_specs *specs, struct enrg_error *err)
{
	int rc = 0;

	if (!may_run_go_on(runtime))
		streams_drop_parted(runtime->folder);
	for (size_t i = 0; !rc && i < specs->count; i++)
		rc = stream_return(specs->items[i].plan->stream_path, err);
	return rc;
}

int adopt_streams(const struct runtime *runtime, struct stream_specs *specs, struct adopt_result *ret_result,
	struct enrg_error *err)
{
	struct enrg_error own = {0};
	struct adoption adoption = {.runtime = runtime, .specs = specs, .result = ret_result, .err = err ? err : &own};

	memset(ret_result, 0, sizeof(*ret_result));
	presence_visit_files(runtime->folder, ".page", remove_file, NULL);
	presence_visit_files(runtime->folder, KEPT_SUFFIX, remove_file, NULL);
	presence_visit_files(runtime->folder, HARDWARE_SUFFIX, remove_file, NULL);
	presence_visit_files(runtime->folder, ".journal", remove_led, NULL);
	int rc = return_parted(runtime, specs, adoption.err);
	return rc ? rc : presence_visit_files(runtime->folder, ".stream", adopt_one, &adoption);
}
