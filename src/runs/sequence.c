/* sequence.c: see the header. One thread. */
#include "runs/sequence.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define FAILURES_MAX 2u  /* an aborted run is tried once more */
#define ATTEMPTS_MAX 20u /* with those that lost their supervisor */

static const char *const state_names[] = {"running", "stopping", "stopped", "done", "failed"};

const char *sequence_state_name(enum sequence_state state)
{
	return state_names[state];
}

/* --- the table `state` -------------------------------------------------------------------------------------------- */

static int put(struct database *database, const char *name, const json_t *value, struct enrg_error *err)
{
	char *text = json_dumps(value, JSON_COMPACT);
	int rc = text ? database_run(database,
				"INSERT INTO state(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = "
				"excluded.value",
				err, "tt", name, text)
		      : enrg_error_set(err, -ENOMEM, "out of memory");

	free(text);
	return rc;
}

/* New reference. -ENOENT */
static int get(struct database *database, const char *name, json_t **ret_value, struct enrg_error *err)
{
	sqlite3_stmt *statement;
	int rc = database_bind(database, "SELECT value FROM state WHERE name = ?", &statement, err, "t", name),
	    code = 0;

	if (rc)
		return rc;
	if (!database_step(database, statement, &code, err))
		return code ? code : enrg_error_set(err, -ENOENT, "%s is not known", name);
	*ret_value = json_loads(database_text(statement, 0), 0, NULL);
	sqlite3_reset(statement);
	return *ret_value ? 0 : enrg_error_set(err, ENRG_E_CORRUPT, "%s: its state can't be read", name);
}

static void format_key(const char *what, const char *name, char ret_key[160])
{
	snprintf(ret_key, 160, "%s %s", what, name);
}

static void format_step_key(const char *name, uint64_t step, char ret_key[160])
{
	snprintf(ret_key, 160, "step %s %05llu", name, (unsigned long long)step);
}

static void copy(char *ret_text, size_t text_bytes, const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	text_copy(ret_text, text_bytes, text ? text : "");
}

static uint64_t number(const json_t *json, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(json, key));

	return value > 0 ? (uint64_t)value : 0;
}

static void parse(const json_t *json, struct sequence *ret)
{
	const char *state = json_string_value(json_object_get(json, "state"));

	*ret = (struct sequence){.step = number(json, "step"),
		.count = number(json, "count"),
		.attempt = (uint32_t)number(json, "attempt"),
		.failures = (uint32_t)number(json, "failures"),
		.began_ns = number(json, "began_ns"),
		.changed_ns = number(json, "changed_ns"),
		.state = SEQUENCE_FAILED};
	copy(ret->name, sizeof(ret->name), json, "name");
	copy(ret->start, sizeof(ret->start), json, "start");
	copy(ret->title, sizeof(ret->title), json, "title");
	copy(ret->type, sizeof(ret->type), json, "type");
	copy(ret->who, sizeof(ret->who), json, "who");
	copy(ret->role, sizeof(ret->role), json, "role");
	copy(ret->address, sizeof(ret->address), json, "address");
	copy(ret->reason, sizeof(ret->reason), json, "reason");
	for (size_t i = 0; state && i < sizeof(state_names) / sizeof(state_names[0]); i++)
		if (!strcmp(state_names[i], state))
			ret->state = (enum sequence_state)i;
}

static json_t *format(const struct sequence *sequence)
{
	char run[SEQUENCE_RUN_BYTES];

	sequence_format_run(sequence, run);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:i, s:i, s:I, s:I, s:s}", "name",
		sequence->name, "start", sequence->start, "title", sequence->title, "type", sequence->type, "who",
		sequence->who, "role", sequence->role, "address", sequence->address, "state",
		sequence_state_name(sequence->state), "reason", sequence->reason, "step", (json_int_t)sequence->step,
		"count", (json_int_t)sequence->count, "attempt", (int)sequence->attempt, "failures",
		(int)sequence->failures, "began_ns", (json_int_t)sequence->began_ns, "changed_ns",
		(json_int_t)sequence->changed_ns, "run", run);
}

int sequence_load(struct database *database, const char *name, struct sequence *ret_sequence, struct enrg_error *err)
{
	char key[160];
	json_t *json = NULL;

	format_key("sequence", name, key);
	int rc = get(database, key, &json, err);
	if (!rc)
		parse(json, ret_sequence);
	json_decref(json);
	return rc;
}

