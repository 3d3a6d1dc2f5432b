/* copy.c: the copy into a ring by the fastest instruction. Any process and thread; the method is the process's. */
#include "base/copy.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/fused.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

#define METHODS 3
/* Below it the start-up of the other methods costs more than they gain. */
#define SMALL_BYTES ((size_t)64 << 10)
/* Summed, then copied out of the first cache: 4 KiB was the best of 2 KiB to 8 MiB. */
#define CHUNK_BYTES ((size_t)4 << 10)

#define CALIBRATE_BYTES_MAX ((size_t)8 << 20)
#define CALIBRATE_NS UINT64_C(20000000)
#define CALIBRATE_ROUNDS 9

#define TUNE_ROUNDS 3
/* Of a copy, for one candidate: a slow one must not cost a whole batch. */
#define TUNE_SLICE_BYTES ((size_t)128 << 10)
/* The first trials find a ring that nobody has read yet: they come soon again. */
#define TUNE_FIRST_NS UINT64_C(10000000)
#define TUNE_EVERY_NS UINT64_C(1000000000)

/* What goes past the caches must be so much faster for the producer: its reader fetches from memory what it would have
 * found in a cache, and that is in no time that is taken here. With 1.5, one client with batches of 8 MB ran at 9 GB/s, and
 * at 13 to 14 with any way through the caches. */
#define PAST_CACHES_COST 3.0
/* From so many producers on, their batches are more than caches hold: eight with 8 MB each made 6.3 GB/s with that and 7.7
 * to 8.7 without. */
#define PRODUCERS_MANY 3u

/* Ways to copy and sum in one pass. */
enum crc_way { CRC_FUSED, CRC_FUSED_STREAM, CRC_CHUNKS };
#define CRC_WAYS METHODS

static _Atomic int method_now = COPY_MEMCPY;
static _Atomic int crc_way_now = CRC_FUSED;
static _Atomic bool has_many_producers;
static _Atomic bool is_tuned; /* calibrated, and not set by hand since */

/* Calibration sees no reader at the other side, and virtual machines change the caches that two processes share while
 * they run. So a calibrated process tries all candidates on slices of its real copies, about once a second. */
struct tuner {
	uint64_t due_ns;
	uint64_t period_ns;
	unsigned step; /* of the trial that goes on; 0 = none */
	double best_ns_per_byte[METHODS];
	_Atomic int *choice;
	int first_candidate; /* for run_candidate */
};

static _Thread_local struct tuner plain_tuner = {.choice = &method_now, .first_candidate = 0};
static _Thread_local struct tuner crc_tuner = {.choice = &crc_way_now, .first_candidate = METHODS};

void copy_set_producers(unsigned count)
{
	atomic_store_explicit(&has_many_producers, count >= PRODUCERS_MANY, memory_order_relaxed);
}

void copy_set_method(enum copy_method method)
{
	static const int ways[METHODS] = {CRC_FUSED, CRC_CHUNKS, CRC_FUSED_STREAM};

	if ((unsigned)method >= METHODS)
		return;
	atomic_store_explicit(&method_now, (int)method, memory_order_relaxed);
	atomic_store_explicit(&crc_way_now, ways[method], memory_order_relaxed);
	atomic_store_explicit(&is_tuned, false, memory_order_relaxed);
}

enum copy_method copy_method_now(void)
{
	return (enum copy_method)atomic_load_explicit(&method_now, memory_order_relaxed);
}

const char *copy_method_name(enum copy_method method)
{
	static const char *const names[METHODS] = {"memcpy", "rep movsb", "non-temporal"};

	return (unsigned)method < METHODS ? names[method] : "?";
}

#if defined(__x86_64__)

static void copy_rep_movsb(void *destination, const void *source, size_t count)
{
	__asm__ volatile("rep movsb" : "+D"(destination), "+S"(source), "+c"(count) : : "memory");
}

/* Whole cache lines past the caches. Without the closing fence: non-temporal stores may become visible after later
 * plain ones, so the caller fences once before it publishes. */
