/* rooms.c: see the header. */
#include "web/program/rooms.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/web_options.h"
#include "web/api/routes.h"
#include "web/cnc/cnc.h"
#include "web/metrics/metrics.h"
#include "web/program/listener.h"
#include "web/record/book_reader.h"
#include "web/record/proof.h"

static int open_access(struct web *web, const struct web_settings *settings, struct enrg_error *err)
{
	const char *host = settings->cnc->rest_api_host;
	size_t count = settings->web->hosts.count;
	const char **hosts = calloc(count + 2, sizeof(*hosts));

	if (!hosts)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		hosts[i] = settings->hosts[i];
	if (!listener_is_everywhere(host)) /* the name that it listens at may stand in Host */
		hosts[count] = host;
	const struct access_params params = {.folder = settings->web_folder,
		.supervisor = settings->supervisor_id,
		.port = (uint16_t)settings->cnc->rest_api_port,
		.hosts = hosts,
		.origins = settings->origins,
		.panel_secret = settings->web->panel_secret,
		.owner = geteuid(),
		.is_tls = settings->web->tls_certificate != NULL};
	int rc = access_open(&params, &web->access, err);
	free(hosts);
	return rc;
}

/* What has been taken. */
static int open_record(struct web *web, struct enrg_error *err)
{
	const struct book_reader_params params = {.runtime_folder = system_settings(web->system)->runtime_folder};

	int rc = book_reader_open(&params, &web->book, err);
	return rc ? rc : proof_open(system_settings(web->system)->program, &web->proof, err);
}

int rooms_open(struct web *web, struct web_settings *settings, struct enrg_error *err)
{
	int rc = open_access(web, settings, err);

	if (rc < 0) {
		settings_free(settings);
		return rc;
	}
	rc = system_open(settings, &web->system, err);
	if (rc == 0)
		rc = open_record(web, err);
#ifdef ENRG_WEB_NODE
	if (rc == 0)
		rc = node_open(web->system, &web->node, err);
#endif
#ifdef ENRG_WEB_CNC
	if (rc == 0 && settings->has_cnc)
		rc = cnc_open(web->node, web->system, web->access, &web->cnc, err);
#endif
	return rc;
}

int rooms_open_http(struct web *web, struct router **ret_router, struct enrg_error *err)
{
	int rc = 0;

#ifdef ENRG_WEB_LIVE
	rc = live_open(web->system, web->http, web->access, &web->live, err);
#endif
#ifdef ENRG_WEB_METRICS
	if (rc == 0)
		rc = metrics_open(web->system, web->http, web->live, &web->metrics, err);
#endif
	return rc == 0 ? router_create(web, routes_all, ret_router, err) : rc;
}
