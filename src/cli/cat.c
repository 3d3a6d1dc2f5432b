/* cat.c: `enrgdaq cat FILE…`: prints the rows of .arrows files. A process of its own that starts nothing; it may run
 * beside a store that is writing. */
#include <errno.h>
#include <float.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/input.h"

static const char usage[] =
	"usage: enrgdaq cat [--head N] [--columns A,B…] [--json] [--schema]\n"
	"                   [--from KIND] [--record-length N] FILE…\n"
	"\n"
	"Prints the rows of .arrows and .arrow files and of old dumps (.bin, .npy.lz4): a line of names, then a line\n"
	"a row with commas between the values, as the CSV store writes them (lists as \"[1 2 3]\", bytes in base64,\n"
	"nothing where a value is missing).\n"
	"\n"
	"  --head N       the first N rows of each file\n"
	"  --columns A,B  these columns, in this order; names with commas in quotes, as in the line of names\n"
	"  --json         one JSON object a row\n"
	"  --schema       names, types and units of the columns instead of rows; with --json their notes, "
	"too\n" INPUT_HINT_USAGE "\n"
	"examples:\n"
	"  enrgdaq cat --head 5 out/wave.arrows\n"
	"  enrgdaq cat --json --columns timestamp,value out/slow.arrows\n"
	"\n"
	"Exit code: 0 done, 1 a file is damaged (its rows up to there were printed) or the output can't be written,\n"
	"2 wrong usage, or a file that can't be read or is none of these. A file of 0 bytes holds no rows: it is "
	"reported.\n";

struct cat_options {
	const char *columns;
	uint64_t head;
	bool is_json, is_schema;
	struct input_hint hint;
};

/* --- single values --- */

/* The fewest digits that give the same value again: "d.ddd" in `ret_digits` without the point, and the exponent. */
static int find_digits(double value, bool is_single, char ret_digits[20])
{
	int most = is_single ? 9 : 17, count = is_single ? 6 : 15;
	char text[40];

	/* From 15 (6) digits on up, the fewer are among them with zeros behind; where there is less precision they are
	 * not. */
	if (value < (is_single ? (double)FLT_MIN : DBL_MIN))
		count = 1;
	for (; count < most; count++) {
		snprintf(text, sizeof(text), "%.*e", count - 1, value);
		double again = is_single ? (double)strtof(text, NULL) : strtod(text, NULL);
		if (again >= value && again <= value)
			break;
	}
	snprintf(text, sizeof(text), "%.*e", count - 1, value);
	const char *exponent = strchr(text, 'e');
	int used = 0;
	for (const char *at = text; at < exponent; at++)
		if (*at != '.')
			ret_digits[used++] = *at;
	while (used > 1 && ret_digits[used - 1] == '0')
		used--;
	ret_digits[used] = '\0';
	return (int)strtol(exponent + 1, NULL, 10);
}

/* As the CSV store: 0.5, 1.0, 1e-05, 1e+16. */
static void put_float(double value, bool is_single, bool is_json)
{
	char digits[20] = "0";
	int exponent = 0;

	if (!isfinite(value)) {
		fputs(is_json ? "null" : isnan(value) ? "nan" : value < 0 ? "-inf" : "inf", stdout);
		return;
	}
	if (signbit(value))
		putchar('-');
	value = fabs(value);
	if (value > 0)
		exponent = find_digits(value, is_single, digits);
	int count = (int)strlen(digits);
	if (exponent < -4 || exponent >= 16)
		printf("%c%s%se%c%02d", digits[0], count > 1 ? "." : "", digits + 1, exponent < 0 ? '-' : '+',
			abs(exponent));
	else if (exponent < 0)
		printf("0.%.*s%s", -exponent - 1, "000", digits);
	else if (count <= exponent + 1)
		printf("%s%.*s.0", digits, exponent + 1 - count, "0000000000000000");
	else
		printf("%.*s.%s", exponent + 1, digits, digits + exponent + 1);
}

static void put_time(int64_t timestamp_ns, bool is_json)
{
	char text[ENRG_TIMESTAMP_BYTES];
	const char *quote = is_json ? "\"" : "";

	enrg_timestamp_format(timestamp_ns, text);
	printf("%s%.*s%s", quote, (int)sizeof(text), text, quote);
}

