/* window.c: the governor of a producer's window. See window.h. */
#include "plane/window.h"

#include <string.h>

/* A decision needs so many turns and so much time: less says little on a machine that does other things too. */
#define EPISODE_TURNS     16u
#define EPISODE_NS        UINT64_C(10000000)
#define EPISODE_TURNS_MAX 256u
/* A sleep and a wake-up cost some 10 µs on two cores: with this much between two they cost little. */
#define TURN_NS_MIN UINT64_C(150000)
/* Starved in more than one of so many turns: a larger window is tried. In less than one of so many: a smaller one. */
#define STARVED_MANY        4u
#define STARVED_FEW         16u
#define STARVED_MANY_BEYOND 2u
/* A window larger by half is worth it where so much more goes through. Beyond the target a few percent are not: there
 * it must be consumers that wait for this producer, such as a store whose every commit is a sync of a disk. */
#define GAIN_MIN        1.03
#define GAIN_MIN_BEYOND 1.05
/* A producer that waits for less than this share of its time can't gain that much. */
#define HELD_SHARE_MIN 0.03
#define PAUSE_FIRST    4u
#define PAUSE_MAX      256u
#define BYTES_MIN      (UINT64_C(64) << 10)
/* Of fast consumers, not less than this: below, three clients made 3.9 GB/s of batches of 16 kB on two cores, and
 * make 7. */
#define BYTES_CALM     (UINT64_C(768) << 10)
#define BYTES_START    BYTES_CALM
#define PRODUCERS_MANY 3u
/* So much longer than the target, and for so long: it can't be met. */
#define BEYOND_TIMES UINT64_C(2)
#define BEYOND_NS    UINT64_C(10000000000)

void window_init(struct window *window, uint64_t target_ns, uint32_t producers, uint64_t limit)
{
	memset(window, 0, sizeof(*window));
	window->bytes = BYTES_START;
	window->target_ns = target_ns;
	window->records_min = producers >= PRODUCERS_MANY ? 1 : WINDOW_RECORDS_MIN;
	window->limit = limit;
	window->larger.next = window->smaller.next = PAUSE_FIRST;
}

uint64_t window_wait_ns(const struct window *window, uint64_t record_bytes)
{
	if (window->bytes_per_ns <= 0)
		return 0;
	return (uint64_t)((double)window_for(window, record_bytes) / window->bytes_per_ns);
}

bool window_misses_target(const struct window *window, uint64_t *ret_wait_ns)
{
	*ret_wait_ns = window->beyond_wait_ns;
	return window->beyond_since_ns && window->since_ns - window->beyond_since_ns >= BEYOND_NS;
}

static void watch_target(struct window *window, uint64_t record_bytes, uint64_t now_ns)
{
	window->beyond_wait_ns = window_wait_ns(window, record_bytes);
	if (window->beyond_wait_ns <= BEYOND_TIMES * window->target_ns)
		window->beyond_since_ns = 0;
	else if (!window->beyond_since_ns)
		window->beyond_since_ns = now_ns;
}

static uint64_t target_bytes(const struct window *window)
{
	double bytes = window->bytes_per_ns * (double)window->target_ns;

	return bytes < (double)window->limit ? (uint64_t)bytes : window->limit;
}

enum window_reason window_reason(const struct window *window, uint64_t record_bytes)
{
	if (window->target_ns == 0)
		return window->bytes ? WINDOW_BY_HAND : WINDOW_UNTOLD;
	if (window->bytes_per_ns <= 0)
		return WINDOW_UNMEASURED;
	return window_for(window, record_bytes) > target_bytes(window) ? WINDOW_THROUGHPUT : WINDOW_LATENCY;
}

const char *window_reason_name(uint32_t reason)
{
	static const char *const names[] = {
		"not told", "set by hand", "not measured yet", "latency target", "throughput"};

	return names[reason < sizeof(names) / sizeof(names[0]) ? reason : 0];
}

static uint64_t least(const struct window *window, uint64_t record_bytes)
{
	uint64_t bytes = window->records_min * record_bytes, calm = target_bytes(window) / 2;

	calm = calm < BYTES_CALM ? calm : BYTES_CALM;
	bytes = bytes > calm ? bytes : calm;
	bytes = bytes > BYTES_MIN ? bytes : BYTES_MIN;
	return bytes < window->limit ? bytes : window->limit;
}

