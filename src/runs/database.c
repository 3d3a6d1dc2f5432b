/* database.c: see the header. One thread. */
#include "runs/database.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int database_fail(const struct database *database, int sqlite_code, struct enrg_error *err)
{
	static const struct {
		int sqlite_code, code;
	} codes[] = {{SQLITE_FULL, -ENOSPC}, {SQLITE_READONLY, -EROFS}, {SQLITE_PERM, -EACCES}, {SQLITE_AUTH, -EACCES},
		{SQLITE_CORRUPT, ENRG_E_CORRUPT}, {SQLITE_NOTADB, ENRG_E_CORRUPT}, {SQLITE_BUSY, -EBUSY},
		{SQLITE_LOCKED, -EBUSY}, {SQLITE_NOMEM, -ENOMEM}, {SQLITE_CANTOPEN, -ENOENT},
		{SQLITE_CONSTRAINT, -EEXIST}};
	const char *text = database->handle ? sqlite3_errmsg(database->handle) : sqlite3_errstr(sqlite_code);
	int code = -EIO, system = database->handle ? sqlite3_system_errno(database->handle) : 0;

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		code = codes[i].sqlite_code == (sqlite_code & 0xff) ? codes[i].code : code;
	if ((code == -EIO || code == -ENOENT) && system > 0)
		code = system == EDQUOT || system == EFBIG ? -ENOSPC : -system;
	return enrg_error_set(err, code, "%s: %s%s%s", database->path, text,
		code < 0 && code > -1000 && system ? ": " : "",
		code < 0 && code > -1000 && system ? strerror(system) : "");
}

/* --- statements --- */

int database_prepare(struct database *database, const char *sql, sqlite3_stmt **ret_statement, struct enrg_error *err)
{
	unsigned place = 0;

	while (place < database->statement_count && database->statements[place].sql != sql)
		place++;
	if (place == database->statement_count) {
		sqlite3_stmt *statement;
		if (place == DATABASE_STATEMENTS)
			return enrg_error_set(err, -ENOSPC, "too many statements");
		int rc = sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
		if (rc)
			return database_fail(database, rc, err);
		database->statements[place].sql = sql;
		database->statements[place].statement = statement;
		database->statement_count++;
	}
	*ret_statement = database->statements[place].statement;
	sqlite3_reset(*ret_statement);
	sqlite3_clear_bindings(*ret_statement);
	return 0;
}

static int bind(sqlite3_stmt *statement, const char *format, va_list values)
{
	int rc = 0;

	for (int i = 1; !rc && *format; format++, i++)
		if (*format == 'i')
			rc = sqlite3_bind_int64(statement, i, va_arg(values, int64_t));
		else if (*format == 't')
			rc = sqlite3_bind_text(statement, i, va_arg(values, const char *), -1, SQLITE_STATIC);
		else
			rc = sqlite3_bind_null(statement, i);
	return rc;
}

static int prepare_bound(struct database *database, const char *sql, sqlite3_stmt **ret_statement,
	struct enrg_error *err, const char *format, va_list values)
{
	int rc = database_prepare(database, sql, ret_statement, err);

	if (rc)
		return rc;
	rc = bind(*ret_statement, format, values);
	return rc ? database_fail(database, rc, err) : 0;
}

int database_bind(struct database *database, const char *sql, sqlite3_stmt **ret_statement, struct enrg_error *err,
	const char *format, ...)
{
	va_list values;

	va_start(values, format);
	int rc = prepare_bound(database, sql, ret_statement, err, format, values);
	va_end(values);
	return rc;
}

bool database_step(struct database *database, sqlite3_stmt *statement, int *ret_code, struct enrg_error *err)
{
	int rc = sqlite3_step(statement);

	*ret_code = 0;
	if (rc == SQLITE_ROW)
		return true;
	if (rc != SQLITE_DONE)
		*ret_code = database_fail(database, rc, err);
	sqlite3_reset(statement);
	return false;
}

int database_run(struct database *database, const char *sql, struct enrg_error *err, const char *format, ...)
{
	sqlite3_stmt *statement = NULL;
	va_list values;

	va_start(values, format);
	int rc = prepare_bound(database, sql, &statement, err, format, values);
	va_end(values);
	while (!rc && database_step(database, statement, &rc, err))
		;
	return rc;
}

int database_get(struct database *database, const char *sql, int64_t otherwise, int64_t *ret_value,
	struct enrg_error *err, const char *format, ...)
{
	sqlite3_stmt *statement = NULL;
	va_list values;

	va_start(values, format);
	int rc = prepare_bound(database, sql, &statement, err, format, values);
	va_end(values);
	if (rc)
		return rc;
	*ret_value = otherwise;
	if (database_step(database, statement, &rc, err)) {
		*ret_value = sqlite3_column_type(statement, 0) == SQLITE_NULL ? otherwise
									      : sqlite3_column_int64(statement, 0);
		sqlite3_reset(statement);
	}
	return rc;
}

const char *database_text(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	return text ? text : "";
}

int database_begin(struct database *database, struct enrg_error *err)
{
	return database_run(database, "BEGIN IMMEDIATE", err, "");
}

int database_commit(struct database *database, struct enrg_error *err)
{
	int rc = database_run(database, "COMMIT", err, "");

	if (rc)
		database_abort(database);
	return rc;
}

void database_abort(struct database *database)
{
	if (!sqlite3_get_autocommit(database->handle))
		(void)database_run(database, "ROLLBACK", NULL, "");
}

void database_close(struct database *database)
{
	if (!database)
		return;
	for (unsigned i = 0; i < database->statement_count; i++)
		sqlite3_finalize(database->statements[i].statement);
	sqlite3_close_v2(database->handle);
	free(database);
}
