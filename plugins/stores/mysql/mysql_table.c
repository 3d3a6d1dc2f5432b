/* mysql_table.c: see the header. Runs in the store's job process, on its main thread. */
#include "mysql_table.h"

#include <errno.h>
#include <inttypes.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sql/notice.h"

#define GROUP_ROWS         100u
#define GROUP_CELLS        10000u /* a statement holds at most 65,535 */
#define CHUNK_ROWS         20000u
#define HEAD_BYTES         4096u /* of a packet, for what is not rows */
#define INNODB_COLUMNS_MAX 1017u
#define CELL_BYTES         10u /* beside its own bytes, at the most */

/* --- the table's columns ------------------------------------------------------------------------------------------ */

/* A FLOAT is shown with six digits: DOUBLE holds float32 as well, and shows it all. */
static const char *find_type(enum enrg_type type)
{
	switch (type) {
	case ENRG_BOOL:
		return "TINYINT(1)";
	case ENRG_I8:
		return "TINYINT";
	case ENRG_I16:
		return "SMALLINT";
	case ENRG_I32:
		return "INT";
	case ENRG_I64:
		return "BIGINT";
	case ENRG_U8:
		return "TINYINT UNSIGNED";
	case ENRG_U16:
		return "SMALLINT UNSIGNED";
	case ENRG_U32:
		return "INT UNSIGNED";
	case ENRG_U64:
		return "BIGINT UNSIGNED";
	case ENRG_F32:
	case ENRG_F64:
		return "DOUBLE";
	case ENRG_STRING:
		return "LONGTEXT";
	case ENRG_TIMESTAMP_NS:
		return "BIGINT COMMENT 'ns since 1970-01-01 00:00:00 UTC'";
	case ENRG_BINARY:
	case ENRG_LIST:
		return "LONGBLOB";
	}
	return "LONGBLOB";
}

static char *format_create(
	const struct mysql_table *table, const struct sql_names *names, const struct enrg_schema *schema)
{
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	if (!stream)
		return NULL;
	fprintf(stream, "CREATE TABLE IF NOT EXISTS `%s` (", table->target.name);
	for (uint32_t i = 0; i < names->count; i++)
		fprintf(stream, "%s`%s` %s", i ? ", " : "", names->items[i], find_type(schema->columns[i].type));
	fputs(") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4", stream);
	if (fclose(stream) == 0)
		return text;
	free(text);
	return NULL;
}

static char *format_insert(const struct mysql_table *table, const struct sql_names *names, uint32_t rows)
{
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	if (!stream)
		return NULL;
	fprintf(stream, "INSERT INTO `%s` (", table->target.name);
	for (uint32_t i = 0; i < names->count; i++)
		fprintf(stream, "%s`%s`", i ? ", " : "", names->items[i]);
	fputs(") VALUES ", stream);
	for (uint32_t row = 0; row < rows; row++)
		for (uint32_t i = 0; i < names->count; i++)
			fprintf(stream, "%s?%s", i ? "," : row ? ",(" : "(", i + 1 == names->count ? ")" : "");
	if (fclose(stream) == 0)
		return text;
	free(text);
	return NULL;
}

/* Data definition ends a transaction: what it holds is marked before. */
static int define(const struct mysql_table_params *params, const char *sql, struct enrg_error *err)
{
	int rc = params->commit(params->context, err);

	if (rc == 0)
		rc = connection_run(params->connection, sql, err);
	return rc;
}

static bool starts_with_one(const char *text, const char *const *starts)
{
	for (; *starts; starts++)
		if (strncasecmp(text, *starts, strlen(*starts)) == 0)
			return true;
	return false;
}

/* The server would round without a word. A whole number of a real is another value: refused. Fewer digits may be what
 * somebody wanted: told. */
