/* sql_store.c: how fast are the stores for SQLite and MySQL against a bare loop that inserts the same rows? Same table,
 * same rows a statement and a transaction, same durability; the stores are the modules themselves. MySQL is a MariaDB
 * server of this program's own. */
#include <errno.h>
#include <mysql.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "base/log.h"
#include "benchmark/compare.h"
#include "servers/server.h"

#define COLUMNS      5u
#define ROWS         10000u /* of a batch, and of a statement of the bare loop */
#define BATCHES      10u    /* of a transaction */
#define TRANSACTIONS 3u
#define TEXT_BYTES   8u

static const char help[] =
	"Rows a second of DAQJobStoreSQLite and DAQJobStoreMySQL, divided by those of a bare loop of\n"
	"sqlite3_step, and of array inserts of libmariadb. 3 transactions of 10 batches of 10,000 rows of\n"
	"five columns (uint64, float64, uint32, int16, text of 8 bytes). SQLite in WAL mode with\n"
	"synchronous = NORMAL, InnoDB with its defaults (each commit is synced). Files in $TMPDIR or /tmp.";

static const struct enrg_column columns[COLUMNS] = {{.name = "time", .type = ENRG_U64},
	{.name = "energy", .type = ENRG_F64}, {.name = "channel", .type = ENRG_U32}, {.name = "adc", .type = ENRG_I16},
	{.name = "label", .type = ENRG_STRING}};
static const struct enrg_schema schema = {.column_count = COLUMNS, .columns = columns};
static const char create_mysql[] =
	"CREATE TABLE t (time BIGINT UNSIGNED, energy DOUBLE, channel INT UNSIGNED, adc SMALLINT, label LONGTEXT) "
	"ENGINE=InnoDB DEFAULT CHARSET=utf8mb4";
static const char create_sqlite[] =
	"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA "
	"journal_size_limit = 67108864; CREATE TABLE t (time, energy REAL, channel INTEGER, "
	"adc INTEGER, label TEXT)";

struct bench {
	struct server server; /* its folder is also that of the SQLite files */
	char store_keys[300];
	struct store_kind kind;
	struct enrg_column_view views[COLUMNS];
	struct enrg_batch batch;
};

static uint64_t *times;
static double *energies;
static uint32_t *channels;
static int16_t *adcs;
static char *texts;
static int32_t *offsets;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int make_rows(struct bench *bench)
{
	times = malloc(ROWS * sizeof(*times));
	energies = malloc(ROWS * sizeof(*energies));
	channels = malloc(ROWS * sizeof(*channels));
	adcs = malloc(ROWS * sizeof(*adcs));
	texts = malloc(ROWS * TEXT_BYTES + 1);
	offsets = malloc((ROWS + 1) * sizeof(*offsets));
	if (!times || !energies || !channels || !adcs || !texts || !offsets)
		return -ENOMEM;
	for (uint32_t i = 0; i < ROWS; i++) {
		times[i] = 1750000000000000000u + i * 4u;
		energies[i] = (double)rand() / 1e6;
		channels[i] = i % 64;
		adcs[i] = (int16_t)(rand() % 16384 - 8192);
		offsets[i] = (int32_t)(i * TEXT_BYTES);
		snprintf(texts + i * TEXT_BYTES, TEXT_BYTES + 1, "det_%04u", i % 1000);
	}
	offsets[ROWS] = ROWS * TEXT_BYTES;
	const void *const values[COLUMNS] = {times, energies, channels, adcs, texts};
	for (unsigned i = 0; i < COLUMNS; i++)
		bench->views[i] = (struct enrg_column_view){.values = values[i], .value_count = ROWS};
	bench->views[4].offsets = offsets;
	bench->views[4].value_count = ROWS * TEXT_BYTES;
	bench->batch = (struct enrg_batch){.rows = ROWS, .columns = bench->views};
	return 0;
}

/* --- the stores --------------------------------------------------------------------------------------------------- */

static int write_all(struct harness *life, struct bench *bench, double *ret_figures, struct enrg_error *err)
{
	const struct harness_table table = {.source = "bench", .tag = "", .schema = &schema, .more_keys = NULL};
	struct enrg_batch empty = bench->batch;
	uint64_t position = 1;

	empty.rows = 0;
	int rc = harness_write_batch(life, &table, &empty, err); /* creates the table */
	if (rc == 0)
		rc = harness_commit(life, position++, err);
	double began = now();
	for (unsigned i = 0; i < TRANSACTIONS && rc == 0; i++) {
		for (unsigned k = 0; k < BATCHES && rc == 0; k++)
			rc = harness_write_batch(life, &table, &bench->batch, err);
		if (rc == 0)
			rc = harness_commit(life, position++, err);
	}
	ret_figures[0] = (double)ROWS * BATCHES * TRANSACTIONS / (now() - began) / 1e3;
	return rc;
}

