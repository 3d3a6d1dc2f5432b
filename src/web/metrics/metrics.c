/* metrics.c: see the header. */
#include "web/metrics/metrics.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "web/metrics/families.h"

#define FRESH_NS 1000000000ull
#define STALE_S  30.0 /* a supervisor that has not written for so long is not up */

struct metrics {
	struct web_system *system;
	struct http_server *http;
	struct live *live; /* NULL: none */
	pthread_mutex_t lock;
	struct web_bytes *bytes;
	uint64_t rendered_ns;
};

int metrics_open(struct web_system *system, struct http_server *http, struct live *live, struct metrics **ret_metrics,
	struct enrg_error *err)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));

	if (!metrics)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	metrics->system = system;
	metrics->http = http;
	metrics->live = live;
	pthread_mutex_init(&metrics->lock, NULL);
	*ret_metrics = metrics;
	return 0;
}

void metrics_close(struct metrics *metrics)
{
	if (!metrics)
		return;
	web_bytes_release(metrics->bytes);
	pthread_mutex_destroy(&metrics->lock);
	free(metrics);
}

static void put_all(const struct metrics *metrics, const struct snapshot *snapshot, FILE *stream)
{
	double looked_s = (double)(clock_mono_ns() - snapshot->looked_ns) / 1e9;
	double age_s = snapshot->status ? snapshot->age_s + looked_s : NAN;
	struct live_counts live = {0};
	struct http_counts http;
	struct families families = {
		.exposition.stream = stream,
		.supervisor = system_settings(metrics->system)->supervisor_id,
		.is_there = snapshot->is_there && age_s < STALE_S,
		.age_s = age_s,
		.status = snapshot->status,
		.http = &http,
		.live = metrics->live ? &live : NULL,
	};

	http_get_counts(metrics->http, &http);
	if (metrics->live)
		live_get_counts(metrics->live, &live);
	families_put(&families);
}

static struct web_bytes *render(const struct metrics *metrics)
{
	struct snapshot *snapshot = system_hold_snapshot(metrics->system);
	struct web_bytes *bytes = NULL;
	char *text = NULL;
	size_t count = 0;
	FILE *stream = open_memstream(&text, &count);

	if (stream) {
		put_all(metrics, snapshot, stream);
		if (fclose(stream) == 0)
			bytes = web_bytes_create(text, count);
	}
	free(text);
	snapshot_release(snapshot);
	return bytes;
}

struct web_bytes *metrics_render(struct metrics *metrics)
{
	struct web_bytes *bytes = NULL;

	pthread_mutex_lock(&metrics->lock);
	uint64_t now_ns = clock_mono_ns();
	if (!metrics->bytes || now_ns - metrics->rendered_ns >= FRESH_NS) {
		bytes = render(metrics);
		if (bytes) {
			web_bytes_release(metrics->bytes);
			metrics->bytes = bytes;
			metrics->rendered_ns = now_ns;
		}
	}
	bytes = metrics->bytes ? web_bytes_hold(metrics->bytes) : NULL;
	pthread_mutex_unlock(&metrics->lock);
	return bytes;
}
