/* schemas_runs.c: what is answered of runs. */
#include "web/api/schemas.h"

#define RUN_ROW                                                                                                        \
	"\"number\":" INTEGER ",\"uuid\":" TEXT ",\"supervisor\":" TEXT ",\"run\":" TEXT ",\"type\":" TEXT             \
	",\"description\":" TEXT ",\"state\":" TEXT ",\"began_wall_ns\":" INTEGER ",\"began\":" TEXT                   \
	",\"ended_wall_ns\":{\"type\":\"integer\",\"description\":\"0: it is on\"},\"ended\":" TEXT                    \
	",\"quality\":" TEXT ",\"flags\":{\"type\":\"array\",\"items\":" TEXT "},\"rows\":" INTEGER                    \
	",\"bytes\":" INTEGER ",\"deleted\":" BOOL
#define RUN_ROW_KEYS                                                                                                   \
	"\"number\",\"uuid\",\"supervisor\",\"run\",\"type\",\"description\",\"state\",\"began_wall_ns\",\"began\","   \
	"\"ended_wall_ns\",\"ended\",\"quality\",\"flags\",\"rows\",\"bytes\",\"deleted\""

const struct schema schemas_runs[] = {
	{"RunList", OBJECT("\"runs\":{\"type\":\"array\",\"items\":" REF("Run") "},\"next\":" INTEGER_OR_NULL,
			    "\"runs\",\"next\"")},
	{"Run", OBJECT(RUN_ROW, RUN_ROW_KEYS)},
	{"RunWhole",
		OBJECT(RUN_ROW ",\"v\":" INTEGER ",\"files\":{\"type\":\"array\",\"items\":" REF(
			       "RunFile") "},\"notes\":{\"type\":\"array\",\"items\":" REF("RunNote") "},\"entries\":{"
												      "\"type\":"
												      "\"object\","
												      "\"description\":"
												      "\"all that was "
												      "ever said of "
												      "it, by kind: "
												      "docs/decisions/"
												      "0021\"}",
			RUN_ROW_KEYS ",\"v\",\"files\",\"notes\",\"entries\"")},
	{"RunFile", OBJECT("\"path\":" TEXT ",\"store\":" TEXT ",\"format\":" TEXT ",\"state\":" TEXT ",\"open\":" BOOL
			   ",\"bytes\":" INTEGER_OR_NULL ",\"rows\":" INTEGER_OR_NULL ",\"first_ns\":" INTEGER_OR_NULL
			   ",\"last_ns\":" INTEGER_OR_NULL ",\"sha256\":" TEXT_OR_NULL,
			    "\"path\",\"store\",\"format\",\"state\",\"open\",\"bytes\",\"rows\",\"sha256\"")},
	{"RunNote", OBJECT("\"id\":" TEXT ",\"wall_ns\":" INTEGER ",\"who\":" TEXT ",\"text\":" TEXT
			   ",\"was\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}}",
			    "\"id\",\"wall_ns\",\"who\"")},
	{"RunEntry", OBJECT("\"entry_id\":" TEXT ",\"wall_ns\":" INTEGER ",\"who\":" TEXT,
			     "\"entry_id\",\"wall_ns\",\"who\"")},
	{"RunAccount", OBJECT("\"is_final\":" BOOL ",\"account\":" OBJECT_OR_NULL ",\"rates\":" OBJECT_OR_NULL
			      ",\"live_s\":" NUMBER_OR_NULL ",\"dead_s\":" NUMBER_OR_NULL ",\"dead\":" OBJECT_OR_NULL
			      ",\"restarts\":" OBJECT_OR_NULL ",\"hardware\":" OBJECT_OR_NULL ",\"slow\":{}"
			      ",\"clock\":" OBJECT_OR_NULL,
			       "\"is_final\",\"account\"")},
	{"RunDiff",
		OBJECT("\"from\":" INTEGER ",\"to\":" INTEGER ",\"config\":{\"type\":\"array\",\"items\":" TEXT
		       ",\"description\":\"lines of a unified diff\"},\"versions\":{\"type\":\"object\"},\"settings\":{"
		       "\"type\":\"object\"},\"ledger\":{\"type\":\"object\"},\"rates\":{\"type\":\"object\"}",
			"\"from\",\"to\",\"config\"")},
	{"RunState", OBJECT("\"control\":" BOOL ",\"state\":" TEXT ",\"run\":" TEXT ",\"number\":" INTEGER
			    ",\"reason\":" TEXT ",\"since_wall_ns\":" INTEGER ",\"last_number\":" INTEGER,
			     "\"state\",\"number\"")},
	{NULL, NULL},
};
