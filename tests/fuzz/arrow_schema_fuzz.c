/* arrow_schema_fuzz.c: any bytes as an Arrow schema message. What is accepted must be a schema that we would write, and
 * come back the same. Runs in a fuzzer or over its corpus. */
#include <stdlib.h>

#include "arrow/ipc.h"
#include "arrow/notes.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct enrg_schema *schema, *back;
	struct ipc_template *template;
	struct ipc_message message;
	uint32_t encoded_count;
	size_t wanted;
	void *encoded;

	if (ipc_read_message(bytes, count, &message, &wanted, NULL) == 0 && message.meta_bytes > count)
		abort();
	if (ipc_decode_schema(bytes, count, &schema, NULL) < 0)
		return 0;
	if (enrg_schema_check(schema, NULL) < 0 ||
		ipc_encode_schema(schema, NULL, &encoded, &encoded_count, NULL) < 0 ||
		ipc_decode_schema(encoded, encoded_count, &back, NULL) < 0 || !ipc_schema_equal(schema, back) ||
		!notes_equal(schema, back) || ipc_template_create(schema, NULL, &template, NULL) < 0)
		abort();
	ipc_template_destroy(template);
	free(encoded);
	free(back);
	free(schema);
	return 0;
}
