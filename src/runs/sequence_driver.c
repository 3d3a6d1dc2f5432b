/* sequence_driver.c: see the header. Process: the book, main thread. */
#include "runs/sequence_driver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "handover/command_link.h"

#define SECOND      1000000000ull
#define LOOK_NS     (SECOND / 5)  /* at the state of its run */
#define AGAIN_NS    (2 * SECOND)  /* what is in the way is looked at again */
#define PATIENCE_NS (60 * SECOND) /* of a command */
#define MISSING_NS  (30 * SECOND) /* for the end of a run that the supervisor does not have any more */

static const char run_state[] = "run_state";

void sequence_driver_open(struct sequence_driver *driver, const char *runtime_folder)
{
	*driver = (struct sequence_driver){.socket = -1, .is_active = true, .is_marked = -1};
	snprintf(driver->runtime_folder, sizeof(driver->runtime_folder), "%s", runtime_folder);
}

static void hang_up(struct sequence_driver *driver)
{
	command_link_close(driver->socket);
	driver->socket = -1;
	driver->is_asked = false;
}

void sequence_driver_close(struct sequence_driver *driver)
{
	if (driver->runtime_folder[0])
		hang_up(driver);
}

void sequence_driver_wake(struct sequence_driver *driver)
{
	driver->is_active = true;
	driver->due_ns = 0;
}

uint64_t sequence_driver_next_due(const struct sequence_driver *driver)
{
	return driver->is_active ? driver->due_ns : UINT64_MAX;
}

