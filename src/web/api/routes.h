/* routes.h: all that can be asked: a table a file; each is listed in routes.c. Process: enrgdaq-web. */
#ifndef WEB_API_ROUTES_H
#define WEB_API_ROUTES_H

#include "web/api/route.h"

extern const struct route *const routes_all[]; /* NULL at the end */

/* One line a file. */
extern const struct route v1_live_routes[];
extern const struct route upstream_routes[];
extern const struct route v1_system_routes[];
extern const struct route v1_runs_routes[];
extern const struct route v1_run_routes[];
extern const struct route v1_alarms_routes[];
extern const struct route v1_logs_routes[];
extern const struct route v1_jobs_routes[];
extern const struct route v1_texts_routes[];
extern const struct route v1_access_routes[];
extern const struct route v1_plans_routes[];
extern const struct route v1_files_routes[];
extern const struct route v1_history_routes[];
extern const struct route v1_histograms_routes[];
extern const struct route v1_metrics_routes[];

#endif
