/* merge_proof.h: do two files hold the same? Check sums over all values of each column of each table, over sequences,
 * and over the messages that stay as they are; how rows are put into batches makes no difference. Inside src/arrow. */
#ifndef ARROW_MERGE_PROOF_H
#define ARROW_MERGE_PROOF_H

#include "arrow/ipc.h"

struct merge_proof_table;

struct merge_proof {
	const struct enrg_schema *schema;
	struct merge_proof_table *tables;
	size_t count, capacity;
};

/* The next batch of a file; the proof begins with the schema alone. columns NULL: it was not decoded. */
int merge_proof_add(struct merge_proof *proof, const struct ipc_message *message, const struct enrg_batch *batch,
	struct enrg_error *err);
bool merge_proof_equal(const struct merge_proof *a, const struct merge_proof *b);
void merge_proof_fini(struct merge_proof *proof);

#endif
