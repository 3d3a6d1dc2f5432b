/* convert.c: `enrgdaq convert INPUT OUTPUT`: an .arrows file or an old dump into another format, all of it or nothing.
 * A process of its own; the output grows in a folder of its own beside the place where it is to be, and is put there
 * when it is whole. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arrow/ipc.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/sink.h"
#include "handover/unfinished.h"

#define PROGRESS_NS 200000000u

static const char usage[] =
	"usage: enrgdaq convert INPUT OUTPUT [--format FORMAT] [--columns A,B…] [--dataset NAME] [--tree NAME]\n"
	"                       [--from KIND] [--record-length N] [--compact] [--salvage] [--odd-times]\n"
	"\n"
	"Writes an .arrows or .arrow file, an old dump of the digitizer (.bin, .npy.lz4), or a file of CAEN's "
	"WaveDump\n"
	"or CoMPASS anew in another format.\n"
	"An output that is already there is never overwritten, and a conversion that fails leaves nothing.\n"
	"\n"
	"  --format FORMAT   csv, root-ttree, root-rntuple, hdf5, arrows, arrow-file or raw (the bytes of blobs, one\n"
	"                    behind the other); without it the name of the output tells: .csv, .csv.zst, .root (a\n"
	"                    TTree), .h5, .hdf5, .arrows, .arrow\n"
	"  --columns A,B     these columns, in this order; names with commas in quotes\n"
	"  --dataset NAME    of hdf5: group with a dataset for each column (data)\n"
	"  --tree NAME       of root: name of the tree (tree)\n" INPUT_HINT_USAGE
	"  --compact         arrows and arrow-file: merge small batches into large ones (a slow source: a tenth of the "
	"size)\n"
	"  --salvage         of an input that is cut or damaged: keep the rows before the damage (exit code still 1)\n"
	"  --odd-times       of a .bin dump: read it although every time in it is impossible (else it is refused)\n"
	"\n"
	"examples:\n"
	"  enrgdaq convert out/wave.arrows wave.root --tree waves\n"
	"  enrgdaq convert out/slow.arrows slow.csv --columns timestamp,value\n"
	"  enrgdaq convert old/run7.npy.lz4 run7.root\n"
	"\n"
	"Exit code: 0 done, 1 the input is damaged or the output can't be written, 2 wrong usage, an input that\n"
	"can't be read, is none of these or has 0 bytes, or an output that is there already.\n";

struct format {
	const char *name;
	const char *ending;    /* of OUTPUT */
	const char *file_path; /* in our own folder, for the store */
	const char *section;   /* NULL: Arrow's formats */
	const char *store_keys, *section_keys;
	const char *name_key; /* of the section: --dataset or --tree */
	const char *name_default;
};

/* The first of a format is what its name alone stands for. */
static const struct format formats[] = {
	{"csv", ".csv", "output.csv", "csv", "", "", NULL, NULL},
	{"csv", ".csv.zst", "output.csv.zst", "csv", "", "use_zstd = true", NULL, NULL},
	{"root-ttree", ".root", "output.root", "root", "", "format = \"ttree\"", "tree_name", "tree"},
	{"root-rntuple", NULL, "output.root", "root", "", "format = \"rntuple\"", "tree_name", "tree"},
	{"hdf5", ".h5", "output.h5", "hdf5", "flush_seconds = 0", "", "dataset_name", "data"},
	{"hdf5", ".hdf5", "output.h5", "hdf5", "flush_seconds = 0", "", "dataset_name", "data"},
	{"arrows", ".arrows", NULL, NULL, "", "", NULL, NULL},
	{"arrow-file", ".arrow", NULL, NULL, "", "", NULL, NULL},
	{"raw", NULL, "output", "raw", "", "overwrite = false", NULL, NULL},
};

#define FORMAT_COUNT (sizeof(formats) / sizeof(formats[0]))

struct convert_options {
	const char *input, *output, *format, *columns, *dataset, *tree;
	bool is_salvage, takes_odd_times, is_compact;
	struct input_hint hint;
};

