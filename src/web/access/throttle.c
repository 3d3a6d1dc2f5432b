/* throttle.c: see the header. A bounded table: who fills it with names pushes out what has waited longest. */
#include "web/access/throttle.h"

#include <string.h>

#include "web/access/digest.h"

static void make_key(char kind, const char *text, uint8_t ret_key[32])
{
	struct sha256 sha256;

	sha256_init(&sha256);
	sha256_add(&sha256, &kind, 1);
	sha256_add(&sha256, text, strlen(text));
	sha256_finish(&sha256, ret_key);
}

static struct throttle_place *find(struct throttle *throttle, char kind, const char *text)
{
	uint8_t key[32];

	make_key(kind, text, key);
	for (size_t i = 0; i < THROTTLE_PLACES; i++)
		if (throttle->places[i].is_used && digest_is_equal(throttle->places[i].key, key, sizeof(key)))
			return &throttle->places[i];
	return NULL;
}

static bool is_over(const struct throttle_place *place, int64_t now_s)
{
	return now_s >= place->until_s && now_s - place->last_s >= THROTTLE_WINDOW_S &&
	       now_s - place->until_s >= THROTTLE_WINDOW_S;
}

static struct throttle_place *claim(struct throttle *throttle, char kind, const char *text, int64_t now_s)
{
	struct throttle_place *place = find(throttle, kind, text), *oldest = &throttle->places[0];

	if (place && !is_over(place, now_s))
		return place;
	for (size_t i = 0; i < THROTTLE_PLACES && !place; i++) {
		struct throttle_place *one = &throttle->places[i];
		if (!one->is_used || is_over(one, now_s))
			place = one;
		else if (one->until_s < oldest->until_s)
			oldest = one;
	}
	place = place ? place : oldest;
	*place = (struct throttle_place){.is_used = true};
	make_key(kind, text, place->key);
	return place;
}

uint32_t throttle_ask(struct throttle *throttle, char kind, const char *text, int64_t now_s)
{
	const struct throttle_place *place = find(throttle, kind, text);

	return place && place->until_s > now_s ? (uint32_t)(place->until_s - now_s) : 0;
}

void throttle_failed(struct throttle *throttle, char kind, const char *text, int64_t now_s)
{
	struct throttle_place *place = claim(throttle, kind, text, now_s);

	place->failures++;
	place->last_s = now_s;
	if (place->failures < THROTTLE_FREE)
		return;
	unsigned doublings = place->failures - THROTTLE_FREE;
	int64_t delay_s = doublings < 6 ? (int64_t)THROTTLE_DELAY_S << doublings : THROTTLE_DELAY_MAX_S;
	place->until_s = now_s + (delay_s < THROTTLE_DELAY_MAX_S ? delay_s : THROTTLE_DELAY_MAX_S);
}

void throttle_forgive(struct throttle *throttle, char kind, const char *text)
{
	struct throttle_place *place = find(throttle, kind, text);

	if (!place)
		return;
	place->failures--;
	place->until_s = 0;
	place->is_used = place->failures > 0;
}

void throttle_forget(struct throttle *throttle, char kind, const char *text)
{
	struct throttle_place *place = find(throttle, kind, text);

	if (place)
		*place = (struct throttle_place){0};
}
