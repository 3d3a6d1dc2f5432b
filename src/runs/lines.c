/* lines.c: see the header: the longest common run of lines, by a table of lengths. */
#include "runs/lines.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AROUND    3u
#define CELLS_MAX (16u << 20) /* of the table */

struct text {
	size_t count;
	const char **lines;
	size_t *lengths;
};

struct step {
	char kind;       /* ' ', '-', '+' */
	size_t from, to; /* index of the line, or of the next one */
};

static int split(const char *text, struct text *ret_text)
{
	size_t count = 1;

	for (const char *at = text; *at; at++)
		count += *at == '\n';
	*ret_text = (struct text){
		.lines = calloc(count, sizeof(*ret_text->lines)), .lengths = calloc(count, sizeof(size_t))};
	if (!ret_text->lines || !ret_text->lengths)
		return -1;
	while (*text) {
		size_t length = strcspn(text, "\n");
		ret_text->lines[ret_text->count] = text;
		ret_text->lengths[ret_text->count++] = length;
		text += length + (text[length] == '\n');
	}
	return 0;
}

static void fini(struct text *text)
{
	free((void *)text->lines);
	free(text->lengths);
}

static int is_same(const struct text *a, size_t i, const struct text *b, size_t k)
{
	return a->lengths[i] == b->lengths[k] && !memcmp(a->lines[i], b->lines[k], a->lengths[i]);
}

/* Of the lines [begin, end of each): how long the longest common part is from (i, k) on. NULL: too many. */
static uint32_t *make_table(const struct text *a, const struct text *b, size_t begin, size_t a_end, size_t b_end)
{
	size_t width = b_end - begin + 1, height = a_end - begin + 1;
	uint32_t *table = width * height <= CELLS_MAX ? calloc(width * height, sizeof(*table)) : NULL;

	for (size_t i = a_end - begin; table && i-- > 0;)
		for (size_t k = b_end - begin; k-- > 0;) {
			uint32_t down = table[(i + 1) * width + k], right = table[i * width + k + 1];
			table[i * width + k] = is_same(a, begin + i, b, begin + k) ? table[(i + 1) * width + k + 1] + 1
					       : down > right                      ? down
										   : right;
		}
	return table;
}

static size_t walk(const struct text *a, const struct text *b, struct step *steps)
{
	size_t begin = 0, a_end = a->count, b_end = b->count, count = 0;

	while (begin < a_end && begin < b_end && is_same(a, begin, b, begin)) {
		steps[count++] = (struct step){' ', begin, begin};
		begin++;
	}
	while (a_end > begin && b_end > begin && is_same(a, a_end - 1, b, b_end - 1)) {
		a_end--;
		b_end--;
	}
	uint32_t *table = make_table(a, b, begin, a_end, b_end);
	size_t width = b_end - begin + 1, i = begin, k = begin;
	while (i < a_end || k < b_end) {
		bool is_common = table && i < a_end && k < b_end && is_same(a, i, b, k);
		bool is_gone = !is_common && i < a_end &&
			       (k >= b_end || !table ||
				       table[(i - begin + 1) * width + k - begin] >=
					       table[(i - begin) * width + k - begin + 1]);
		steps[count++] = (struct step){is_common ? ' ' : is_gone ? '-' : '+', i, k};
		i += is_common || is_gone;
		k += is_common || !is_gone;
	}
	free(table);
	for (; i < a->count; i++, k++)
		steps[count++] = (struct step){' ', i, k};
	return count;
}

/* The end of the part that begins with the change at `first`: as far as changes lie close together. */
static size_t find_end(const struct step *steps, size_t count, size_t first)
{
	size_t last = first;

	for (size_t i = first; i < count && i - last <= 2 * AROUND; i++)
		if (steps[i].kind != ' ')
			last = i;
	return last + AROUND + 1 < count ? last + AROUND + 1 : count;
}

static void add_head(json_t *lines, const struct step *steps, size_t begin, size_t end)
{
	size_t from = 0, to = 0;
	char head[120];

	for (size_t i = begin; i < end; i++) {
		from += steps[i].kind != '+';
		to += steps[i].kind != '-';
	}
	snprintf(head, sizeof(head), "@@ -%zu,%zu +%zu,%zu @@", steps[begin].from + (from > 0), from,
		steps[begin].to + (to > 0), to);
	json_array_append_new(lines, json_string(head));
}

static void add_line(json_t *lines, const struct step *step, const struct text *a, const struct text *b)
{
	const struct text *of = step->kind == '+' ? b : a;
	size_t index = step->kind == '+' ? step->to : step->from;
	char *line = malloc(of->lengths[index] + 2);

	if (!line)
		return;
	line[0] = step->kind;
	memcpy(line + 1, of->lines[index], of->lengths[index]);
	json_array_append_new(lines, json_stringn(line, of->lengths[index] + 1));
	free(line);
}

json_t *lines_diff(const char *from, const char *to)
{
	struct text a = {0}, b = {0};
	struct step *steps = NULL;
	json_t *lines = json_array();

	if (split(from, &a) == 0 && split(to, &b) == 0)
		steps = calloc(a.count + b.count + 1, sizeof(*steps));
	size_t count = steps ? walk(&a, &b, steps) : 0;
	for (size_t i = 0; i < count;) {
		if (steps[i].kind == ' ') {
			i++;
			continue;
		}
		size_t begin = i > AROUND ? i - AROUND : 0, end = find_end(steps, count, i);
		add_head(lines, steps, begin, end);
		for (size_t k = begin; k < end; k++)
			add_line(lines, &steps[k], &a, &b);
		i = end;
	}
	if (!steps) {
		json_decref(lines);
		lines = NULL;
	}
	free(steps);
	fini(&a);
	fini(&b);
	return lines;
}
