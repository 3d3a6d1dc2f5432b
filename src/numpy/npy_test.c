/* npy_test.c: records as numpy.save writes them (the corpus of the fuzz target, made with NumPy), every type and value;
 * records cut at every byte; and what is no dictionary of arrays. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numpy/npy.h"
#include "numpy/pickle.h"

struct record {
	uint8_t bytes[4096];
	size_t count;
};

static void load(struct record *record, const char *name)
{
	char path[1000];

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/npy/%s", ENRG_SOURCE_DIR, name);
	FILE *file = fopen(path, "rbe");
	assert_non_null(file);
	record->count = fread(record->bytes, 1, sizeof(record->bytes), file);
	assert_true(record->count > 0 && record->count < sizeof(record->bytes));
	fclose(file);
}

static void load_table(struct npy_table *table, const char *name)
{
	struct enrg_error err = {0};
	struct record record;

	load(&record, name);
	if (npy_init(table, record.bytes, record.count, &err) < 0)
		fail_msg("%s: %s", name, err.text);
}

static const struct enrg_column_view *find(
	const struct npy_table *table, const char *name, enum enrg_type type, enum enrg_type item)
{
	for (uint32_t i = 0; i < table->schema.column_count; i++) {
		const struct enrg_column *column = &table->schema.columns[i];
		if (strcmp(column->name, name) != 0)
			continue;
		assert_int_equal(column->type, type);
		assert_int_equal(column->item, item);
		return &table->views[i];
	}
	fail_msg("no column %s", name);
	return NULL;
}

static void assert_bytes(const struct npy_table *table, const char *name, enum enrg_type type, const int32_t offsets[4],
	const char *bytes)
{
	const struct enrg_column_view *view = find(table, name, type, 0);

	assert_memory_equal(view->offsets, offsets, 4 * sizeof(*offsets));
	assert_memory_equal(view->values, bytes, (size_t)offsets[3]);
	assert_int_equal(view->value_count, offsets[3]);
}

static void check_every_type(const char *name)
{
	static const struct {
		const char *name;
		enum enrg_type type;
	} integers[] = {{"i1", ENRG_I8}, {"i2", ENRG_I16}, {"i4", ENRG_I32}, {"i8", ENRG_I64}, {"u1", ENRG_U8},
		{"u2", ENRG_U16}, {"u4", ENRG_U32}, {"u8", ENRG_U64}};
	static const float singles[] = {0, 0.5f, 1};
	static const double doubles[] = {0, 0.5, 1};
	static const int16_t items[] = {0, 1, 2, 3, 4, 5};
	struct npy_table table;

	load_table(&table, name);
	assert_int_equal(table.rows, 3);
	assert_int_equal(table.schema.column_count, 14);
	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
		const struct enrg_column_view *view = find(&table, integers[i].name, integers[i].type, 0);
		uint32_t width = enrg_type_bytes(integers[i].type);
		for (uint64_t row = 0; row < 3; row++) /* little-endian: the low bytes of 0, 1, 2 */
			assert_memory_equal((const uint8_t *)view->values + row * width, &row, width);
		assert_int_equal(view->value_count, 3);
	}
	assert_memory_equal(find(&table, "f4", ENRG_F32, 0)->values, singles, sizeof(singles));
	assert_memory_equal(find(&table, "f8", ENRG_F64, 0)->values, doubles, sizeof(doubles));
	assert_int_equal(*(const uint8_t *)find(&table, "bool", ENRG_BOOL, 0)->values, 5);
	assert_bytes(&table, "text", ENRG_STRING, (int32_t[]){0, 1, 1, 10}, "aµ€𝄞");
	assert_bytes(&table, "bytes", ENRG_BINARY, (int32_t[]){0, 2, 2, 3}, "abc");
	const struct enrg_column_view *list = find(&table, "list", ENRG_LIST, ENRG_I16);
	assert_memory_equal(list->offsets, ((int32_t[]){0, 2, 4, 6}), 16);
	assert_memory_equal(list->values, items, sizeof(items));
	npy_fini(&table);
}

/* The pickles of NumPy 1 and of NumPy 2. */
static void test_types(void **state)
{
	(void)state;
	check_every_type("every_type_3");
	check_every_type("every_type_4");
}

static void test_turned(void **state)
{
	static const double fortran[] = {0, 1, 2, 3, 4, 5};
	static const int32_t big[] = {0, 1, 2};
	static const uint16_t list[] = {0, 1, 2, 3, 4, 5};
	struct npy_table table;

	(void)state;
	load_table(&table, "turned_4");
	assert_memory_equal(find(&table, "fortran", ENRG_LIST, ENRG_F64)->values, fortran, sizeof(fortran));
	assert_memory_equal(find(&table, "big", ENRG_I32, 0)->values, big, sizeof(big));
	assert_memory_equal(find(&table, "big_list", ENRG_LIST, ENRG_U16)->values, list, sizeof(list));
	assert_bytes(&table, "big_text", ENRG_STRING, (int32_t[]){0, 1, 3, 5}, "xyzä");
	npy_fini(&table);
}

