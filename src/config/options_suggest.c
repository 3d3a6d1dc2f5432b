/* options_suggest.c: the word that a user probably meant. Any thread. */
#include "config/options.h"

#include <ctype.h>
#include <string.h>

#define WORD_MAX 100 /* a longer word is not a slip of the fingers */

static size_t smallest(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool is_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Insertions, deletions, replacements and swaps of neighbours from a to b (optimal string alignment); case is free. */
static size_t distance(const char *a, size_t a_count, const char *b, size_t b_count)
{
	size_t rows[3][WORD_MAX + 1];

	for (size_t j = 0; j <= b_count; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_count; i++) {
		size_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *second = rows[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= b_count; j++) {
			size_t cost = is_same(a[i - 1], b[j - 1]) ? 0 : 1;
			now[j] = smallest(smallest(before[j] + 1, now[j - 1] + 1), before[j - 1] + cost);
			if (i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) && is_same(a[i - 2], b[j - 1]))
				now[j] = smallest(now[j], second[j - 2] + 1);
		}
	}
	return rows[a_count % 3][b_count];
}

const char *options_suggest(const char *word, const char *const *names, size_t count)
{
	const char *nearest = NULL;
	size_t length = strlen(word);
	size_t best = length / 3 > 1 ? length / 3 : 1;

	if (length > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t name_length = strlen(names[i]);
		if (name_length > WORD_MAX)
			continue;
		size_t edits = distance(word, length, names[i], name_length);
		if (edits < best || (edits == best && !nearest && edits < name_length)) {
			best = edits;
			nearest = names[i];
		}
	}
	return nearest;
}
