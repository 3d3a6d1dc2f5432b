/* schemas_record.c: what is answered of plans, sequences, data files and the history. */
#include "web/api/schemas.h"

#define NUMBERS LIST(NUMBER_OR_NULL)

const struct schema schemas_record[] = {
	{"RunSame", OBJECT("\"number\":" INTEGER ",\"type\":" TEXT ",\"description\":" TEXT ",\"comment\":" TEXT
			   ",\"values\":{\"type\":\"object\"}",
			    "\"number\",\"type\",\"description\",\"comment\",\"values\"")},
	{"Plan", OBJECT("\"name\":" TEXT ",\"title\":" TEXT ",\"description\":" TEXT ",\"runs_code\":" BOOL
			",\"parameters\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}}",
			 "\"name\",\"title\",\"description\",\"runs_code\"")},
	{"Sequence", OBJECT("\"name\":" TEXT ",\"title\":" TEXT ",\"type\":" TEXT ",\"who\":" TEXT ",\"state\":" TEXT
			    ",\"reason\":" TEXT ",\"step\":" INTEGER ",\"count\":" INTEGER ",\"began_ns\":" INTEGER
			    ",\"runs\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}}",
			     "\"name\",\"state\",\"step\",\"count\"")},
	{"OpenFiles", OBJECT("\"is_there\":" BOOL ",\"files\":{\"type\":\"array\",\"items\":" OBJECT(
				     "\"store\":" TEXT ",\"path\":" TEXT ",\"bytes\":" INTEGER ",\"age_s\":{\"type\":"
				     "\"number\"},\"removed\":" BOOL,
				     "\"store\",\"path\",\"bytes\"") "},\"disks\":{\"type\":\"array\",\"items\":{"
								     "\"type\":\"object\"}}",
			      "\"is_there\",\"files\",\"disks\"")},
	{"FileRuns",
		OBJECT("\"files\":{\"type\":\"array\",\"items\":" OBJECT(
			       "\"number\":" INTEGER_OR_NULL ",\"uuid\":" TEXT ",\"path\":" TEXT ",\"store\":" TEXT
			       ",\"format\":" TEXT ",\"state\":" TEXT ",\"open\":" BOOL ",\"bytes\":" INTEGER_OR_NULL
			       ",\"rows\":" INTEGER_OR_NULL ",\"sha256\":" TEXT_OR_NULL,
			       "\"uuid\",\"path\",\"state\"") "}",
			"\"files\"")},
	{"Proof", OBJECT("\"state\":{\"enum\":[\"idle\",\"running\",\"whole\",\"damaged\",\"failed\",\"cancelled\"]},"
			 "\"path\":" TEXT ",\"who\":" TEXT ",\"began_wall_ns\":" INTEGER ",\"ended_wall_ns\":" INTEGER
			 ",\"done_bytes\":" INTEGER ",\"all_bytes\":" INTEGER ",\"detail\":" TEXT
			 ",\"result\":{\"type\":[\"object\",\"null\"],\"description\":\"as `enrgdaq verify --json` "
			 "prints\"}",
			  "\"state\",\"path\",\"done_bytes\",\"all_bytes\",\"detail\",\"result\"")},
	{"HistoryList", OBJECT("\"series\":{\"type\":\"array\",\"items\":" OBJECT(
				       "\"name\":" TEXT ",\"unit\":" TEXT ",\"counter\":" BOOL ",\"yes_no\":" BOOL
				       ",\"first_ns\":" INTEGER ",\"last_ns\":" INTEGER,
				       "\"name\",\"unit\"") "}",
				"\"series\"")},
	{"History", OBJECT("\"from_ns\":" INTEGER ",\"step_ns\":" INTEGER ",\"points\":" INTEGER
			   ",\"series\":{\"type\":\"array\",\"items\":" OBJECT(
				   "\"name\":" TEXT ",\"unit\":" TEXT ",\"counter\":" BOOL ",\"yes_no\":" BOOL
				   ",\"min\":" NUMBERS ",\"mean\":" NUMBERS ",\"max\":" NUMBERS ",\"seconds\":" NUMBERS,
				   "\"name\",\"unit\",\"min\",\"mean\",\"max\",\"seconds\"") "}",
			    "\"from_ns\",\"step_ns\",\"points\",\"series\"")},
	{NULL, NULL},
};
