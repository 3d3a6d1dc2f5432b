/* ruler_test.c: a test of a store as its author writes it: links with -lenrgdaq-kit, loads the module, and looks at
 * what is in the file after a roll back and after a kill. usage: ruler_test MODULE FOLDER */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <enrgdaq/store_runner.h>

#define ROWS 20

static struct enrg_column column;
static struct enrg_schema schema; /* structs grow at their ends: what is not named stays 0 */
static char journal[4096], out_dir[4096], file[4096];

static int open_store(
	const char *module, struct enrg_store_runner **ret_runner, uint32_t *ret_table, struct enrg_error *err)
{
	struct enrg_store_runner_params params;
	struct enrg_store_table table;

	memset(&params, 0, sizeof(params));
	params.size = sizeof(params);
	params.module = module;
	params.type = "DAQJobStoreLines";
	params.journal = journal;
	params.out_dir = out_dir;
	memset(&table, 0, sizeof(table));
	table.source = "ruler";
	table.run = "run";
	table.tag = "";
	table.schema = &schema;
	table.section_keys = "file_path = \"t.txt\"";
	int rc = enrg_store_runner_open(&params, ret_runner, err);
	return rc < 0 ? rc : enrg_store_runner_open_table(*ret_runner, &table, ret_table, err);
}

/* Rows first, first + 1, … */
static int write_rows(struct enrg_store_runner *runner, uint32_t table, int64_t first, struct enrg_error *err)
{
	int64_t values[ROWS];
	struct enrg_column_view view;
	struct enrg_batch batch;

	for (int i = 0; i < ROWS; i++)
		values[i] = first + i;
	memset(&view, 0, sizeof(view));
	view.values = values;
	view.value_count = ROWS;
	memset(&batch, 0, sizeof(batch));
	batch.schema = &schema;
	batch.rows = ROWS;
	batch.columns = &view;
	batch.source = "ruler";
	batch.run = "run";
	batch.tag = "";
	batch.sequence = (uint64_t)first / ROWS + 1;
	batch.epoch = 1;
	return enrg_store_runner_write(runner, table, &batch, err);
}

/* 0, 1, … and nothing else? */
static int count_rows(int64_t wanted)
{
	FILE *stream = fopen(file, "r");
	int64_t row, next = 0;

	while (stream && fscanf(stream, "%" SCNd64, &row) == 1 && row == next)
		next++;
	if (stream)
		fclose(stream);
	if (next != wanted)
		fprintf(stderr, "%s: rows 0 to %" PRId64 " are as they should be, expected %" PRId64 " of them\n", file,
			next - 1, wanted);
	return next == wanted ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct enrg_store_runner *store = NULL;
	struct enrg_store_mark mark = {ROWS, 1};
	struct enrg_error err = {0, ""};
	uint32_t table;

	if (argc != 3)
		return 2;
	schema.column_count = 1;
	schema.columns = &column;
	column.name = "mark";
	column.type = ENRG_I64;
	snprintf(journal, sizeof(journal), "%s/journal", argv[2]);
	snprintf(out_dir, sizeof(out_dir), "%s/out", argv[2]);
	snprintf(file, sizeof(file), "%s/out/t.txt", argv[2]);
	if (open_store(argv[1], &store, &table, &err) || write_rows(store, table, 0, &err) ||
		enrg_store_runner_commit(store, &mark, &err) || write_rows(store, table, ROWS, &err) ||
		enrg_store_runner_roll_back(store, &err) || count_rows(ROWS))
		return fprintf(stderr, "roll back: %s\n", err.text), 1;
	enrg_store_runner_kill(store);
	if (open_store(argv[1], &store, &table, &err) || enrg_store_runner_get_mark(store).position != ROWS ||
		write_rows(store, table, ROWS, &err) || enrg_store_runner_close(store, &err) || count_rows(2 * ROWS))
		return fprintf(stderr, "kill: %s\n", err.text), 1;
	return 0;
}
