/* outage.c: the pace of alerts about one outage. */
#include "base/outage.h"

#define NS_PER_S   1000000000ull
#define SAME_NS    (60 * NS_PER_S) /* back so soon: the same outage */
#define AT_LEAST   (10 * NS_PER_S) /* between two alerts, and between two words that it is over */
#define EVERY_HOUR (3600 * NS_PER_S)

static const uint64_t again_ns[] = {60 * NS_PER_S, 600 * NS_PER_S, EVERY_HOUR};

static bool is_due(const struct outage *outage, uint64_t now_ns)
{
	uint32_t steps = sizeof(again_ns) / sizeof(again_ns[0]);

	if (!outage->told)
		return !outage->told_ns || now_ns - outage->told_ns >= AT_LEAST;
	if (outage->told > steps)
		return now_ns - outage->told_ns >= EVERY_HOUR;
	return now_ns - outage->first_told_ns >= again_ns[outage->told - 1];
}

enum outage_word outage_note(struct outage *outage, int rc, uint64_t now_ns)
{
	bool is_new = !outage->since_ns && (!outage->ended_ns || now_ns - outage->ended_ns >= SAME_NS);
	bool was_said = outage->is_said;

	if (is_new || rc != outage->code)
		outage->told = 0;
	outage->code = rc;
	if (!outage->since_ns)
		outage->since_ns = now_ns;
	if (!was_said)
		outage->said_since_ns = outage->since_ns;
	outage->is_said = true;
	if (!is_due(outage, now_ns))
		return was_said ? OUTAGE_QUIET : OUTAGE_LINE;
	if (!outage->told++)
		outage->first_told_ns = now_ns;
	outage->told_ns = now_ns;
	return OUTAGE_ALERT;
}

bool outage_end(struct outage *outage, uint64_t now_ns, uint64_t *ret_span_ns)
{
	if (outage->since_ns)
		outage->ended_ns = now_ns;
	outage->since_ns = 0;
	if (!outage->is_said || (outage->end_said_ns && now_ns - outage->end_said_ns < AT_LEAST))
		return false;
	outage->is_said = false;
	outage->end_said_ns = now_ns;
	*ret_span_ns = outage->ended_ns - outage->said_since_ns;
	return true;
}
