/* backoff.c: see the header. Runs in the store's job process, on its main thread. */
#include "backoff.h"

#include <time.h>

#define FIRST_NS 900000000ull /* a little less than the framework's second */
#define LAST_NS  8000000000ull

int backoff_check(const struct backoff *backoff, uint64_t now_ns, struct enrg_error *err)
{
	if (!backoff->until_ns || now_ns >= backoff->until_ns)
		return 0;
	return enrg_error_set(err, backoff->last.code, "%s", backoff->last.text);
}

void backoff_note(struct backoff *backoff, int rc, const struct enrg_error *why, uint64_t now_ns)
{
	if (rc == 0) {
		*backoff = (struct backoff){0};
		return;
	}
	backoff->delay_ns = backoff->delay_ns ? 2 * backoff->delay_ns : FIRST_NS;
	if (backoff->delay_ns > LAST_NS)
		backoff->delay_ns = LAST_NS;
	backoff->until_ns = now_ns + backoff->delay_ns;
	backoff->last = *why;
}

uint64_t backoff_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int remote_connect(struct remote *remote, void *state, struct enrg_error *err)
{
	struct enrg_error why = {0};

	remote->has_looked = true;
	int rc = backoff_check(&remote->backoff, backoff_clock_ns(), err);
	if (rc < 0)
		return rc;
	rc = remote->connect(state, &why);
	backoff_note(&remote->backoff, rc, &why, backoff_clock_ns());
	return rc < 0 ? enrg_error_set(err, rc, "%s", why.text) : 0;
}

void remote_look(struct remote *remote, struct enrg_store *store, void *state)
{
	struct enrg_error why = {0};

	if (!remote->has_looked && remote_connect(remote, state, &why) < 0)
		enrg_store_alert(store, ENRG_WARNING, "%s; data that come wait in memory until it answers", why.text);
}