static void copy_non_temporal(uint8_t *destination, const uint8_t *source, size_t count)
{
	size_t head = (64 - ((uintptr_t)destination & 63)) & 63;

	if (head > count)
		head = count;
	memcpy(destination, source, head);
	destination += head;
	source += head;
	count -= head;
	for (; count >= 64; destination += 64, source += 64, count -= 64) {
		__m128i a = _mm_loadu_si128((const __m128i *)(const void *)source);
		__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(source + 16));
		__m128i c = _mm_loadu_si128((const __m128i *)(const void *)(source + 32));
		__m128i d = _mm_loadu_si128((const __m128i *)(const void *)(source + 48));
		_mm_stream_si128((__m128i *)(void *)destination, a);
		_mm_stream_si128((__m128i *)(void *)(destination + 16), b);
		_mm_stream_si128((__m128i *)(void *)(destination + 32), c);
		_mm_stream_si128((__m128i *)(void *)(destination + 48), d);
	}
	memcpy(destination, source, count);
}

static void copy_by(enum copy_method method, void *destination, const void *source, size_t count)
{
	if (method == COPY_REP_MOVSB)
		copy_rep_movsb(destination, source, count);
	else if (method == COPY_NON_TEMPORAL)
		copy_non_temporal(destination, source, count);
	else
		memcpy(destination, source, count);
}

static void copy_fence(enum copy_method method)
{
	if (method == COPY_NON_TEMPORAL)
		_mm_sfence();
}

#else

static void copy_by(enum copy_method method, void *destination, const void *source, size_t count)
{
	(void)method;
	memcpy(destination, source, count);
}

static void copy_fence(enum copy_method method)
{
	(void)method;
}

#endif

/* The sum is of the source: a copy that went wrong must not get a CRC that agrees with it. */
static uint32_t copy_in_chunks(enum copy_method method, uint8_t *to, const uint8_t *from, size_t count, uint32_t crc)
{
	while (count > 0) {
		size_t step = count < CHUNK_BYTES ? count : CHUNK_BYTES;
		crc = crc32c(crc, from, step);
		copy_by(method, to, from, step);
		to += step;
		from += step;
		count -= step;
	}
	copy_fence(method);
	return crc;
}

static uint32_t copy_crc_by(enum crc_way way, void *destination, const void *source, size_t count, uint32_t crc)
{
	if (way == CRC_CHUNKS || !fused_is_supported())
		return copy_in_chunks(
			count < SMALL_BYTES ? COPY_MEMCPY : copy_method_now(), destination, source, count, crc);
	return fused_copy_crc(destination, source, count, crc, way == CRC_FUSED_STREAM);
}

/* Candidates of all kinds: the methods, then the ways with CRC. */
static uint32_t run_candidate(int candidate, uint8_t *destination, const uint8_t *source, size_t count, uint32_t crc)
{
	if (candidate >= METHODS)
		return copy_crc_by((enum crc_way)(candidate - METHODS), destination, source, count, crc);
	copy_by((enum copy_method)candidate, destination, source, count);
	copy_fence((enum copy_method)candidate);
	return 0;
}

/* Is a trial due, or one that short copies began not yet over? */
static bool tuner_is_due(const struct tuner *tuner, size_t count)
{
	if (count < SMALL_BYTES || !atomic_load_explicit(&is_tuned, memory_order_relaxed))
		return false;
	return tuner->step > 0 || clock_mono_ns() >= tuner->due_ns;
}

/* Time that a candidate took, with what its reader pays. */
static double cost_of(int candidate, double took)
{
	bool is_past = candidate == COPY_NON_TEMPORAL || candidate == METHODS + CRC_FUSED_STREAM;

	if (!is_past || atomic_load_explicit(&has_many_producers, memory_order_relaxed))
		return took;
	return took * PAST_CACHES_COST;
}

static void tuner_decide(struct tuner *tuner, uint64_t now_ns)
{
	int best = 0;

	for (int i = 1; i < METHODS; i++)
		if (cost_of(tuner->first_candidate + i, tuner->best_ns_per_byte[i]) <
			cost_of(tuner->first_candidate + best, tuner->best_ns_per_byte[best]))
			best = i;
	atomic_store_explicit(tuner->choice, best, memory_order_relaxed);
	tuner->step = 0;
	tuner->period_ns = tuner->period_ns ? tuner->period_ns * 4 : TUNE_FIRST_NS;
	if (tuner->period_ns > TUNE_EVERY_NS)
		tuner->period_ns = TUNE_EVERY_NS;
	tuner->due_ns = now_ns + tuner->period_ns;
}

