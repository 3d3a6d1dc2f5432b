/* generator.c: xoshiro256+ (Blackman and Vigna) in eight lanes. Runs in the benchmark's job process on its main
 * thread, and in `enrgdaq bench`.
 *
 * The vectors are written out in the compiler's vector extension, so that the speed does not hang on the
 * optimisation level. One body is compiled for three instruction sets; the choice is made at run time and not by
 * an ifunc, because the resolver of an ifunc runs before a sanitizer is ready.
 */
#include "generator.h"

#include <string.h>

#define EXPONENT_OF_ONE 0x3FF0000000000000ull

struct lanes {
	uint64_t v __attribute__((vector_size(8 * GENERATOR_LANES)));
};

struct reals {
	double v __attribute__((vector_size(8 * GENERATOR_LANES)));
};

/* The next eight numbers in [0, 1): 52 random bits become the mantissa of a number in [1, 2). */
static inline __attribute__((always_inline)) void next_reals(struct lanes state[4], struct reals *ret_reals)
{
	struct lanes bits = {(state[0].v + state[3].v) >> 12 | EXPONENT_OF_ONE};
	struct lanes shifted = {state[1].v << 17};

	state[2].v ^= state[0].v;
	state[3].v ^= state[1].v;
	state[1].v ^= state[2].v;
	state[0].v ^= state[3].v;
	state[2].v ^= shifted.v;
	state[3].v = state[3].v << 45 | state[3].v >> 19;
	memcpy(ret_reals, &bits, sizeof(*ret_reals));
	ret_reals->v -= 1.0;
}

static inline __attribute__((always_inline)) void fill_lanes(
	struct generator *generator, double *timestamps, double *values, uint64_t rows, double timestamp)
{
	struct lanes state[4];
	struct reals reals, times = {{0}};
	uint64_t row = 0;

	times.v += timestamp;
	memcpy(state, generator->state, sizeof(state));
	for (; row + GENERATOR_LANES <= rows; row += GENERATOR_LANES) {
		next_reals(state, &reals);
		if (timestamps)
			memcpy(timestamps + row, &times, sizeof(times));
		memcpy(values + row, &reals, sizeof(reals));
	}
	if (row < rows) {
		next_reals(state, &reals);
		if (timestamps)
			memcpy(timestamps + row, &times, (rows - row) * sizeof(double));
		memcpy(values + row, &reals, (rows - row) * sizeof(double));
	}
	memcpy(generator->state, state, sizeof(state));
}

#ifdef __x86_64__
__attribute__((target("avx512f"))) static void fill_avx512f(
	struct generator *generator, double *timestamps, double *values, uint64_t rows, double timestamp)
{
	fill_lanes(generator, timestamps, values, rows, timestamp);
}

__attribute__((target("avx2"))) static void fill_avx2(
	struct generator *generator, double *timestamps, double *values, uint64_t rows, double timestamp)
{
	fill_lanes(generator, timestamps, values, rows, timestamp);
}
#endif

static void fill_default(
	struct generator *generator, double *timestamps, double *values, uint64_t rows, double timestamp)
{
	fill_lanes(generator, timestamps, values, rows, timestamp);
}

/* splitmix64: spreads a seed over the state, as the authors of xoshiro advise. */
static uint64_t spread(uint64_t *seed)
{
	uint64_t z = (*seed += 0x9E3779B97F4A7C15ull);

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
	return z ^ (z >> 31);
}

void generator_init(struct generator *generator, uint64_t seed)
{
	for (unsigned lane = 0; lane < GENERATOR_LANES; lane++)
		for (unsigned word = 0; word < 4; word++)
			generator->state[word][lane] = spread(&seed);
	generator->fill = fill_default;
#ifdef __x86_64__
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f"))
		generator->fill = fill_avx512f;
	else if (__builtin_cpu_supports("avx2"))
		generator->fill = fill_avx2;
#endif
}

void generator_fill(struct generator *generator, double *timestamps, double *values, uint64_t rows, double timestamp)
{
	generator->fill(generator, timestamps, values, rows, timestamp);
}

const char *generator_instructions(const struct generator *generator)
{
#ifdef __x86_64__
	if (generator->fill == fill_avx512f)
		return "avx512f";
	if (generator->fill == fill_avx2)
		return "avx2";
#endif
	return generator->fill == fill_default ? "default" : "?";
}