static void set_bytes(struct window *window, uint64_t bytes, uint64_t record_bytes)
{
	uint64_t low = least(window, record_bytes);

	bytes = bytes < window->limit ? bytes : window->limit;
	window->bytes = bytes > low ? bytes : low;
}

static void raise_pause(struct window_pause *pause)
{
	pause->left = pause->next;
	pause->next = pause->next < PAUSE_MAX / 2 ? pause->next * 2 : PAUSE_MAX;
}

static void begin_trial(struct window *window, uint64_t record_bytes, uint64_t bytes)
{
	window->before = window_for(window, record_bytes);
	window->rate_before = window->bytes_per_ns;
	set_bytes(window, bytes, record_bytes);
}

/* Was the trial worth it? Where not, the next comes later and later. A smaller window is worth it where consumers still
 * do not run out of work: of a rate by itself, a producer with less in flight may lose to others what is no loss. */
static void end_trial(struct window *window, uint64_t record_bytes, bool is_starved)
{
	double gain = window->bytes_per_ns / window->rate_before;
	bool is_larger = window_for(window, record_bytes) > window->before;
	bool is_beyond = window_for(window, record_bytes) > target_bytes(window);
	bool is_good = is_larger ? gain >= (is_beyond ? GAIN_MIN_BEYOND : GAIN_MIN) : !is_starved;
	struct window_pause *pause = is_larger ? &window->larger : &window->smaller;

	if (is_good) {
		pause->next = PAUSE_FIRST;
	} else {
		set_bytes(window, window->before, record_bytes);
		raise_pause(pause);
	}
	window->before = 0;
}

/* Less than a whole record more or less would change nothing. */
static uint64_t larger(uint64_t bytes, uint64_t record_bytes)
{
	return bytes + (bytes / 2 > record_bytes ? bytes / 2 : record_bytes);
}

static uint64_t smaller(uint64_t bytes, uint64_t record_bytes)
{
	if (bytes / 8 > record_bytes)
		return bytes - bytes / 8;
	return (bytes - 1) / record_bytes * record_bytes;
}

static void decide(struct window *window, uint64_t record_bytes, uint64_t elapsed_ns)
{
	uint64_t target = target_bytes(window), bytes = window_for(window, record_bytes);
	uint32_t many = bytes > target ? STARVED_MANY_BEYOND : STARVED_MANY;
	bool is_restless = (uint64_t)window->sleeps * TURN_NS_MIN > elapsed_ns;
	bool is_calm = (uint64_t)window->sleeps * 2 * TURN_NS_MIN < elapsed_ns;
	bool is_starved =
		window->starved * many > window->turns && (double)window->held_ns > HELD_SHARE_MIN * (double)elapsed_ns;
	bool is_fed = bytes > target ? !is_starved : window->starved * STARVED_FEW < window->turns;

	if (window->before) {
		end_trial(window, record_bytes, is_starved);
		return;
	}
	if (bytes < least(window, record_bytes)) {
		set_bytes(window, 0, record_bytes);
		return;
	}
	window->larger.left -= window->larger.left > 0;
	window->smaller.left -= window->smaller.left > 0;
	if (is_restless && larger(bytes, record_bytes) < target)
		set_bytes(window, larger(bytes, record_bytes), record_bytes);
	else if (is_starved && window->larger.left == 0)
		begin_trial(window, record_bytes, larger(bytes, record_bytes));
	else if (is_fed && (is_calm || bytes > target) && window->smaller.left == 0 &&
		 bytes > least(window, record_bytes))
		begin_trial(window, record_bytes, smaller(bytes, record_bytes));
}

void window_turn(struct window *window, uint64_t record_bytes, const struct window_turn *turn)
{
	if (window->target_ns == 0)
		return;
	if (window->since_ns == 0) {
		window->since_ns = turn->now_ns;
		return;
	}
	uint64_t elapsed_ns = turn->now_ns - window->since_ns;
	window->done += turn->bytes;
	window->held_ns += turn->held_ns;
	window->turns++;
	window->sleeps += turn->has_slept;
	window->starved += turn->is_starved;
	if (window->turns < EPISODE_TURNS || (elapsed_ns < EPISODE_NS && window->turns < EPISODE_TURNS_MAX))
		return;
	window->bytes_per_ns = (double)window->done / (double)elapsed_ns;
	watch_target(window, record_bytes, turn->now_ns);
	decide(window, record_bytes, elapsed_ns);
	window->since_ns = turn->now_ns;
	window->done = window->held_ns = 0;
	window->turns = window->sleeps = window->starved = 0;
}
