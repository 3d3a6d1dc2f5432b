/* upstream.c: the paths of the Python ENRGDAQ: one row a route (docs/rest.md). */
#include "web/api/upstream.h"

#define DETAIL "#Error"
#define COMMAND                                                                                                        \
	"{\"type\":\"object\",\"required\":[\"type\",\"req_id\",\"success\",\"message\"],\"properties\":{"             \
	"\"type\":{\"type\":\"string\"},\"req_id\":{\"type\":\"string\"},\"success\":{\"type\":\"boolean\"},"          \
	"\"message\":{\"type\":\"string\"},\"detail\":{\"type\":\"string\"},\"jobs_notified\":{\"type\":\"integer\"}," \
	"\"daq_job_unique_id\":{\"type\":\"string\"}}}"
#define PONG                                                                                                           \
	"{\"type\":\"object\",\"required\":[\"type\",\"req_id\"],\"properties\":{\"type\":{\"type\":\"string\"},"      \
	"\"req_id\":{\"type\":\"string\"}}}"
#define INFO                                                                                                           \
	"{\"type\":[\"object\",\"null\"],\"required\":[\"supervisor_id\",\"supervisor_tags\"],\"properties\":{"        \
	"\"supervisor_id\":{\"type\":\"string\"},\"supervisor_tags\":{\"type\":\"array\",\"items\":{\"type\":"         \
	"\"string\"}}}}"
#define CLIENTS                                                                                                        \
	"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"object\",\"required\":[\"identity\",\"last_seen\"," \
	"\"info\"],\"properties\":{\"identity\":{\"type\":[\"string\",\"null\"]},\"last_seen\":{\"type\":\"string\"}," \
	"\"info\":" INFO "}}}"
#define STATUS                                                                                                         \
	"{\"type\":\"object\",\"required\":[\"supervisor_info\",\"daq_jobs\",\"daq_job_stats\","                       \
	"\"daq_job_remote_stats\",\"restart_schedules\"],\"properties\":{\"daq_jobs\":" JOBS "}}"
#define JOBS                                                                                                           \
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"daq_job_type\",\"unique_id\","             \
	"\"instance_id\",\"config\",\"subscribed_topics\",\"supervisor_info\"]}}"
#define LOGS                                                                                                           \
	"{\"type\":\"object\",\"required\":[\"logs\"],\"properties\":{\"logs\":{\"type\":\"array\",\"items\":{"        \
	"\"type\":\"object\",\"required\":[\"level\",\"message\",\"timestamp\",\"module\",\"client_id\"]}}}}"
#define TEMPLATES                                                                                                      \
	"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"object\",\"required\":[\"$ref\",\"$defs\","         \
	"\"type_key\",\"label\",\"description\"]}}"

#define SAME                                                                                                           \
	{                                                                                                              \
		304, NULL, "it is what the client has (If-None-Match)"                                                 \
	}
#define UNKNOWN                                                                                                        \
	{                                                                                                              \
		404, DETAIL, "there is no such client, or it is not connected"                                         \
	}
#define REFUSED                                                                                                        \
	{                                                                                                              \
		409, COMMAND, "the command was refused: nothing was done"                                              \
	}
#define NOBODY                                                                                                         \
	{                                                                                                              \
		504, DETAIL, "no answer within 30 s, or it is not known whether it was done"                           \
	}

static const struct route_answer client_answers[] = {{200, CLIENTS, "supervisors by their id, this one first"}, {0}};
static const struct route_answer status_answers[] = {
	{200, STATUS, "jobs, statistics by type, restarts that are due"}, SAME, UNKNOWN, NOBODY, {0}};
static const struct route_answer own_status_answers[] = {
	{200, STATUS, "jobs, statistics by type, restarts that are due"}, SAME, {0}};
static const struct route_answer jobs_answers[] = {{200, JOBS, "the jobs of the status"}, {0}};
static const struct route_answer log_answers[] = {{200, LOGS, "the last 1,000 lines, oldest first"}, UNKNOWN, {0}};
static const struct route_answer ping_answers[] = {{200, PONG, "it is there"}, UNKNOWN, NOBODY, {0}};
static const struct route_answer command_answers[] = {
	{200, COMMAND, "done, or under way"}, UNKNOWN, REFUSED, NOBODY, {0}};
