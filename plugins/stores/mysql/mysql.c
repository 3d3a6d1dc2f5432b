/* mysql.c: DAQJobStoreMySQL: tables of a MySQL or MariaDB server. Runs in the store's job process, on its main thread.
 *
 * The store is ready without its server, and connects when data come; until it answers the framework hands the same
 * batches over again, and the producers' rings hold them.
 */
#include <errno.h>
#include <stdlib.h>

#include "sql/backoff.h"
#include "connection.h"
#include "enrgdaq/store.h"
#include "mysql_table.h"

#define COMMIT_BYTES (8u << 20)

struct mysql_options {
	const char *host, *user, *password, *database;
	int64_t port;
	double commit_interval_seconds;
	bool create_tables, add_columns, bulk_inserts;
};

struct mysql_section {
	const char *table_name;
};

struct mysql_store {
	struct enrg_store *store;
	const struct mysql_options *options;
	struct server server;
	struct connection *connection; /* NULL: not yet */
	struct sql_table *tables;      /* struct table */
};

static const struct enrg_option option_list[] = {
	{.key = "host",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct mysql_options, host),
		.required = true,
		.help = "Name or address of the server; a path is that of its socket. Without the key MYSQL_HOST of "
			"the "
			"environment.",
		.environment = "MYSQL_HOST"},
	{.key = "user",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct mysql_options, user),
		.required = true,
		.help = "Who logs in. Without the key MYSQL_USER of the environment.",
		.environment = "MYSQL_USER"},
	{.key = "password",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct mysql_options, password),
		.default_value = "\"\"",
		.secret = true,
		.help = "The user's password; \"\" where there is none. Without the key MYSQL_PASSWORD of the "
			"environment.",
		.environment = "MYSQL_PASSWORD"},
	{.key = "database",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct mysql_options, database),
		.required = true,
		.help = "Database of the tables; has to be there. Without the key MYSQL_DB of the environment.",
		.environment = "MYSQL_DB"},
	{.key = "port",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct mysql_options, port),
		.default_value = "3306",
		.min = 1,
		.max = 65535,
		.help = "Port of the server. Without the key MYSQL_PORT of the environment.",
		.environment = "MYSQL_PORT"},
	{.key = "commit_interval_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct mysql_options, commit_interval_seconds),
		.default_value = "15.0",
		.min = 0,
		.max = 3600,
		.unit = "s",
		.help = "Time between two commits; readers see committed rows alone."},
	{.key = "create_tables",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct mysql_options, create_tables),
		.default_value = "true",
		.help = "Creates a table that is missing."},
	{.key = "add_columns",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct mysql_options, add_columns),
		.default_value = "false",
		.help = "Adds columns that a table lacks."},
	{.key = "bulk_inserts",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct mysql_options, bulk_inserts),
		.default_value = "true",
		.help = "Sends arrays of rows where the server takes them (MariaDB); false for proxies that do not."},
	{.key = NULL},
};

static const struct enrg_option section_option_list[] = {
	{.key = "table_name",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct mysql_section, table_name),
		.required = true,
		.help = "Name of the table; a tag is appended as _tag."},
	{.key = NULL},
};

static int check_section(const void *options, const void *section, struct enrg_error *err)
{
	char name[SQL_NAME_BYTES_MAX + 1];

	(void)options;
	return sql_table_name(((const struct mysql_section *)section)->table_name, "", name, err);
}

static int open_store(struct enrg_store *store, const void *options, void **ret_state, struct enrg_error *err)
{
	struct mysql_store *self = calloc(1, sizeof(*self));

	if (!self)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	self->store = store;
	self->options = options;
	self->server = (struct server){
		.host = self->options->host,
		.user = self->options->user,
		.password = self->options->password,
		.database = self->options->database,
		.port = (unsigned)self->options->port,
		.create_tables = self->options->create_tables,
		.wants_bulk = self->options->bulk_inserts,
	};
	enrg_store_set_commit(store, (uint64_t)(self->options->commit_interval_seconds * 1e9), COMMIT_BYTES);
	*ret_state = self;
	return 0;
}

static int connect_server(void *state, struct enrg_error *err)
{
	struct mysql_store *self = state;

	return connection_open(&self->server, &self->connection, err);
}

