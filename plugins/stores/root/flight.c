/* flight.c: see the header. Store process, main thread; pages are made by its helper as well. */
#include "flight.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "tree.h"

struct flight_turn {
	uint64_t took_ns;
	uint32_t part;
};

static uint64_t read_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

int flight_init(struct flight *flight, const struct tree *tree, struct enrg_error *err)
{
	flight->tasks = calloc(tree->part_count, sizeof(*flight->tasks));
	flight->turns = calloc(tree->part_count, sizeof(*flight->turns));
	if (!flight->tasks || !flight->turns)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	flight->tree = tree;
	return cluster_init(&flight->full, tree->schema, err);
}

void flight_fini(struct flight *flight, struct tree *tree)
{
	if (flight->is_under_way)
		flight_finish(flight, tree);
	for (uint32_t i = 0; flight->tasks && i < tree->part_count; i++) {
		bytes_fini(&flight->tasks[i].scratch);
		bytes_fini(&flight->tasks[i].packed);
	}
	free(flight->tasks);
	free(flight->turns);
	cluster_fini(&flight->full);
}

/* --- under way ---------------------------------------------------------------------------------------------------- */

static void make_page(void *context, uint32_t turn, struct compressor *compressor)
{
	const struct flight *flight = context;
	const struct tree *tree = flight->tree;
	uint32_t index = flight->turns[turn].part;
	struct flight_task *task = &flight->tasks[index];
	uint64_t begun_ns = read_clock();
	struct encoded encoded;

	bytes_clear(&task->scratch);
	bytes_clear(&task->packed);
	tree->format->encode(tree, &tree->parts[index], flight->rows, &task->scratch, &encoded);
	task->raw_bytes = encoded.count;
	task->elements = encoded.elements;
	task->rc = bytes_check(&task->scratch, &task->err);
	if (task->rc == 0)
		task->rc = compress_append(
			compressor, &tree->setting, encoded.data, encoded.count, &task->packed, &task->err);
	task->took_ns = read_clock() - begun_ns;
}

static int compare_turns(const void *a, const void *b)
{
	const struct flight_turn *left = a, *right = b;

	return left->took_ns < right->took_ns ? 1 : left->took_ns > right->took_ns ? -1 : 0;
}

/* The longest first, so that both threads end at nearly the same time. */
void flight_start(struct flight *flight, struct tree *tree, const struct cluster *rows)
{
	for (uint32_t i = 0; i < tree->part_count; i++)
		flight->turns[i] = (struct flight_turn){tree->parts[i].took_ns, i};
	qsort(flight->turns, tree->part_count, sizeof(*flight->turns), compare_turns);
	flight->rows = rows;
	flight->is_under_way = true;
	flight->round = (struct pool_round){.function = make_page, .context = flight, .count = tree->part_count};
	pool_start(tree->pool, &flight->round);
}

/* The longest row of all is known to the open cluster alone. */
void flight_start_full(struct flight *flight, struct tree *tree)
{
	struct cluster empty = flight->full;

	flight->full = tree->open;
	tree->open = empty;
	for (uint32_t i = 0; i < empty.column_count; i++)
		tree->open.columns[i].longest = flight->full.columns[i].longest;
	flight_start(flight, tree, &flight->full);
}

void flight_finish(struct flight *flight, struct tree *tree)
{
	pool_finish(tree->pool, &flight->round);
	flight->is_under_way = false;
}
