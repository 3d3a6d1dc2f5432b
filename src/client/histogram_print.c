/* histogram_print.c: a histogram as others read it. Which members there are, and in which order, was found with jsroot
 * 7.11 and boost-histogram; docs/decisions/0020-tank-and-services.md. */
#include "enrgdaq/histogram.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- values ------------------------------------------------------------------------------------------------------- */

static void put_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		if (*at == '"' || *at == '\\')
			fputc('\\', out);
		if (*at < 0x20)
			fprintf(out, "\\u%04x", *at);
		else
			fputc(*at, out);
	}
	fputc('"', out);
}

/* JSON has no infinity. */
static void put_real(FILE *out, double value)
{
	fprintf(out, "%.17g", isfinite(value) ? value : 0);
}

static void put_member(FILE *out, const char *name, double value)
{
	fprintf(out, ",\"%s\":", name);
	put_real(out, value);
}

static void put_edges(FILE *out, const struct enrg_histogram_axis *axis)
{
	fputc('[', out);
	for (uint32_t i = 0; i <= axis->bins; i++) {
		fputs(i ? "," : "", out);
		put_real(out, axis->edges[i]);
	}
	fputc(']', out);
}

/* --- jsroot ------------------------------------------------------------------------------------------------------- */

static void put_root_axis(FILE *out, const char *member, const char *name, const struct enrg_histogram_axis *axis)
{
	static const double one[] = {0, 1};
	static const struct enrg_histogram_axis none = {
		.label = "", .bins = 1, .low = 0, .high = 1, .edges = one, .is_regular = true};

	axis = axis ? axis : &none;
	fprintf(out,
		",\"%s\":{\"_typename\":\"TAxis\",\"fUniqueID\":0,\"fBits\":0,\"fName\":\"%s\",\"fTitle\":", member,
		name);
	put_text(out, axis->label);
	fprintf(out,
		",\"fNdivisions\":510,\"fAxisColor\":1,\"fLabelColor\":1,\"fLabelFont\":42,\"fLabelOffset\":0.005,"
		"\"fLabelSize\":0.035,\"fTickLength\":0.03,\"fTitleOffset\":1,\"fTitleSize\":0.035,\"fTitleColor\":1,"
		"\"fTitleFont\":42,\"fNbins\":%u",
		axis->bins);
	put_member(out, "fXmin", axis->low);
	put_member(out, "fXmax", axis->high);
	fputs(",\"fXbins\":", out);
	if (axis->is_regular)
		fputs("[]", out);
	else
		put_edges(out, axis);
	fputs(",\"fFirst\":0,\"fLast\":0,\"fBits2\":0,\"fTimeDisplay\":false,\"fTimeFormat\":\"\",\"fLabels\":null,"
	      "\"fModLabs\":null}",
		out);
}

static void put_root_counts(FILE *out, const struct enrg_histogram *histogram)
{
	fputs(",\"fArray\":[", out);
	for (uint64_t i = 0; i < histogram->cell_count; i++)
		fprintf(out, "%s%llu", i ? "," : "", (unsigned long long)histogram->counts[i]);
	fputs("]}", out);
}