/* Copies slices by one candidate after the other until the trial is over or the copy is done. Bytes copied. */
static size_t tuner_copy(struct tuner *tuner, uint8_t *to, const uint8_t *from, size_t count, uint32_t *crc)
{
	uint64_t start_ns = clock_mono_ns();
	size_t done = 0;

	if (tuner->step == 0)
		for (int i = 0; i < METHODS; i++)
			tuner->best_ns_per_byte[i] = 1e9;
	while (tuner->step < METHODS * TUNE_ROUNDS) {
		size_t slice = count - done < TUNE_SLICE_BYTES ? count - done : TUNE_SLICE_BYTES;
		int candidate = (int)(tuner->step % METHODS);
		if (slice < SMALL_BYTES) /* too short to be timed */
			return done;
		*crc = run_candidate(tuner->first_candidate + candidate, to + done, from + done, slice, *crc);
		uint64_t now_ns = clock_mono_ns();
		double ns_per_byte = (double)(now_ns - start_ns) / (double)slice;
		if (ns_per_byte < tuner->best_ns_per_byte[candidate])
			tuner->best_ns_per_byte[candidate] = ns_per_byte;
		start_ns = now_ns;
		done += slice;
		tuner->step++;
	}
	tuner_decide(tuner, start_ns);
	return done;
}

void copy_bytes(void *destination, const void *source, size_t count)
{
	uint32_t crc = 0;
	size_t done =
		tuner_is_due(&plain_tuner, count) ? tuner_copy(&plain_tuner, destination, source, count, &crc) : 0;
	enum copy_method method = count < SMALL_BYTES ? COPY_MEMCPY : copy_method_now();

	copy_by(method, (uint8_t *)destination + done, (const uint8_t *)source + done, count - done);
	copy_fence(method);
}

uint32_t copy_bytes_crc(void *destination, const void *source, size_t count, uint32_t crc)
{
	size_t done = tuner_is_due(&crc_tuner, count) ? tuner_copy(&crc_tuner, destination, source, count, &crc) : 0;
	int way = count < SMALL_BYTES ? CRC_FUSED : atomic_load_explicit(&crc_way_now, memory_order_relaxed);

	return copy_crc_by(
		(enum crc_way)way, (uint8_t *)destination + done, (const uint8_t *)source + done, count - done, crc);
}

/* The shortest of all rounds counts: the others were disturbed. Rounds of the candidates alternate, so that a
 * disturbance meets all of them. */
static void measure_candidates(
	int first, int last, uint8_t *destination, const uint8_t *source, size_t count, uint64_t *ret_best_ns)
{
	uint64_t begin_ns = clock_mono_ns();

	for (int i = first; i < last; i++)
		ret_best_ns[i] = UINT64_MAX;
	for (int round = 0; round < CALIBRATE_ROUNDS; round++) {
		for (int i = first; i < last; i++) {
			uint64_t start_ns = clock_mono_ns();
			run_candidate(i, destination, source, count, 0);
			uint64_t took_ns = clock_mono_ns() - start_ns;
			if (took_ns < ret_best_ns[i])
				ret_best_ns[i] = took_ns;
		}
		if (round > 0 && clock_mono_ns() - begin_ns > CALIBRATE_NS / 2)
			break;
	}
}

/* Of METHODS candidates. */
static int cheapest(const uint64_t *times_ns, int first_candidate)
{
	int best = 0;

	for (int i = 1; i < METHODS; i++)
		if (cost_of(first_candidate + i, (double)times_ns[i]) <
			cost_of(first_candidate + best, (double)times_ns[best]))
			best = i;
	return best;
}

void copy_calibrate(void *destination, size_t bytes)
{
	uint64_t best_ns[METHODS + CRC_WAYS];
	size_t count = bytes < CALIBRATE_BYTES_MAX ? bytes : CALIBRATE_BYTES_MAX;
	uint8_t *source = count >= SMALL_BYTES ? malloc(count) : NULL;

	if (!source)
		return; /* the method stays: calibration is a matter of speed alone */
	memset(source, 0x5a, count);
	measure_candidates(0, METHODS, destination, source, count, best_ns);
	copy_set_method((enum copy_method)cheapest(best_ns, 0));
	/* After the method is set: chunks are copied with it. */
	measure_candidates(METHODS, METHODS + CRC_WAYS, destination, source, count, best_ns);
	atomic_store_explicit(&crc_way_now, cheapest(best_ns + METHODS, METHODS), memory_order_relaxed);
	atomic_store_explicit(&is_tuned, true, memory_order_relaxed);
	free(source);
}