static int judge_column(
	const struct mysql_table *table, const struct enrg_column *column, const char *declared, struct enrg_error *err)
{
	static const char *const whole[] = {"tinyint", "smallint", "mediumint", "int", "bigint", "year", "bit", NULL};
	static const char *const rounded[] = {"float", "decimal", NULL}, *const real[] = {"float", "double", NULL};
	bool is_real = enrg_type_is_float(column->type);
	bool is_long = !is_real && enrg_type_bytes(column->type) == 8;

	if (is_real && starts_with_one(declared, whole))
		return enrg_error_set(err, -EINVAL,
			"MySQL server %.200s:%u: the column %.64s of the table %s is %.64s, and \"%.100s\" sends %s, "
			"which "
			"would be rounded there: change the column to DOUBLE, or give another table_name",
			table->connection->server->host, table->connection->server->port, column->name,
			table->target.name, declared, table->target.source, enrg_type_name(column->type));
	if ((is_real && starts_with_one(declared, rounded)) || (is_long && starts_with_one(declared, real)))
		sql_notice(table->target.store,
			"the column %.64s of the table %s is %.64s: the %s that \"%.100s\" sends lose digits there",
			column->name, table->target.name, declared, enrg_type_name(column->type), table->target.source);
	return 0;
}

/* Which of the columns the table has, 1 each. -ENOENT without an error text: there is no such table. */
static int find_columns(struct mysql_table *table, const struct sql_names *names, const struct enrg_schema *schema,
	uint8_t *ret_found, struct enrg_error *err)
{
	int rc = 0;
	MYSQL *mysql = table->connection->mysql;
	char sql[128];
	MYSQL_ROW row;

	int count = snprintf(sql, sizeof(sql), "SHOW COLUMNS FROM `%s`", table->target.name);
	if (mysql_real_query(mysql, sql, (unsigned long)count) != 0)
		return mysql_errno(mysql) == ER_NO_SUCH_TABLE ? -ENOENT : connection_fail(table->connection, sql, err);
	table->connection->has_transaction = true;
	MYSQL_RES *result = mysql_store_result(mysql);
	if (!result)
		return connection_fail(table->connection, sql, err);
	while ((row = mysql_fetch_row(result)))
		for (uint32_t i = 0; row[0] && row[1] && i < names->count && rc == 0; i++) {
			if (strcasecmp(row[0], names->items[i]) != 0)
				continue;
			ret_found[i] = 1;
			rc = judge_column(table, &schema->columns[i], row[1], err);
		}
	mysql_free_result(result);
	return rc;
}

