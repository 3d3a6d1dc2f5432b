/* copy_tuner.c: the choice of the copy's instruction by what comes out at the reader. See copy_tuner.h.
 *
 * Episodes of a few milliseconds: kept way, rival, kept way, rival, … The rival has to win against the mean of its two
 * neighbours each time; it is dropped as soon as it loses once. So a way that is much worse costs one episode, and a
 * throughput that drifts, since the window is being found at the same time, is no win. */
#include "base/copy_tuner.h"

#include <string.h>

#define METHODS 3u
/* What a source that is not busy copies by: its readers wait for each batch, and find it in the caches. */
#define CACHED COPY_MEMCPY

#define EPISODE_BATCHES 12u
#define EPISODE_NS      UINT64_C(3000000)
#define ROUNDS          3u
/* So much more has to come out; a little less is no loss yet before the second neighbour is known. */
#define GAIN_MIN 1.03
#define LOSS_MAX 0.98
/* Pages and window are found first. */
#define FIRST_NS     UINT64_C(50000000)
#define PAUSE_MIN_NS UINT64_C(1000000000)
#define PAUSE_MAX_NS UINT64_C(60000000000)
/* So far from what was usual, so often in a row: other neighbours, another place of the cores. Tried anew. */
#define ODD_LOW  0.7
#define ODD_HIGH 1.4
#define ODD_MANY 16u
/* One batch of each of so many producers together is more than caches hold, and each is read from memory anyway: stores
 * past the caches spare the producers' side of it. */
#define PRODUCERS_MANY 3u
#define TOGETHER_BYTES (UINT64_C(32) * 1000 * 1000)

void copy_tuner_init(struct copy_tuner *tuner, uint32_t producers)
{
	memset(tuner, 0, sizeof(*tuner));
	tuner->producers = producers;
	for (unsigned i = 0; i < COPY_TUNER_CLASSES; i++)
		tuner->classes[i] = (struct copy_class){.kept = CACHED, .pause_ns = PAUSE_MIN_NS};
	tuner->way = CACHED;
}

static unsigned class_of(uint64_t bytes)
{
	return bytes < UINT64_C(512) << 10 ? 0 : bytes < UINT64_C(4) << 20 ? 1 : 2;
}

/* What is on its way was copied otherwise, or belongs to another class: an episode begins behind it. */
static void begin_episode(struct copy_tuner *tuner)
{
	tuner->episode = (struct copy_episode){.acknowledged_min = tuner->written};
}

static void use(struct copy_tuner *tuner, enum copy_method way)
{
	tuner->way = way;
	begin_episode(tuner);
}

/* --- trials ------------------------------------------------------------------------------------------------------- */

static void begin_rival(struct copy_tuner *tuner, unsigned rival)
{
	tuner->rival = rival;
	tuner->step = 1; /* the kept way, for its first rate */
	use(tuner, tuner->classes[tuner->class_now].kept);
}

static void end_trial(struct copy_tuner *tuner, uint64_t now_ns)
{
	struct copy_class *class = &tuner->classes[tuner->class_now];

	tuner->step = 0;
	tuner->has_tried = false;
	class->due_ns = now_ns + class->pause_ns;
	class->pause_ns = class->pause_ns < PAUSE_MAX_NS / 4 ? class->pause_ns * 4 : PAUSE_MAX_NS;
	class->usual = 0;
	class->odd = 0;
	use(tuner, class->kept);
}

/* One rival is through with its trial. */
static void end_rival(struct copy_tuner *tuner, bool has_won, uint64_t now_ns)
{
	struct copy_class *class = &tuner->classes[tuner->class_now];
	unsigned before = class->kept, third = METHODS - before - tuner->rival;

	if (has_won) {
		class->kept = (enum copy_method)tuner->rival;
		class->pause_ns = PAUSE_MIN_NS;
	}
	if (tuner->has_tried) {
		end_trial(tuner, now_ns);
		return;
	}
	tuner->has_tried = true;
	begin_rival(tuner, third);
}

