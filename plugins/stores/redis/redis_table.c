/* redis_table.c: see the header. Runs in the store's job process, on its main thread. */
#include "redis_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "sql/notice.h"
#include "values.h"

#define DAY_SECONDS 86400
#define KEY_BYTES   2048u
#define TURN_ROWS   4096u  /* of one column, then of the next: what is made stays in the cache */
#define FLUSH_BYTES 65536u /* of a target's columns */
#define SEND_BYTES  49152u

/* --- keys --------------------------------------------------------------------------------------------------------- */

static void format_key(const struct redis_table *target, const char *column, char ret_key[KEY_BYTES])
{
	snprintf(ret_key, KEY_BYTES, "%s.%s%s%s", target->sql.name, column, *target->day ? ":" : "", target->day);
}

/* Of the time series: all that are numbers, but the time itself. */
static bool is_series(const struct redis_table *target, const struct enrg_schema *schema, uint32_t column)
{
	return column != target->time_column && !enrg_type_is_variable(schema->columns[column].type);
}

/* The key of a column; of a blob its own. */
static void format_stored_key(
	const struct redis_table *target, const struct enrg_schema *schema, uint32_t column, char ret_key[KEY_BYTES])
{
	if (schema->is_blob)
		snprintf(ret_key, KEY_BYTES, "%s", target->sql.name);
	else
		format_key(target, schema->columns[column].name, ret_key);
}

/* A key that holds something else would make Redis carry out the rest of a transaction without it; a blob would take
 * the place of a list. */
static int check_types(struct redis_table *target, const struct enrg_schema *schema, struct enrg_error *err)
{
	const char *wanted = schema->is_blob ? "string" : target->section->use_timeseries ? "TSDB-TYPE" : "list";
	char key[KEY_BYTES];
	int rc = 0;

	for (uint32_t i = 0; i < schema->column_count; i++) {
		format_stored_key(target, schema, i, key);
		redisAppendCommand(target->connection->redis, "TYPE %s", key);
	}
	for (uint32_t i = 0; i < schema->column_count; i++) {
		redisReply *reply = connection_next(target->connection, rc ? NULL : err);
		if (!reply)
			return rc ? rc : -ENOTCONN;
		format_stored_key(target, schema, i, key);
		if (rc == 0 && reply->type != REDIS_REPLY_STATUS)
			rc = connection_fail(target->connection, "TYPE", reply, err);
		else if (rc == 0 && strcmp(reply->str, "none") != 0 && strcasecmp(reply->str, wanted) != 0)
			rc = enrg_error_set(err, -EINVAL,
				"Redis server %.200s:%d: the key %.400s holds a %.50s, and a %s is wanted: remove it, "
				"or give "
				"another key in [store_config.redis]",
				target->connection->server->host, target->connection->server->port, key, reply->str,
				wanted);
		freeReplyObject(reply);
	}
	return rc;
}

/* The local day of `when_ns`, and in how many seconds its keys shall go: the server's clock may be another one, and a
 * time in its past would remove the key at once. */
static time_t find_day(const struct redis_table *target, uint64_t when_ns, char ret_day[16])
{
	time_t when = (time_t)(when_ns / 1000000000u), now = time(NULL);
	struct tm local;

	localtime_r(&when, &local);
	strftime(ret_day, 16, "%Y-%m-%d", &local);
	local.tm_hour = local.tm_min = local.tm_sec = 0;
	local.tm_mday += (int)target->section->key_expiration_days + 1;
	local.tm_isdst = -1;
	time_t end = mktime(&local);
	return end - now > DAY_SECONDS ? end - now : DAY_SECONDS; /* old data: not gone before it was seen */
}

/* --- time series -------------------------------------------------------------------------------------------------- */

