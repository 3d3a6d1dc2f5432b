/* v1_metrics.c: what Prometheus scrapes. */
#include "web/api/routes.h"

#include "web/metrics/metrics.h"

#define TEXT "text/plain; version=0.0.4; charset=utf-8"

static enum call_outcome get_metrics(struct call *call)
{
	struct web_bytes *bytes = call->web->metrics ? metrics_render(call->web->metrics) : NULL;

	return bytes ? call_bytes(call, 200, TEXT, bytes)
		     : call_refuse(call, 503, "there is no memory for it now; ask again");
}

static const struct route_answer answers[] = {
	{200, NULL, "Figures in the text format of Prometheus, at most one second old."},
	{503, "#Error", "There is no memory for it now."},
	{0},
};

const struct route v1_metrics_routes[] = {
	{
		.method = WEB_GET,
		.path = "/metrics",
		.least = ACCESS_VISITOR,
		.operation = "getMetrics",
		.tag = "system",
		.summary = "Figures for Prometheus: docs/metrics.md lists them.",
		.answers = answers,
		.type = TEXT,
		.handle = get_metrics,
	},
	{0},
};
