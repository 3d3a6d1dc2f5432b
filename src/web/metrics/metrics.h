/* metrics.h: /metrics as Prometheus reads it (text 0.0.4), rendered at most once a second. Process: enrgdaq-web, any
 * thread. */
#ifndef WEB_METRICS_METRICS_H
#define WEB_METRICS_METRICS_H

#include "web/http/server.h"
#include "web/live/live.h"
#include "web/system/system.h"

struct metrics;
int metrics_open(struct web_system *system, struct http_server *http, struct live *live, struct metrics **ret_metrics,
	struct enrg_error *err);
void metrics_close(struct metrics *metrics);
struct web_bytes *metrics_render(struct metrics *metrics); /* a reference; NULL: out of memory */

#endif
