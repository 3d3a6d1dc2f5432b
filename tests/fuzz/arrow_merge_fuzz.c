/* arrow_merge_fuzz.c: any bytes as an .arrows file whose batches are merged. What comes out holds the same, as far as
 * the proof that real files are put to can tell. Runs in a fuzzer or over its corpus. */
#include <stdlib.h>
#include <string.h>

#include "arrow/merge.h"
#include "arrow/merge_proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

struct trial {
	struct enrg_schema *schema;
	struct enrg_column_view *views[2]; /* of the batch that is added, and of one that comes out meanwhile */
	struct merge_proof before, after;
	struct merger *merger;
};

/* A message in memory of exactly its size; 0: it was taken. */
static int take(struct trial *trial, const void *bytes, size_t count, bool is_output)
{
	struct enrg_batch batch = {0};
	struct ipc_message message;
	size_t wanted;
	uint8_t *exact = malloc(count);

	if (!exact)
		abort();
	memcpy(exact, bytes, count);
	int rc = ipc_read_message(exact, count, &message, &wanted, NULL);
	if (rc == 0)
		rc = ipc_decode_batch(trial->schema, exact, count, trial->views[is_output], &batch, NULL);
	if (is_output && (rc < 0 || !message.has_stamp || !message.meta_crc_ok))
		abort();
	if (rc == 0 && (!message.has_stamp || batch.ipc_bytes != count))
		rc = -1;
	batch.columns = trial->views[is_output];
	if (rc == 0 && merge_proof_add(is_output ? &trial->after : &trial->before, &message, &batch, NULL) < 0)
		abort();
	if (rc == 0 && !is_output && merger_add(trial->merger, &message, &batch, NULL) < 0)
		abort();
	free(exact);
	return rc;
}

static int emit(void *context, const void *meta, uint32_t meta_bytes, const void *body, uint64_t body_bytes,
	struct enrg_error *err)
{
	uint8_t *whole = malloc(meta_bytes + body_bytes);

	(void)err;
	if (!whole)
		abort();
	memcpy(whole, meta, meta_bytes);
	if (body_bytes)
		memcpy(whole + meta_bytes, body, body_bytes);
	take(context, whole, meta_bytes + body_bytes, true);
	free(whole);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct trial trial = {0};
	struct ipc_message message;
	size_t wanted, at = 0;

	if (ipc_read_message(bytes, count, &message, &wanted, NULL) < 0 || message.is_end ||
		ipc_decode_schema(bytes, count, &trial.schema, NULL) < 0)
		return 0;
	at = message.meta_bytes;
	for (int i = 0; i < 2; i++)
		trial.views[i] = calloc(trial.schema->column_count, sizeof(*trial.views[i]));
	trial.before.schema = trial.after.schema = trial.schema;
	if (!trial.views[0] || !trial.views[1] || merger_create(trial.schema, emit, &trial, &trial.merger, NULL) < 0)
		abort();
	while (at < count && ipc_read_message(bytes + at, count - at, &message, &wanted, NULL) == 0) {
		uint64_t total = message.meta_bytes + message.body_bytes;
		/* As for files: only what has a right check sum is merged. */
		if (message.is_end || !message.meta_crc_ok || total > count - at ||
			take(&trial, bytes + at, (size_t)total, false) < 0)
			break;
		at += (size_t)total;
	}
	if (merger_finish(trial.merger, NULL) < 0 || !merge_proof_equal(&trial.before, &trial.after))
		abort();
	merger_destroy(trial.merger);
	merge_proof_fini(&trial.before);
	merge_proof_fini(&trial.after);
	free(trial.views[0]);
	free(trial.views[1]);
	free(trial.schema);
	return 0;
}