static int check_module(struct connection *connection, struct enrg_error *err)
{
	redisReply *reply = connection_ask(connection, err, "COMMAND INFO TS.MADD");
	int rc = 0;

	if (!reply)
		return -ENOTCONN;
	if (reply->type == REDIS_REPLY_ERROR)
		rc = connection_fail(connection, "COMMAND INFO", reply, err);
	else if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 1 ||
		 reply->element[0]->type != REDIS_REPLY_ARRAY || reply->element[0]->elements == 0)
		rc = enrg_error_set(err, -EOPNOTSUPP,
			"Redis server %.200s:%d: no TimeSeries module: load it there (loadmodule redistimeseries.so), "
			"or set "
			"use_timeseries = false in [store_config.redis]",
			connection->server->host, connection->server->port);
	freeReplyObject(reply);
	return rc;
}

static int find_time_column(struct redis_table *target, const struct enrg_schema *schema, struct enrg_error *err)
{
	for (uint32_t i = 0; i < schema->column_count; i++) {
		enum enrg_type type = schema->columns[i].type;
		if (strcmp(schema->columns[i].name, "timestamp") == 0 &&
			(enrg_type_is_number(type) || enrg_type_is_time(type))) {
			target->time_column = i;
			return 0;
		}
	}
	return enrg_error_set(err, -EINVAL,
		"\"%.100s\" sends no column timestamp (a time, or a number, unix time in ms), which use_timeseries "
		"needs: set "
		"use_timeseries = false in [store_config.redis]",
		target->sql.source);
}

/* Of a series that is there already. Samples may come again after a kill: where that is refused, or adds up, the store
 * would stand still, or store them twice. */
static int check_policy(struct redis_table *target, const char *key, struct enrg_error *err)
{
	redisReply *reply = connection_ask(target->connection, err, "TS.INFO %s", key);
	const char *policy = "none";
	int rc = 0;

	if (!reply)
		return -ENOTCONN;
	if (reply->type != REDIS_REPLY_ARRAY)
		rc = connection_fail(target->connection, key, reply, err);
	for (size_t i = 0; rc == 0 && i + 1 < reply->elements; i += 2) {
		const redisReply *name = reply->element[i], *value = reply->element[i + 1];
		if (name->str && value->str && strcmp(name->str, "duplicatePolicy") == 0)
			policy = value->str;
	}
	if (rc == 0 && strcasecmp(policy, "last") != 0 && strcasecmp(policy, "first") != 0 &&
		strcasecmp(policy, "min") != 0 && strcasecmp(policy, "max") != 0)
		rc = enrg_error_set(err, -EINVAL,
			"Redis server %.200s:%d: the time series %.300s has the DUPLICATE_POLICY %.20s, with which "
			"rows of one millisecond, and rows that come again after a kill, are refused or added up: "
			"TS.ALTER %.300s DUPLICATE_POLICY LAST, or give another key in [store_config.redis]",
			target->connection->server->host, target->connection->server->port, key, policy, key);
	freeReplyObject(reply);
	return rc;
}