/* Steps with an odd number are the kept way's. */
static void step_trial(struct copy_tuner *tuner, double rate, uint64_t now_ns)
{
	bool is_kept = tuner->step % 2 == 1, has_lost;

	if (is_kept)
		has_lost = tuner->step > 1 && tuner->rival_rate * 2 < (tuner->kept_rate + rate) * GAIN_MIN;
	else
		has_lost = rate < tuner->kept_rate * LOSS_MAX;
	*(is_kept ? &tuner->kept_rate : &tuner->rival_rate) = rate;
	if (has_lost || tuner->step == 2 * ROUNDS + 1) {
		end_rival(tuner, !has_lost, now_ns);
		return;
	}
	tuner->step++;
	use(tuner, is_kept ? (enum copy_method)tuner->rival : tuner->classes[tuner->class_now].kept);
}

/* Is a trial due, by the clock or because something has changed? */
static bool is_trial_due(struct copy_class *class, double rate, uint64_t now_ns)
{
	bool is_odd = class->usual > 0 && (rate < class->usual * ODD_LOW || rate > class->usual * ODD_HIGH);

	class->usual = class->usual > 0 ? class->usual : rate;
	class->odd = is_odd ? class->odd + 1 : 0;
	if (!class->due_ns)
		class->due_ns = now_ns + FIRST_NS;
	if (class->odd >= ODD_MANY && class->due_ns > now_ns + PAUSE_MIN_NS) {
		class->due_ns = now_ns + PAUSE_MIN_NS;
		class->pause_ns = PAUSE_MIN_NS;
	}
	return now_ns >= class->due_ns;
}

/* --- episodes ----------------------------------------------------------------------------------------------------- */

static void end_episode(struct copy_tuner *tuner, uint64_t acknowledged, uint64_t now_ns)
{
	struct copy_class *class = &tuner->classes[tuner->class_now];
	struct copy_episode *episode = &tuner->episode;
	uint64_t elapsed_ns = now_ns - episode->since_ns;
	double rate = ((double)acknowledged - (double)episode->since_acknowledged) / (double)elapsed_ns;

	tuner->is_busy = episode->busy_ns * 2 >= elapsed_ns;
	if (!tuner->is_busy) {
		tuner->step = 0;
		tuner->has_tried = false;
		use(tuner, CACHED);
	} else if (tuner->step) {
		step_trial(tuner, rate, now_ns);
	} else if (tuner->way != class->kept) {
		use(tuner, class->kept);
	} else if (is_trial_due(class, rate, now_ns)) {
		begin_rival(tuner, (class->kept + 1u) % METHODS);
	} else {
		begin_episode(tuner);
	}
}

static void change_class(struct copy_tuner *tuner, unsigned class_now)
{
	tuner->class_now = class_now;
	tuner->step = 0;
	tuner->has_tried = false;
	use(tuner, tuner->is_busy ? tuner->classes[class_now].kept : CACHED);
}

enum copy_method copy_tuner_begin(struct copy_tuner *tuner, uint64_t bytes, uint64_t now_ns)
{
	tuner->begun_ns = bytes < COPY_TUNER_BYTES_MIN ? 0 : now_ns;
	if (!tuner->begun_ns)
		return CACHED;
	if (tuner->producers >= PRODUCERS_MANY) {
		tuner->way = tuner->producers * bytes < TOGETHER_BYTES ? CACHED : COPY_NON_TEMPORAL;
		return tuner->way;
	}
	if (class_of(bytes) != tuner->class_now)
		change_class(tuner, class_of(bytes));
	return tuner->way;
}

void copy_tuner_end(struct copy_tuner *tuner, uint64_t written, uint64_t acknowledged, uint64_t now_ns)
{
	struct copy_episode *episode = &tuner->episode;

	tuner->written = written;
	if (!tuner->begun_ns || tuner->producers >= PRODUCERS_MANY)
		return;
	if (episode->batches == 0) {
		if (acknowledged < episode->acknowledged_min)
			return;
		episode->since_ns = now_ns;
		episode->since_acknowledged = acknowledged;
		episode->batches = 1;
		return;
	}
	episode->busy_ns += now_ns - tuner->begun_ns;
	episode->batches++;
	if (episode->batches > EPISODE_BATCHES && now_ns - episode->since_ns >= EPISODE_NS)
		end_episode(tuner, acknowledged, now_ns);
}