static int add_missing(const struct mysql_table *table, const struct sql_names *names,
	const struct mysql_table_params *params, const uint8_t *found, struct enrg_error *err)
{
	char sql[256];

	for (uint32_t i = 0; i < names->count; i++) {
		if (found[i])
			continue;
		if (!params->add_columns)
			return enrg_error_set(err, -EINVAL,
				"MySQL server %.200s:%u: the table %s has no column %s, which \"%.100s\" sends: add it "
				"(%s), give another table_name, or set add_columns = true in the store's file",
				table->connection->server->host, table->connection->server->port, table->target.name,
				names->items[i], table->target.source,
				find_type(params->target->schema->columns[i].type));
		snprintf(sql, sizeof(sql), "ALTER TABLE `%s` ADD COLUMN `%s` %s", table->target.name, names->items[i],
			find_type(params->target->schema->columns[i].type));
		int rc = define(params, sql, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int create_table(const struct mysql_table *table, const struct sql_names *names,
	const struct mysql_table_params *params, struct enrg_error *err)
{
	if (!params->create_tables)
		return enrg_error_set(err, -ENOENT,
			"MySQL server %.200s:%u: there is no table %s: create it, or set create_tables = true in the "
			"store's file",
			table->connection->server->host, table->connection->server->port, table->target.name);
	char where[256];
	snprintf(where, sizeof(where), "MySQL server %.200s:%u", table->connection->server->host,
		table->connection->server->port);
	int rc = sql_names_check(names, INNODB_COLUMNS_MAX, "InnoDB", where, table->target.source, err);
	if (rc < 0)
		return rc;
	char *sql = format_create(table, names, params->target->schema);
	rc = sql ? define(params, sql, err) : enrg_error_set(err, -ENOMEM, "out of memory");
	free(sql);
	return rc;
}

/* MyISAM and its like keep rows of a transaction that was rolled back. */
static void warn_of_engine(struct mysql_table *table)
{
	MYSQL *mysql = table->connection->mysql;
	char sql[320];
	int count = snprintf(sql, sizeof(sql),
		"SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '%s'",
		table->target.name);

	if (mysql_real_query(mysql, sql, (unsigned long)count) != 0)
		return;
	MYSQL_RES *result = mysql_store_result(mysql);
	MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
	if (row && row[0] && strcasecmp(row[0], "InnoDB") != 0)
		sql_notice(table->target.store,
			"the table %s has the engine %s, which may know no transactions: rows may come twice after a "
			"failure; ALTER TABLE `%s` ENGINE=InnoDB repairs that",
			table->target.name, row[0], table->target.name);
	mysql_free_result(result);
}

/* The statements as the table's connection has them. */
static int prepare_inserts(struct mysql_table *table, struct enrg_error *err)
{
	table->insert = connection_prepare(table->connection, table->insert_sql, err);
	if (table->insert && table->insert_group_sql)
		table->insert_group = connection_prepare(table->connection, table->insert_group_sql, err);
	if (table->insert && (table->insert_group || !table->insert_group_sql))
		return 0;
	return err && err->code < 0 ? err->code : -EINVAL;
}

static void close_inserts(struct mysql_table *table)
{
	if (table->insert)
		mysql_stmt_close(table->insert);
	if (table->insert_group)
		mysql_stmt_close(table->insert_group);
	table->insert = NULL;
	table->insert_group = NULL;
}

static int prepare(struct mysql_table *table, const struct sql_names *names, const struct mysql_table_params *params,
	struct enrg_error *err)
{
	uint8_t *found = calloc(names->count, 1);

	if (!found)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	int rc = find_columns(table, names, params->target->schema, found, err);
	if (rc == -ENOENT)
		rc = create_table(table, names, params, err);
	else if (rc == 0)
		rc = add_missing(table, names, params, found, err);
	free(found);
	if (rc < 0)
		return rc;
	warn_of_engine(table);
	if (!table->connection->has_bulk)
		table->group_rows =
			GROUP_CELLS / names->count < GROUP_ROWS ? GROUP_CELLS / names->count + 1 : GROUP_ROWS;
	table->insert_sql = format_insert(table, names, 1);
	if (table->group_rows)
		table->insert_group_sql = format_insert(table, names, table->group_rows);
	if (!table->insert_sql || (table->group_rows && !table->insert_group_sql))
		return enrg_error_set(err, -ENOMEM, "out of memory");
	return prepare_inserts(table, err);
}

/* --- open and close ----------------------------------------------------------------------------------------------- */

static int fill(struct mysql_table *table, const struct mysql_table_params *params, struct enrg_error *err)
{
	char name[SQL_NAME_BYTES_MAX + 1];
	struct sql_names names = {0};

	table->connection = params->connection;
	table->column_count = params->target->schema->column_count;
	int rc = sql_table_name(params->table_name, params->target->tag, name, err);
	if (rc == 0)
		rc = sql_table_init(&table->target, params->store, params->target, name, err);
	if (rc == 0)
		rc = sql_names_init(&names, params->target->schema, err);
	if (rc == 0)
		rc = prepare(table, &names, params, err);
	sql_names_fini(&names);
	if (rc < 0)
		return rc;
	const struct sql_key key = sql_table_key(&table->target);
	rc = connection_prune_marks(table->connection, &key, err);
	return rc < 0 ? rc : connection_get_mark(table->connection, &key, &table->target.done, err);
}

int mysql_table_open(const struct mysql_table_params *params, struct mysql_table **ret_table, struct enrg_error *err)
{
	struct mysql_table *table = calloc(1, sizeof(*table));

	if (!table)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	int rc = fill(table, params, err);
	if (rc < 0) {
		mysql_table_close(table);
		return rc;
	}
	*ret_table = table;
	return 0;
}

void mysql_table_close(struct mysql_table *table)
{
	if (!table)
		return;
	close_inserts(table);
	free(table->insert_sql);
	free(table->insert_group_sql);
	sql_table_fini(&table->target);
	free(table);
}

void mysql_table_leave_connection(struct mysql_table *table)
{
	close_inserts(table);
	table->connection = NULL;
}

int mysql_table_take_connection(struct mysql_table *table, struct connection *connection, struct enrg_error *err)
{
	table->connection = connection;
	return prepare_inserts(table, err);
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

static uint64_t count_row_bytes(const struct enrg_batch *batch, uint64_t row)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < batch->schema->column_count; i++) {
		const struct enrg_column *column = &batch->schema->columns[i];
		const int32_t *offsets = batch->columns[i].offsets;
		uint64_t width = enrg_column_item_bytes(column);
		bytes += CELL_BYTES + (offsets ? (uint64_t)(offsets[row + 1] - offsets[row]) * width : 8);
	}
	return bytes;
}

/* How many rows from `first` on make one packet. */
static int choose_chunk(const struct mysql_table *table, const struct enrg_batch *batch, uint64_t first,
	uint64_t *ret_count, struct enrg_error *err)
{
	uint64_t limit = table->connection->packet_bytes - HEAD_BYTES, bytes = count_row_bytes(batch, first), count = 1;

	if (table->connection->packet_bytes <= HEAD_BYTES || bytes > limit)
		return enrg_error_set(err, -EMSGSIZE,
			"MySQL server %.200s:%u: table %s: a row of %.1f MB does not fit into the server's "
			"max_allowed_packet of %.1f MB: raise it in the server",
			table->connection->server->host, table->connection->server->port, table->target.name,
			(double)bytes / 1e6, (double)table->connection->packet_bytes / 1e6);
	while (first + count < batch->rows && count < CHUNK_ROWS) {
		bytes += count_row_bytes(batch, first + count);
		if (bytes > limit)
			break;
		count++;
	}
	*ret_count = count;
	return 0;
}

/* The column that the server's text names, in quotes; column_count: none of ours. */
static uint32_t find_named_column(const struct sql_names *names, const char *text)
{
	char quoted[SQL_NAME_BYTES_MAX + 3];

	for (uint32_t i = 0; i < names->count; i++) {
		snprintf(quoted, sizeof(quoted), "'%s'", names->items[i]);
		if (strcasestr(text, quoted))
			return i;
	}
	return names->count;
}

static bool is_too_narrow(const struct mysql_table *table)
{
	unsigned number = mysql_errno(table->connection->mysql);

	return number == ER_WARN_DATA_OUT_OF_RANGE || number == ER_DATA_TOO_LONG;
}

/* An existing column is too narrow for what comes: says for what, and the statement that mends it. */
static int explain_narrow(const struct mysql_table *table, const struct enrg_batch *batch, const struct cells *cells,
	uint64_t count, struct enrg_error *err)
{
	MYSQL *mysql = table->connection->mysql;
	char extent[CELLS_EXTENT_BYTES];
	struct sql_names names;

	if (sql_names_init(&names, batch->schema, NULL) < 0)
		return -EINVAL;
	uint32_t i = find_named_column(&names, mysql_error(mysql));
	if (i < names.count) {
		cells_format_extent(&cells[i], count, extent);
		enrg_error_set(err, -EINVAL,
			"MySQL server %.200s:%u: the column %s of the table %s is too narrow: \"%.100s\" sends %s %s "
			"(%.200s): ALTER TABLE `%s` MODIFY `%s` %s makes room, or give another table_name",
			table->connection->server->host, table->connection->server->port, names.items[i],
			table->target.name, table->target.source, enrg_type_name(batch->schema->columns[i].type),
			extent, mysql_error(mysql), table->target.name, names.items[i],
			find_type(batch->schema->columns[i].type));
	}
	sql_names_fini(&names);
	return -EINVAL;
}

static int execute(struct mysql_table *table, MYSQL_STMT *statement, MYSQL_BIND *binds, struct enrg_error *err)
{
	if (mysql_stmt_bind_param(statement, binds) || mysql_stmt_execute(statement))
		return connection_fail_statement(table->connection, statement, table->target.name, err);
	return 0;
}

static int insert_array(struct mysql_table *table, const struct cells *cells, uint64_t count, struct enrg_error *err)
{
	MYSQL_BIND *binds = calloc(table->column_count, sizeof(*binds));
	unsigned array_rows = (unsigned)count;

	if (!binds)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < table->column_count; i++)
		cells_bind_all(&cells[i], &binds[i]);
	mysql_stmt_attr_set(table->insert, STMT_ATTR_ARRAY_SIZE, &array_rows);
	int rc = execute(table, table->insert, binds, err);
	free(binds);
	return rc;
}

static int insert_groups(struct mysql_table *table, const struct cells *cells, uint64_t count, struct enrg_error *err)
{
	MYSQL_BIND *binds = calloc((size_t)table->group_rows * table->column_count, sizeof(*binds));
	uint64_t row = 0;
	int rc = 0;

	if (!binds)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	while (row < count && rc == 0) {
		uint64_t rows = count - row >= table->group_rows ? table->group_rows : 1;
		for (uint64_t k = 0; k < rows; k++)
			for (uint32_t i = 0; i < table->column_count; i++)
				cells_bind_one(&cells[i], row + k, &binds[k * table->column_count + i]);
		rc = execute(table, rows > 1 ? table->insert_group : table->insert, binds, err);
		row += rows;
	}
	free(binds);
	return rc;
}

/* What MySQL can't hold. */
static void tell_notes(const struct mysql_table *table, const struct cells_notes *notes)
{
	if (notes->not_finite)
		sql_notice(table->target.store,
			"\"%s\" sends NaN or infinities, which MySQL has not: NULL in the table %s",
			table->target.source, table->target.name);
	if (notes->not_utf8)
		sql_notice(table->target.store,
			"\"%s\" sends text that is no UTF-8: '?' instead of the wrong bytes in the table %s",
			table->target.source, table->target.name);
}

static int write_chunk(struct mysql_table *table, const struct enrg_batch *batch, uint64_t first, uint64_t count,
	struct enrg_error *err)
{
	struct cells *cells = calloc(table->column_count, sizeof(*cells));
	struct cells_notes notes = {0};
	int rc = cells ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");

	for (uint32_t i = 0; i < table->column_count && rc == 0; i++) {
		const struct cells_rows rows = {&batch->schema->columns[i], &batch->columns[i], first, count};
		rc = cells_init(&cells[i], &rows, &notes, err);
	}
	if (rc == 0) {
		rc = table->group_rows ? insert_groups(table, cells, count, err)
				       : insert_array(table, cells, count, err);
		if (rc < 0 && is_too_narrow(table))
			rc = explain_narrow(table, batch, cells, count, err);
	}
	for (uint32_t i = 0; cells && i < table->column_count; i++)
		cells_fini(&cells[i]);
	free(cells);
	tell_notes(table, &notes);
	return rc;
}

int mysql_table_write(struct mysql_table *table, const struct enrg_batch *batch, struct enrg_error *err)
{
	uint64_t row = 0, count = 0;
	char where[300];

	snprintf(where, sizeof(where), "MySQL server %.200s:%u", table->connection->server->host,
		table->connection->server->port);
	if (!sql_table_wants(&table->target, batch, where, "innodb_flush_log_at_trx_commit = 1 prevents that"))
		return 0;
	table->connection->has_transaction = true;
	while (row < batch->rows) {
		int rc = choose_chunk(table, batch, row, &count, err);
		if (rc == 0)
			rc = write_chunk(table, batch, row, count, err);
		if (rc < 0)
			return rc;
		row += count;
	}
	sql_table_took(&table->target, batch);
	return 0;
}

int mysql_table_mark(struct mysql_table *table, struct enrg_error *err)
{
	if (!table->target.is_dirty)
		return 0;
	const struct sql_key key = sql_table_key(&table->target);
	int rc = connection_set_mark(table->connection, &key, table->target.done, err);
	table->target.is_dirty = rc < 0;
	return rc;
}