static int create_series(struct redis_table *target, const char *column, struct enrg_error *err)
{
	struct request request = {0};
	char key[KEY_BYTES], number[32];
	int64_t days = target->section->key_expiration_days;
	int rc = 0;

	format_key(target, column, key);
	request_begin(&request, 7u + (days ? 2u : 0) + (*target->sql.tag ? 2u : 0));
	request_add_text(&request, "TS.CREATE");
	request_add_text(&request, key);
	if (days) {
		snprintf(number, sizeof(number), "%" PRId64, days * DAY_SECONDS * 1000);
		request_add_text(&request, "RETENTION");
		request_add_text(&request, number);
	}
	/* Rows of the same ms: the newest counts, instead of an error. */
	request_add_text(&request, "DUPLICATE_POLICY");
	request_add_text(&request, "LAST");
	request_add_text(&request, "LABELS");
	request_add_text(&request, "key");
	request_add_text(&request, target->section->key);
	if (*target->sql.tag) {
		request_add_text(&request, "tag");
		request_add_text(&request, target->sql.tag);
	}
	if (request.has_failed ||
		redisAppendFormattedCommand(target->connection->redis, request.bytes, request.count) != REDIS_OK) {
		request_fini(&request);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	request_fini(&request);
	redisReply *reply = connection_next(target->connection, err);
	if (!reply)
		return -ENOTCONN;
	bool is_there = reply->type == REDIS_REPLY_ERROR && strstr(reply->str, "already exists");
	if (reply->type == REDIS_REPLY_ERROR && !is_there)
		rc = connection_fail(target->connection, key, reply, err);
	freeReplyObject(reply);
	return is_there ? check_policy(target, key, err) : rc;
}

static int prepare_series(struct redis_table *target, const struct enrg_schema *schema, struct enrg_error *err)
{
	bool leaves_out = false;
	int rc = check_module(target->connection, err);

	if (rc == 0)
		rc = find_time_column(target, schema, err);
	if (rc == 0)
		rc = check_types(target, schema, err);
	for (uint32_t i = 0; i < schema->column_count && rc == 0; i++) {
		if (is_series(target, schema, i))
			rc = create_series(target, schema->columns[i].name, err);
		else
			leaves_out |= i != target->time_column;
	}
	if (rc == 0 && leaves_out)
		sql_notice(target->sql.store,
			"time series hold numbers alone: the other columns of \"%s\" are not stored under %s",
			target->sql.source, target->sql.name);
	return rc;
}

/* --- open and close ----------------------------------------------------------------------------------------------- */

static int keep_names(struct redis_table *target, const struct enrg_schema *schema)
{
	target->names = calloc(schema->column_count, sizeof(*target->names));
	target->columns = calloc(schema->column_count, sizeof(*target->columns));
	if (!target->names || !target->columns)
		return -ENOMEM;
	target->column_count = schema->column_count;
	for (uint32_t i = 0; i < schema->column_count; i++)
		if (!(target->names[i] = strdup(schema->columns[i].name)))
			return -ENOMEM;
	return 0;
}

int redis_table_check(const struct redis_section *section, struct enrg_error *err)
{
	size_t length = strlen(section->key);

	if (length >= 1 && length <= 1000)
		return 0;
	return enrg_error_set(err, -EINVAL, "key: expected 1 to 1000 bytes, found %zu", length);
}

/* Names the mark. A '/' in a tag is written otherwise: else tag "a", key "b/c" and tag "a/b", key "c" would be one. */
static char *format_field(const struct redis_table *target)
{
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	if (!stream)
		return NULL;
	fprintf(stream, "%s/%s/", target->sql.source, target->sql.run);
	for (const char *at = target->sql.tag; *at; at++) {
		if (*at == '/' || *at == '%')
			fprintf(stream, "%%%02X", (unsigned)*at);
		else
			fputc(*at, stream);
	}
	fprintf(stream, "/%s/%s", target->section->key, target->sql.columns);
	if (fclose(stream) == 0)
		return text;
	free(text);
	return NULL;
}

static int fill(struct redis_table *target, const struct enrg_target *what, struct enrg_error *err)
{
	char *name;

	target->section = what->section;
	if (redis_table_check(target->section, err) < 0)
		return -EINVAL;
	if (asprintf(&name, "%s%s%s", target->section->key, *what->tag ? "." : "", what->tag) < 0)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	int rc = sql_table_init(&target->sql, target->sql.store, what, name, err);
	free(name);
	if (rc == 0)
		target->field = format_field(target);
	if (!target->field)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	if (keep_names(target, what->schema) < 0)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	rc = connection_get_mark(target->connection, target->field, &target->sql.done, err);
	target->marked = target->sql.done;
	target->last_time_ms = -1;
	target->has_series = target->section->use_timeseries && !what->schema->is_blob;
	if (rc == 0 && target->has_series)
		rc = prepare_series(target, what->schema, err);
	else if (rc == 0 && (!target->section->key_expiration_days || what->schema->is_blob))
		rc = check_types(target, what->schema, err); /* dated keys: when the day is known */
	return rc;
}

int redis_table_open(const struct redis_table_params *params, struct redis_table **ret_target, struct enrg_error *err)
{
	struct redis_table *target = calloc(1, sizeof(*target));

	if (!target)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	target->sql.store = params->store;
	target->connection = params->connection;
	int rc = fill(target, params->what, err);
	if (rc == 0)
		rc = connection_prune_marks(
			params->connection, params->what->source, target->sql.run, params->request, err);
	if (rc < 0) {
		redis_table_close(target);
		return rc;
	}
	*ret_target = target;
	return 0;
}

void redis_table_close(struct redis_table *target)
{
	if (!target)
		return;
	if (target->same_times)
		enrg_store_log(target->sql.store, ENRG_WARNING,
			"%s: rows of \"%s\" that had the time of the row before them, and took its place: %" PRIu64,
			target->sql.name, target->sql.source, target->same_times);
	for (uint32_t i = 0; i < target->column_count; i++) {
		free(target->names[i]);
		request_fini(&target->columns[i]);
	}
	free(target->names);
	free(target->columns);
	request_fini(&target->blob);
	sql_table_fini(&target->sql);
	free(target->field);
	free(target);
}

/* --- batches ------------------------------------------------------------------------------------------------------ */

static void add_blob(struct redis_table *target, const struct enrg_batch *batch, struct request *request)
{
	const struct enrg_column_view *view = &batch->columns[0];
	uint64_t row = batch->rows - 1; /* a blob has one row; the newest would win */
	char seconds[32];

	snprintf(seconds, sizeof(seconds), "%" PRId64, target->section->key_expiration_days * DAY_SECONDS);
	request_begin(request, target->section->key_expiration_days ? 5 : 3);
	request_add_text(request, "SET");
	request_add_text(request, target->sql.name);
	request_add_base64(request, (const uint8_t *)view->values + view->offsets[row],
		(size_t)(view->offsets[row + 1] - view->offsets[row]));
	if (target->section->key_expiration_days) {
		request_add_text(request, "EX");
		request_add_text(request, seconds);
	}
}

static void add_expiry(struct redis_table *target, struct request *request)
{
	char key[KEY_BYTES], number[32];

	snprintf(number, sizeof(number), "%lld", (long long)target->day_left_s);
	for (uint32_t i = 0; i < target->column_count; i++) {
		format_key(target, target->names[i], key);
		request_begin(request, 3);
		request_add_text(request, "EXPIRE");
		request_add_text(request, key);
		request_add_text(request, number);
	}
	target->needs_expiry = false;
}

static int send_much(struct redis_table *target, struct request *request, struct enrg_error *err)
{
	return request->count < SEND_BYTES ? 0 : connection_send(target->connection, request, err);
}

/* What is gathered becomes commands: all columns together, so that rows stay side by side where another target writes
 * under the same key. */
static int flush(struct redis_table *target, struct request *request, struct enrg_error *err)
{
	char key[KEY_BYTES];
	int rc = 0;

	for (uint32_t i = 0; i < target->column_count && target->rows && rc == 0; i++) {
		format_key(target, target->names[i], key);
		request_begin(request, 2 + target->rows);
		request_add_text(request, "RPUSH");
		request_add_text(request, key);
		request_append(request, &target->columns[i]);
		request_clear(&target->columns[i]);
		undo_note_push(&target->connection->undo, key, target->rows, request);
		rc = send_much(target, request, err);
	}
	if (target->rows && target->needs_expiry)
		add_expiry(target, request);
	target->rows = 0;
	if (target->blob.commands) {
		request_append(request, &target->blob);
		request->commands++;
		request_clear(&target->blob);
	}
	target->has_blob = false;
	return rc < 0 ? rc : send_much(target, request, err);
}

bool redis_table_asks(const struct redis_table *target, const struct enrg_batch *batch)
{
	char day[16];

	if (!target->section->key_expiration_days || target->section->use_timeseries || batch->schema->is_blob ||
		!batch->rows || batch->sequence <= target->sql.done)
		return false;
	find_day(target, batch->acquired_ns, day);
	return strcmp(day, target->day) != 0;
}

static int begin_day(struct redis_table *target, const struct enrg_batch *batch, struct enrg_error *err)
{
	char day[16];
	time_t left_s = find_day(target, batch->acquired_ns, day);

	if (strcmp(day, target->day) == 0)
		return 0;
	memcpy(target->day, day, sizeof(day));
	target->day_left_s = left_s;
	target->needs_expiry = true;
	return check_types(target, batch->schema, err);
}

static int write_lists(
	struct redis_table *target, const struct enrg_batch *batch, struct request *request, struct enrg_error *err)
{
	int rc = target->section->key_expiration_days ? begin_day(target, batch, err) : 0;

	for (uint64_t first = 0; first < batch->rows && rc == 0; first += TURN_ROWS) {
		uint64_t end = batch->rows - first < TURN_ROWS ? batch->rows : first + TURN_ROWS, bytes = 0;
		for (uint32_t i = 0; i < target->column_count; i++) {
			values_add(&batch->schema->columns[i], &batch->columns[i], first, end, &target->columns[i]);
			bytes += target->columns[i].count;
		}
		target->rows += end - first;
		if (bytes >= FLUSH_BYTES)
			rc = flush(target, request, err);
	}
	return rc;
}

static int write_series(
	struct redis_table *target, const struct enrg_batch *batch, struct request *request, struct enrg_error *err)
{
	const struct enrg_schema *schema = batch->schema;
	uint64_t left_out = 0;
	char key[KEY_BYTES];

	for (uint32_t i = 0; i < schema->column_count; i++) {
		if (!is_series(target, schema, i))
			continue;
		format_key(target, schema->columns[i].name, key);
		left_out += values_add_samples(batch, target->time_column, i, key, request);
	}
	uint64_t same = values_count_same_times(batch, target->time_column, &target->last_time_ms);
	target->same_times += same;
	if (same)
		sql_notice(target->sql.store,
			"\"%s\" sends rows with the time of the row before them: a time series has one value a "
			"millisecond, so the newest alone stays under %s; lists keep all rows (use_timeseries = "
			"false)",
			target->sql.source, target->sql.name);
	if (left_out)
		sql_notice(target->sql.store,
			"\"%s\" sends NaN, infinities or times that are none, which time series can't hold: such "
			"values are "
			"left out under %s",
			target->sql.source, target->sql.name);
	return send_much(target, request, err);
}

/* The first since the last commit goes at once. Of the others the newest waits: nobody will see those between. */
static int write_blob(
	struct redis_table *target, const struct enrg_batch *batch, struct request *request, struct enrg_error *err)
{
	if (target->has_blob) {
		request_clear(&target->blob);
		add_blob(target, batch, &target->blob);
		return 0;
	}
	target->has_blob = true;
	add_blob(target, batch, request);
	return send_much(target, request, err);
}

int redis_table_write(
	struct redis_table *target, const struct enrg_batch *batch, struct request *request, struct enrg_error *err)
{
	char where[300];
	int rc = 0;

	snprintf(where, sizeof(where), "Redis server %.200s:%d", target->connection->server->host,
		target->connection->server->port);
	if (!sql_table_wants(&target->sql, batch, where, "appendfsync always prevents that"))
		return 0;
	if (batch->rows && batch->schema->is_blob)
		rc = write_blob(target, batch, request, err);
	else if (batch->rows && target->has_series)
		rc = write_series(target, batch, request, err);
	else if (batch->rows)
		rc = write_lists(target, batch, request, err);
	if (rc == 0)
		sql_table_took(&target->sql, batch);
	return rc;
}

int redis_table_mark(
	struct redis_table *target, struct request *request, struct redis_table_marks *marks, struct enrg_error *err)
{
	bool is_series = target->has_series;
	struct request *to = is_series ? &marks->behind : &marks->with;
	char number[32];

	if (!target->sql.is_dirty)
		return 0;
	int rc = flush(target, request, err);
	if (rc < 0)
		return rc;
	snprintf(number, sizeof(number), "%" PRIu64, target->sql.done);
	request_add_text(to, target->field);
	request_add_text(to, number);
	to->commands++;
	if (!is_series)
		undo_note_mark(&target->connection->undo, target->connection->marks, target->field, target->marked);
	target->sql.is_dirty = false; /* or the transaction fails, and the target with it */
	target->marked = target->sql.done;
	return 0;
}
