/* names.h: what tables and columns are called in a database; compiled into the stores for SQLite and MySQL. */
#ifndef SQL_NAMES_H
#define SQL_NAMES_H

#include <stddef.h>
#include <time.h>

#include "enrgdaq/schema.h"

#define SQL_NAME_BYTES_MAX    64u /* MySQL's limit */
#define SQL_FINGERPRINT_BYTES 17u
#define SQL_POSITIONS         "enrgdaq_positions" /* the table of high-water marks */

struct sql_names {
	uint32_t count;
	char (*items)[SQL_NAME_BYTES_MAX + 1];
};

/* Each byte outside of [A-Za-z0-9_] becomes '_'; a name that is too long ends in a number made from all of it. */
void sql_clean_name(const char *text, char ret_name[SQL_NAME_BYTES_MAX + 1]);

/* table_name, and "_tag" where there is a tag; cleaned. -EINVAL: nothing is left, or it is the table of marks. */
int sql_table_name(
	const char *table_name, const char *tag, char ret_name[SQL_NAME_BYTES_MAX + 1], struct enrg_error *err);

/* The columns' names, cleaned. Where two would be the same (databases don't tell A from a), the second gets "_2". */
int sql_names_init(struct sql_names *names, const struct enrg_schema *schema, struct enrg_error *err);
void sql_names_fini(struct sql_names *names); /* takes zeroed names */

/* A mark is kept for so long after its run began; one of the run at hand always. */
#define SQL_MARK_DAYS      30u
#define SQL_RUN_TIME_BYTES 17u

/* Runs are named after the UTC time of their start. The time before which the marks of other runs may go, in that form,
 * to be compared as text. false: this run is not named so, and nothing may go. */
bool sql_find_oldest_run(const char *run, time_t now, char ret_oldest[SQL_RUN_TIME_BYTES]);

/* Is there room for so many columns in a table of `kind` ("SQLite")? The error says where, who sends them, and what
 * helps.
 */
int sql_names_check(const struct sql_names *names, uint32_t columns_max, const char *kind, const char *where,
	const char *source, struct enrg_error *err);

/* A number that stands for the text. */
uint64_t sql_hash_text(const char *text);

/* 16 hex digits that stand for the names and types of the columns. */
void sql_fingerprint_columns(const struct enrg_schema *schema, char ret_fingerprint[SQL_FINGERPRINT_BYTES]);

#endif
