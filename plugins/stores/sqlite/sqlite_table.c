/* sqlite_table.c: see the header. Runs in the store's job process, on its main thread. */
#include "sqlite_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- the table's columns ------------------------------------------------------------------------------------------ */

/* u64 has no type, so that SQLite does not turn the text of a number above 2^63 - 1 into a real that is not exact. */
static const char *find_type(enum enrg_type type)
{
	switch (type) {
	case ENRG_F32:
	case ENRG_F64:
		return " REAL";
	case ENRG_STRING:
		return " TEXT";
	case ENRG_BINARY:
	case ENRG_LIST:
		return " BLOB";
	case ENRG_U64:
		return "";
	case ENRG_BOOL:
	case ENRG_I8:
	case ENRG_I16:
	case ENRG_I32:
	case ENRG_I64:
	case ENRG_U8:
	case ENRG_U16:
	case ENRG_U32:
		return " INTEGER";
	case ENRG_TIMESTAMP_NS: /* ns since 1970: no type of SQLite's is a time that keeps them */
		return " BIGINT";
	}
	return "";
}

/* SQL with the names of all columns in it; free(). `form`: 'c' for CREATE TABLE, 'i' for INSERT. */
static char *format_sql(
	const struct sqlite_table *table, const struct sql_names *names, const struct enrg_schema *schema, char form)
{
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	if (!stream)
		return NULL;
	fprintf(stream, form == 'c' ? "CREATE TABLE \"%s\" (" : "INSERT INTO \"%s\" (", table->target.name);
	for (uint32_t i = 0; i < names->count; i++)
		fprintf(stream, "%s\"%s\"%s", i ? ", " : "", names->items[i],
			form == 'c' ? find_type(schema->columns[i].type) : "");
	for (uint32_t i = 0; i < names->count && form == 'i'; i++)
		fputs(i ? ", ?" : ") VALUES (?", stream);
	fputc(')', stream);
	if (fclose(stream) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int run_formatted(struct sqlite_table *table, const struct sql_names *names, const struct enrg_schema *schema,
	struct enrg_error *err)
{
	char *sql = format_sql(table, names, schema, 'c');
	int rc = sql ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");

	if (sql && sqlite3_exec(table->database->connection, sql, NULL, NULL, NULL) != SQLITE_OK) {
		char doing[160];
		snprintf(doing, sizeof(doing), "can't create the table %s", table->target.name);
		rc = database_fail(table->database, doing, err);
	}
	free(sql);
	return rc;
}

/* Which of the columns the table has, 1 each; *ret_count: of any name. */
static int find_columns(struct sqlite_table *table, const struct sql_names *names, uint8_t *ret_found,
	uint32_t *ret_count, struct enrg_error *err)
{
	sqlite3_stmt *statement;
	int step;

	*ret_count = 0;
	if (sqlite3_prepare_v2(table->database->connection, "SELECT name FROM pragma_table_info(?)", -1, &statement,
		    NULL) != SQLITE_OK)
		return database_fail(table->database, "asking for the columns", err);
	sqlite3_bind_text(statement, 1, table->target.name, -1, SQLITE_STATIC);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(statement, 0);
		(*ret_count)++;
		for (uint32_t i = 0; name && i < names->count; i++)
			ret_found[i] |= strcasecmp(name, names->items[i]) == 0;
	}
	int rc = step == SQLITE_DONE ? 0 : database_fail(table->database, "asking for the columns", err);
	sqlite3_finalize(statement);
	return rc;
}

static int add_missing(struct sqlite_table *table, const struct sql_names *names,
	const struct sqlite_table_params *params, const uint8_t *found, struct enrg_error *err)
{
	char sql[256];

	for (uint32_t i = 0; i < names->count; i++) {
		if (found[i])
			continue;
		if (!params->add_columns)
			return enrg_error_set(err, -EINVAL,
				"%.400s: the table %s has no column %s, which \"%.100s\" sends: add it, give another "
				"table_name, or set add_columns = true in the store's file",
				table->database->path, table->target.name, names->items[i], table->target.source);
		snprintf(sql, sizeof(sql), "ALTER TABLE \"%s\" ADD COLUMN \"%s\"%s", table->target.name,
			names->items[i], find_type(params->target->schema->columns[i].type));
		int rc = database_run(table->database, sql, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int prepare(struct sqlite_table *table, const struct sql_names *names, const struct sqlite_table_params *params,
	struct enrg_error *err)
{
	int limit = sqlite3_limit(table->database->connection, SQLITE_LIMIT_COLUMN, -1);
	int rc = sql_names_check(names, (uint32_t)limit, "SQLite", table->database->path, table->target.source, err);
	uint32_t count = 0;

	if (rc < 0)
		return rc;
	uint8_t *found = calloc(names->count, 1);
	if (!found)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	rc = find_columns(table, names, found, &count, err);
	if (rc == 0 && count == 0 && !params->create_tables)
		rc = enrg_error_set(err, -ENOENT,
			"%.400s: there is no table %s: create it, or set create_tables = true in the store's file",
			table->database->path, table->target.name);
	else if (rc == 0 && count == 0)
		rc = run_formatted(table, names, params->target->schema, err);
	else if (rc == 0)
		rc = add_missing(table, names, params, found, err);
	free(found);
	if (rc < 0)
		return rc;
	char *sql = format_sql(table, names, params->target->schema, 'i');
	if (!sql)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	if (sqlite3_prepare_v3(table->database->connection, sql, -1, SQLITE_PREPARE_PERSISTENT, &table->insert, NULL) !=
		SQLITE_OK)
		rc = database_fail(table->database, table->target.name, err);
	free(sql);
	return rc;
}

/* --- open and close ----------------------------------------------------------------------------------------------- */

static int fill(struct sqlite_table *table, const struct sqlite_table_params *params, struct enrg_error *err)
{
	char name[SQL_NAME_BYTES_MAX + 1];
	struct sql_names names = {0};

	table->database = params->database;
	int rc = sql_table_name(params->table_name, params->target->tag, name, err);
	if (rc == 0)
		rc = sql_table_init(&table->target, params->store, params->target, name, err);
	table->target.place = params->database;
	table->target.ignores_case = true;
	if (rc == 0)
		rc = sql_names_init(&names, params->target->schema, err);
	/* One transaction: a table that is half prepared is none. */
	if (rc == 0)
		rc = database_begin(table->database, err);
	if (rc == 0)
		rc = prepare(table, &names, params, err);
	sql_names_fini(&names);
	if (rc < 0)
		return rc;
	const struct sql_key key = sql_table_key(&table->target);
	rc = database_prune_marks(table->database, &key, err);
	return rc < 0 ? rc : database_get_mark(table->database, &key, &table->target.done, err);
}

int sqlite_table_open(const struct sqlite_table_params *params, struct sqlite_table **ret_table, struct enrg_error *err)
{
	struct sqlite_table *table = calloc(1, sizeof(*table));

	if (!table)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	int rc = fill(table, params, err);
	if (rc < 0) {
		sqlite_table_close(table);
		return rc;
	}
	*ret_table = table;
	return 0;
}

void sqlite_table_close(struct sqlite_table *table)
{
	if (!table)
		return;
	sqlite3_finalize(table->insert);
	sql_table_fini(&table->target);
	free(table);
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

/* SQLite's integers end at 2^63 - 1; above it the digits are kept as text. */
static int bind_u64(sqlite3_stmt *statement, int place, uint64_t value)
{
	char text[24];

	if (value <= INT64_MAX)
		return sqlite3_bind_int64(statement, place, (sqlite3_int64)value);
	int count = snprintf(text, sizeof(text), "%" PRIu64, value);
	return sqlite3_bind_text(statement, place, text, count, SQLITE_TRANSIENT);
}

static int bind_variable(sqlite3_stmt *statement, int place, const struct enrg_column *column,
	const struct enrg_column_view *view, uint64_t row)
{
	uint64_t width = enrg_column_item_bytes(column);
	uint64_t first = (uint64_t)view->offsets[row], end = (uint64_t)view->offsets[row + 1];
	/* Without a byte the pointer may be NULL, which SQLite would take for a missing value. */
	const char *bytes = end > first ? (const char *)view->values + first * width : "";

	if (column->type == ENRG_STRING)
		return sqlite3_bind_text64(statement, place, bytes, end - first, SQLITE_STATIC, SQLITE_UTF8);
	return sqlite3_bind_blob64(statement, place, bytes, (end - first) * width, SQLITE_STATIC);
}

static int bind_value(sqlite3_stmt *statement, int place, const struct enrg_column *column,
	const struct enrg_column_view *view, uint64_t row)
{
	const void *values = view->values;

	if (!enrg_column_present(view, row))
		return sqlite3_bind_null(statement, place);
	switch (column->type) {
	case ENRG_BOOL:
		return sqlite3_bind_int(statement, place, ((const uint8_t *)values)[row >> 3] >> (row & 7) & 1);
	case ENRG_I8:
		return sqlite3_bind_int(statement, place, ((const int8_t *)values)[row]);
	case ENRG_I16:
		return sqlite3_bind_int(statement, place, ((const int16_t *)values)[row]);
	case ENRG_I32:
		return sqlite3_bind_int(statement, place, ((const int32_t *)values)[row]);
	case ENRG_I64:
	case ENRG_TIMESTAMP_NS:
		return sqlite3_bind_int64(statement, place, ((const int64_t *)values)[row]);
	case ENRG_U8:
		return sqlite3_bind_int(statement, place, ((const uint8_t *)values)[row]);
	case ENRG_U16:
		return sqlite3_bind_int(statement, place, ((const uint16_t *)values)[row]);
	case ENRG_U32:
		return sqlite3_bind_int64(statement, place, ((const uint32_t *)values)[row]);
	case ENRG_U64:
		return bind_u64(statement, place, ((const uint64_t *)values)[row]);
	case ENRG_F32:
		return sqlite3_bind_double(statement, place, (double)((const float *)values)[row]);
	case ENRG_F64:
		return sqlite3_bind_double(statement, place, ((const double *)values)[row]);
	case ENRG_STRING:
	case ENRG_BINARY:
	case ENRG_LIST:
		break;
	}
	return bind_variable(statement, place, column, view, row);
}

static int write_rows(struct sqlite_table *table, const struct enrg_batch *batch, struct enrg_error *err)
{
	const struct enrg_schema *schema = batch->schema;

	for (uint64_t row = 0; row < batch->rows; row++) {
		int result = SQLITE_OK;
		for (uint32_t i = 0; i < schema->column_count && result == SQLITE_OK; i++)
			result = bind_value(table->insert, (int)i + 1, &schema->columns[i], &batch->columns[i], row);
		if (result == SQLITE_OK)
			result = sqlite3_step(table->insert);
		if (result != SQLITE_DONE) {
			int code = database_fail(table->database, table->target.name, err);
			sqlite3_reset(table->insert);
			return code;
		}
		sqlite3_reset(table->insert);
	}
	sqlite3_clear_bindings(table->insert); /* pointers into the ring */
	return 0;
}

int sqlite_table_write(struct sqlite_table *table, const struct enrg_batch *batch, struct enrg_error *err)
{
	if (!sql_table_wants(&table->target, batch, table->database->path, "another file may have taken its place"))
		return 0;
	int rc = database_begin(table->database, err);
	if (rc == 0)
		rc = write_rows(table, batch, err);
	if (rc == 0)
		sql_table_took(&table->target, batch);
	return rc;
}

int sqlite_table_mark(struct sqlite_table *table, struct enrg_error *err)
{
	if (!table->target.is_dirty)
		return 0;
	const struct sql_key key = sql_table_key(&table->target);
	int rc = database_set_mark(table->database, &key, table->target.done, err);
	table->target.is_dirty = rc < 0;
	return rc;
}