/* Dates to the nanosecond are times; also those of a machine of the other byte order. */
static void test_dates(void **state)
{
	static const int64_t times[] = {1795824754123456789, -1, 0};
	struct npy_table table;

	(void)state;
	for (int protocol = 3; protocol <= 4; protocol++) {
		load_table(&table, protocol == 3 ? "dates_3" : "dates_4");
		assert_memory_equal(find(&table, "time", ENRG_TIMESTAMP_NS, 0)->values, times, sizeof(times));
		assert_memory_equal(find(&table, "big", ENRG_TIMESTAMP_NS, 0)->values, times, sizeof(times));
		npy_fini(&table);
	}
}

static void test_no_rows(void **state)
{
	struct npy_table table;

	(void)state;
	load_table(&table, "no_rows_3");
	assert_int_equal(table.rows, 0);
	assert_int_equal(find(&table, "b", ENRG_LIST, ENRG_I16)->offsets[0], 0);
	assert_int_equal(find(&table, "c", ENRG_STRING, 0)->value_count, 0);
	npy_fini(&table);
	load_table(&table, "shared_4"); /* one array under two names */
	assert_memory_equal(find(&table, "a", ENRG_I64, 0)->values, find(&table, "b", ENRG_I64, 0)->values, 24);
	npy_fini(&table);
}

static void assert_refused(const char *name, int rc, const char *part)
{
	struct enrg_error err = {0};
	struct npy_table table;
	struct record record;

	load(&record, name);
	int found = npy_init(&table, record.bytes, record.count, &err);
	if (found != rc || !strstr(err.text, part))
		fail_msg("%s: code %d, \"%s\" lacks \"%s\"", name, found, err.text, part);
}

static void test_refusals(void **state)
{
	(void)state;
	assert_refused("refused_dates_4", -ENOTSUP, "the array \"a\" has the type M8 of another unit than ns");
	assert_refused("refused_record_3", -ENOTSUP, "the array \"a\" has the type V12");
	assert_refused("refused_objects_4", -ENOTSUP, "the array \"a\" has the type O8");
	assert_refused("refused_scalar_3", -ENOTSUP, "the array \"a\" is no array but a single value");
	assert_refused("refused_scalar_4", -ENOTSUP, "the array \"a\" is no array but a single value");
	assert_refused("refused_list_4", -ENOTSUP, "the array \"a\" is no array");
	assert_refused(
		"refused_class_3", ENRG_E_CORRUPT, "opcode 0x63 at byte 282 of the unpacked record: it wants sys.exit");
	assert_refused("refused_class_4", ENRG_E_CORRUPT, "it wants sys.exit, which");
}

/* A record that is cut anywhere is refused, and nothing behind it is read (the sanitizer sees that). */
static void test_cuts(void **state)
{
	struct npy_table table;
	struct record record;

	(void)state;
	for (int protocol = 3; protocol <= 4; protocol++) {
		load(&record, protocol == 3 ? "every_type_3" : "every_type_4");
		for (size_t count = 0; count < record.count; count++) {
			uint8_t *cut = malloc(count ? count : 1);
			struct enrg_error err = {0};
			assert_non_null(cut);
			memcpy(cut, record.bytes, count);
			assert_int_equal(npy_init(&table, cut, count, &err), ENRG_E_CORRUPT);
			assert_true(err.text[0]);
			free(cut);
		}
	}
}

static void test_headers(void **state)
{
	static const struct {
		const char *from, *to, *part;
	} changes[] = {
		{"NUMPY\x01", "NUMPY\x09", "version 9"},
		{"'|O'", "'|u'", "one NumPy array"},
		{"(), ", "(3,)", "one NumPy array"},
		{"descr", "Descr", "header of the NumPy record is damaged"},
		{"{'", "['", "header of the NumPy record is damaged"},
		{"NUMPY", "NumPy", "no record of NumPy"},
	};
	struct npy_table table;
	struct record record;

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct enrg_error err = {0};
		load(&record, "digitizer_3");
		uint8_t *at = memmem(record.bytes, record.count, changes[i].from, strlen(changes[i].from));
		assert_non_null(at);
		memcpy(at, changes[i].to, strlen(changes[i].to));
		assert_int_equal(npy_init(&table, record.bytes, record.count, &err), ENRG_E_CORRUPT);
		if (!strstr(err.text, changes[i].part))
			fail_msg("%zu: %s", i, err.text);
	}
}

/* Changes bytes of a record and expects why it is refused. */
static void assert_changed(const char *name, const char *from, const char *to, size_t count, const char *part)
{
	struct enrg_error err = {0};
	struct npy_table table;
	struct record record;

	load(&record, name);
	uint8_t *at = memmem(record.bytes, record.count, from, count);
	assert_non_null(at);
	memcpy(at, to, count);
	assert_int_equal(npy_init(&table, record.bytes, record.count, &err), ENRG_E_CORRUPT);
	if (!strstr(err.text, part))
		fail_msg("%s: \"%s\" lacks \"%s\"", name, err.text, part);
}