static int measure_store(struct bench *bench, double *ret_figures, struct enrg_error *err)
{
	char journal[100];
	struct harness *life;

	snprintf(journal, sizeof(journal), "%s/journal", bench->server.folder);
	unlink(journal);
	int rc = harness_open(&bench->kind, journal, bench->server.folder, &life, err);
	if (rc < 0)
		return rc;
	rc = write_all(life, bench, ret_figures, err);
	if (rc == 0)
		return harness_close(life, err);
	harness_kill(life);
	return rc;
}

/* --- SQLite ------------------------------------------------------------------------------------------------------- */

static void remove_sqlite(const struct bench *bench)
{
	static const char *const tails[] = {"", "-wal", "-shm"};
	char path[100];

	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/t.sqlite%s", bench->server.folder, tails[i]);
		unlink(path);
	}
}

static bool insert_sqlite(sqlite3_stmt *insert)
{
	for (uint32_t i = 0; i < ROWS; i++) {
		sqlite3_bind_int64(insert, 1, (sqlite3_int64)times[i]);
		sqlite3_bind_double(insert, 2, energies[i]);
		sqlite3_bind_int64(insert, 3, channels[i]);
		sqlite3_bind_int(insert, 4, adcs[i]);
		sqlite3_bind_text(insert, 5, texts + i * TEXT_BYTES, TEXT_BYTES, SQLITE_STATIC);
		if (sqlite3_step(insert) != SQLITE_DONE)
			return false;
		sqlite3_reset(insert);
	}
	return true;
}

static int measure_bare_sqlite(void *context, double *ret_figures, struct enrg_error *err)
{
	struct bench *bench = context;
	sqlite3_stmt *insert = NULL;
	sqlite3 *base = NULL;
	char path[100];

	remove_sqlite(bench);
	snprintf(path, sizeof(path), "%s/t.sqlite", bench->server.folder);
	bool is_good = sqlite3_open_v2(path, &base, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			       NULL) == SQLITE_OK &&
		       sqlite3_exec(base, create_sqlite, NULL, NULL, NULL) == SQLITE_OK &&
		       sqlite3_prepare_v2(base, "INSERT INTO t VALUES (?, ?, ?, ?, ?)", -1, &insert, NULL) == SQLITE_OK;
	double began = now();
	for (unsigned i = 0; i < TRANSACTIONS && is_good; i++) {
		is_good = sqlite3_exec(base, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
		for (unsigned k = 0; k < BATCHES && is_good; k++)
			is_good = insert_sqlite(insert);
		is_good = is_good && sqlite3_exec(base, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
	}
	ret_figures[0] = (double)ROWS * BATCHES * TRANSACTIONS / (now() - began) / 1e3;
	int rc = is_good ? 0 : enrg_error_set(err, -EIO, "%s: %s", path, sqlite3_errmsg(base));
	sqlite3_finalize(insert);
	sqlite3_close(base);
	return rc;
}

static int measure_sqlite(void *context, double *ret_figures, struct enrg_error *err)
{
	remove_sqlite(context);
	return measure_store(context, ret_figures, err);
}

/* --- MySQL -------------------------------------------------------------------------------------------------------- */

static MYSQL *connect_server(const struct server *server, const char *base)
{
	unsigned protocol = MYSQL_PROTOCOL_TCP;
	MYSQL *mysql = mysql_init(NULL);

	mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
	mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (mysql_real_connect(mysql, "127.0.0.1", "root", "", base, server->port, NULL, 0))
		return mysql;
	mysql_close(mysql);
	return NULL;
}

static int is_ready(const struct server *server)
{
	MYSQL *mysql = connect_server(server, NULL);
	int is_good = mysql && mysql_query(mysql, "CREATE DATABASE IF NOT EXISTS bench") == 0;

	if (mysql)
		mysql_close(mysql);
	return is_good;
}

static int start_server(struct bench *bench, struct enrg_error *err)
{
	static const char *const install[] = {"mariadb-install-db", "--no-defaults", "--datadir=FOLDER/data",
		"--auth-root-authentication-method=normal", "--skip-test-db", "--user=root", NULL};
	static const char *const run[] = {"mariadbd", "--no-defaults", "--datadir=FOLDER/data", "--tmpdir=FOLDER",
		"--port=PORT", "--bind-address=127.0.0.1", "--skip-networking=0", "--socket=FOLDER/socket",
		"--pid-file=FOLDER/pid", "--user=root", NULL};

	int rc = server_run(&bench->server, install, err);
	if (rc == 0)
		rc = server_start(&bench->server, run, err);
	if (rc == 0)
		rc = server_wait(&bench->server, is_ready, err);
	snprintf(bench->store_keys, sizeof(bench->store_keys),
		"host = \"127.0.0.1\"\nport = %u\nuser = \"root\"\npassword = \"\"\ndatabase = \"bench\"\n",
		bench->server.port);
	return rc;
}

static void bind_mysql(MYSQL_BIND *binds, const char **pointers, unsigned long *lengths)
{
	memset(binds, 0, COLUMNS * sizeof(*binds));
	binds[0] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = times, .is_unsigned = 1};
	binds[1] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_DOUBLE, .buffer = energies};
	binds[2] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONG, .buffer = channels, .is_unsigned = 1};
	binds[3] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_SHORT, .buffer = adcs};
	binds[4] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING, .buffer = (void *)pointers, .length = lengths};
	for (uint32_t i = 0; i < ROWS; i++) {
		pointers[i] = texts + i * TEXT_BYTES;
		lengths[i] = TEXT_BYTES;
	}
}