int sequence_driver_descriptor(const struct sequence_driver *driver)
{
	return driver->is_asked ? driver->socket : -1;
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

/* Steals `body`. */
static void ask(struct sequence_driver *driver, const char *kind, json_t *body, uint64_t now_ns)
{
	struct command command;
	int rc = command_init(&command, "supervisor", kind, body, PATIENCE_NS);

	snprintf(command.sender.name, sizeof(command.sender.name), "sequence");
	if (!rc && driver->socket < 0)
		rc = command_link_open(driver->runtime_folder, &driver->socket, NULL);
	if (!rc)
		rc = command_link_send(driver->socket, &command, NULL);
	if (!rc) {
		driver->is_asked = true;
		driver->asked_ns = now_ns;
		memcpy(driver->id, command.id, sizeof(driver->id));
	} else {
		hang_up(driver);
	}
	driver->due_ns = now_ns + (rc ? SECOND : LOOK_NS);
	command_fini(&command);
}

/* true: *ret_answer is that to the last command. */
static bool take_answer(struct sequence_driver *driver, uint64_t now_ns, struct command_answer *ret_answer)
{
	int rc = command_link_recv(driver->socket, 0, ret_answer, NULL);

	if (rc > 0 && !memcmp(ret_answer->id, driver->id, sizeof(driver->id))) {
		driver->is_asked = false;
		return true;
	}
	if (rc > 0)
		command_answer_fini(ret_answer);
	if (rc < 0 || now_ns - driver->asked_ns > PATIENCE_NS) {
		hang_up(driver);
		driver->due_ns = now_ns + SECOND;
	}
	return false;
}

/* --- the run of a step -------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static json_t *make_start(const struct sequence *sequence, const json_t *step, const char *run)
{
	json_t *body = json_pack("{s:s, s:s, s:O, s:s, s:s, s:s}", "id", run, "type", sequence->type, "values",
		json_object_get(step, "values"), "who", sequence->who, "role", sequence->role, "address",
		sequence->address);
	const char *what = text_of(step, "description");
	char text[600];

	if (!body)
		return NULL;
	json_object_update(body, json_object_get(step, "ends"));
	json_object_set_new(body, "repeat", json_integer(0));
	snprintf(text, sizeof(text), "%s, %llu of %llu%s%.280s", sequence->title,
		(unsigned long long)sequence->step + 1, (unsigned long long)sequence->count, *what ? ": " : "", what);
	text_make_safe(text, strlen(text));
	json_object_set_new(body, "description", json_string(text));
	snprintf(text, sizeof(text), "%s %s step %llu of %llu", sequence->name, sequence->start,
		(unsigned long long)sequence->step + 1, (unsigned long long)sequence->count);
	json_object_set_new(body, "sequence", json_string(text));
	return body;
}

/* With settle_seconds it is configured first, and started when it has rested so long. */
static void ask_start(struct sequence_driver *driver, const struct sequence *sequence, const json_t *step,
	const json_t *state, uint64_t now_ns)
{
	double settle_s = json_number_value(json_object_get(step, "settle_seconds"));
	uint64_t since_ns = (uint64_t)json_integer_value(json_object_get(state, "since_wall_ns"));
	uint64_t wall_ns = clock_wall_ns();
	char run[SEQUENCE_RUN_BYTES];

	sequence_format_run(sequence, run);
	bool is_own = !strcmp(text_of(state, "run"), run), rests = !strcmp(text_of(state, "state"), "configured");
	if (!is_own && *text_of(state, "run")) {
		driver->due_ns = now_ns + AGAIN_NS; /* another run is on */
		return;
	}
	if (is_own && rests && settle_s > 0 && wall_ns < since_ns + (uint64_t)(settle_s * 1e9)) {
		driver->due_ns = now_ns + LOOK_NS;
		return;
	}
	if (is_own && !rests) {
		driver->due_ns = now_ns + LOOK_NS; /* it begins, is on, or ends */
		return;
	}
	json_t *body = make_start(sequence, step, run);
	if (body)
		ask(driver, settle_s > 0 && !rests ? "run_configure" : "run_start", body, now_ns);
}

static int save(struct database *database, const struct sequence *sequence, struct enrg_error *err)
{
	int rc = database_begin(database, err);

	if (rc)
		return rc;
	rc = sequence_save(database, sequence, err);
	if (!rc)
		return database_commit(database, err);
	database_abort(database);
	return rc;
}

static void tell(const struct sequence *sequence)
{
	bool is_bad = sequence->state == SEQUENCE_FAILED || sequence->state == SEQUENCE_STOPPED;

	if (sequence->state != SEQUENCE_RUNNING)
		log_line(is_bad ? ENRG_WARNING : ENRG_INFO, "sequence %s is %s: %s%s%s", sequence->name,
			sequence_state_name(sequence->state), sequence->reason,
			is_bad ? "; `enrgdaq runs sequence resume " : "", is_bad ? "NAME` goes on at that step" : "");
}

static int stop(struct sequence_driver *driver, struct database *database, struct sequence *sequence,
	const json_t *state, uint64_t now_ns, struct enrg_error *err)
{
	char run[SEQUENCE_RUN_BYTES];

	sequence_format_run(sequence, run);
	if (!strcmp(text_of(state, "run"), run)) {
		if (strcmp(text_of(state, "state"), "stopping") != 0)
			ask(driver, "run_stop", json_pack("{s:s, s:s}", "id", run, "reason", sequence->reason), now_ns);
		driver->due_ns = now_ns + LOOK_NS;
		return 0;
	}
	sequence->state = SEQUENCE_STOPPED;
	sequence->changed_ns = clock_wall_ns();
	tell(sequence);
	return save(database, sequence, err);
}

/* What stands in the state of the supervisor counts less than what the book says: that was written first. */
static int look(struct sequence_driver *driver, struct database *database, struct sequence *sequence,
	const json_t *state, uint64_t now_ns, struct enrg_error *err)
{
	enum sequence_verdict verdict;
	char reason[400], run[SEQUENCE_RUN_BYTES];
	json_t *step = NULL;
	int rc = sequence_judge(database, sequence, &verdict, reason, sizeof(reason), err);

	sequence_format_run(sequence, run);
	if (rc)
		return rc;
	bool is_gone = verdict == SEQUENCE_OPEN && strcmp(text_of(state, "run"), run) != 0;
	driver->missing_ns = !is_gone ? 0 : driver->missing_ns ? driver->missing_ns : now_ns;
	if (is_gone && now_ns - driver->missing_ns > MISSING_NS) {
		verdict = SEQUENCE_LOST;
		driver->missing_ns = 0;
	}
	if (sequence->state == SEQUENCE_STOPPING && verdict < SEQUENCE_COMPLETE)
		return stop(driver, database, sequence, state, now_ns, err);
	if (verdict > SEQUENCE_OPEN) {
		if (sequence->state == SEQUENCE_STOPPING && verdict != SEQUENCE_COMPLETE)
			sequence->state = SEQUENCE_STOPPED; /* as it was to be; its reason stays */
		else
			sequence_advance(sequence, verdict, reason);
		if (sequence->state == SEQUENCE_STOPPING)
			sequence->state = SEQUENCE_STOPPED;
		sequence->changed_ns = clock_wall_ns();
		tell(sequence);
		driver->due_ns = 0;
		return save(database, sequence, err);
	}
	if (is_gone) { /* its end is on its way */
		driver->due_ns = now_ns + LOOK_NS;
		return 0;
	}
	rc = sequence_get_step(database, sequence, &step, err);
	if (!rc)
		ask_start(driver, sequence, step, state, now_ns);
	json_decref(step);
	return rc;
}

/* A start that was refused: by what is wrong with it, or by what is in the way, which may pass. */
static int hear_refusal(struct sequence_driver *driver, struct database *database, struct sequence *sequence,
	const struct command_answer *answer, uint64_t now_ns, struct enrg_error *err)
{
	bool is_wrong = json_array_size(json_object_get(answer->fields, "problems")) ||
			answer->code == COMMAND_WRONG_FIELDS || answer->code == COMMAND_NO_KIND;

	driver->due_ns = now_ns + (is_wrong ? 0 : AGAIN_NS);
	if (!is_wrong || sequence->state != SEQUENCE_RUNNING)
		return 0;
	sequence->state = SEQUENCE_FAILED;
	sequence->changed_ns = clock_wall_ns();
	snprintf(sequence->reason, sizeof(sequence->reason), "step %llu of %llu: %.400s",
		(unsigned long long)sequence->step + 1, (unsigned long long)sequence->count, answer->text);
	tell(sequence);
	return save(database, sequence, err);
}

/* Its supervisor starts a program that was killed only where there is something to do. */
static void mark(struct sequence_driver *driver, bool is_active)
{
	char path[DATABASE_PATH_BYTES + 64];

	if (driver->is_marked == (is_active ? 1 : 0))
		return;
	snprintf(path, sizeof(path), "%s/" ENTRY_FOLDER "/" ENTRY_SEQUENCE_MARK, driver->runtime_folder);
	if (is_active)
		(void)path_write_private_file(path, "", 0, NULL);
	else
		(void)unlink(path);
	driver->is_marked = is_active;
}

int sequence_driver_step(
	struct sequence_driver *driver, struct database *database, uint64_t now_ns, struct enrg_error *err)
{
	struct command_answer answer = {0};
	struct sequence sequence;
	int rc;

	bool has_answer = driver->is_asked && take_answer(driver, now_ns, &answer);
	if (!has_answer && (driver->is_asked || now_ns < sequence_driver_next_due(driver)))
		return 0;
	rc = sequence_find_active(database, &sequence, err);
	driver->is_active = rc != 0;
	if (rc >= 0)
		mark(driver, rc == 1);
	if (rc == 1 && !has_answer)
		ask(driver, run_state, json_object(), now_ns);
	else if (rc == 1 && json_object_get(answer.fields, "state") && answer.code == COMMAND_OK)
		rc = look(driver, database, &sequence, answer.fields, now_ns, err);
	else if (rc == 1)
		rc = hear_refusal(driver, database, &sequence, &answer, now_ns, err);
	if (driver->due_ns < now_ns)
		driver->due_ns = now_ns;
	command_answer_fini(&answer);
	return rc < 0 ? rc : 0;
}
