/* envelope_fuzz.c: any bytes as an envelope. What is accepted must come back the same after formatting. Runs in a
 * fuzzer or over its corpus. */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bus/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check_round_trip(struct envelope *envelope)
{
	struct envelope back;
	void *formatted;
	size_t count;

	/* Refused only where numbers in their longer form no longer fit. */
	if (envelope_format(envelope, &formatted, &count, NULL))
		return;
	if (envelope_parse(formatted, count, &back, NULL))
		abort();
	if (strcmp(back.kind, envelope->kind) || strcmp(back.supervisor, envelope->supervisor) ||
		strcmp(back.job, envelope->job) || strcmp(back.job_type, envelope->job_type) ||
		memcmp(back.id, envelope->id, sizeof(back.id)) || back.sent_wall_ns != envelope->sent_wall_ns ||
		back.pid != envelope->pid || !json_equal(back.body, envelope->body))
		abort();
	envelope_fini(&back);
	free(formatted);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct envelope envelope;

	if (envelope_parse(bytes, count, &envelope, NULL))
		return 0;
	check_round_trip(&envelope);
	envelope_fini(&envelope);
	return 0;
}
