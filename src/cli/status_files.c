/* status_files.c: see the header. Process: `status`. */
#include "cli/status_files.h"

#include <string.h>

#include <enrgdaq/client.h>

#define STALE_S   3.0 /* the supervisor writes once a second, or tells when it will again */
#define FILES_MAX 20u /* in the table; JSON has all */

static double number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "-";
}

static void print_program(const json_t *program, FILE *stream)
{
	const char *state = text(program, "state");
	bool is_known = json_is_string(json_object_get(program, "installed"));

	if (!strcmp(state, "replaced"))
		fprintf(stream,
			"program: %s was replaced since this run began%s%s: the run continues as version %s, jobs that "
			"are "
			"started again too; `enrgdaq stop` and a new start take what is installed\n",
			text(program, "path"), is_known ? ", by version " : "",
			is_known ? text(program, "installed") : "", text(program, "running"));
	else if (!strcmp(state, "removed"))
		fprintf(stream,
			"program: %s was removed since this run began: the run continues as version %s, jobs that are "
			"started again too, until it is stopped\n",
			text(program, "path"), text(program, "running"));
	else if (is_known && strcmp(text(program, "installed"), text(program, "running")) != 0)
		fprintf(stream, "program: the run is of version %s\n", text(program, "running"));
}

void status_files_print_age(const json_t *status, FILE *stream)
{
	char span[32];
	double age_s = number(status, "age_s");

	if (age_s < STALE_S || age_s < number(status, "interval_s") + STALE_S - 1)
		return;
	enrg_format_span((uint64_t)(age_s * 1e9), span);
	fprintf(stream,
		"OLD: the supervisor has reported nothing for %s: it stands still (stopped by a debugger or Ctrl-Z, or "
		"a disk "
		"does not answer). Jobs continue by themselves; what follows was true then\n",
		span);
}

static void print_file(const json_t *file, FILE *stream)
{
	char bytes[32], span[32];

	enrg_format_bytes(number(file, "bytes"), bytes);
	enrg_format_span((uint64_t)(number(file, "age_s") * 1e9), span);
	fprintf(stream, "%s: %s, %s, last written %s ago%s\n", text(file, "store"), text(file, "path"), bytes, span,
		json_is_true(json_object_get(file, "removed")) ? ", REMOVED: it has no name any more" : "");
}

static void print_disk(const json_t *disk, FILE *stream)
{
	char bytes[32], rate[32], span[32];
	double full_in_s = number(disk, "full_in_s");

	enrg_format_bytes(number(disk, "free_bytes"), bytes);
	enrg_format_bytes(number(disk, "bytes_per_s"), rate);
	fprintf(stream, "disk of %s: %s free", text(disk, "path"), bytes);
	if (full_in_s > 0 && full_in_s < 100.0 * 365 * 86400) {
		enrg_format_span((uint64_t)(full_in_s * 1e9), span);
		fprintf(stream, ", full in %s at the present %s/s", span, rate);
	}
	fputc('\n', stream);
}

void status_files_print(const json_t *status, FILE *stream)
{
	const json_t *files = json_object_get(status, "files"), *item;
	size_t i;

	json_array_foreach((json_t *)files, i, item)
	{
		if (i == FILES_MAX) {
			fprintf(stream, "… and %zu files more (--json lists all)\n", json_array_size(files) - i);
			break;
		}
		print_file(item, stream);
	}
	json_array_foreach((json_t *)json_object_get(status, "disks"), i, item) print_disk(item, stream);
	print_program(json_object_get(status, "program"), stream);
}
