/* service_work.c: run_000123.json beside the data and SHA-256 of files: what there is to do stands in the database, so
 * that it is done after a kill as well. Process: the book, main thread. */
#include "runs/service_state.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "runs/owner.h"
#include "runs/reader.h"

#define JOBS_MAX        50            /* with the worker at a time */
#define TRIES_MAX       3             /* of a file that can't be read */
#define ALONE_NS        2000000000ull /* until the supervisor that hangs up has let the lock go */
#define RECORD_RETRY_NS 10000000000ull

/* --- records --- */

static struct worker_job *make_record(struct service *service, int64_t run, int64_t changed, struct enrg_error *err)
{
	struct worker_job *job = calloc(1, sizeof(*job));
	json_t *json = NULL;
	char path[BESIDE_PATH_BYTES];
	int rc = job ? reader_show(service->database, run, &json, err) : -ENOMEM;

	if (rc) {
		free(job);
		service_note(service, rc, err);
		return NULL;
	}
	json_int_t number = json_integer_value(json_object_get(json, "number"));
	beside_format_path(service->folder, number > 0 ? (uint64_t)number : 0,
		json_string_value(json_object_get(json, "run")), json_string_value(json_object_get(json, "uuid")),
		path);
	job->kind = WORKER_WRITE;
	job->run = run;
	job->changed = changed;
	snprintf(job->path, sizeof(job->path), "%s", path);
	job->text = json_dumps(json, JSON_INDENT(1));
	json_decref(json);
	if (!job->text) {
		free(job);
		job = NULL;
	}
	return job;
}

static void give_records(struct service *service)
{
	int64_t runs[JOBS_MAX], changed[JOBS_MAX];
	struct enrg_error err = {0};
	sqlite3_stmt *statement;
	int count = 0, rc = database_bind(service->database,
			       "SELECT id, changed FROM run WHERE changed <> written AND has_begin LIMIT ?", &statement,
			       &err, "i", (int64_t)JOBS_MAX);

	while (!rc && database_step(service->database, statement, &rc, &err) && count < JOBS_MAX) {
		runs[count] = sqlite3_column_int64(statement, 0);
		changed[count++] = sqlite3_column_int64(statement, 1);
	}
	for (int i = 0; !rc && service->database && i < count; i++) {
		struct worker_job *job = make_record(service, runs[i], changed[i], &err);
		if (job)
			worker_add(service->worker, job);
	}
	service_note(service, rc, &err);
}

/* --- files --- */

static void give_files(struct service *service)
{
	struct enrg_error err = {0};
	sqlite3_stmt *statement;
	int rc = database_bind(service->database,
		"SELECT run, path FROM file WHERE sha256 IS NULL AND is_open = 0 AND state = 'closed' AND tries < ? "
		"LIMIT ?",
		&statement, &err, "ii", (int64_t)TRIES_MAX, (int64_t)JOBS_MAX);

	while (!rc && database_step(service->database, statement, &rc, &err)) {
		struct worker_job *job = calloc(1, sizeof(*job));
		if (!job)
			continue;
		job->kind = WORKER_HASH;
		job->run = sqlite3_column_int64(statement, 0);
		snprintf(job->path, sizeof(job->path), "%s", database_text(statement, 1));
		worker_add(service->worker, job);
	}
	service_note(service, rc, &err);
}

void service_give_work(struct service *service)
{
	if (service->is_work_known || !service->database)
		return;
	service->is_work_known = true;
	struct enrg_error err = {0};
	service_note(service, hooks_look(service->hooks, service->database, &err), &err);
	if (!service->database)
		return;
	if (!worker_count(service->worker, WORKER_WRITE) && clock_mono_ns() >= service->record_retry_ns)
		give_records(service);
	if (service->database && !worker_count(service->worker, WORKER_HASH))
		give_files(service);
}

bool service_is_writing(struct service *service)
{
	return worker_count(service->worker, WORKER_WRITE) > 0;
}

bool service_is_hashing(struct service *service)
{
	return worker_count(service->worker, WORKER_HASH) > 0;
}

/* --- what was done --- */

/* Not synced: where power fails the record is written once more. */
static int note_written(struct service *service, const struct worker_job *job, struct enrg_error *err)
{
	int rc = database_run(service->database, "PRAGMA synchronous = NORMAL", err, "");

	if (!rc)
		rc = database_run(service->database, "UPDATE run SET written = ? WHERE id = ?", err, "ii", job->changed,
			job->run);
	int restored = database_run(service->database, "PRAGMA synchronous = FULL", NULL, "");
	return rc ? rc : restored;
}

/* It is tried again when the run changes again, or by the next program. */
static void take_record(struct service *service, const struct worker_job *job)
{
	struct enrg_error err = {0};
	char text[1500];

	if (job->code) {
		service->record_retry_ns = clock_mono_ns() + RECORD_RETRY_NS;
		snprintf(text, sizeof(text),
			"the record of a run can't be written beside the data: %s; the run book has it, and tries "
			"again at the "
			"next change",
			job->err.text);
		service_alert(service, "WARNING", "book/record", text, false);
	}
	if (!job->code && service->database)
		service_note(service, note_written(service, job, &err), &err);
}