int sequence_save(struct database *database, const struct sequence *sequence, struct enrg_error *err)
{
	json_t *json = format(sequence);
	char key[160];

	format_key("sequence", sequence->name, key);
	int rc = json ? put(database, key, json, err) : enrg_error_set(err, -ENOMEM, "out of memory");
	json_decref(json);
	return rc;
}

/* `each` is called for all of them. */
static int visit(struct database *database, int (*each)(void *context, const struct sequence *sequence), void *context,
	struct enrg_error *err)
{
	sqlite3_stmt *statement;
	int rc = database_bind(database,
		    "SELECT value FROM state WHERE name >= 'sequence ' AND name < 'sequence!' ORDER BY name",
		    &statement, err, ""),
	    code = 0;

	if (rc)
		return rc;
	while (database_step(database, statement, &code, err)) {
		json_t *json = json_loads(database_text(statement, 0), 0, NULL);
		struct sequence sequence;
		parse(json, &sequence);
		json_decref(json);
		if (sequence.name[0] && each(context, &sequence)) {
			sqlite3_reset(statement);
			break;
		}
	}
	return code;
}

static int take_active(void *context, const struct sequence *sequence)
{
	struct sequence *active = context;

	if (sequence->state != SEQUENCE_RUNNING && sequence->state != SEQUENCE_STOPPING)
		return 0;
	*active = *sequence;
	return 1;
}

int sequence_find_active(struct database *database, struct sequence *ret_sequence, struct enrg_error *err)
{
	*ret_sequence = (struct sequence){0};
	int rc = visit(database, take_active, ret_sequence, err);

	return rc ? rc : ret_sequence->name[0] != '\0';
}

int sequence_get_step(
	struct database *database, const struct sequence *sequence, json_t **ret_step, struct enrg_error *err)
{
	char key[160];

	format_step_key(sequence->name, sequence->step, key);
	return get(database, key, ret_step, err);
}

/* --- what is asked ------------------------------------------------------------------------------------------------ */

/* The asker looks there for what became of it. */
static int note_refusal(
	struct database *database, const char *name, const json_t *body, const char *why, struct enrg_error *err)
{
	const char *start = json_string_value(json_object_get(body, "start"));
	json_t *json = json_pack("{s:s, s:s, s:s}", "name", name, "start", start ? start : "", "reason", why);
	int rc = put(database, "refused sequence", json, err);

	json_decref(json);
	return rc;
}

static int put_steps(struct database *database, const char *name, const json_t *steps, struct enrg_error *err)
{
	char key[160], end[160];
	int rc;

	snprintf(key, sizeof(key), "step %s ", name);
	snprintf(end, sizeof(end), "step %s!", name);
	rc = database_run(database, "DELETE FROM state WHERE name >= ? AND name < ?", err, "tt", key, end);
	for (size_t i = 0; !rc && i < json_array_size(steps); i++) {
		format_step_key(name, i, key);
		rc = put(database, key, json_array_get(steps, i), err);
	}
	return rc;
}

static int start(struct database *database, const struct entry *entry, const char *name, struct enrg_error *err)
{
	const json_t *steps = json_object_get(entry->body, "steps");
	struct sequence active, sequence;
	char why[400];
	int rc = sequence_find_active(database, &active, err);

	if (rc < 0)
		return rc;
	if (rc) {
		snprintf(why, sizeof(why), "sequence %s is %s, step %llu of %llu; one at a time", active.name,
			sequence_state_name(active.state), (unsigned long long)active.step + 1,
			(unsigned long long)active.count);
		return note_refusal(database, name, entry->body, why, err);
	}
	if (!json_array_size(steps))
		return note_refusal(database, name, entry->body, "it has no steps", err);
	parse(entry->body, &sequence);
	if (!sequence.who[0])
		text_copy(sequence.who, sizeof(sequence.who), entry->who);
	sequence.state = SEQUENCE_RUNNING;
	sequence.count = json_array_size(steps);
	sequence.attempt = 1;
	sequence.began_ns = sequence.changed_ns = entry->wall_ns;
	snprintf(sequence.reason, sizeof(sequence.reason), "it was started");
	rc = put_steps(database, name, steps, err);
	return rc ? rc : sequence_save(database, &sequence, err);
}

