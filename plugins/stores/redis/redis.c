/* redis.c: DAQJobStoreRedis: lists, time series and blobs of a Redis server. Runs in the store's job process, on its
 * main thread.
 *
 * Commands are gathered and sent as one transaction a commit. The store is ready without its server, and connects when
 * data come; until it answers the framework hands the same batches over again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "number/number.h"
#include "sql/backoff.h"
#include "sql/notice.h"
#include "connection.h"
#include "enrgdaq/store.h"
#include "redis_table.h"

struct redis_options {
	const char *host, *password;
	int64_t port, db;
};

struct redis_store {
	struct enrg_store *store;
	const struct redis_options *options;
	struct server server;
	struct connection *connection;  /* NULL: not yet */
	struct sql_table *targets;      /* struct target */
	struct request request;         /* since the last commit */
	struct redis_table_marks marks; /* of the next */
};

static const struct enrg_option option_list[] = {
	{.key = "host",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct redis_options, host),
		.required = true,
		.help = "Name or address of the server; a path is that of its socket."},
	{.key = "port",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct redis_options, port),
		.default_value = "6379",
		.min = 1,
		.max = 65535,
		.help = "Port of the server."},
	{.key = "db",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct redis_options, db),
		.default_value = "0",
		.min = 0,
		.max = 1000000,
		.help = "Number of the database."},
	{.key = "password",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct redis_options, password),
		.secret = true,
		.help = "Where the server wants one."},
	{.key = NULL},
};

static const struct enrg_option section_option_list[] = {
	{.key = "key",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct redis_section, key),
		.required = true,
		.help = "Start of the keys: key[.tag].column; of a blob: key[.tag]."},
	{.key = "key_expiration_days",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct redis_section, key_expiration_days),
		.min = 0,
		.max = 36500,
		.unit = "d",
		.help = "Lists of a day each (key[.tag].column:YYYY-MM-DD) that go so many days after it; retention of "
			"time series."},
	{.key = "use_timeseries",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct redis_section, use_timeseries),
		.default_value = "false",
		.help = "Time series instead of lists, by the column timestamp (unix time in ms)."},
	{.key = NULL},
};

static int check_section(const void *options, const void *section, struct enrg_error *err)
{
	(void)options;
	return redis_table_check(section, err);
}

static int open_store(struct enrg_store *store, const void *options, void **ret_state, struct enrg_error *err)
{
	struct redis_store *self = calloc(1, sizeof(*self));

	if (!self)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	self->store = store;
	self->options = options;
	self->server = (struct server){.host = self->options->host,
		.password = self->options->password,
		.port = (int)self->options->port,
		.db = (int)self->options->db};
	number_init();
	*ret_state = self;
	return 0;
}

static int connect_server(void *state, struct enrg_error *err)
{
	struct redis_store *self = state;

	return connection_open(&self->server, enrg_store_name(self->store), &self->connection, err);
}

/* Outlives a store that was closed after a failure and opened again. */
static struct remote remote = {.connect = connect_server};

static int look_for_server(void *state, uint64_t now_ns, struct enrg_error *err)
{
	struct redis_store *self = state;

	(void)now_ns;
	(void)err;
	remote_look(&remote, self->store, self);
	return 0;
}

/* The first command, or sample of one, that was refused. What is older than the retention of its series is none: the
 * server would drop it at once. */
static const redisReply *find_refusal(const redisReply *reply, uint64_t *expired)
{
	const redisReply *found = NULL;

	if (reply->type == REDIS_REPLY_ERROR && strstr(reply->str, "older than retention"))
		(*expired)++;
	else if (reply->type == REDIS_REPLY_ERROR)
		found = reply;
	for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements && !found; i++)
		found = find_refusal(reply->element[i], expired);
	return found;
}

/* Redis carries out the rest of a transaction all the same: that is taken back, so that nothing comes twice. */
static int take_back(
	struct redis_store *self, const redisReply *reply, const redisReply *refusal, struct enrg_error *err)
{
	struct connection *connection = self->connection;
	struct enrg_error reason = {0};

	connection_fail(connection, "did not take the data", refusal, err);
	int rc = undo_run(&connection->undo, connection, reply, &reason);
	if (rc < 0)
		enrg_store_alert(self->store, ENRG_ERROR,
			"Redis server %s:%d: a part of a transaction was refused (%s), and the rest can't be taken "
			"back "
			"(%s): rows of this commit are under some of its keys only",
			self->server.host, self->server.port, refusal->str, reason.text);
	return err->code;
}

