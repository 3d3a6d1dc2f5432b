/* history_select.c: see the header. */
#include "cli/history_select.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <enrgdaq/client.h>

#include "cli/history.h"
#include "cli/usage.h"

#define FOLDER_DEFAULT "out/history"
#define LAST_DEFAULT   (3600 * 1000000000ull)

static int fail(const struct history_select *select, int rc, const struct enrg_error *err)
{
	fprintf(stderr, "enrgdaq %s: %s%s\n", select->command, err->text,
		cli_how_to_name(rc, "; name it by --folder DIR"));
	return 1;
}

/* That of the running system, else the one in this folder. *ret_client keeps the folder's name. */
static int find_folder(const struct history_select *select, struct enrg_client **ret_client, const char **ret_folder)
{
	struct enrg_error err = {0};
	int rc = enrg_client_open(select->supervisor, ret_client, &err);

	if (rc == 0)
		rc = enrg_history_find(*ret_client, ret_folder, &err);
	if (rc == 0)
		return 0;
	if (select->supervisor || rc == -EEXIST)
		return fail(select, rc, &err);
	if (access(FOLDER_DEFAULT, F_OK) < 0) {
		fprintf(stderr,
			"enrgdaq %s: no system that runs records a history (job DAQJobHistory), and there is "
			"no " FOLDER_DEFAULT " here; name it by --folder DIR\n",
			select->command);
		return 1;
	}
	*ret_folder = FOLDER_DEFAULT;
	return 0;
}

int history_select_open(struct history_select *select, struct enrg_history **ret_history)
{
	struct enrg_client *client = NULL;
	const char *folder = select->folder;
	struct enrg_error err = {0};
	int rc = folder ? 0 : find_folder(select, &client, &folder);

	if (rc == 0) {
		snprintf(select->source, sizeof(select->source), "%s", folder);
		rc = enrg_history_open(folder, ret_history, &err);
		rc = rc < 0 ? fail(select, rc, &err) : 0;
	}
	enrg_client_close(client);
	return rc;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int set_time(const struct history_select *select, struct enrg_history_query *query)
{
	uint64_t span_ns = LAST_DEFAULT;

	query->to_ns = now_ns();
	if (select->last && (select->from || select->to))
		return cli_usage_error(select->command, "--last, or --from and --to, not both");
	if (select->last && history_parse_span(select->last, &span_ns) < 0)
		return cli_usage_error(
			select->command, "--last: 90s, 30m, 6h, 2d, 1w or 1y was expected, not \"%s\"", select->last);
	if (select->to && history_parse_time(select->to, &query->to_ns) < 0)
		return cli_usage_error(
			select->command, "--to: a time as 2026-11-28T06:00Z was expected, not \"%s\"", select->to);
	query->from_ns = query->to_ns > span_ns ? query->to_ns - span_ns : 0;
	if (select->from && history_parse_time(select->from, &query->from_ns) < 0)
		return cli_usage_error(
			select->command, "--from: a time as 2026-11-28T06:00Z was expected, not \"%s\"", select->from);
	return query->from_ns < query->to_ns ? 0 : cli_usage_error(select->command, "the time ends before it begins");
}

int history_select_set(const struct history_select *select, uint32_t points_default, struct enrg_history_query *query)
{
	char *end = NULL;
	long points = select->points ? strtol(select->points, &end, 10) : (long)points_default;

	if (select->points && (*end || points < 1 || points > (long)ENRG_HISTORY_POINTS_MAX))
		return cli_usage_error(select->command, "--points: 1 to %u was expected, not \"%s\"",
			ENRG_HISTORY_POINTS_MAX, select->points);
	query->points = (uint32_t)points;
	return set_time(select, query);
}

int history_select_read(struct history_select *select, uint32_t points_default, const char *const *patterns,
	struct enrg_history_result **ret_result)
{
	struct enrg_history_query query = {.size = sizeof(query), .patterns = patterns};
	struct enrg_history *history = NULL;
	struct enrg_error err = {0};
	int rc = history_select_set(select, points_default, &query);

	if (rc == 0)
		rc = history_select_open(select, &history);
	if (rc)
		return rc;
	rc = enrg_history_read(history, &query, ret_result, &err);
	enrg_history_close(history);
	return rc < 0 ? fail(select, rc, &err) : 0;
}
