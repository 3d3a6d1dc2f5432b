/* cnc_fuzz.c: any bytes as a message of command and control between machines. What is accepted must come back the same
 * after it is written. The corpus holds what the Python program has put on the wire. Runs in a fuzzer or over its
 * corpus. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "web/cnc/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check_round_trip(const struct cnc_message *message)
{
	struct cnc_message back;
	struct wire_writer writer;

	/* Refused only where numbers in their longer form no longer fit. */
	if (!cnc_message_format(message->json, &writer, NULL)) {
		if (cnc_message_parse(writer.bytes, writer.count, &back, NULL) || back.type != message->type ||
			!json_equal(back.json, message->json))
			abort();
		cnc_message_fini(&back);
	}
	wire_writer_fini(&writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct cnc_message message;

	if (cnc_message_parse(bytes, count, &message, NULL))
		return 0;
	check_round_trip(&message);
	cnc_name_is_good(bytes, count);
	cnc_message_fini(&message);
	return 0;
}