struct conversion {
	const struct convert_options *options;
	const struct format *format;
	struct input input;
	struct selection selection;
	struct enrg_column_view *views; /* of the selection */
	char *folder, *out_folder, *journal_path, *section_keys;
	const struct sink_type *type;
	struct sink_params params;
	struct enrg_run_info run; /* that the input was begun in */
	void *sink;
	uint64_t started_ns, shown_ns, rows, missing;
	struct enrg_error damage; /* of the input, where what stands before it is kept */
};

static volatile sig_atomic_t is_interrupted;

static void note_signal(int number)
{
	(void)number;
	is_interrupted = 1;
}

/* --- formats --- */

static bool ends_with(const char *text, const char *ending)
{
	size_t length = strlen(text), count = strlen(ending);

	return length > count && !strcmp(text + length - count, ending);
}

/* NULL after the error was printed. */
static const struct format *choose_format(const struct convert_options *options)
{
	const struct format *chosen = NULL;

	for (size_t i = 0; i < FORMAT_COUNT; i++) {
		const struct format *format = &formats[i];
		bool fits = format->ending && ends_with(options->output, format->ending);
		if (options->format && strcmp(options->format, format->name) != 0)
			continue;
		if (fits || (options->format && !chosen))
			chosen = format;
	}
	if (!chosen && options->format)
		cli_usage_error("convert",
			"unknown format \"%s\": csv, root-ttree, root-rntuple, hdf5, arrows, arrow-file and raw are "
			"known",
			options->format);
	else if (!chosen)
		cli_usage_error("convert", "the ending of %s does not say which format; name it with --format",
			options->output);
	if (chosen && options->dataset && (!chosen->name_key || strcmp(chosen->name_key, "dataset_name") != 0)) {
		cli_usage_error("convert", "--dataset is for hdf5");
		return NULL;
	}
	if (chosen && options->tree && (!chosen->name_key || strcmp(chosen->name_key, "tree_name") != 0)) {
		cli_usage_error("convert", "--tree is for root");
		return NULL;
	}
	if (chosen && options->is_compact && (chosen->section || options->columns)) {
		cli_usage_error("convert", "--compact is for arrows and arrow-file, with all columns");
		return NULL;
	}
	return chosen;
}

/* --- the folder that the output grows in --- */

static int make_folder(struct conversion *conversion, struct enrg_error *err)
{
	const char *output = conversion->options->output, *slash = strrchr(output, '/');
	int parent = slash ? (int)(slash + 1 - output) : 0;
	char *folder;

	if (asprintf(&folder, "%.*s.enrgdaq-convert-XXXXXX", parent, output) < 0)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	if (!mkdtemp(folder)) {
		int rc = -errno;
		free(folder);
		if (rc == -ENOENT && slash)
			return enrg_error_set(err, rc, "%s: there is no folder %.*s; make it first: mkdir -p '%.*s'",
				output, parent - 1, output, parent - 1, output);
		return enrg_error_set(err, rc, "can't make a folder beside %s: %s", output, strerror(-rc));
	}
	conversion->folder = folder;
	if (asprintf(&conversion->out_folder, "%s/out", folder) < 0) {
		conversion->out_folder = NULL;
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	if (asprintf(&conversion->journal_path, "%s/journal", folder) < 0) {
		conversion->journal_path = NULL;
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	if (mkdir(conversion->out_folder, 0777) < 0)
		return enrg_error_set(err, -errno, "%s: %s", conversion->out_folder, strerror(errno));
	return 0;
}

static void remove_files(const char *folder)
{
	DIR *stream = opendir(folder);
	struct dirent *entry;

	while (stream && (entry = readdir(stream)))
		unlinkat(dirfd(stream), entry->d_name, 0);
	if (stream)
		closedir(stream);
	rmdir(folder);
}

/* The one file that the sink made. */
static int find_output(const struct conversion *conversion, char **ret_path, struct enrg_error *err)
{
	DIR *stream = opendir(conversion->out_folder);
	struct dirent *entry;
	char *path = NULL;
	int count = 0;

	*ret_path = NULL;
	while (stream && (entry = readdir(stream))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (count++ == 0 && asprintf(&path, "%s/%s", conversion->out_folder, entry->d_name) < 0)
			path = NULL;
	}
	if (stream)
		closedir(stream);
	if (count == 1 && path) {
		*ret_path = path;
		return 0;
	}
	free(path);
	return enrg_error_set(err, -EIO, "the conversion made %d files instead of one", count);
}

static int sync_path(const char *path, int flags, struct enrg_error *err)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | flags);
	int rc = descriptor < 0 || fsync(descriptor) < 0 ? -errno : 0;

	if (descriptor >= 0)
		close(descriptor);
	return rc < 0 ? enrg_error_set(err, rc, "%s: %s", path, strerror(-rc)) : 0;
}

