/* latex.c: see the header. In the process of `enrgdaq plot`. */
#include "plot/latex.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "plot/axis.h"
#include "plot/results.h"

#define ROW_BYTES 16.0 /* two float64 columns */

/* What TeX reads as more than a letter. */
static void write_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '\\':
			fputs("\\textbackslash{}", out);
			break;
		case '~':
			fputs("\\textasciitilde{}", out);
			break;
		case '^':
			fputs("\\textasciicircum{}", out);
			break;
		case '&':
		case '%':
		case '$':
		case '#':
		case '_':
		case '{':
		case '}':
			fprintf(out, "\\%c", *text);
			break;
		default:
			if ((unsigned char)*text >= ' ')
				fputc(*text, out);
		}
	}
}

/* A cell; what was not measured is a dash. */
static void write_cell(FILE *out, double value, int decimals, const char *end)
{
	if (isfinite(value))
		fprintf(out, "%.*f%s", decimals, value, end);
	else
		fprintf(out, "---%s", end);
}

static void write_count(FILE *out, double value)
{
	char text[48];

	number_format_exact(value, text, sizeof(text));
	for (const char *at = text; *at; at++) {
		if (*at == ',')
			fputc('\\', out);
		fputc(*at, out);
	}
	fputs(" & ", out);
}

static double gbit_per_s(const struct results_entry *entry)
{
	return entry->mb_per_s * 8 / 1000;
}

static void write_row(FILE *out, const struct results_entry *entry, double first)
{
	fputs("    ", out);
	write_count(out, first);
	write_cell(out, entry->mb_per_s, 1, " & ");
	write_cell(out, gbit_per_s(entry), 2, " & ");
	write_cell(out, entry->peak_mb_per_s, 1, " & ");
	write_cell(out, entry->mb_per_s * 1e6 / (entry->payload_rows * ROW_BYTES), 0, " & ");
	write_cell(out, entry->p95_ms, 2, " & ");
	write_cell(out, entry->p99_ms, 2, " & ");
	write_cell(out, entry->cpu_percent, 0, " \\\\\n");
}

static void begin_table(FILE *out, const char *first)
{
	fprintf(out,
		"\\begin{table}\n  \\centering\n  \\begin{tabular}{rrrrrrrr}\n    \\toprule\n"
		"    %s & \\multicolumn{2}{c}{Throughput} & Peak & Messages & p95 & p99 & CPU \\\\\n"
		"     & (MB/s) & (Gb/s) & (MB/s) & (1/s) & (ms) & (ms) & (\\%%) \\\\\n    \\midrule\n",
		first);
}

static void end_table(FILE *out, const struct results *results, const char *caption, const char *label)
{
	char origin[400];

	results_format_origin(results, origin, sizeof(origin));
	fprintf(out, "    \\bottomrule\n  \\end{tabular}\n  \\caption{%s ", caption);
	write_text(out, origin);
	fprintf(out, ".}\n  \\label{tab:%s}\n\\end{table}\n", label);
}

/* The runs with one client, by payload; where there are not two of them, the series that the figures have. */
static int write_payloads(const struct results *results, FILE *out, struct enrg_error *err)
{
	struct results_series series = {0};
	char caption[200], clients[64];
	int rc = results_select_one_client(results, &series);

	if (rc == 0 && series.count < 2) {
		free(series.entries);
		rc = results_select_payloads(results, &series);
	}
	if (rc < 0)
		return enrg_error_set(err, rc, "no memory for the table");
	if (series.count) {
		results_format_clients(&series, clients, sizeof(clients));
		snprintf(caption, sizeof(caption), "ENRGDAQ: performance by payload, %s.", clients);
		begin_table(out, "Rows");
		for (size_t i = 0; i < series.count; i++)
			write_row(out, series.entries[i], series.entries[i]->payload_rows);
		end_table(out, results, caption, "enrgdaq-payloads");
	} else {
		fputs("% no run for the table by payload\n", out);
	}
	free(series.entries);
	return 0;
}

static int write_clients(const struct results *results, FILE *out, struct enrg_error *err)
{
	struct results_series series = {0};
	int rc = results_select_clients(results, &series);

	if (rc < 0)
		return enrg_error_set(err, rc, "no memory for the table");
	if (series.count) {
		begin_table(out, "Clients");
		for (size_t i = 0; i < series.count; i++)
			write_row(out, series.entries[i], series.entries[i]->clients);
		end_table(out, results, "ENRGDAQ: aggregate of several clients, 500\\,000 rows a message.",
			"enrgdaq-aggregate");
	} else {
		fputs("% no run of 500000 rows for the table by clients\n", out);
	}
	free(series.entries);
	return 0;
}

int latex_write(const char *results_path, FILE *out, struct enrg_error *err)
{
	struct results *results;
	int rc = results_read(results_path, &results, err);

	if (rc < 0)
		return rc;
	fputs("% by `enrgdaq plot latex`; \\usepackage{booktabs}\n", out);
	rc = write_payloads(results, out, err);
	if (rc == 0)
		fputc('\n', out);
	if (rc == 0)
		rc = write_clients(results, out, err);
	results_destroy(results);
	if (rc == 0 && (fflush(out) != 0 || ferror(out)))
		rc = enrg_error_set(err, -EIO, "the tables can't be written");
	return rc;
}
