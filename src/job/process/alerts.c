/* alerts.c: a queue under a lock. */
#include "job/process/alerts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

int alerts_init(struct alerts *alerts)
{
	pthread_mutex_init(&alerts->lock, NULL);
	alerts->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return alerts->event;
}

void alerts_fini(struct alerts *alerts)
{
	if (alerts->event >= 0)
		close(alerts->event);
	alerts->event = -1;
	pthread_mutex_destroy(&alerts->lock);
}

void alerts_nudge(struct alerts *alerts)
{
	const uint64_t one = 1;

	while (write(alerts->event, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* A device's words may be of any encoding, and what was cut may end inside of a character: with such bytes no message
 * can be made, and nobody would hear of it. */
static void make_utf8(char *text)
{
	size_t bytes = strlen(text);

	for (size_t i = 0, count; i < bytes; i += count ? count : 1) {
		count = text_character(text + i, bytes - i);
		if (!count)
			text[i] = '?';
	}
}

void alerts_post(struct alerts *alerts, enum enrg_level level, const char *text)
{
	pthread_mutex_lock(&alerts->lock);
	if (alerts->count < ALERTS_MAX) {
		uint32_t at = (alerts->first + alerts->count++) % ALERTS_MAX;
		struct alert *alert = &alerts->items[at];
		alert->level = level;
		alert->wall_ns = clock_wall_ns();
		snprintf(alert->text, sizeof(alert->text), "%s", text);
		make_utf8(alert->text);
	} else {
		alerts->dropped++;
	}
	pthread_mutex_unlock(&alerts->lock);
	alerts_nudge(alerts);
}

bool alerts_take(struct alerts *alerts, struct alert *ret_alert)
{
	bool has_one = false;

	pthread_mutex_lock(&alerts->lock);
	if (alerts->count) {
		*ret_alert = alerts->items[alerts->first];
		alerts->first = (alerts->first + 1) % ALERTS_MAX;
		alerts->count--;
		has_one = true;
	} else if (alerts->dropped) {
		ret_alert->level = ENRG_WARNING;
		ret_alert->wall_ns = clock_wall_ns();
		snprintf(ret_alert->text, sizeof(ret_alert->text), "%u alerts came too fast and are in the log only",
			alerts->dropped);
		alerts->dropped = 0;
		has_one = true;
	}
	pthread_mutex_unlock(&alerts->lock);
	return has_one;
}
