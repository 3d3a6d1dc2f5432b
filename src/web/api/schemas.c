/* schemas.c: as text, so that what is written here is what is shown; of errors and of the system, and the list of all.
 */
#include "web/api/schemas.h"

#include <string.h>

#define HEAD                                                                                                           \
	"\"is_there\":{\"type\":\"boolean\",\"description\":\"the supervisor runs now\"},"                             \
	"\"age_s\":{\"type\":[\"number\",\"null\"],\"description\":\"of what is shown, at `at`; null: nothing was "    \
	"seen yet\"},"                                                                                                 \
	"\"at\":{\"type\":\"string\",\"description\":\"when this was rendered, UTC\"},"                                \
	"\"reason\":{\"type\":\"string\",\"description\":\"why it is not there, or that it hangs; empty: all is "      \
	"well\"}"

#define SEEN                                                                                                           \
	"\"is_there\":{\"type\":\"boolean\",\"description\":\"the supervisor runs now\"},"                             \
	"\"age_s\":{\"type\":[\"number\",\"null\"],\"description\":\"of what is shown\"}"

const struct schema schemas_system[] = {
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
	{"Sources", OBJECT("\"is_there\":" BOOL
			   ",\"sources\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
			   "\"name\":" TEXT ",\"type\":" TEXT_OR_NULL ",\"state\":" TEXT_OR_NULL
			   ",\"out\":{\"type\":[\"object\",\"null\"]},\"acquires\":{\"type\":[\"boolean\",\"null\"]}},"
			   "\"required\":[\"name\"]}}",
			    "\"is_there\",\"sources\"")},
	{"Preview",
		OBJECT("\"source\":" TEXT ",\"run\":" TEXT ",\"waited_ms\":" INTEGER
		       ",\"tables\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"tag\":" TEXT
		       ",\"sequence\":" INTEGER ",\"batch_rows\":" INTEGER ",\"batch_bytes\":" INTEGER
		       ",\"is_blob\":" BOOL ",\"acquired_at\":" TEXT
		       ",\"columns\":{\"type\":\"array\"},\"notes\":{\"type\":\"array\"},"
		       "\"rows\":{\"type\":\"array\",\"description\":\"a list of values each, in the order of the "
		       "columns\"}},\"required\":[\"tag\",\"columns\",\"rows\"]}}",
			"\"source\",\"run\",\"waited_ms\",\"tables\"")},
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
	{"Clocks", OBJECT("\"host\":" OBJECT_OR_NULL ",\"jobs\":" LIST(OBJECT("\"job\":" TEXT ",\"clock\":"
									      "{\"type\":\"object\"}",
				  "\"job\",\"clock\"")),
			   "\"host\",\"jobs\"")},
	{"Alarms",
		OBJECT(SEEN ",\"alarms\":" LIST("{\"type\":\"object\",\"required\":[\"key\",\"severity\",\"message\","
						"\"on\"]}"),
			"\"is_there\",\"age_s\",\"alarms\"")},
	{"Rules", OBJECT("\"enabled\":" BOOL ",\"silent_after_seconds\":{\"type\":\"number\"},"
			 "\"lag_after_seconds\":{\"type\":\"number\"},\"is_right\":{\"type\":\"boolean\","
			 "\"description\":\"supervisor.toml has no mistake\"},\"jobs\":" LIST(
				 OBJECT("\"job\":" TEXT ",\"silent_after_seconds\":{\"type\":\"number\"}",
					 "\"job\",\"silent_after_seconds\"")),
			  "\"enabled\",\"silent_after_seconds\",\"lag_after_seconds\",\"is_right\",\"jobs\"")},
	{"Logs", OBJECT("\"is_readable\":" BOOL ",\"reason\":" TEXT ",\"lines\":" LIST(
				OBJECT("\"time\":" TEXT ",\"level\":" TEXT ",\"process\":" TEXT ",\"message\":" TEXT,
					"\"time\",\"level\",\"process\",\"message\"")),
			 "\"is_readable\",\"reason\",\"lines\"")},
	{NULL, NULL},
};

const struct schema *const schemas_all[] = {schemas_system, schemas_jobs, schemas_runs, schemas_record, NULL};

const struct schema *schemas_find(const char *name)
{
	for (const struct schema *const *list = schemas_all; *list; list++)
		for (const struct schema *schema = *list; schema->name; schema++)
			if (!strcmp(schema->name, name))
				return schema;
	return NULL;
}
