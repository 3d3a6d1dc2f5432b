/* sheet.c: see the header. In the process of `enrgdaq plot`. */
#include "plot/sheet.h"

#include <errno.h>
#include <stdlib.h>

#define DPI 300.0
/* Inches around the panels, and between them. */
#define LEFT_IN   0.95
#define RIGHT_IN  0.45
#define TOP_IN    1.3
#define BOTTOM_IN 1.15
#define GAP_X_IN  1.6
#define GAP_Y_IN  1.05

struct sheet {
	struct sheet_params params;
	struct drawing drawing;
	FILE *panels; /* into the text below */
	char *panels_text;
	size_t panels_bytes;
	unsigned blocks;
};

static void write_head(struct sheet *sheet)
{
	const struct sheet_params *params = &sheet->params;

	fprintf(sheet->drawing.script,
		"# %s: drawn by ENRGDAQ from %s.dat; `gnuplot %s.gp` draws it again.\n"
		"reset session\n"
		"set encoding utf8\n"
		"set terminal pngcairo noenhanced size %.0f,%.0f font 'DejaVu Sans,9' fontscale 4.166667"
		" linewidth 4.166667 pointscale 4.166667\n",
		params->title, params->name, params->name, params->width_in * DPI, params->height_in * DPI);
}

struct sheet *sheet_create(const struct sheet_params *params)
{
	struct sheet *sheet = calloc(1, sizeof(*sheet));

	if (!sheet)
		return NULL;
	sheet->params = *params;
	sheet->panels = open_memstream(&sheet->panels_text, &sheet->panels_bytes);
	if (!sheet->panels || drawing_open(&sheet->drawing) < 0) {
		sheet_destroy(sheet);
		return NULL;
	}
	write_head(sheet);
	return sheet;
}

void sheet_destroy(struct sheet *sheet)
{
	if (!sheet)
		return;
	if (sheet->panels)
		fclose(sheet->panels);
	free(sheet->panels_text);
	drawing_close(&sheet->drawing);
	free(sheet);
}

FILE *sheet_begin_data(struct sheet *sheet, unsigned *ret_index)
{
	if (sheet->blocks)
		fputs("\n\n", sheet->drawing.data);
	*ret_index = sheet->blocks++;
	return sheet->drawing.data;
}

/* --- panels ------------------------------------------------------------------------------------------------------ */

static void write_place(struct sheet *sheet, const struct sheet_panel *panel)
{
	const struct sheet_params *params = &sheet->params;
	double width = (params->width_in - LEFT_IN - RIGHT_IN - GAP_X_IN * (params->columns - 1)) / params->columns;
	double height = (params->height_in - TOP_IN - BOTTOM_IN - GAP_Y_IN * (params->rows - 1)) / params->rows;
	unsigned span = panel->span ? panel->span : 1;
	double left = LEFT_IN + panel->column * (width + GAP_X_IN);
	double right = left + span * width + (span - 1) * GAP_X_IN;
	double top = params->height_in - TOP_IN - panel->row * (height + GAP_Y_IN);

	fprintf(sheet->panels,
		"set lmargin at screen %.5f\nset rmargin at screen %.5f\n"
		"set tmargin at screen %.5f\nset bmargin at screen %.5f\n",
		left / params->width_in, right / params->width_in, top / params->height_in,
		(top - height) / params->height_in);
}

static void write_label(FILE *panels, const char *what, const char *text, const char *style)
{
	fprintf(panels, "set %s ", what);
	drawing_quote(panels, text);
	fprintf(panels, " %s\n", style);
}

