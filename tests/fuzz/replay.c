/* replay.c: main() of a fuzz target where libFuzzer is not there. Runs every file of the given folders as it is, then
 * mutated; the mutations come from a generator with a fixed seed, so that a failure comes again. A run that dies writes
 * its input to fuzz-crash.bin in the working directory. One thread.
 *
 * usage: fuzz_NAME FOLDER|FILE…    ENRG_FUZZ_MUTATIONS=N sets the mutations of each file (3000).
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
/* There with a sanitizer alone. */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

struct input {
	uint8_t *bytes;
	size_t count;
};

struct corpus {
	struct input *items;
	size_t count;
};

static const uint8_t *current_bytes;
static size_t current_count;

static void keep_input(void)
{
	int file = open("fuzz-crash.bin", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (file < 0)
		return;
	for (size_t at = 0; at < current_count;) {
		ssize_t written = write(file, current_bytes + at, current_count - at);
		if (written <= 0)
			break;
		at += (size_t)written;
	}
	close(file);
}

static void die(int number)
{
	static const char text[] = "the input that failed is in fuzz-crash.bin\n";

	keep_input();
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(1);
	signal(number, SIG_DFL);
	raise(number);
}

/* The memory has the size of the input, so that reading behind it is seen by a sanitizer. */
static void run(const uint8_t *bytes, size_t count)
{
	uint8_t *copy = malloc(count ? count : 1);

	if (!copy)
		abort();
	if (count)
		memcpy(copy, bytes, count);
	current_bytes = copy;
	current_count = count;
	LLVMFuzzerTestOneInput(copy, count);
	current_count = 0;
	free(copy);
}

static uint64_t next_random(uint64_t *seed)
{
	/* xorshift64* */
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * UINT64_C(0x2545F4914F6CDD1D);
}

static size_t below(uint64_t *seed, size_t limit)
{
	return limit ? (size_t)(next_random(seed) % limit) : 0;
}

/* Numbers at the borders of what lengths and offsets can be. */
static void write_number(struct input *input, uint64_t *seed)
{
	static const uint64_t numbers[] = {0, 1, 7, 8, 63, 64, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
		0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff};
	static const size_t widths[] = {1, 2, 4, 8};
	uint64_t number = numbers[below(seed, sizeof(numbers) / sizeof(numbers[0]))];
	size_t width = widths[below(seed, 4)];

	if (input->count >= width)
		memcpy(input->bytes + below(seed, input->count - width + 1), &number, width);
}

static void remove_range(struct input *input, uint64_t *seed)
{
	size_t at = below(seed, input->count), count = below(seed, input->count - at) + 1;

	if (count > 64)
		count = 1 + count % 64;
	memmove(input->bytes + at, input->bytes + at + count, input->count - at - count);
	input->count -= count;
}

/* Puts a piece of `from` into the input. */
static void insert_piece(struct input *input, const struct input *from, uint64_t *seed)
{
	size_t start = below(seed, from->count), count = 1 + below(seed, from->count - start);
	size_t at = below(seed, input->count + 1);
	uint8_t piece[256];

	if (!from->count)
		return;
	if (count > sizeof(piece))
		count = 1 + count % sizeof(piece);
	if (input->count + count > INPUT_MAX)
		return;
	memcpy(piece, from->bytes + start, count); /* may be the input itself */
	memmove(input->bytes + at + count, input->bytes + at, input->count - at);
	memcpy(input->bytes + at, piece, count);
	input->count += count;
}

static void mutate(struct input *input, const struct corpus *corpus, uint64_t *seed)
{
	for (size_t steps = 1 + below(seed, 4); steps && input->count; steps--) {
		size_t at = below(seed, input->count);
		switch (below(seed, 7)) {
		case 0:
			input->bytes[at] ^= (uint8_t)(1u << below(seed, 8));
			break;
		case 1:
			input->bytes[at] = (uint8_t)next_random(seed);
			break;
		case 2:
			write_number(input, seed);
			break;
		case 3:
			remove_range(input, seed);
			break;
		case 4:
			insert_piece(input, input, seed);
			break;
		case 5:
			insert_piece(input, &corpus->items[below(seed, corpus->count)], seed);
			break;
		default:
			input->count = at;
			break;
		}
	}
}

static void add_file(struct corpus *corpus, const char *path)
{
	FILE *file = fopen(path, "rbe");
	struct input input = {.bytes = malloc(INPUT_MAX)};
	struct input *items = realloc(corpus->items, (corpus->count + 1) * sizeof(*items));

	if (!file || !input.bytes || !items) {
		fprintf(stderr, "%s: can't be read\n", path);
		exit(1);
	}
	input.count = fread(input.bytes, 1, INPUT_MAX, file);
	fclose(file);
	corpus->items = items;
	items[corpus->count++] = input;
}

static void add_path(struct corpus *corpus, const char *path)
{
	struct dirent **names = NULL;
	struct stat info;
	char file[4096];

	if (stat(path, &info)) {
		fprintf(stderr, "%s: not there\n", path);
		exit(1);
	}
	if (!S_ISDIR(info.st_mode)) {
		add_file(corpus, path);
		return;
	}
	int count = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			add_file(corpus, file);
		free(names[i]);
	}
	free(names);
}

static void replay(const struct corpus *corpus, unsigned long mutations)
{
	struct input input = {.bytes = malloc(INPUT_MAX)};
	uint64_t seed = UINT64_C(0x9E3779B97F4A7C15);

	if (!input.bytes)
		abort();
	run(NULL, 0);
	for (size_t i = 0; i < corpus->count; i++) {
		run(corpus->items[i].bytes, corpus->items[i].count);
		for (unsigned long j = 0; j < mutations; j++) {
			memcpy(input.bytes, corpus->items[i].bytes, corpus->items[i].count);
			input.count = corpus->items[i].count;
			mutate(&input, corpus, &seed);
			run(input.bytes, input.count);
		}
	}
	free(input.bytes);
	printf("%zu files and %lu mutations of each\n", corpus->count, mutations);
}

int main(int argc, char **argv)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
	const char *wanted = getenv("ENRG_FUZZ_MUTATIONS");
	struct corpus corpus = {0};

	for (int i = 1; i < argc; i++)
		add_path(&corpus, argv[i]);
	if (!corpus.count) {
		fprintf(stderr, "no input: give the corpus folder\n");
		return 1;
	}
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(keep_input);
	else
		for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
			signal(signals[i], die);
	replay(&corpus, wanted ? strtoul(wanted, NULL, 10) : 3000);
	for (size_t i = 0; i < corpus.count; i++)
		free(corpus.items[i].bytes);
	free(corpus.items);
	return 0;
}
