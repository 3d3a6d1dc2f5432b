/* routes.c: the list of the tables: whoever adds a file of routes adds a line here and in routes.h. */
#include "web/api/routes.h"

const struct route *const routes_all[] = {
	v1_live_routes,
	upstream_routes,
	v1_system_routes,
	v1_runs_routes,
	v1_run_routes,
	v1_alarms_routes,
	v1_logs_routes,
	v1_jobs_routes,
	v1_texts_routes,
	v1_access_routes,
	v1_plans_routes,
	v1_files_routes,
	v1_history_routes,
	v1_histograms_routes,
	v1_metrics_routes,
	NULL,
};
