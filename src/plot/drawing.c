/* drawing.c: see the header. */
#include "plot/drawing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "plot/gnuplot.h"

int drawing_open(struct drawing *drawing)
{
	drawing->script = open_memstream(&drawing->script_text, &drawing->script_bytes);
	drawing->data = open_memstream(&drawing->data_text, &drawing->data_bytes);
	return drawing->script && drawing->data ? 0 : -ENOMEM;
}

void drawing_close(struct drawing *drawing)
{
	if (drawing->script)
		fclose(drawing->script);
	if (drawing->data)
		fclose(drawing->data);
	free(drawing->script_text);
	free(drawing->data_text);
	*drawing = (struct drawing){0};
}

/* Single quotes: gnuplot neither runs back-quoted commands nor reads escapes in them. */
void drawing_quote(FILE *script, const char *text)
{
	fputc('\'', script);
	for (; *text; text++) {
		if (*text == '\'')
			fputc('\'', script);
		fputc((unsigned char)*text < ' ' || *text == '`' ? ' ' : *text, script);
	}
	fputc('\'', script);
}

static const char *const suffixes[] = {"png", "pdf", "dat", "gp"};

static void format_path(const char *folder, const char *name, const char *suffix, char *ret_path, size_t path_bytes)
{
	snprintf(ret_path, path_bytes, "%s/%s.%s", folder, name, suffix);
}

void drawing_remove(const char *folder, const char *name)
{
	char path[4096];

	for (size_t i = 0; i < 4; i++) {
		format_path(folder, name, suffixes[i], path, sizeof(path));
		unlink(path);
	}
}

/* A PNG without a resolution is printed at 72 or 96 dpi: puts the chunk that says 300 behind the header. */
static int add_resolution(const char *path, struct enrg_error *err)
{
	static const unsigned char chunk[] = {0, 0, 0, 9, 'p', 'H', 'Y', 's', 0, 0, 0x2e, 0x23, 0, 0, 0x2e, 0x23, 1,
		0x78, 0xa5, 0x3f, 0x76}; /* 11811 points a metre both ways, and the CRC */
	const size_t head = 8 + 12 + 13; /* signature and IHDR */
	char *bytes = NULL;
	size_t count = 0;
	int rc = path_read_file(path, (size_t)256 << 20, &bytes, &count, err);

	if (rc < 0)
		return rc;
	char *whole = malloc(count + sizeof(chunk));
	if (!whole) {
		rc = enrg_error_set(err, -ENOMEM, "no memory for %s", path);
	} else if (count < head || memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) != 0) {
		rc = enrg_error_set(err, -EIO, "%s: gnuplot wrote no PNG", path);
	} else if (count < head + sizeof(chunk) || memcmp(bytes + head + 4, "pHYs", 4) != 0) {
		memcpy(whole, bytes, head);
		memcpy(whole + head, chunk, sizeof(chunk));
		memcpy(whole + head + sizeof(chunk), bytes + head, count - head);
		rc = path_write_file(path, whole, count + sizeof(chunk), 0, err);
	}
	free(whole);
	free(bytes);
	return rc;
}

static int write_stream(FILE *stream, char *const *text, const size_t *bytes, const char *path, struct enrg_error *err)
{
	if (fflush(stream) != 0 || ferror(stream))
		return enrg_error_set(err, -ENOMEM, "no memory for %s", path);
	return path_write_file(path, *text, *bytes, 0, err);
}

int drawing_draw(struct drawing *drawing, const struct drawing_params *params, const char *plot, struct enrg_error *err)
{
	const char *folder = params->folder, *name = params->name;
	char path[4096], script_name[80];
	int rc;

	fprintf(drawing->script,
		"set output '%s.png'\n%s\nset output\n"
		"set terminal pdfcairo noenhanced size %gin,%gin font 'DejaVu Sans,9' fontscale 1 linewidth 1"
		" pointscale 1\n"
		"set output '%s.pdf'\n%s\nset output\n",
		name, plot, params->width_in, params->height_in, name, plot);
	drawing_remove(folder, name);
	format_path(folder, name, "dat", path, sizeof(path));
	rc = write_stream(drawing->data, &drawing->data_text, &drawing->data_bytes, path, err);
	format_path(folder, name, "gp", path, sizeof(path));
	if (rc == 0)
		rc = write_stream(drawing->script, &drawing->script_text, &drawing->script_bytes, path, err);
	snprintf(script_name, sizeof(script_name), "%s.gp", name);
	if (rc == 0)
		rc = gnuplot_run(folder, script_name, err);
	format_path(folder, name, "pdf", path, sizeof(path));
	if (rc == 0 && access(path, R_OK) < 0)
		rc = enrg_error_set(err, -EIO, "%s: gnuplot wrote no PDF", path);
	format_path(folder, name, "png", path, sizeof(path));
	return rc == 0 ? add_resolution(path, err) : rc;
}