static void print_jsroot(FILE *out, const struct enrg_histogram *histogram)
{
	const struct enrg_histogram_sums *sums = &histogram->sums;
	bool is_plane = histogram->dimensions == 2;

	fprintf(out, "{\"_typename\":\"TH%uD\",\"fUniqueID\":0,\"fBits\":8,\"fName\":", histogram->dimensions);
	put_text(out, histogram->name);
	fputs(",\"fTitle\":", out);
	put_text(out, histogram->title);
	fprintf(out,
		",\"fLineColor\":602,\"fLineStyle\":1,\"fLineWidth\":1,\"fFillColor\":0,\"fFillStyle\":1001,"
		"\"fMarkerColor\":1,\"fMarkerStyle\":1,\"fMarkerSize\":1,\"fNcells\":%llu",
		(unsigned long long)histogram->cell_count);
	put_root_axis(out, "fXaxis", "xaxis", &histogram->x);
	put_root_axis(out, "fYaxis", "yaxis", is_plane ? &histogram->y : NULL);
	put_root_axis(out, "fZaxis", "zaxis", NULL);
	fputs(",\"fBarOffset\":0,\"fBarWidth\":1000", out);
	put_member(out, "fEntries", (double)sums->entries);
	put_member(out, "fTsumw", sums->w);
	put_member(out, "fTsumw2", sums->w);
	put_member(out, "fTsumwx", sums->x);
	put_member(out, "fTsumwx2", sums->xx);
	fputs(",\"fMaximum\":-1111,\"fMinimum\":-1111,\"fNormFactor\":0,\"fContour\":[],\"fSumw2\":[],\"fOption\":\"\","
	      "\"fFunctions\":{\"_typename\":\"TList\",\"name\":\"TList\",\"arr\":[],\"opt\":[]},\"fBufferSize\":0,"
	      "\"fBuffer\":[],\"fBinStatErrOpt\":0,\"fStatOverflows\":2",
		out);
	if (is_plane) {
		put_member(out, "fScalefactor", 1);
		put_member(out, "fTsumwy", sums->y);
		put_member(out, "fTsumwy2", sums->yy);
		put_member(out, "fTsumwxy", sums->xy);
	}
	put_root_counts(out, histogram);
}

/* --- UHI ---------------------------------------------------------------------------------------------------------- */

static void put_uhi_axis(FILE *out, const struct enrg_histogram_axis *axis)
{
	if (axis->is_regular) {
		fputs("{\"type\":\"regular\",\"lower\":", out);
		put_real(out, axis->low);
		put_member(out, "upper", axis->high);
		fprintf(out, ",\"bins\":%u", axis->bins);
	} else {
		fputs("{\"type\":\"variable\",\"edges\":", out);
		put_edges(out, axis);
	}
	fputs(",\"underflow\":true,\"overflow\":true,\"circular\":false,\"metadata\":{\"label\":", out);
	put_text(out, axis->label);
	fputs("}}", out);
}

/* x outermost. */
static void put_uhi_counts(FILE *out, const struct enrg_histogram *histogram)
{
	uint64_t row = (uint64_t)histogram->x.bins + 2, rows = histogram->cell_count / row;

	fputc('[', out);
	for (uint64_t i = 0; i < row; i++) {
		fputs(i ? "," : "", out);
		fputs(histogram->dimensions == 2 ? "[" : "", out);
		for (uint64_t k = 0; k < rows; k++)
			fprintf(out, "%s%llu", k ? "," : "", (unsigned long long)histogram->counts[i + row * k]);
		fputs(histogram->dimensions == 2 ? "]" : "", out);
	}
	fputc(']', out);
}

static void print_uhi(FILE *out, const struct enrg_histogram *histogram)
{
	fputs("{\"uhi_schema\":1,\"writer_info\":{\"enrgdaq\":{\"version\":\"1\"}},\"metadata\":{\"name\":", out);
	put_text(out, histogram->name);
	fputs("},\"axes\":[", out);
	put_uhi_axis(out, &histogram->x);
	if (histogram->dimensions == 2) {
		fputc(',', out);
		put_uhi_axis(out, &histogram->y);
	}
	fputs("],\"storage\":{\"type\":\"int\",\"values\":", out);
	put_uhi_counts(out, histogram);
	fputs("}}", out);
}

char *enrg_histogram_print(const struct enrg_histogram *histogram, enum enrg_histogram_form form)
{
	char *text = NULL;
	size_t count;
	FILE *out = open_memstream(&text, &count);

	if (!out)
		return NULL;
	switch (form) {
	case ENRG_HISTOGRAM_JSROOT:
		print_jsroot(out, histogram);
		break;
	case ENRG_HISTOGRAM_UHI:
		print_uhi(out, histogram);
		break;
	}
	if (ferror(out) || fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
