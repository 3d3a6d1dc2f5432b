/* run_entry_fuzz.c: entries of the run book, which any process of a system writes: any bytes are refused or make an
 * entry that can be written again as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runs/entry/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct enrg_error err = {0};
	struct entry entry, again;

	if (entry_parse((const char *)bytes, count, &entry, &err)) {
		if (!err.text[0])
			abort();
		return 0;
	}
	json_t *json = json_pack("{s:i, s:s, s:s, s:s, s:I, s:s, s:O}", "v", ENTRY_VERSION, "id", entry.id, "kind",
		entry_kind_name(entry.kind), "uuid", entry.uuid, "wall_ns", (json_int_t)entry.wall_ns, "who", entry.who,
		"body", entry.body);
	if (!json || entry_parse_json(json, &again, NULL) || strcmp(again.id, entry.id) != 0 ||
		again.kind != entry.kind)
		abort();
	json_decref(json);
	entry_fini(&again);
	entry_fini(&entry);
	return 0;
}
