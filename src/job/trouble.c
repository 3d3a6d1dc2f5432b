/* trouble.c: the pace of alerts about one trouble. Store process, main thread. */
#include "job/trouble.h"

#define NS_PER_S   1000000000ull
#define SAME_NS    (60 * NS_PER_S) /* back so soon: the same trouble */
#define AT_LEAST   (10 * NS_PER_S) /* between two alerts, and between two words that it is over */
#define EVERY_HOUR (3600 * NS_PER_S)

static const uint64_t again_ns[] = {60 * NS_PER_S, 600 * NS_PER_S, EVERY_HOUR};

static bool is_due(const struct trouble *trouble, uint64_t now_ns)
{
	uint32_t steps = sizeof(again_ns) / sizeof(again_ns[0]);

	if (!trouble->told)
		return !trouble->told_ns || now_ns - trouble->told_ns >= AT_LEAST;
	if (trouble->told > steps)
		return now_ns - trouble->told_ns >= EVERY_HOUR;
	return now_ns - trouble->first_told_ns >= again_ns[trouble->told - 1];
}

enum trouble_word trouble_note(struct trouble *trouble, int code, uint64_t now_ns)
{
	bool is_new = !trouble->since_ns && (!trouble->ended_ns || now_ns - trouble->ended_ns >= SAME_NS);
	bool was_said = trouble->is_said;

	if (is_new || code != trouble->code)
		trouble->told = 0;
	trouble->code = code;
	if (!trouble->since_ns)
		trouble->since_ns = now_ns;
	if (!was_said)
		trouble->said_since_ns = trouble->since_ns;
	trouble->is_said = true;
	if (!is_due(trouble, now_ns))
		return was_said ? TROUBLE_QUIET : TROUBLE_LINE;
	if (!trouble->told++)
		trouble->first_told_ns = now_ns;
	trouble->told_ns = now_ns;
	return TROUBLE_ALERT;
}

bool trouble_end(struct trouble *trouble, uint64_t now_ns, uint64_t *ret_span_ns)
{
	if (trouble->since_ns)
		trouble->ended_ns = now_ns;
	trouble->since_ns = 0;
	if (!trouble->is_said || (trouble->end_said_ns && now_ns - trouble->end_said_ns < AT_LEAST))
		return false;
	trouble->is_said = false;
	trouble->end_said_ns = now_ns;
	*ret_span_ns = trouble->ended_ns - trouble->said_since_ns;
	return true;
}
