/* exposition.c: see the header. */
#include "web/metrics/exposition.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "enrgdaq/client.h"

static void put_help(FILE *stream, const char *help)
{
	for (; *help; help++) {
		if (*help == '\\' || *help == '\n')
			fputs(*help == '\n' ? "\\n" : "\\\\", stream);
		else
			fputc(*help, stream);
	}
}

void exposition_begin(struct exposition *exposition, const char *family, enum family_type type, const char *help)
{
	static const char *const types[] = {"counter", "gauge", "histogram", "summary"};

	exposition->family = family;
	fprintf(exposition->stream, "# HELP %s ", family);
	put_help(exposition->stream, help);
	fprintf(exposition->stream, "\n# TYPE %s %s\n", family, types[type]);
}

static void put_value(FILE *stream, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		size_t bytes = enrg_text_character(text, left);
		if (*text == '"' || *text == '\\')
			fprintf(stream, "\\%c", *text);
		else if (*text == '\n')
			fputs("\\n", stream);
		else if (bytes)
			fwrite(text, 1, bytes, stream);
		else
			fputc('?', stream);
		text += bytes ? bytes : 1;
		left -= bytes ? bytes : 1;
	}
}

static void put_head(const struct exposition *exposition, const struct sample *sample)
{
	const char *before = "{";

	fprintf(exposition->stream, "%s%s", exposition->family, sample->suffix ? sample->suffix : "");
	for (const struct label *label = sample->labels; label && label->name; label++) {
		fprintf(exposition->stream, "%s%s=\"", before, label->name);
		put_value(exposition->stream, label->value ? label->value : "");
		fputc('"', exposition->stream);
		before = ",";
	}
	if (sample->more)
		fprintf(exposition->stream, "%s%s", before, sample->more);
	if (sample->more || *before == ',')
		fputc('}', exposition->stream);
}

void exposition_put(struct exposition *exposition, const struct sample *sample, double value)
{
	if (isnan(value))
		return;
	put_head(exposition, sample);
	if (isinf(value))
		fprintf(exposition->stream, " %sInf\n", value < 0 ? "-" : "+");
	else
		fprintf(exposition->stream, " %.15g\n", value);
}

void exposition_put_count(struct exposition *exposition, const struct sample *sample, uint64_t value)
{
	put_head(exposition, sample);
	fprintf(exposition->stream, " %" PRIu64 "\n", value);
}