static int refuse_output(const char *output, struct enrg_error *err)
{
	return enrg_error_set(err, -EEXIST, "%s is there already; convert never overwrites", output);
}

/* A link instead of a rename: it fails where another file took the name meanwhile. File systems without links get a
 * rename that does the same, where they can. */
static int place_output(const struct conversion *conversion, struct enrg_error *err)
{
	const char *output = conversion->options->output;
	char *path;
	int rc = find_output(conversion, &path, err);

	if (rc < 0)
		return rc;
	rc = sync_path(path, 0, err);
	if (rc == 0 && link(path, output) < 0) {
		rc = -errno;
		if (rc != -EEXIST && renameat2(AT_FDCWD, path, AT_FDCWD, output, RENAME_NOREPLACE) == 0)
			rc = 0;
		else if (rc == -EEXIST || errno == EEXIST)
			rc = refuse_output(output, err);
		else
			rc = enrg_error_set(err, -errno, "%s: %s", output, strerror(errno));
	}
	free(path);
	return rc;
}

/* --- progress, on a terminal --- */

static void show_progress(struct conversion *conversion)
{
	uint64_t now = clock_mono_ns(), done = conversion->input.reader.offset,
		 all = conversion->input.reader.window.file_bytes;

	if (!isatty(STDERR_FILENO) || now - conversion->shown_ns < PROGRESS_NS)
		return;
	conversion->shown_ns = now;
	int percent = all ? (int)(100 * (double)done / (double)all) : 100;
	fprintf(stderr, "\r[%-25.*s] %3d %%  %.0f MB/s \033[K", percent / 4, "#########################", percent,
		(double)done * 1e3 / (double)(now - conversion->started_ns));
}

static void end_progress(const struct conversion *conversion, bool is_done)
{
	if (!isatty(STDERR_FILENO))
		return;
	fputs("\r\033[K", stderr);
	if (is_done)
		fprintf(stderr, "%s: %" PRIu64 " rows in %.1f s\n", conversion->options->output, conversion->rows,
			(double)(clock_mono_ns() - conversion->started_ns) / 1e9);
}

/* --- the conversion --- */

static int open_sink(struct conversion *conversion, struct enrg_error *err)
{
	const struct convert_options *options = conversion->options;
	const struct format *format = conversion->format;
	const char *name = options->dataset ? options->dataset : options->tree ? options->tree : format->name_default;
	char *quoted = name ? sink_quote(name) : strdup("");

	if (!quoted || asprintf(&conversion->section_keys, "file_path = \"%s\"\n%s\n%s%s%s\n",
			       format->file_path ? format->file_path : "", format->section_keys,
			       format->name_key ? format->name_key : "", format->name_key ? " = " : "", quoted) < 0)
		conversion->section_keys = NULL;
	free(quoted);
	if (!conversion->section_keys)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	const void *schema_ipc = conversion->input.reader.schema_ipc;
	bool has_run =
		schema_ipc && ipc_read_run(schema_ipc, conversion->input.reader.schema_ipc_bytes, &conversion->run);
	conversion->params = (struct sink_params){
		.folder = conversion->out_folder,
		.journal_path = conversion->journal_path,
		.section = format->section,
		.is_stream = !strcmp(format->name, "arrows"),
		.store_keys = format->store_keys,
		.section_keys = conversion->section_keys,
		.schema = &conversion->selection.schema,
		.schema_ipc = options->columns ? NULL : schema_ipc,
		.schema_ipc_bytes = conversion->input.reader.schema_ipc_bytes,
		.message = &conversion->input.reader.message,
		.run = has_run ? &conversion->run : NULL,
		.is_compact = options->is_compact,
	};
	conversion->type = format->section ? &sink_store : &sink_arrow;
	return conversion->type->open(&conversion->params, &conversion->sink, err);
}

