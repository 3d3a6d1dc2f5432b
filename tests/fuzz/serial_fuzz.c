/* serial_fuzz.c: any bytes as a pattern (up to the first NUL) and as what an instrument says. Lines stay bounded,
 * fields point into their line, texts are UTF-8. Runs in a fuzzer or over its corpus. */
#include <stdlib.h>
#include <string.h>

#include "../../plugins/instruments/serial/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check(bool is_right)
{
	if (!is_right)
		abort();
}

static void check_fields(
	const struct pattern *pattern, const char *line, size_t length, const struct enrg_value *values)
{
	for (uint32_t i = 0; i < pattern->column_count; i++) {
		if (pattern->columns[i].type != ENRG_STRING)
			continue;
		const char *text = values[i].data;
		check(text >= line && values[i].count <= length && text + values[i].count <= line + length);
		for (uint64_t k = 0; k < values[i].count; k++)
			check((unsigned char)text[k] >= 0x20 || text[k] == '\t');
	}
}

static void read_lines(const struct pattern *pattern, const char *bytes, size_t count, size_t step)
{
	static struct lines lines;
	struct enrg_value values[PATTERN_COLUMNS_MAX];
	char quoted[100];
	size_t length;

	lines_init(&lines, "\r\n", step % 2 + 1);
	for (size_t at = 0; at < count; at += step) {
		const char *piece = bytes + at;
		size_t left = count - at < step ? count - at : step;
		for (char *line; (line = lines_next(&lines, &piece, &left, &length));) {
			check(length <= LINE_BYTES_MAX && line[length] == '\0');
			line_quote(line, length, quoted, sizeof(quoted));
			check(strlen(quoted) < sizeof(quoted));
			if (pattern->column_count && pattern_match(pattern, line, length, values))
				check_fields(pattern, line, length, values);
		}
		check(lines.used < sizeof(lines.buffer));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct enrg_error err = {0};
	struct pattern pattern = {0};
	char form[300];
	size_t form_bytes = strnlen((const char *)bytes, count < sizeof(form) - 1 ? count : sizeof(form) - 1);

	memcpy(form, bytes, form_bytes);
	form[form_bytes] = '\0';
	int rc = pattern_init(&pattern, form, &err);
	check(rc == 0 || (rc < 0 && err.text[0]));
	if (rc < 0)
		pattern = (struct pattern){0};
	size_t begin = form_bytes < count ? form_bytes + 1 : count;
	for (size_t step = 1; step < 6000; step = step * 7 + 1)
		read_lines(&pattern, (const char *)bytes + begin, count - begin, step);
	pattern_fini(&pattern);
	return 0;
}