static void test_damage(void **state)
{
	(void)state;
	/* The shape of the first array: more and fewer rows than there are bytes. */
	assert_changed("digitizer_3", "K\x01K\x02\x85", "K\x01K\x03\x85", 5, "has a shape that its bytes do not fill");
	assert_changed("digitizer_3", "K\x01K\x02\x85", "K\x01K\x01\x85", 5, "has a shape that its bytes do not fill");
	assert_changed("turned_4", "K\x03K\x02\x86", "K\x03K\xff\x86", 5, "has a shape that its bytes do not fill");
	/* The letter µ becomes half of a pair, and what lies beyond Unicode. */
	assert_changed("every_type_4", "\xb5\0\0\0", "\0\xd8\0\0", 4, "holds a text that is no Unicode");
	assert_changed("every_type_4", "\xb5\0\0\0", "\0\0\x11\0", 4, "holds a text that is no Unicode");
}

static void assert_pickle(const char *bytes, size_t count, const char *part)
{
	struct enrg_error err = {0};
	struct pickle pickle;
	int rc = pickle_init(&pickle, bytes, count, 100, &err);

	if (rc != ENRG_E_CORRUPT || !strstr(err.text, part))
		fail_msg("code %d, \"%s\" lacks \"%s\"", rc, err.text, part);
}

#define ASSERT_PICKLE(bytes, part) assert_pickle(bytes, sizeof(bytes) - 1, part)

static void test_hostile(void **state)
{
	(void)state;
	ASSERT_PICKLE("\x80\x03"
		      "cos\nsystem\n(X\x04\0\0\0lstR.",
		"opcode 0x63 at byte 102 of the unpacked record: it wants os.system");
	ASSERT_PICKLE("\x80\x04\x8c\x02os\x8c\x06system\x93.", "it wants os.system, which");
	ASSERT_PICKLE("\x80\x04\x8c\x05\x1b[2J\n\x8c\x01x\x93.", "it wants .[2J..x");
	ASSERT_PICKLE("\x80\x03"
		      "cnumpy\nndarray\n)\x81.",
		"opcode 0x81 at byte 118");
	ASSERT_PICKLE("\x80\x03"
		      "cnumpy\nndarray\n)R.",
		"a call that makes neither");
	/* A single value is a type and bytes, and nothing else. */
	ASSERT_PICKLE("\x80\x03"
		      "cnumpy.core.multiarray\nscalar\nNN\x86R.",
		"a call that makes neither");
	ASSERT_PICKLE("\x80\x03"
		      "cnumpy.core.multiarray\nscalar\nC\x01xC\x01x\x86R.",
		"a call that makes neither");
	ASSERT_PICKLE("\x80\x03"
		      "cnumpy.core.multiarray\nscalar\nNNN\x87R.",
		"a call that makes neither");
	ASSERT_PICKLE("\x80\x03G\0\0\0", "the record ends inside it");
	ASSERT_PICKLE("\x80\x03"
		      "(ios\nsystem\n.",
		"INST");
	ASSERT_PICKLE("\x80\x03"
		      "\xff.",
		"there is no such opcode");
	ASSERT_PICKLE("\x80\x02N.", "protocol 2");
	ASSERT_PICKLE("\x80\x05N.", "protocol 5");
	ASSERT_PICKLE("N.", "no pickle starts here");
	ASSERT_PICKLE("\x80\x03(.", "does not end with one value");
	ASSERT_PICKLE("\x80\x03NN.", "does not end with one value");
	ASSERT_PICKLE("\x80\x03N.N", "behind the end");
	ASSERT_PICKLE("\x80\x03Nt.", "no mark");
	ASSERT_PICKLE("\x80\x03(NNN\x87\x87.", "a tuple of values that are not there");
	ASSERT_PICKLE("\x80\x03(\x85.", "a tuple of values that are not there");
	ASSERT_PICKLE("\x80\x03Na.", "nothing is there to add to");
	ASSERT_PICKLE("\x80\x03}(Nu.", "nothing is there to add to");
	ASSERT_PICKLE("\x80\x03h\x05.", "not remembered");
	ASSERT_PICKLE("\x80\x03Nq\x05h\x01.", "not remembered");
	ASSERT_PICKLE("\x80\x03Nr\xff\xff\xff\xff.", "nothing is there to remember");
	ASSERT_PICKLE("\x80\x03q\x01.", "nothing is there to remember");
	ASSERT_PICKLE("\x80\x03\x8a\x09", "more than eight bytes");
	ASSERT_PICKLE("\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xffx.", "the record ends inside it");
	ASSERT_PICKLE("\x80\x03)b.", "is there to build");
	ASSERT_PICKLE("\x80\x03N)b.", "is there to build");
}

/* Bounded: on the stack, and in values. */
static void test_bombs(void **state)
{
	size_t count = 4u << 20;
	char *bytes = malloc(count);

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'N', count);
	memcpy(bytes, "\x80\x03", 2);
	assert_pickle(bytes, count, "more than 65536 values on the stack");
	bytes[2] = ']';
	for (size_t i = 3; i + 1 < count; i += 2)
		memcpy(bytes + i, "Na", 2);
	assert_pickle(bytes, count, "more than 1048576 values");
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_turned),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_no_rows),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_bombs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