static int stop(struct database *database, const struct entry *entry, struct sequence *sequence, struct enrg_error *err)
{
	if (sequence->state != SEQUENCE_RUNNING)
		return 0;
	sequence->state = SEQUENCE_STOPPING;
	sequence->changed_ns = entry->wall_ns;
	copy(sequence->reason, sizeof(sequence->reason), entry->body, "reason");
	if (!sequence->reason[0])
		snprintf(sequence->reason, sizeof(sequence->reason), "it was stopped by %.200s", entry->who);
	return sequence_save(database, sequence, err);
}

static int resume(
	struct database *database, const struct entry *entry, struct sequence *sequence, struct enrg_error *err)
{
	struct sequence active;
	char why[400];

	if (sequence->state != SEQUENCE_STOPPED && sequence->state != SEQUENCE_FAILED)
		return 0;
	int rc = sequence_find_active(database, &active, err);
	if (rc < 0)
		return rc;
	if (rc) {
		snprintf(why, sizeof(why), "sequence %s is %s; one at a time", active.name,
			sequence_state_name(active.state));
		return note_refusal(database, sequence->name, entry->body, why, err);
	}
	sequence->state = SEQUENCE_RUNNING;
	sequence->failures = 0;
	sequence->attempt++;
	sequence->changed_ns = entry->wall_ns;
	snprintf(sequence->reason, sizeof(sequence->reason), "it was resumed by %.200s", entry->who);
	return sequence_save(database, sequence, err);
}

int sequence_enter(struct database *database, const struct entry *entry, struct enrg_error *err)
{
	const char *verb = json_string_value(json_object_get(entry->body, "do"));
	const char *name = json_string_value(json_object_get(entry->body, "name"));
	struct sequence sequence;

	if (!verb || !name || strlen(name) >= SEQUENCE_NAME_BYTES)
		return 0; /* it stands in the book as it came */
	if (!strcmp(verb, "start"))
		return start(database, entry, name, err);
	int rc = sequence_load(database, name, &sequence, err);
	if (rc == -ENOENT)
		return 0;
	if (!rc && !strcmp(verb, "stop"))
		rc = stop(database, entry, &sequence, err);
	else if (!rc && !strcmp(verb, "resume"))
		rc = resume(database, entry, &sequence, err);
	return rc;
}

/* --- what became of its run --------------------------------------------------------------------------------------- */

void sequence_format_run(const struct sequence *sequence, char ret_run[SEQUENCE_RUN_BYTES])
{
	snprintf(ret_run, SEQUENCE_RUN_BYTES, "%.14s-%.8s-%05u-%u", sequence->name, sequence->start,
		(unsigned)(sequence->step + 1) % 100000u, sequence->attempt % 100000u);
}

/* Rows lie in the order of time: none of its runs lies before it was begun, but for a clock that was set back. */
static int64_t first_id(const struct sequence *sequence)
{
	static const uint64_t day_ns = 86400000000000ull;

	return sequence->began_ns > day_ns ? (int64_t)((sequence->began_ns - day_ns) / 1000) : 0;
}

static enum sequence_verdict judge_end(const char *quality, const json_t *end, char *ret_reason, size_t reason_bytes)
{
	const char *by = json_string_value(json_object_get(end, "by"));

	copy(ret_reason, reason_bytes, end, "reason");
	if (!strcmp(quality, "aborted"))
		return json_is_true(json_object_get(end, "by_book")) ? SEQUENCE_LOST : SEQUENCE_ABORTED;
	if (json_is_true(json_object_get(end, "by_itself")))
		return SEQUENCE_COMPLETE;
	if (!by || !*by)
		return SEQUENCE_LOST;
	snprintf(ret_reason, reason_bytes, "its run was stopped by %.200s", by);
	return SEQUENCE_ENDED;
}

int sequence_judge(struct database *database, const struct sequence *sequence, enum sequence_verdict *ret_verdict,
	char *ret_reason, size_t reason_bytes, struct enrg_error *err)
{
	sqlite3_stmt *statement;
	char run[SEQUENCE_RUN_BYTES];
	int code = 0;

	sequence_format_run(sequence, run);
	*ret_verdict = SEQUENCE_UNKNOWN;
	ret_reason[0] = '\0';
	int rc = database_bind(database,
		"SELECT quality, ended_ns, (SELECT body FROM entry WHERE entry.run = run.id AND kind = 'end' ORDER BY"
		" wall_ns DESC, seq DESC LIMIT 1) FROM run WHERE run.id > ? AND run.run = ? ORDER BY id DESC LIMIT 1",
		&statement, err, "it", first_id(sequence), run);
	if (rc || !database_step(database, statement, &code, err))
		return rc ? rc : code;
	json_t *end = json_loads(database_text(statement, 2), 0, NULL);
	if (sqlite3_column_type(statement, 1) == SQLITE_NULL)
		*ret_verdict = SEQUENCE_OPEN;
	else
		*ret_verdict = judge_end(database_text(statement, 0), end, ret_reason, reason_bytes);
	json_decref(end);
	sqlite3_reset(statement);
	return 0;
}