static int enter_hash(struct service *service, const struct worker_job *job, struct enrg_error *err)
{
	char uuid[ENTRY_UUID_BYTES] = "", reason[128];
	sqlite3_stmt *statement;
	int rc = database_bind(service->database, "SELECT uuid FROM run WHERE id = ?", &statement, err, "i", job->run);

	if (!rc && database_step(service->database, statement, &rc, err)) {
		snprintf(uuid, sizeof(uuid), "%s", database_text(statement, 0));
		sqlite3_reset(statement);
	}
	if (rc || !*uuid)
		return rc;
	snprintf(reason, sizeof(reason), "%.64s %llu", job->sha256, (unsigned long long)clock_wall_ns());
	rc = enter_own(&service->context, "file", uuid, reason,
		json_pack("{s:s, s:s, s:s, s:I}", "event", "hashed", "path", job->path, "sha256", job->sha256, "bytes",
			(json_int_t)job->bytes),
		err);
	return rc < 0 ? rc : 0;
}

static int enter_result(struct service *service, const struct worker_job *job, struct enrg_error *err)
{
	int rc = database_begin(service->database, err);

	if (rc)
		return rc;
	if (job->code)
		rc = database_run(service->database, "UPDATE file SET tries = tries + 1 WHERE run = ? AND path = ?",
			err, "it", job->run, job->path);
	else
		rc = enter_hash(service, job, err);
	if (!rc)
		return database_commit(service->database, err);
	database_abort(service->database);
	return rc;
}

void service_take_work(struct service *service)
{
	struct worker_job *job;

	hooks_step(service->hooks);
	while ((job = worker_take(service->worker))) {
		struct enrg_error err = {0};
		service->is_work_known = false;
		service->busy_ns = clock_mono_ns();
		if (job->kind == WORKER_WRITE)
			take_record(service, job);
		else if (service->database && job->code != -ECANCELED)
			service_note(service, enter_result(service, job, &err), &err);
		worker_free_job(job);
	}
}

/* --- alone --- */

static bool take_over(struct service *service)
{
	struct enrg_error err = {0};

	return !owner_take(service->params->database, OWNER_FINISHING "a run book that reads files", ALONE_NS,
		       &service->owner, &err) &&
	       service_has_database(service);
}

static void let_go(struct service *service)
{
	database_close(service->database);
	service->database = service->context.database = NULL;
	service->retry_ns = 0;
	owner_release(&service->owner);
}

static struct worker_job *next_file(struct service *service)
{
	struct enrg_error err = {0};
	sqlite3_stmt *statement;
	struct worker_job *job = NULL;
	int rc = database_bind(service->database,
		"SELECT run, path FROM file WHERE sha256 IS NULL AND is_open = 0 AND state = 'closed' AND tries < ? "
		"LIMIT 1",
		&statement, &err, "i", (int64_t)TRIES_MAX);

	if (!rc && database_step(service->database, statement, &rc, &err)) {
		job = calloc(1, sizeof(*job));
		if (job) {
			job->run = sqlite3_column_int64(statement, 0);
			snprintf(job->path, sizeof(job->path), "%s", database_text(statement, 1));
		}
		sqlite3_reset(statement);
	}
	return job;
}

/* What came of them are entries: of this book, or of that of another supervisor which has come meanwhile. */
void service_call_alone(struct service *service)
{
	const struct timespec pause = {.tv_nsec = 20000000};

	/* The end of a run is told when it is known what became of its start. */
	for (int i = 0; i < 4 && service->hooks && service->database; i++) {
		if (!hooks_are_busy(service->hooks) && !service_has_entries(service))
			break;
		let_go(service);
		while (hooks_are_busy(service->hooks))
			nanosleep(&pause, NULL);
		hooks_step(service->hooks);
		if (!take_over(service))
			return;
		service->has_mail = true;
		service_take_entries(service);
		service->is_work_known = false;
		service_give_work(service);
	}
	while (service->database && service_is_writing(service)) {
		struct pollfd done = {.fd = worker_descriptor(service->worker), .events = POLLIN};
		(void)poll(&done, 1, 1000);
		service_take_work(service);
	}
}

/* Another supervisor that takes the database reads what is left itself. */
void service_hash_alone(struct service *service)
{
	struct worker_job *job;

	worker_yield_to_all();
	while (service->database && (job = next_file(service))) {
		struct enrg_error err = {0};
		let_go(service);
		(void)worker_hash(job, NULL, NULL);
		if (!take_over(service)) {
			worker_free_job(job);
			return;
		}
		int rc = enter_result(service, job, &err);
		worker_free_job(job);
		if (rc)
			return;
		service->is_work_known = false;
		service_give_work(service); /* the record of that run */
		while (service_is_writing(service)) {
			struct pollfd done = {.fd = worker_descriptor(service->worker), .events = POLLIN};
			(void)poll(&done, 1, 1000);
			service_take_work(service);
		}
	}
}