static void put_number(enum enrg_type type, const void *values, uint64_t index, bool is_json)
{
	switch (type) {
	case ENRG_I8:
		printf("%" PRId8, ((const int8_t *)values)[index]);
		break;
	case ENRG_I16:
		printf("%" PRId16, ((const int16_t *)values)[index]);
		break;
	case ENRG_I32:
		printf("%" PRId32, ((const int32_t *)values)[index]);
		break;
	case ENRG_I64:
		printf("%" PRId64, ((const int64_t *)values)[index]);
		break;
	case ENRG_U8:
		printf("%" PRIu8, ((const uint8_t *)values)[index]);
		break;
	case ENRG_U16:
		printf("%" PRIu16, ((const uint16_t *)values)[index]);
		break;
	case ENRG_U32:
		printf("%" PRIu32, ((const uint32_t *)values)[index]);
		break;
	case ENRG_U64:
		printf("%" PRIu64, ((const uint64_t *)values)[index]);
		break;
	case ENRG_F32:
		put_float((double)((const float *)values)[index], true, is_json);
		break;
	case ENRG_F64:
		put_float(((const double *)values)[index], false, is_json);
		break;
	case ENRG_TIMESTAMP_NS:
		put_time(((const int64_t *)values)[index], is_json);
		break;
	case ENRG_BOOL:
	case ENRG_STRING:
	case ENRG_BINARY:
	case ENRG_LIST:
		break;
	}
}

/* Bytes of the UTF-8 character at `bytes`; 0: none is there. */
static size_t character_bytes(const uint8_t *bytes, size_t left)
{
	size_t count = bytes[0] < 0x80 ? 1 : bytes[0] < 0xc2 ? 0 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;

	if (bytes[0] > 0xf4 || count > left)
		return 0;
	for (size_t i = 1; i < count; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	/* Longer than need be, halves of pairs, beyond Unicode: the second byte tells. */
	if ((bytes[0] == 0xe0 && bytes[1] < 0xa0) || (bytes[0] == 0xed && bytes[1] > 0x9f) ||
		(bytes[0] == 0xf0 && bytes[1] < 0x90) || (bytes[0] == 0xf4 && bytes[1] > 0x8f))
		return 0;
	return count;
}

/* A JSON string; each byte that is no UTF-8 becomes U+FFFD, the sign for that. */
static void put_json_string(const char *bytes, size_t count)
{
	json_t *json = json_stringn(bytes, count);
	char *clean = json ? NULL : malloc(3 * count + 1), *to = clean;

	for (size_t i = 0; clean && i < count;) {
		size_t good = character_bytes((const uint8_t *)bytes + i, count - i);
		memcpy(to, good ? bytes + i : "\xef\xbf\xbd", good ? good : 3);
		to += good ? good : 3;
		i += good ? good : 1;
	}
	if (clean)
		json = json_stringn(clean, (size_t)(to - clean));
	json_dumpf(json, stdout, JSON_ENCODE_ANY);
	json_decref(json);
	free(clean);
}

static void put_quoted(const char *bytes, size_t count)
{
	bool needs_quotes = count == 0 || bytes[0] == ' ' || bytes[count - 1] == ' ';

	for (size_t i = 0; i < count && !needs_quotes; i++)
		needs_quotes = bytes[i] == '"' || bytes[i] == ',' || bytes[i] == '\n' || bytes[i] == '\r';
	if (!needs_quotes) {
		fwrite(bytes, 1, count, stdout);
		return;
	}
	putchar('"');
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] == '"')
			putchar('"');
		putchar(bytes[i]);
	}
	putchar('"');
}

static void put_base64(const uint8_t *bytes, size_t count, bool is_json)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	bool has_quotes = is_json || count == 0;

	if (has_quotes)
		putchar('"');
	for (size_t i = 0; i < count; i += 3) {
		size_t left = count - i;
		uint32_t group = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
				 (left > 2 ? bytes[i + 2] : 0u);
		putchar(letters[group >> 18]);
		putchar(letters[group >> 12 & 63]);
		putchar(left > 1 ? letters[group >> 6 & 63] : '=');
		putchar(left > 2 ? letters[group & 63] : '=');
	}
	if (has_quotes)
		putchar('"');
}