/* The batch with the chosen columns alone. */
static void narrow(struct conversion *conversion, struct enrg_batch *ret_batch)
{
	const struct selection *selection = &conversion->selection;

	*ret_batch = conversion->input.reader.batch;
	ret_batch->schema = &selection->schema;
	if (!ret_batch->columns)
		return;
	for (uint32_t i = 0; i < selection->count; i++) {
		conversion->views[i] = ret_batch->columns[selection->indices[i]];
		conversion->missing += conversion->views[i].null_count;
	}
	ret_batch->columns = conversion->views;
}

static int tell_interruption(struct enrg_error *err)
{
	return enrg_error_set(err, -EINTR, "interrupted; nothing was kept");
}

static int copy_batches(struct conversion *conversion, struct enrg_error *err)
{
	bool stays_packed = conversion->type == &sink_arrow && conversion->params.schema_ipc;
	struct enrg_batch batch;
	int rc;

	while ((rc = input_next(&conversion->input, stays_packed, err)) > 0) {
		narrow(conversion, &batch);
		rc = conversion->type->write(conversion->sink, &batch, err);
		if (rc < 0)
			return rc;
		conversion->rows += batch.rows;
		show_progress(conversion);
		if (is_interrupted)
			return tell_interruption(err);
	}
	if (rc == ENRG_E_CORRUPT && conversion->options->is_salvage) {
		conversion->damage = *err;
		rc = 0;
	}
	if (rc == 0)
		rc = conversion->type->finish(conversion->sink, err);
	return rc == 0 && is_interrupted ? tell_interruption(err) : rc;
}

/* A store that was killed knows how long its files were: it would cut what it finds under that name, or miss what is
 * not there. */
static int check_names(const struct convert_options *options, struct enrg_error *err)
{
	char store[320];
	struct stat status;

	if (lstat(options->output, &status) == 0)
		return refuse_output(options->output, err);
	if (unfinished_find(options->output, store, sizeof(store), NULL) == 1)
		return enrg_error_set(err, ENRG_E_CONFIG,
			"%s is the name of a file that %s has not closed: with another one there, its next start would "
			"cut "
			"it or report a loss; start that run and stop it in order, or choose another name",
			options->output, store);
	if (options->is_compact && unfinished_find(options->input, store, sizeof(store), NULL) == 1)
		fprintf(stderr,
			"enrgdaq convert: %s has not closed %s: more rows may come; put the copy into its place only "
			"after "
			"that run was started and stopped in order, which merges small batches by itself\n",
			store, options->input);
	return 0;
}

static int prepare(struct conversion *conversion, struct enrg_error *err)
{
	const struct convert_options *options = conversion->options;
	int rc = check_names(options, err);

	if (rc < 0)
		return rc;
	rc = input_open(&conversion->input, options->input, &options->hint, err);
	if (rc == 0 && !options->takes_odd_times)
		rc = input_check_times(&conversion->input, err);
	if (rc < 0)
		return rc;
	rc = selection_init(&conversion->selection, conversion->input.reader.schema, options->columns, err);
	if (rc < 0)
		return enrg_error_add(err, rc, "%s", options->input);
	if (!strcmp(conversion->format->name, "raw") && !conversion->input.reader.schema->is_blob)
		return enrg_error_set(err, -EINVAL,
			"%s: this is a table, and raw is for blobs; take csv or another format", options->input);
	conversion->views = calloc(conversion->selection.count, sizeof(*conversion->views));
	return conversion->views ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");
}

static int produce(struct conversion *conversion, struct enrg_error *err)
{
	conversion->started_ns = conversion->shown_ns = clock_mono_ns();
	int rc = make_folder(conversion, err);

	if (rc == 0)
		rc = open_sink(conversion, err);
	if (rc == 0)
		rc = copy_batches(conversion, err);
	if (conversion->sink)
		conversion->type->close(conversion->sink);
	if (rc == 0)
		rc = place_output(conversion, err);
	end_progress(conversion, rc == 0);
	return rc;
}

static void conversion_fini(struct conversion *conversion)
{
	if (conversion->out_folder)
		remove_files(conversion->out_folder);
	if (conversion->folder)
		remove_files(conversion->folder);
	free(conversion->folder);
	free(conversion->out_folder);
	free(conversion->journal_path);
	free(conversion->section_keys);
	free(conversion->views);
	selection_fini(&conversion->selection);
	input_close(&conversion->input);
}