void sheet_add_panel(struct sheet *sheet, const struct sheet_panel *panel)
{
	FILE *panels = sheet->panels;

	fputs("unset label\nunset arrow\nunset logscale\nset autoscale\nunset y2tics\nset y2label\nset format '%g'\n",
		panels);
	write_place(sheet, panel);
	fprintf(panels,
		"set border %d linecolor rgb '" SHEET_GREY "' linewidth 0.8\n"
		"set xtics nomirror font 'DejaVu Sans,8.5'\nset ytics nomirror font 'DejaVu Sans,8.5'\n"
		"set grid xtics ytics linecolor rgb '#CED4DA' linewidth 0.6 dashtype solid back\n",
		panel->y2_label ? 11 : 3);
	write_label(panels, "title", panel->title,
		"font 'DejaVu Sans:Bold,10.5' textcolor rgb '" SHEET_DARK "' offset 0,-0.3");
	write_label(panels, "xlabel", panel->x_label, "font 'DejaVu Sans,9.5' textcolor rgb '" SHEET_DARK "'");
	write_label(panels, "ylabel", panel->y_label, "font 'DejaVu Sans,9.5' textcolor rgb '" SHEET_DARK "'");
	if (panel->y2_label) {
		write_label(
			panels, "y2label", panel->y2_label, "font 'DejaVu Sans,9.5' textcolor rgb '" SHEET_DARK "'");
		fputs("set y2tics nomirror font 'DejaVu Sans,8.5'\n", panels);
	}
	if (panel->is_log)
		fputs("set logscale y\n", panels);
	fputs(panel->has_key ? "set key top right font 'DejaVu Sans,8.5' samplen 2 opaque noautotitle\n"
			     : "unset key\n",
		panels);
	if (panel->setup)
		fputs(panel->setup, panels);
	fprintf(panels, "%s\n", panel->plot);
}

/* --- drawing ----------------------------------------------------------------------------------------------------- */

static void write_line(FILE *out, double y, double size, bool is_bold, const char *color, const char *text)
{
	fputs("set label ", out);
	drawing_quote(out, text);
	fprintf(out, " at screen 0.5,%.5f center font 'DejaVu Sans%s,%g' textcolor rgb '%s' front\n", y,
		is_bold ? ":Bold" : "", size, color);
}

/* Texts of the page stand in a panel of their own, which draws nothing else. */
static void write_texts(const struct sheet_params *params, FILE *out)
{
	double inch = 1 / params->height_in;

	fputs("unset title\nunset xlabel\nunset ylabel\nunset y2label\nunset border\nunset xtics\nunset ytics\n"
	      "unset y2tics\nunset grid\nunset key\nunset logscale\nset xrange [0:1]\nset yrange [0:1]\nunset "
	      "label\nunset arrow\n",
		out);
	write_line(out, 1 - 0.3 * inch, 15, true, SHEET_DARK, params->title);
	write_line(out, 1 - 0.62 * inch, 10.5, false, SHEET_DARK, params->subtitle);
	for (int i = 0; i < 2; i++)
		if (params->footer[i])
			write_line(out, (0.35 - 0.2 * i) * inch, 8.5, false, SHEET_GREY, params->footer[i]);
	fputs("plot NaN notitle\n", out);
}

int sheet_draw(struct sheet *sheet, const char *folder, struct enrg_error *err)
{
	const struct drawing_params params = {.folder = folder,
		.name = sheet->params.name,
		.width_in = sheet->params.width_in,
		.height_in = sheet->params.height_in};
	char *text = NULL;
	size_t bytes = 0;
	FILE *plot = open_memstream(&text, &bytes);
	int rc = -ENOMEM;

	if (plot && fflush(sheet->panels) == 0) {
		fprintf(plot, "set multiplot\n%s", sheet->panels_text);
		write_texts(&sheet->params, plot);
		fputs("unset multiplot", plot);
		rc = fflush(plot) == 0 ? 0 : -ENOMEM;
	}
	if (rc == 0)
		rc = drawing_draw(&sheet->drawing, &params, text, err);
	else
		enrg_error_set(err, rc, "no memory for the figure %s", params.name);
	if (plot)
		fclose(plot);
	free(text);
	return rc;
}