/* Sends what is gathered and judges the answers. `marks`: set in the same transaction. */
static int execute(struct redis_store *self, struct request *marks, struct enrg_error *err)
{
	redisReply *reply;
	uint64_t expired = 0;

	if (marks->commands) {
		request_begin(&self->request, 2 + 2 * marks->commands);
		request_add_text(&self->request, "HSET");
		request_add_text(&self->request, self->connection->marks);
		request_append(&self->request, marks);
	}
	request_clear(marks);
	int rc = connection_execute(self->connection, &self->request, &reply, err);
	request_clear(&self->request);
	if (rc < 0)
		return rc;
	const redisReply *refusal = find_refusal(reply, &expired);
	if (expired)
		sql_notice(self->store,
			"Redis server %s:%d: samples that are older than the retention of their time series are left "
			"out "
			"(key_expiration_days in [store_config.redis])",
			self->server.host, self->server.port);
	if (refusal)
		rc = take_back(self, reply, refusal, err);
	else
		undo_clear(&self->connection->undo);
	freeReplyObject(reply);
	return rc;
}

static int commit_store(void *state, struct enrg_error *err)
{
	struct redis_store *self = state;
	int rc = 0;

	for (struct sql_table *target = self->targets; target && rc == 0; target = target->next)
		rc = redis_table_mark((struct redis_table *)target, &self->request, &self->marks, err);
	if (rc == 0 && (self->marks.with.commands || self->marks.behind.commands) &&
		(self->request.commands || self->marks.with.commands))
		rc = execute(self, &self->marks.with, err);
	if (rc == 0 && self->marks.behind.commands)
		rc = execute(self, &self->marks.behind, err);
	return rc;
}

/* A question to the server would become a part of a transaction that is on its way. */
static int end_transaction(struct redis_store *self, struct enrg_error *err)
{
	return self->connection && self->connection->has_begun ? commit_store(self, err) : 0;
}

static int open_target(void *state, const struct enrg_target *what, void **ret_target, struct enrg_error *err)
{
	struct redis_store *self = state;
	struct redis_table_params params = {.store = self->store, .request = &self->request, .what = what};
	struct redis_table *target;
	int rc = self->connection ? 0 : remote_connect(&remote, self, err);

	if (rc == 0)
		rc = end_transaction(self, err);
	params.connection = self->connection;
	if (rc == 0)
		rc = redis_table_open(&params, &target, err);
	if (rc < 0)
		return rc;
	rc = sql_tables_add(&self->targets, &target->sql, "another key", err);
	if (rc < 0)
		redis_table_close(target);
	else
		*ret_target = target;
	return rc;
}

static int write_batch(void *state, void *target, const struct enrg_batch *batch, struct enrg_error *err)
{
	struct redis_store *self = state;
	int rc = redis_table_asks(target, batch) ? commit_store(self, err) : 0;

	if (rc == 0)
		rc = redis_table_write(target, batch, &self->request, err);

	return rc == 0 && self->request.has_failed ? enrg_error_set(err, -ENOMEM, "out of memory") : rc;
}

static int close_target(void *state, void *target, bool abandon, struct enrg_error *err)
{
	struct redis_store *self = state;
	int rc = 0;

	if (!target)
		return 0;
	if (!abandon)
		rc = redis_table_mark(target, &self->request, &self->marks, err);
	sql_tables_remove(&self->targets, target);
	redis_table_close(target);
	return rc;
}

static int close_store(void *state, bool abandon, struct enrg_error *err)
{
	struct redis_store *self = state;
	int rc = 0;

	if (!self)
		return 0;
	if (!abandon)
		rc = commit_store(self, err);
	connection_close(self->connection);
	request_fini(&self->request);
	request_fini(&self->marks.with);
	request_fini(&self->marks.behind);
	free(self);
	return rc;
}

static const char *const old_names[] = {"store_redis", NULL};

static const struct enrg_store_type redis_type = {
	.size = sizeof(struct enrg_store_type),
	.name = "DAQJobStoreRedis",
	.old_names = old_names,
	.section = "redis",
	.summary = "Writes lists, time series and blobs of a Redis server.",
	.options = {.size = sizeof(struct redis_options), .options = option_list},
	.section_options = {.size = sizeof(struct redis_section), .options = section_option_list},
	.check = check_section,
	.open = open_store,
	.target_open = open_target,
	.write = write_batch,
	.commit = commit_store,
	.tick = look_for_server,
	.target_close = close_target,
	.close = close_store,
};

static const struct enrg_store_type *const redis_stores[] = {&redis_type, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "redis", .stores = redis_stores};