/* What became of the rows before damage, and of values that are not there; the exit code. */
static int tell_losses(const struct conversion *conversion, bool is_cut, int exit_code)
{
	if (is_cut && conversion->rows)
		fprintf(stderr,
			"enrgdaq convert: nothing was kept; --salvage keeps the %" PRIu64 " rows before the damage\n",
			conversion->rows);
	if (!exit_code && conversion->missing && !strncmp(conversion->format->name, "root", 4))
		fprintf(stderr,
			"enrgdaq convert: %" PRIu64
			" missing values became NaN, 0, false or empty: ROOT has no others\n",
			conversion->missing);
	if (exit_code || !conversion->damage.code)
		return exit_code;
	fprintf(stderr, "enrgdaq convert: %s\nenrgdaq convert: %s has the %" PRIu64 " rows before the damage\n",
		conversion->damage.text, conversion->options->output, conversion->rows);
	return 1;
}

/* What ends it leaves no folder behind. What was inherited as ignored (nohup) stays so. */
static void take_signals(void)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
	const struct sigaction action = {.sa_handler = note_signal};
	struct sigaction before;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (!sigaction(ends[i], NULL, &before) && before.sa_handler != SIG_IGN)
			sigaction(ends[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN); /* nobody may listen any more */
	signal(SIGXFSZ, SIG_IGN); /* `ulimit -f` is an error that is told */
}

static int convert(const struct convert_options *options, const struct format *format)
{
	struct conversion conversion = {
		.options = options, .format = format, .input = {.reader.window = {.descriptor = -1}}};
	struct enrg_error err = {0};

	take_signals();
	int code = prepare(&conversion, &err);
	int exit_code = code == 0 ? 0 : code == ENRG_E_CORRUPT ? 1 : 2;
	bool is_cut = code == 0;
	if (code == 0 && (code = produce(&conversion, &err)) < 0)
		exit_code = err.code == -EEXIST || err.code == ENRG_E_CONFIG ? 2 : 1;
	input_tell_doubts(&conversion.input, "convert");
	conversion_fini(&conversion);
	if (exit_code)
		fprintf(stderr, "enrgdaq convert: %s\n", err.text);
	return tell_losses(&conversion, is_cut && code == ENRG_E_CORRUPT, exit_code);
}

int cli_convert(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"format", required_argument, NULL, 'f'},
		{"columns", required_argument, NULL, 'c'},
		{"dataset", required_argument, NULL, 'd'},
		{"tree", required_argument, NULL, 't'},
		{"salvage", no_argument, NULL, 's'},
		{"odd-times", no_argument, NULL, 'o'},
		{"compact", no_argument, NULL, 'm'},
		{"from", required_argument, NULL, 'F'},
		{"record-length", required_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct convert_options options = {0};
	int choice;

	optind = 0; /* glibc: scan anew, main has parsed options already */
	while ((choice = getopt_long(argc, argv, "f:c:d:t:somF:r:h", long_options, NULL)) != -1) {
		switch (choice) {
		case 'f':
			options.format = optarg;
			break;
		case 'c':
			options.columns = optarg;
			break;
		case 'd':
			options.dataset = optarg;
			break;
		case 't':
			options.tree = optarg;
			break;
		case 's':
			options.is_salvage = true;
			break;
		case 'F':
		case 'r':
			if (!input_parse_hint(&options.hint, choice == 'F', optarg))
				return cli_usage_error("convert", INPUT_HINT_ERROR, optarg);
			break;
		case 'm':
			options.is_compact = true;
			break;
		case 'o':
			options.takes_odd_times = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return cli_option_error("convert");
		}
	}
	if (argc - optind != 2)
		return cli_usage_error("convert", "expected two arguments, INPUT and OUTPUT");
	options.input = argv[optind];
	options.output = argv[optind + 1];
	if (!strcmp(options.output, "-"))
		return cli_usage_error("convert", "the output is a file; `enrgdaq cat` prints rows");
	const struct format *format = choose_format(&options);
	return format ? convert(&options, format) : 2;
}