static void fail(struct sequence *sequence, enum sequence_state state, const char *what, const char *reason)
{
	sequence->state = state;
	snprintf(sequence->reason, sizeof(sequence->reason), "step %llu of %llu: %s%s%.300s",
		(unsigned long long)sequence->step + 1, (unsigned long long)sequence->count, what, *reason ? ": " : "",
		reason);
}

void sequence_advance(struct sequence *sequence, enum sequence_verdict verdict, const char *reason)
{
	sequence->changed_ns = clock_wall_ns();
	switch (verdict) {
	case SEQUENCE_UNKNOWN:
	case SEQUENCE_OPEN:
		return;
	case SEQUENCE_COMPLETE:
		sequence->step++;
		sequence->attempt = 1;
		sequence->failures = 0;
		if (sequence->step == sequence->count) {
			sequence->state = SEQUENCE_DONE;
			snprintf(sequence->reason, sizeof(sequence->reason), "all of its runs are complete");
		}
		return;
	case SEQUENCE_ENDED:
		fail(sequence, SEQUENCE_STOPPED, "nothing follows", reason);
		return;
	case SEQUENCE_ABORTED:
		if (++sequence->failures >= FAILURES_MAX) {
			fail(sequence, SEQUENCE_FAILED, "its run was aborted twice", reason);
			return;
		}
		break;
	case SEQUENCE_LOST:
		if (sequence->attempt >= ATTEMPTS_MAX) {
			fail(sequence, SEQUENCE_FAILED, "its run has lost its supervisor again and again", reason);
			return;
		}
		break;
	}
	sequence->attempt++;
}

/* --- for who asks ------------------------------------------------------------------------------------------------- */

static int add_runs(struct database *database, const struct sequence *sequence, json_t *json, struct enrg_error *err)
{
	sqlite3_stmt *statement;
	char from[40], to[40];
	json_t *runs = json_array();
	int code = 0;

	snprintf(from, sizeof(from), "%.14s-%.8s-", sequence->name, sequence->start);
	snprintf(to, sizeof(to), "%.14s-%.8s.", sequence->name, sequence->start); /* '.' comes behind '-' */
	int rc = database_bind(database,
		"SELECT run, number, quality, flags, rows, description FROM run WHERE id > ? AND run > ? AND run < "
		"? ORDER BY id",
		&statement, err, "itt", first_id(sequence), from, to);
	while (!rc && database_step(database, statement, &code, err))
		json_array_append_new(
			runs, json_pack("{s:s, s:I, s:s, s:s, s:I, s:s}", "run", database_text(statement, 0), "number",
				      (json_int_t)sqlite3_column_int64(statement, 1), "quality",
				      database_text(statement, 2), "flags", database_text(statement, 3), "rows",
				      (json_int_t)sqlite3_column_int64(statement, 4), "description",
				      database_text(statement, 5)));
	json_object_set_new(json, "runs", runs);
	return rc ? rc : code;
}

int sequence_format(struct database *database, const struct sequence *sequence, bool is_whole, json_t **ret_json,
	struct enrg_error *err)
{
	json_t *json = format(sequence);
	int rc = json ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");

	if (!rc && is_whole)
		rc = add_runs(database, sequence, json, err);
	if (rc)
		json_decref(json);
	else
		*ret_json = json;
	return rc;
}

static int append(void *context, const struct sequence *sequence)
{
	json_array_append_new(context, format(sequence));
	return 0;
}

int sequence_list(struct database *database, json_t **ret_list, struct enrg_error *err)
{
	json_t *list = json_array();
	int rc = list ? visit(database, append, list, err) : enrg_error_set(err, -ENOMEM, "out of memory");

	if (rc)
		json_decref(list);
	else
		*ret_list = list;
	return rc;
}
