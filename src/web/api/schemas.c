/* schemas.c: as text, so that what is written here is what is shown. */
#include "web/api/schemas.h"

#include <stddef.h>

#define OBJECT(properties, required) "{\"type\":\"object\",\"properties\":{" properties "},\"required\":[" required "]}"
#define TEXT_OR_NULL                 "{\"type\":[\"string\",\"null\"]}"
#define NUMBER_OR_NULL               "{\"type\":[\"number\",\"null\"]}"
#define INTEGER_OR_NULL              "{\"type\":[\"integer\",\"null\"]}"
#define TEXT                         "{\"type\":\"string\"}"
#define BOOL                         "{\"type\":\"boolean\"}"
#define INTEGER                      "{\"type\":\"integer\"}"
#define HEAD                                                                                                           \
	"\"is_there\":{\"type\":\"boolean\",\"description\":\"the supervisor runs now\"},"                             \
	"\"age_s\":{\"type\":[\"number\",\"null\"],\"description\":\"of what is shown, at `at`; null: nothing was "    \
	"seen yet\"},"                                                                                                 \
	"\"at\":{\"type\":\"string\",\"description\":\"when this was rendered, UTC\"},"                                \
	"\"reason\":{\"type\":\"string\",\"description\":\"why it is not there, or that it hangs; empty: all is "      \
	"well\"}"

const struct schema schemas[] = {
	{"Error", OBJECT("\"detail\":{\"type\":\"string\",\"description\":\"what is wrong, and what to do\"}",
			  "\"detail\"")},
	{"Refusal", OBJECT("\"detail\":" TEXT ",\"answer\":{\"type\":\"string\",\"description\":\"as in "
			   "docs/control-protocol.md\"},\"fields\":{\"type\":[\"object\",\"null\"]}",
			    "\"detail\"")},
	{"Done", OBJECT("\"message\":{\"type\":\"string\",\"description\":\"a sentence, or "
			"empty\"},\"fields\":{\"type\":[\"object\",\"null\"]}",
			 "\"message\",\"fields\"")},
	{"Health", OBJECT("\"status\":{\"enum\":[\"ok\",\"not well\"]},\"detail\":" TEXT ",\"age_s\":" NUMBER_OR_NULL,
			   "\"status\",\"detail\",\"age_s\"")},
	{"Status", OBJECT(HEAD ",\"system\":{\"type\":[\"object\",\"null\"],\"description\":\"what `enrgdaq status "
			       "--json` prints\"}",
			   "\"is_there\",\"age_s\",\"at\",\"reason\",\"system\"")},
	{"Node", OBJECT("\"name\":" TEXT ",\"type\":" TEXT_OR_NULL
			",\"role\":{\"enum\":[\"source\",\"processor\",\"store\",\"observer\",\"service\"]},"
			"\"state\":" TEXT_OR_NULL ",\"reason\":" TEXT_OR_NULL ",\"in_bytes_per_s\":" NUMBER_OR_NULL
			",\"in_rows_per_s\":" NUMBER_OR_NULL ",\"out_bytes_per_s\":" NUMBER_OR_NULL
			",\"out_rows_per_s\":" NUMBER_OR_NULL ",\"backlog_bytes\":" INTEGER_OR_NULL
			",\"backlog_batches\":" INTEGER_OR_NULL,
			 "\"name\",\"type\",\"role\",\"state\"")},
	{"Edge", OBJECT("\"from\":" TEXT ",\"to\":" TEXT ",\"through\":" TEXT_OR_NULL ",\"bytes_per_s\":" NUMBER_OR_NULL
			",\"rows_per_s\":" NUMBER_OR_NULL ",\"batches_per_s\":" NUMBER_OR_NULL
			",\"backlog_bytes\":" INTEGER_OR_NULL ",\"backlog_batches\":" INTEGER_OR_NULL,
			 "\"from\",\"to\"")},
	{"Graph", OBJECT(HEAD ",\"nodes\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Node\"}},"
			      "\"edges\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Edge\"}}",
			  "\"is_there\",\"age_s\",\"at\",\"reason\",\"nodes\",\"edges\"")},
	{NULL, NULL},
};
