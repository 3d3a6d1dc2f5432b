/* schemas_jobs.c: what is answered of jobs and of the files of the folder. */
#include "web/api/schemas.h"

#define SEEN                                                                                                           \
	"\"is_there\":{\"type\":\"boolean\",\"description\":\"the supervisor runs now\"},"                             \
	"\"age_s\":{\"type\":[\"number\",\"null\"],\"description\":\"of what is shown\"}"

const struct schema schemas_jobs[] = {
	{"Jobs", OBJECT(SEEN ",\"jobs\":" LIST(OBJECT("\"name\":" TEXT ",\"type\":" TEXT_OR_NULL
						      ",\"state\":" TEXT_OR_NULL ",\"reason\":" TEXT_OR_NULL
						      ",\"file\":" TEXT_OR_NULL ",\"restarts\":" INTEGER_OR_NULL,
				"\"name\",\"type\",\"state\",\"file\"")),
			 "\"is_there\",\"age_s\",\"jobs\"")},
	{"Files", OBJECT("\"files\":" LIST(OBJECT("\"file\":" TEXT ",\"bytes\":" INTEGER ",\"modified_ns\":" INTEGER,
				 "\"file\",\"bytes\",\"modified_ns\"")),
			  "\"files\"")},
	{"Text", OBJECT("\"file\":" TEXT ",\"text\":" TEXT ",\"bytes\":" INTEGER ",\"has_secrets\":" BOOL
			",\"sha256\":{\"type\":[\"string\",\"null\"],\"description\":\"of the file as it lies there; "
			"null: it has secrets, and only admins are told\"}",
			 "\"file\",\"text\",\"bytes\",\"has_secrets\",\"sha256\"")},
	{"Written", OBJECT("\"file\":" TEXT ",\"sha256\":" TEXT ",\"kept_in\":" TEXT ",\"reload\":" OBJECT_OR_NULL,
			    "\"file\",\"sha256\",\"kept_in\",\"reload\"")},
	{"Stale", OBJECT("\"detail\":" TEXT ",\"sha256\":" TEXT, "\"detail\"")},
	{NULL, NULL},
};
