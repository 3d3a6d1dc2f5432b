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

#define OBJECT_OR_NULL "{\"type\":[\"object\",\"null\"]}"
#define REF(name) "{\"$ref\":\"#/components/schemas/" name "\"}"
#define RUN_ROW                                                                                                        \
	"\"number\":" INTEGER ",\"uuid\":" TEXT ",\"supervisor\":" TEXT ",\"run\":" TEXT ",\"type\":" TEXT                  \
	",\"description\":" TEXT ",\"state\":" TEXT ",\"began_wall_ns\":" INTEGER ",\"began\":" TEXT                       \
	",\"ended_wall_ns\":{\"type\":\"integer\",\"description\":\"0: it is on\"},\"ended\":" TEXT ",\"quality\":" TEXT   \
	",\"flags\":{\"type\":\"array\",\"items\":" TEXT "},\"rows\":" INTEGER ",\"bytes\":" INTEGER                     \
	",\"deleted\":" BOOL
#define RUN_ROW_KEYS                                                                                                   \
	"\"number\",\"uuid\",\"supervisor\",\"run\",\"type\",\"description\",\"state\",\"began_wall_ns\",\"began\","      \
	"\"ended_wall_ns\",\"ended\",\"quality\",\"flags\",\"rows\",\"bytes\",\"deleted\""

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
	{"RunList", OBJECT("\"runs\":{\"type\":\"array\",\"items\":" REF("Run") "},\"next\":" INTEGER_OR_NULL,
			    "\"runs\",\"next\"")},
	{"Run", OBJECT(RUN_ROW, RUN_ROW_KEYS)},
	{"RunWhole", OBJECT(RUN_ROW ",\"v\":" INTEGER ",\"files\":{\"type\":\"array\",\"items\":" REF("RunFile")
			    "},\"notes\":{\"type\":\"array\",\"items\":" REF("RunNote")
			    "},\"entries\":{\"type\":\"object\",\"description\":\"all that was ever said of it, by kind: "
			    "docs/decisions/0021\"}",
			     RUN_ROW_KEYS ",\"v\",\"files\",\"notes\",\"entries\"")},
	{"RunFile", OBJECT("\"path\":" TEXT ",\"store\":" TEXT ",\"format\":" TEXT ",\"state\":" TEXT ",\"open\":" BOOL
			   ",\"bytes\":" INTEGER_OR_NULL ",\"rows\":" INTEGER_OR_NULL ",\"first_ns\":" INTEGER_OR_NULL
			   ",\"last_ns\":" INTEGER_OR_NULL ",\"sha256\":" TEXT_OR_NULL,
			    "\"path\",\"store\",\"format\",\"state\",\"open\",\"bytes\",\"rows\",\"sha256\"")},
	{"RunNote", OBJECT("\"id\":" TEXT ",\"wall_ns\":" INTEGER ",\"who\":" TEXT ",\"text\":" TEXT
			   ",\"was\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}}",
			    "\"id\",\"wall_ns\",\"who\"")},
	{"RunEntry", OBJECT("\"entry_id\":" TEXT ",\"wall_ns\":" INTEGER ",\"who\":" TEXT, "\"entry_id\",\"wall_ns\",\"who\"")},
	{"RunAccount", OBJECT("\"is_final\":" BOOL ",\"account\":" OBJECT_OR_NULL ",\"rates\":" OBJECT_OR_NULL
			      ",\"live_s\":" NUMBER_OR_NULL ",\"dead_s\":" NUMBER_OR_NULL ",\"dead\":" OBJECT_OR_NULL
			      ",\"restarts\":" OBJECT_OR_NULL ",\"hardware\":" OBJECT_OR_NULL ",\"slow\":{}"
			      ",\"clock\":" OBJECT_OR_NULL,
			       "\"is_final\",\"account\"")},
	{"RunDiff", OBJECT("\"from\":" INTEGER ",\"to\":" INTEGER ",\"config\":{\"type\":\"array\",\"items\":" TEXT
			   ",\"description\":\"lines of a unified diff\"},\"versions\":{\"type\":\"object\"},\"settings\":{"
			   "\"type\":\"object\"},\"ledger\":{\"type\":\"object\"},\"rates\":{\"type\":\"object\"}",
			    "\"from\",\"to\",\"config\"")},
	{"RunState", OBJECT("\"control\":" BOOL ",\"state\":" TEXT ",\"run\":" TEXT ",\"number\":" INTEGER ",\"reason\":" TEXT
			    ",\"since_wall_ns\":" INTEGER ",\"last_number\":" INTEGER,
			     "\"state\",\"number\"")},
	{NULL, NULL},
};