static void put_list(enum enrg_type item, const void *values, uint64_t first, uint64_t end, bool is_json)
{
	fputs(is_json ? "[" : "\"[", stdout);
	for (uint64_t i = first; i < end; i++) {
		if (i > first)
			putchar(is_json ? ',' : ' ');
		put_number(item, values, i, is_json);
	}
	fputs(is_json ? "]" : "]\"", stdout);
}

static void put_value(const struct enrg_column *column, const struct enrg_column_view *view, uint64_t row, bool is_json)
{
	if (!enrg_column_present(view, row)) {
		fputs(is_json ? "null" : "", stdout);
		return;
	}
	if (column->type == ENRG_BOOL) {
		const uint8_t *bits = view->values;
		fputs(bits[row >> 3] >> (row & 7) & 1 ? "true" : "false", stdout);
		return;
	}
	if (!view->offsets) {
		put_number(column->type, view->values, row, is_json);
		return;
	}
	uint64_t first = (uint64_t)view->offsets[row], end = (uint64_t)view->offsets[row + 1];
	const char *bytes = view->values ? (const char *)view->values : "";
	if (column->type == ENRG_LIST)
		put_list(column->item, view->values, first, end, is_json);
	else if (column->type == ENRG_BINARY)
		put_base64((const uint8_t *)bytes + first, (size_t)(end - first), is_json);
	else if (is_json)
		put_json_string(bytes + first, (size_t)(end - first));
	else
		put_quoted(bytes + first, (size_t)(end - first));
}

/* --- rows --- */

static void put_row(const struct selection *selection, const struct enrg_batch *batch, uint64_t row, bool is_json)
{
	if (is_json)
		putchar('{');
	for (uint32_t i = 0; i < selection->count; i++) {
		if (i > 0)
			putchar(',');
		if (is_json) {
			put_json_string(selection->columns[i].name, strlen(selection->columns[i].name));
			putchar(':');
		}
		put_value(&selection->columns[i], &batch->columns[selection->indices[i]], row, is_json);
	}
	fputs(is_json ? "}\n" : "\n", stdout);
}

static void put_header(const struct selection *selection)
{
	for (uint32_t i = 0; i < selection->count; i++) {
		if (i > 0)
			putchar(',');
		put_quoted(selection->columns[i].name, strlen(selection->columns[i].name));
	}
	putchar('\n');
}

/* Of the column, or of the table. Nothing where there are none. */
static void put_notes_json(const struct enrg_schema *schema, const char *column)
{
	bool is_first = true;

	for (uint32_t i = 0; i < schema->note_count; i++) {
		const struct enrg_note *note = &schema->notes[i];
		if (column ? !note->column || strcmp(note->column, column) != 0 : note->column != NULL)
			continue;
		fputs(is_first ? ",\"notes\":{" : ",", stdout);
		put_json_string(note->key, strlen(note->key));
		putchar(':');
		put_json_string(note->value, strlen(note->value));
		is_first = false;
	}
	if (!is_first)
		putchar('}');
}

static void put_schema_json(const struct selection *selection, const char *path)
{
	fputs("{\"file\":", stdout);
	put_json_string(path, strlen(path));
	printf(",\"blob\":%s,\"columns\":[", selection->schema.is_blob ? "true" : "false");
	for (uint32_t i = 0; i < selection->count; i++) {
		const struct enrg_column *column = &selection->columns[i];
		fputs(i > 0 ? ",{\"name\":" : "{\"name\":", stdout);
		put_json_string(column->name, strlen(column->name));
		printf(",\"type\":\"%s\"", enrg_type_name(column->type));
		if (column->type == ENRG_LIST)
			printf(",\"item\":\"%s\"", enrg_type_name(column->item));
		if (column->unit && *column->unit) {
			fputs(",\"unit\":", stdout);
			put_json_string(column->unit, strlen(column->unit));
		}
		put_notes_json(&selection->schema, column->name);
		putchar('}');
	}
	putchar(']');
	put_notes_json(&selection->schema, NULL);
	fputs("}\n", stdout);
}

static void put_schema(const struct selection *selection)
{
	puts("name,type,unit");
	for (uint32_t i = 0; i < selection->count; i++) {
		const struct enrg_column *column = &selection->columns[i];
		put_quoted(column->name, strlen(column->name));
		printf(column->type == ENRG_LIST ? ",%s of %s," : ",%s%s,", enrg_type_name(column->type),
			column->type == ENRG_LIST ? enrg_type_name(column->item) : "");
		if (column->unit && *column->unit)
			put_quoted(column->unit, strlen(column->unit));
		putchar('\n');
	}
}