/* Outlives a store that was closed after a failure and opened again. */
static struct remote remote = {.connect = connect_server};

static int look_for_server(void *state, uint64_t now_ns, struct enrg_error *err)
{
	struct mysql_store *self = state;

	(void)now_ns;
	(void)err;
	remote_look(&remote, self->store, self);
	return 0;
}

static int commit_store(void *state, struct enrg_error *err)
{
	struct mysql_store *self = state;
	int rc = 0;

	for (struct sql_table *table = self->tables; table && rc == 0; table = table->next)
		rc = mysql_table_mark((struct mysql_table *)table, err);
	if (rc == 0 && self->connection && self->connection->has_transaction)
		rc = connection_commit(self->connection, err);
	return rc;
}

/* max_allowed_packet was raised: what one table waits for, while the connection lives on for the others. */
static int change_connection(struct mysql_store *self, struct enrg_error *err)
{
	int rc = commit_store(self, err);

	if (rc < 0)
		return rc;
	for (struct sql_table *table = self->tables; table; table = table->next)
		mysql_table_leave_connection((struct mysql_table *)table);
	connection_close(self->connection);
	self->connection = NULL;
	rc = remote_connect(&remote, self, err);
	for (struct sql_table *table = self->tables; table && rc == 0; table = table->next)
		rc = mysql_table_take_connection((struct mysql_table *)table, self->connection, err);
	return rc;
}

/* A table that waits is opened anew at each try: the moment to see what was mended in the server. */
static int ensure_connection(struct mysql_store *self, struct enrg_error *err)
{
	if (!self->connection)
		return remote_connect(&remote, self, err);
	int rc = connection_check_packet(self->connection, err);
	return rc == 1 ? change_connection(self, err) : rc;
}

static int open_target(void *state, const struct enrg_target *target, void **ret_target, struct enrg_error *err)
{
	struct mysql_store *self = state;
	const struct mysql_section *section = target->section;
	struct mysql_table_params params = {.store = self->store,
		.table_name = section->table_name,
		.target = target,
		.create_tables = self->options->create_tables,
		.add_columns = self->options->add_columns,
		.commit = commit_store,
		.context = self};
	struct mysql_table *table;

	int rc = ensure_connection(self, err);
	params.connection = self->connection;
	if (rc == 0)
		rc = mysql_table_open(&params, &table, err);
	if (rc < 0)
		return rc;
	rc = sql_tables_add(&self->tables, &table->target, "another table_name", err);
	if (rc < 0)
		mysql_table_close(table);
	else
		*ret_target = table;
	return rc;
}

static int write_batch(void *state, void *target, const struct enrg_batch *batch, struct enrg_error *err)
{
	(void)state;
	return mysql_table_write(target, batch, err);
}

static int close_target(void *state, void *target, bool abandon, struct enrg_error *err)
{
	struct mysql_store *self = state;
	struct mysql_table *table = target;
	int rc = 0;

	if (!table)
		return 0;
	if (!abandon)
		rc = mysql_table_mark(table, err);
	sql_tables_remove(&self->tables, &table->target);
	mysql_table_close(table);
	return rc;
}

static int close_store(void *state, bool abandon, struct enrg_error *err)
{
	struct mysql_store *self = state;
	int rc = 0;

	if (!self)
		return 0;
	if (!abandon)
		rc = commit_store(self, err);
	connection_close(self->connection);
	free(self);
	return rc;
}

static const char *const old_names[] = {"store_mysql", NULL};

static const struct enrg_store_type mysql_type = {
	.size = sizeof(struct enrg_store_type),
	.name = "DAQJobStoreMySQL",
	.old_names = old_names,
	.section = "mysql",
	.summary = "Writes tables of a MySQL or MariaDB server.",
	.options = {.size = sizeof(struct mysql_options), .options = option_list},
	.section_options = {.size = sizeof(struct mysql_section), .options = section_option_list},
	.check = check_section,
	.open = open_store,
	.target_open = open_target,
	.write = write_batch,
	.commit = commit_store,
	.tick = look_for_server,
	.target_close = close_target,
	.close = close_store,
};

static const struct enrg_store_type *const mysql_stores[] = {&mysql_type, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "mysql", .stores = mysql_stores};
