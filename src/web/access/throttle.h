/* throttle.h: failed log-ins: 5 a minute by address and by name, then a delay that doubles. Belongs to whoever locks.
 */
#ifndef WEB_ACCESS_THROTTLE_H
#define WEB_ACCESS_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	THROTTLE_PLACES = 1024,
	THROTTLE_FREE = 5,      /* failures that cost nothing */
	THROTTLE_WINDOW_S = 60, /* without a failure: forgotten, once a delay is over */
	THROTTLE_DELAY_S = 60,  /* after the sixth; doubles */
	THROTTLE_DELAY_MAX_S = 900
};

struct throttle_place {
	uint8_t key[32]; /* of an address or a name: what was tried is not kept */
	uint32_t failures;
	int64_t last_s, until_s; /* of a clock that only goes on */
	bool is_used;
};

struct throttle {
	struct throttle_place places[THROTTLE_PLACES];
};

/* Seconds that this kind ('a' address, 'n' name) of that text still has to wait; 0 = none. */
uint32_t throttle_ask(struct throttle *throttle, char kind, const char *text, int64_t now_s);
/* Called before it is known how a log-in ends, so that many at once get no more tries; success takes it back. */
void throttle_failed(struct throttle *throttle, char kind, const char *text, int64_t now_s);
void throttle_forgive(struct throttle *throttle, char kind, const char *text); /* one failure */
void throttle_forget(struct throttle *throttle, char kind, const char *text);

#endif