static const struct route_answer own_answers[] = {{200, COMMAND, "done, or under way"}, REFUSED, NOBODY, {0}};
static const struct route_answer template_answers[] = {
	{200, TEMPLATES, "JSON Schemas by name, in the form of the Python program"}, SAME, {0}};

#define GET(route_path, name, text, list, function)                                                                    \
	{                                                                                                              \
		.method = WEB_GET, .path = route_path, .least = ACCESS_VISITOR, .operation = name, .tag = "enrgdaq",   \
		.summary = text, .answers = list, .handle = function                                                   \
	}
#define POST(route_path, role, name, text, table, list, function)                                                      \
	{                                                                                                              \
		.method = WEB_POST, .path = route_path, .least = role, .is_change = true, .operation = name,           \
		.tag = "enrgdaq", .summary = text, .body = table, .answers = list, .handle = function                  \
	}

const struct route upstream_routes[] = {
	GET("/clients", "listClients", "Supervisors that are registered, and this one", client_answers,
		upstream_clients),
	GET("/clients/{client_id}/status", "getClientStatus", "What a client does", status_answers, upstream_status),
	GET("/clients/{client_id}/logs", "getClientLogs", "Last lines of a client's log", log_answers, upstream_logs),
	{.method = WEB_POST,
		.path = "/clients/{client_id}/ping",
		.least = ACCESS_VISITOR,
		.operation = "pingClient",
		.tag = "enrgdaq",
		.summary = "Is a client there?",
		.answers = ping_answers,
		.handle = upstream_ping},
	POST("/clients/{client_id}/restart_daq", ACCESS_ADMIN, "restartClient",
		"An ordered stop, the folder read again, a start", &upstream_restart_table, command_answers,
		upstream_restart),
	POST("/clients/{client_id}/stop_daqjobs", ACCESS_ADMIN, "restartClientJobs",
		"Every job stops in order and is started again", NULL, command_answers, upstream_stop_jobs),
	POST("/clients/{client_id}/stop_daqjob", ACCESS_USER, "stopClientJob", "Stops a job", &upstream_stop_table,
		command_answers, upstream_stop_job),
	POST("/clients/{client_id}/run_custom_daqjob", ACCESS_USER, "runClientJob", "Starts a job by its text",
		&upstream_run_table, command_answers, upstream_run_job),
	POST("/clients/{client_id}/send_message", ACCESS_USER, "sendClientMessage", "Gives a message to jobs",
		&upstream_message_table, command_answers, upstream_send_message),

	GET("/templates/daqjobs", "listJobTemplates", "What a job of each type is configured by", template_answers,
		upstream_job_templates),
	GET("/templates/configs", "listConfigTemplates", "The same as /templates/daqjobs", template_answers,
		upstream_job_templates),
	GET("/templates/stores", "listStoreTemplates", "What the section of each store holds", template_answers,
		upstream_store_templates),
	GET("/templates/messages", "listMessageTemplates", "What can be sent to jobs", template_answers,
		upstream_message_templates),

	GET("/status", "getOwnStatus", "What this supervisor does, in the words of ENRGDAQ", own_status_answers,
		upstream_get_own_status),
	GET("/jobs", "listOwnJobs", "Jobs of this supervisor", jobs_answers, upstream_own_jobs),
	POST("/restart", ACCESS_ADMIN, "restartOwn", "An ordered stop, the folder read again, a start",
		&upstream_restart_table, own_answers, upstream_own_restart),
	POST("/restart-daqjobs", ACCESS_ADMIN, "restartOwnJobs", "Jobs stop in order and are started again",
		&upstream_names_table, own_answers, upstream_own_restart_jobs),
	POST("/stop-daqjob", ACCESS_USER, "stopOwnJob", "Stops jobs", &upstream_stop_several_table, own_answers,
		upstream_own_stop),
	POST("/run-daqjob", ACCESS_USER, "runOwnJob", "Starts a job by its text", &upstream_run_table, own_answers,
		upstream_own_run),
	POST("/send-message", ACCESS_USER, "sendOwnMessage", "Gives a message to jobs, or answers their log",
		&upstream_any_message_table, own_answers, upstream_own_message),
	{0},
};