/* 0, or negative: the input's error in `err`. What went wrong on stdout is ferror's. */
static int put_rows(struct input *input, const struct selection *selection, const struct cat_options *options,
	struct enrg_error *err)
{
	uint64_t left = options->head;

	while (left > 0 && !ferror(stdout)) {
		int rc = input_next(input, false, err);
		if (rc <= 0)
			return rc;
		for (uint64_t row = 0; row < input->reader.batch.rows && left > 0 && !ferror(stdout); row++, left--)
			put_row(selection, &input->reader.batch, row, options->is_json);
	}
	return 0;
}

/* `last`: the columns of the header that stands over what was printed so far. */
static int print_file(
	const char *path, const struct cat_options *options, struct enrg_schema **last, struct enrg_error *err)
{
	struct selection selection = {0};
	struct input input;
	int code = 2;

	int result = input_open(&input, path, &options->hint, err);
	if (result == ENRG_E_CORRUPT)
		code = 1;
	if (result == -ENODATA) /* told, and no fault: there are no rows in it */
		code = 0;
	if (result == 0) {
		result = selection_init(&selection, input.reader.schema, options->columns, err);
		if (result < 0)
			enrg_error_add(err, result, "%s", path);
	}
	if (result < 0) {
		input_close(&input);
		return code;
	}
	if (options->is_schema && options->is_json)
		put_schema_json(&selection, path);
	else if (options->is_schema)
		put_schema(&selection);
	else if (!options->is_json && (!*last || !ipc_schema_equal(*last, &selection.schema)))
		put_header(&selection);
	free(*last);
	*last = ipc_copy_schema(&selection.schema);
	if (!options->is_schema)
		result = put_rows(&input, &selection, options, err);
	selection_fini(&selection);
	input_tell_doubts(&input, "cat");
	input_close(&input);
	return result < 0 ? 1 : 0;
}

static int print_files(char **paths, int count, const struct cat_options *options)
{
	struct enrg_schema *last = NULL;
	int worst = 0;

	/* A reader that has seen enough (head, less) closes the pipe: the end, and no error. */
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < count && !ferror(stdout); i++) {
		struct enrg_error err = {0};
		int rc = print_file(paths[i], options, &last, &err);
		worst = rc > worst ? rc : worst;
		if (!ferror(stdout))
			fflush(stdout);
		if (rc || err.code)
			fprintf(stderr, "enrgdaq cat: %s\n", err.text);
	}
	free(last);
	if (!ferror(stdout))
		return worst;
	/* errno may be of another call by now: the pipe itself tells. */
	struct pollfd reader = {.fd = STDOUT_FILENO};
	if (poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR))
		return worst;
	fprintf(stderr, "enrgdaq cat: the output can't be written\n");
	return 1;
}

static bool parse_count(const char *text, uint64_t *ret_count)
{
	char *end;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno || *end || text[0] < '0' || text[0] > '9')
		return false;
	*ret_count = value;
	return true;
}

int cli_cat(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"head", required_argument, NULL, 'n'},
		{"from", required_argument, NULL, 'F'},
		{"record-length", required_argument, NULL, 'r'},
		{"columns", required_argument, NULL, 'c'},
		{"json", no_argument, NULL, 'j'},
		{"schema", no_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct cat_options options = {.head = UINT64_MAX};
	int choice;

	optind = 0; /* glibc: scan anew, main has parsed options already */
	while ((choice = getopt_long(argc, argv, "n:c:jsF:r:h", long_options, NULL)) != -1) {
		switch (choice) {
		case 'F':
		case 'r':
			if (!input_parse_hint(&options.hint, choice == 'F', optarg))
				return cli_usage_error("cat", INPUT_HINT_ERROR, optarg);
			break;
		case 'n':
			if (!parse_count(optarg, &options.head))
				return cli_usage_error(
					"cat", "--head: expected a number of rows, found \"%s\"", optarg);
			break;
		case 'c':
			options.columns = optarg;
			break;
		case 'j':
			options.is_json = true;
			break;
		case 's':
			options.is_schema = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return cli_option_error("cat");
		}
	}
	if (optind >= argc)
		return cli_usage_error("cat", "which file?");
	return print_files(argv + optind, argc - optind, &options);
}