static bool run_sql(MYSQL *mysql, const char *sql)
{
	return mysql_query(mysql, sql) == 0;
}

static int measure_bare_mysql(void *context, double *ret_figures, struct enrg_error *err)
{
	static const char *pointers[ROWS];
	static unsigned long lengths[ROWS];
	struct bench *bench = context;
	unsigned rows = ROWS;
	MYSQL_BIND binds[COLUMNS];
	MYSQL *mysql = connect_server(&bench->server, "bench");
	MYSQL_STMT *insert = mysql ? mysql_stmt_init(mysql) : NULL;
	static const char sql[] = "INSERT INTO t VALUES (?, ?, ?, ?, ?)";

	bind_mysql(binds, pointers, lengths);
	bool is_good = insert && run_sql(mysql, "DROP TABLE IF EXISTS t") && run_sql(mysql, create_mysql) &&
		       run_sql(mysql, "SET autocommit = 0") && mysql_stmt_prepare(insert, sql, sizeof(sql) - 1) == 0 &&
		       mysql_stmt_attr_set(insert, STMT_ATTR_ARRAY_SIZE, &rows) == 0 &&
		       mysql_stmt_bind_param(insert, binds) == 0;
	double began = now();
	for (unsigned i = 0; i < TRANSACTIONS && is_good; i++) {
		for (unsigned k = 0; k < BATCHES && is_good; k++)
			is_good = mysql_stmt_execute(insert) == 0;
		is_good = is_good && mysql_commit(mysql) == 0;
	}
	ret_figures[0] = (double)ROWS * BATCHES * TRANSACTIONS / (now() - began) / 1e3;
	int rc = is_good ? 0 : enrg_error_set(err, -EIO, "bare loop: %s", mysql ? mysql_error(mysql) : "no server");
	if (insert)
		mysql_stmt_close(insert);
	if (mysql)
		mysql_close(mysql);
	return rc;
}

static int measure_mysql(void *context, double *ret_figures, struct enrg_error *err)
{
	struct bench *bench = context;
	MYSQL *mysql = connect_server(&bench->server, "bench");
	bool is_good = mysql && run_sql(mysql, "DROP TABLE IF EXISTS t");

	if (mysql)
		mysql_close(mysql);
	return is_good ? measure_store(bench, ret_figures, err) : enrg_error_set(err, -EIO, "no server");
}

int main(int argc, char **argv)
{
	static const struct compare_metric sqlite = {"sqlite, of a bare loop of inserts", "krows/s", 0.80, false};
	static const struct compare_metric mysql = {"mysql, of a bare loop of array inserts", "krows/s", 0.80, false};
	static struct bench bench;
	struct enrg_error err = {0};
	struct compare compare = {.rounds = compare_parse(argc, argv, help),
		.metric_count = 1,
		.metrics = &sqlite,
		.limit = measure_bare_sqlite,
		.value = measure_sqlite,
		.context = &bench};

	log_init("bench", ENRG_ERROR);
	bench.kind = (struct store_kind){.module = "sqlite",
		.type = "DAQJobStoreSQLite",
		.store_keys = "",
		.section_keys = "file_path = \"t.sqlite\"\ntable_name = \"t\"",
		.has_out_dir = true,
		.is_database = true};
	int code = make_rows(&bench);
	if (code == 0)
		code = server_init(&bench.server, &err);
	if (code == 0)
		code = compare_run(&compare, &err);
	bench.kind = (struct store_kind){.module = "mysql",
		.type = "DAQJobStoreMySQL",
		.store_keys = bench.store_keys,
		.section_keys = "table_name = \"t\"",
		.is_database = true};
	compare.metrics = &mysql;
	compare.limit = measure_bare_mysql;
	compare.value = measure_mysql;
	int second = code < 0 ? code : start_server(&bench, &err);
	if (second == 0)
		second = compare_run(&compare, &err);
	server_fini(&bench.server);
	return compare_exit(second < 0 ? second : code > second ? code : second, &err);
}
