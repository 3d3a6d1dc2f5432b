/* database.h: the SQLite database of the run book: opened, proved, brought to the present layout; statements. One
 * thread.
 *
 * Codes: -ENOSPC it is full; -EROFS it can't be written; ENRG_E_CORRUPT its pages are damaged; ENRG_E_VERSION a newer
 * program has made it; -EBUSY somebody else writes; -EIO and others.
 */
#ifndef RUNS_DATABASE_H
#define RUNS_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#define DATABASE_PATH_BYTES 1024u
#define DATABASE_STATEMENTS 96u

enum database_network { DATABASE_ASK, DATABASE_LOCAL, DATABASE_NETWORK };

struct database_params {
	const char *path;
	bool is_reader;                /* nothing is written, not made, and not brought to another layout */
	bool is_proved;                /* its pages were looked at a short while ago */
	enum database_network network; /* DATABASE_ASK: the file system's kind says it */
};

struct database {
	sqlite3 *handle;
	char path[DATABASE_PATH_BYTES];
	bool is_network; /* a rollback journal instead of a write-ahead log, whose shared memory no network carries */
	char backup[DATABASE_PATH_BYTES + 64]; /* of the file before its layout was changed; "" = it was not */
	unsigned statement_count;
	struct {
		const char *sql; /* the pointer is the key */
		sqlite3_stmt *statement;
	} statements[DATABASE_STATEMENTS];
};

int database_open(const struct database_params *params, struct database **ret_database, struct enrg_error *err);
void database_close(struct database *database); /* takes NULL */

/* `sql` is a constant: it is prepared once. Reset, without values. */
int database_prepare(struct database *database, const char *sql, sqlite3_stmt **ret_statement, struct enrg_error *err);
/* A letter of `format` for each value, from the first: i int64_t, t const char * (NULL: NULL), n NULL (takes nothing).
 * Texts live until the statement is used again. */
int database_bind(struct database *database, const char *sql, sqlite3_stmt **ret_statement, struct enrg_error *err,
	const char *format, ...);
/* Prepares, binds, and steps until there are no more rows. */
int database_run(struct database *database, const char *sql, struct enrg_error *err, const char *format, ...);
/* The first column of the first row; `otherwise` where there is none. */
int database_get(struct database *database, const char *sql, int64_t otherwise, int64_t *ret_value,
	struct enrg_error *err, const char *format, ...);
/* true: there is a row; false with *ret_code 0 (no more) or a code. The statement is reset then. */
bool database_step(struct database *database, sqlite3_stmt *statement, int *ret_code, struct enrg_error *err);
/* "" for NULL. Lives until the next step. */
const char *database_text(sqlite3_stmt *statement, int column);

int database_begin(struct database *database, struct enrg_error *err); /* takes the lock of a writer now */
int database_commit(struct database *database, struct enrg_error *err);
void database_abort(struct database *database);

/* What SQLite says, as a code. */
int database_fail(const struct database *database, int sqlite_code, struct enrg_error *err);
/* Reads all pages for `budget_ns` at the most: ENRG_E_CORRUPT where they are damaged. */
int database_prove(struct database *database, uint64_t budget_ns, struct enrg_error *err);

#endif
