/* live_ask_fuzz.c: any bytes as what a client of the live WebSocket says. What is taken is within its bounds; what is
 * refused is explained. Runs in a fuzzer or over its corpus. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "web/live/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check(bool is_right)
{
	if (!is_right)
		abort();
}

static void check_scope(const struct ask_scope *scope)
{
	struct feed_request request, again;
	struct ask_fault fault = {"", ""};

	check(scope->id >= 0 && scope->id < ASK_SCOPES_MAX && scope->credit <= ASK_CREDIT_MAX);
	check(*scope->source && strlen(scope->source) <= ENRG_NAME_BYTES_MAX);
	if (feed_request_make(scope, 1, &request, &fault)) {
		check(fault.field[0] && fault.detail[0]);
		return;
	}
	check(feed_request_make(scope, 1, &again, &fault) == 0 && !memcmp(&request, &again, sizeof(request)));
	check(request.channel_count <= WAVES_CHANNELS_MAX && request.shown_count <= request.channel_count);
	check(request.trigger_count >= 1 && request.trigger_count <= WAVES_CHANNELS_MAX);
	check(request.needed >= 1 && request.needed <= request.trigger_count);
	check(request.points >= 16 && request.points <= ASK_POINTS_MAX && request.column_count <= ASK_COLUMNS_MAX);
	check(isfinite(request.frames_per_second) && request.frames_per_second > 0);
	struct feed *feed = feed_create(&request, 1);
	check(feed);
	feed_destroy(feed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct ask_fault fault;
	struct ask ask;

	if (ask_parse(bytes, count, &ask, &fault) == 0) {
		check(ask.kind < ASK_KINDS);
		if (ask.kind == ASK_SCOPE)
			check_scope(ask.scope);
	} else {
		check(fault.detail[0]);
	}
	ask_fini(&ask);
	return 0;
}
