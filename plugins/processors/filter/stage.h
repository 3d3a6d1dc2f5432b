/* stage.h: the rules of a filter, one after another: which rows of a batch pass, and which rule rejected the others.
 * Pure: the same rows after the same counts give the same answer, in any cut into pieces. */
#ifndef FILTER_STAGE_H
#define FILTER_STAGE_H

#include "enrgdaq/batch.h"

#define STAGES_MAX     32u
#define STAGE_ROWS_MAX (1u << 20) /* looked at at once */

enum stage_kind { STAGE_PRESCALE = 1, STAGE_RANGE };
enum stage_unit { STAGE_ROWS = 1, STAGE_BATCHES };

struct stage {
	const char *name; /* of the policy in the ledger */
	int kind;         /* enum stage_kind */
	/* prescale: the first of each `every` passes */
	int64_t every;
	int unit; /* enum stage_unit */
	/* range: from min to max, both included */
	const char *column;
	double min, max;
	bool has_min, has_max;
};

/* Rows, or batches, that came to each prescale of one input, modulo `every`. */
struct stage_counts {
	uint64_t seen[STAGES_MAX];
};

struct stage_result {
	uint32_t count;                /* rows that pass */
	uint64_t rejected[STAGES_MAX]; /* by each stage */
};

struct stage_list {
	const struct stage *stages;
	const uint32_t *columns; /* for each stage the index of its column, UINT32_MAX: the table has none, all pass */
	uint32_t count;
};

struct stage_rows {
	const struct enrg_batch *batch;
	uint64_t first;
	uint32_t count;
};

/* `ret_kept`: room for all rows; numbers of those that pass, ascending, from 0 = the first of the batch. Raises
 * `counts`. */
void stage_select(const struct stage_list *list, const struct stage_rows *rows, struct stage_counts *counts,
	uint32_t *ret_kept, struct stage_result *ret_result);

/* Can a range look at such a column? */
bool stage_can_compare(const struct enrg_column *column);

#endif
