/* notices.c: see the header. */
#include "web/cnc/notices.h"

#include <string.h>

#include "base/text.h"

static uint64_t pause_of(unsigned said)
{
	static const uint64_t pauses_ns[] = {NOTICE_NS, 6 * NOTICE_NS, 60 * NOTICE_NS, 360 * NOTICE_NS};

	return pauses_ns[said < 4 ? said - 1 : 3];
}

static bool is_over_budget(struct notices *notices, uint64_t now_ns)
{
	if (now_ns - notices->window_ns >= NOTICE_NS) {
		notices->window_ns = now_ns;
		notices->said = 0;
	}
	return notices->said >= NOTICE_BUDGET;
}

bool notice_take(struct notices *notices, enum notice kind, const char *who, uint64_t now_ns, unsigned *ret_kept)
{
	unsigned at = 0;

	*ret_kept = 0;
	for (unsigned i = 0; i < NOTICES_MAX; i++) {
		if (notices->items[i].said_ns && notices->items[i].kind == kind &&
			!strncmp(notices->items[i].who, who, sizeof(notices->items[i].who) - 1)) {
			at = i;
			if (now_ns - notices->items[i].said_ns >= pause_of(notices->items[i].said))
				break;
			notices->items[i].kept++;
			return false;
		}
		if (notices->items[i].said_ns < notices->items[at].said_ns)
			at = i;
	}
	if (is_over_budget(notices, now_ns))
		return false;
	bool is_same = notices->items[at].said_ns && notices->items[at].kind == kind &&
		       !strncmp(notices->items[at].who, who, sizeof(notices->items[at].who) - 1);
	*ret_kept = is_same ? notices->items[at].kept : 0;
	notices->items[at].said = is_same && *ret_kept ? notices->items[at].said + 1 : 1;
	notices->items[at].kind = kind;
	text_copy(notices->items[at].who, sizeof(notices->items[at].who), who);
	notices->items[at].said_ns = now_ns;
	notices->items[at].kept = 0;
	notices->said++;
	return true;
}
