/* verify_test.c: files that are whole, and files that are not in every way that we could think of. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arrow/file_writer.h"
#include "arrow/sample.h"
#include "arrow/verify.h"

/* A file under construction, in memory. */
struct draft {
	uint8_t *bytes;
	size_t count;
	size_t starts[64]; /* of its messages, and the end */
	size_t message_count;
};

struct told {
	unsigned counts[VERIFY_TORN_TAIL + 1];
	char last[VERIFY_TORN_TAIL + 1][2048];
};

static int file;
static char path[64];
static struct ipc_template *templates[3];
static const struct ipc_origin origins[3] = {{"a", "run-1", ""}, {"a", "run-2", ""}, {"b", "run-1", "t"}};

static void append(struct draft *draft, const void *bytes, size_t count)
{
	draft->bytes = realloc(draft->bytes, draft->count + count);
	memcpy(draft->bytes + draft->count, bytes, count);
	draft->starts[draft->message_count++] = draft->count;
	draft->count += count;
	draft->starts[draft->message_count] = draft->count;
}

static void append_schema(struct draft *draft)
{
	uint32_t count;
	void *bytes;

	assert_int_equal(ipc_encode_schema(sample_schema(), &origins[0], &bytes, &count, NULL), 0);
	append(draft, bytes, count);
	free(bytes);
}

static void append_batch(struct draft *draft, int origin, uint64_t sequence, bool is_gap)
{
	size_t count;
	uint8_t *bytes = sample_message(templates[origin], is_gap ? 0 : 4, sequence, is_gap, &count);

	append(draft, bytes, count);
	free(bytes);
}

static void append_end(struct draft *draft)
{
	static const uint32_t end[2] = {UINT32_MAX, 0};
	append(draft, end, sizeof(end));
}

/* Schema and batches of the first table with these sequences. */
static struct draft draft_of(size_t count, const uint64_t *sequences)
{
	struct draft draft = {0};

	append_schema(&draft);
	for (size_t i = 0; i < count; i++)
		append_batch(&draft, 0, sequences[i], false);
	return draft;
}

static void write_file(const void *bytes, size_t count)
{
	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(pwrite(file, bytes, count, 0), count);
}

static void tell(void *context, enum verify_finding finding, const char *sentence)
{
	struct told *told = context;

	told->counts[finding]++;
	snprintf(told->last[finding], sizeof(told->last[finding]), "%s", sentence);
}

static int verify_bytes(const void *bytes, size_t count, struct verify_report *ret_report, struct told *ret_told)
{
	*ret_told = (struct told){0};
	*ret_report = (struct verify_report){0};
	write_file(bytes, count);
	return verify_file(path, tell, ret_told, ret_report, NULL);
}

static bool is_whole(const struct verify_report *report)
{
	return !report->is_torn && !report->missing && !report->duplicated && !report->corrupted;
}

static void whole_files_are_whole(void **state)
{
	struct draft draft = draft_of(3, (uint64_t[]){1, 2, 3});
	struct verify_report report;
	struct told told;

	(void)state;
	append_batch(&draft, 0, 4, true);
	append_batch(&draft, 1, 1, false);
	append_batch(&draft, 2, 1, false);
	append_end(&draft);
	assert_int_equal(verify_bytes(draft.bytes, draft.count, &report, &told), 0);
	assert_true(is_whole(&report) && report.has_end_mark);
	assert_int_equal(report.batches, 5);
	assert_int_equal(report.rows, 20);
	assert_int_equal(report.gaps, 1);
	assert_int_equal(report.sources, 2);
	assert_int_equal(report.unstamped, 0);
	assert_int_equal(report.good_bytes, draft.count);
	assert_int_equal(report.file_bytes, draft.count);
	assert_int_equal(told.counts[VERIFY_GAP_NOTE], 1);
	assert_int_equal(told.counts[VERIFY_CORRUPT], 0);
	free(draft.bytes);
}

static void sequences_are_counted(void **state)
{
	static const struct {
		uint64_t sequences[6];
		uint64_t missing, duplicated;
		const char *sentence;
	} cases[] = {
		{{1, 2, 3, 4, 5, 6}, 0, 0, ""},
		{{11, 12, 13, 14, 15, 16}, 0, 0, ""}, /* rotated: it began in an earlier file */
		{{1, 2, 4, 5, 6, 7}, 1, 0, "source \"a\", run \"run-1\": batch 3 is missing"},
		{{1, 5, 6, 7, 8, 9}, 3, 0, "source \"a\", run \"run-1\": batches 2 to 4 are missing"},
		{{1, 3, 2, 6, 5, 4}, 0, 0, ""}, /* late, not missing */
		{{1, 2, 2, 3, 4, 5}, 0, 1, ""},
		{{4, 5, 6, 4, 5, 6}, 0, 3, ""},
		{{5, 6, 2, 3, 7, 8}, 1, 0, "source \"a\", run \"run-1\": batch 4 is missing"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct draft draft = draft_of(6, cases[i].sequences);
		struct verify_report report;
		struct told told;
		assert_int_equal(verify_bytes(draft.bytes, draft.count, &report, &told), 0);
		assert_int_equal(report.missing, cases[i].missing);
		assert_int_equal(report.duplicated, cases[i].duplicated);
		assert_int_equal(report.batches, 6 - cases[i].duplicated);
		assert_int_equal(report.corrupted, 0);
		assert_string_equal(told.last[VERIFY_MISSING], cases[i].sentence);
		free(draft.bytes);
	}
}

static void every_flipped_bit_is_told(void **state)
{
	struct draft draft = draft_of(3, (uint64_t[]){1, 2, 3});
	struct verify_report report;
	struct told told;

	(void)state;
	append_end(&draft);
	for (size_t byte = 0; byte < draft.count; byte++) {
		uint8_t mask = (uint8_t)(1u << (byte % 8));
		draft.bytes[byte] ^= mask;
		/* The schema's damage may not hide the batches. */
		assert_int_equal(verify_bytes(draft.bytes, draft.count, &report, &told), 0);
		if (is_whole(&report))
			fail_msg("nothing told of byte %zu", byte);
		assert_true(report.batches >= 2);
		assert_true(byte >= draft.starts[4] || !report.is_torn);
		draft.bytes[byte] ^= mask;
	}
	free(draft.bytes);
}

static void every_cut_is_repaired(void **state)
{
	struct draft draft = draft_of(3, (uint64_t[]){1, 2, 3});
	struct verify_report report, again;
	struct told told;
	size_t message = 0;

	(void)state;
	for (size_t cut = 1; cut < draft.count; cut++) {
		if (cut >= draft.starts[message + 1])
			message++;
		assert_int_equal(verify_bytes(draft.bytes, cut, &report, &told), 0);
		assert_int_equal(report.is_torn, cut != draft.starts[message]);
		assert_int_equal(report.good_bytes, draft.starts[message]);
		assert_int_equal(report.batches, message ? message - 1 : 0);
		assert_int_equal(report.corrupted, 0);
		assert_int_equal(told.counts[VERIFY_TORN_TAIL], report.is_torn);
		if (!report.is_torn) {
			assert_int_equal(verify_repair(path, &report, NULL), -EINVAL);
			continue;
		}
		assert_int_equal(verify_repair(path, &report, NULL), 0);
		assert_int_equal(verify_file(path, NULL, NULL, &again, NULL), 0);
		assert_true(is_whole(&again));
		assert_int_equal(again.file_bytes, draft.starts[message]);
		assert_int_equal(again.batches, report.batches);
	}
	free(draft.bytes);
}

static void reading_goes_on_behind_damage(void **state)
{
	struct draft draft = draft_of(5, (uint64_t[]){1, 2, 3, 4, 5});
	struct verify_report report;
	struct told told;
	char expected[100];

	(void)state;
	/* A body: the batch is damaged, not missing. */
	draft.bytes[draft.starts[4] - 70] ^= 1;
	assert_int_equal(verify_bytes(draft.bytes, draft.count, &report, &told), 0);
	assert_int_equal(report.corrupted, 1);
	assert_int_equal(report.missing, 0);
	assert_int_equal(report.batches, 4);
	assert_non_null(strstr(told.last[VERIFY_CORRUPT], "batch 3"));
	draft.bytes[draft.starts[4] - 70] ^= 1;
	/* A stretch over two heads: both are missing. */
	memset(draft.bytes + draft.starts[2] + 10, 0x55, draft.starts[3] + 100 - draft.starts[2]);
	assert_int_equal(verify_bytes(draft.bytes, draft.count, &report, &told), 0);
	assert_int_equal(report.corrupted, 1);
	assert_int_equal(report.missing, 2);
	assert_int_equal(report.batches, 3);
	assert_false(report.is_torn);
	snprintf(expected, sizeof(expected), "bytes %zu to %zu are damaged", draft.starts[2], draft.starts[4] - 1);
	assert_non_null(strstr(told.last[VERIFY_CORRUPT], expected));
	free(draft.bytes);
}

static void zeros_at_the_end_are_a_torn_tail(void **state)
{
	struct draft draft = draft_of(2, (uint64_t[]){1, 2});
	uint8_t rest[5000] = {0};
	struct verify_report report;
	struct told told;
	size_t good = draft.count;

	(void)state;
	append(&draft, rest, sizeof(rest));
	assert_int_equal(verify_bytes(draft.bytes, draft.count, &report, &told), 0);
	assert_true(report.is_torn);
	assert_int_equal(report.good_bytes, good);
	/* Anything else there may be somebody's data: not for cutting. */
	draft.bytes[draft.count - 3] = 1;
	assert_int_equal(verify_bytes(draft.bytes, draft.count, &report, &told), 0);
	assert_false(report.is_torn);
	assert_int_equal(report.corrupted, 1);
	assert_int_equal(report.good_bytes, good);
	assert_int_equal(verify_repair(path, &report, NULL), -EINVAL);
	free(draft.bytes);
}

static void streams_may_follow_an_end_mark_only(void **state)
{
	struct draft draft = draft_of(2, (uint64_t[]){1, 2});
	struct verify_report report;
	struct told told;

	(void)state;
	append_end(&draft);
	append_schema(&draft);
	append_batch(&draft, 0, 3, false);
	assert_int_equal(verify_bytes(draft.bytes, draft.count, &report, &told), 0);
	assert_true(is_whole(&report));
	assert_false(report.has_end_mark);
	assert_int_equal(report.batches, 3);
	append_schema(&draft);
	append_batch(&draft, 0, 4, false);
	assert_int_equal(verify_bytes(draft.bytes, draft.count, &report, &told), 0);
	assert_int_equal(report.corrupted, 1);
	assert_int_equal(report.batches, 4);
	assert_int_equal(report.missing, 0);
	free(draft.bytes);
	draft = draft_of(1, (uint64_t[]){1});
	append_end(&draft);
	append_batch(&draft, 0, 2, false);
	append_batch(&draft, 0, 3, false);
	assert_int_equal(verify_bytes(draft.bytes, draft.count, &report, &told), 0);
	assert_int_equal(report.corrupted, 1);
	assert_int_equal(report.batches, 3);
	free(draft.bytes);
}

static void other_files_are_refused(void **state)
{
	static const char text[] = "timestamp,value\n1,2\n3,4\n5,6\n";
	struct enrg_error err = {0};
	struct verify_report report;
	struct told told;

	(void)state;
	assert_int_equal(verify_bytes(text, sizeof(text), &report, &told), ENRG_E_CORRUPT);
	assert_int_equal(verify_bytes("abc", 3, &report, &told), ENRG_E_CORRUPT);
	assert_int_equal(verify_bytes("\xff\xff\xff\xff\0\0\0\0", 8, &report, &told), ENRG_E_CORRUPT);
	assert_int_equal(verify_bytes("", 0, &report, &told), 0);
	assert_true(is_whole(&report));
	assert_int_equal(verify_file("/", NULL, NULL, &report, &err), -EINVAL);
	assert_int_equal(verify_file("/does/not/exist", NULL, NULL, &report, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/does/not/exist: "));
}

static void a_growing_file_is_not_cut(void **state)
{
	struct draft draft = draft_of(2, (uint64_t[]){1, 2});
	struct verify_report report;
	struct told told;

	(void)state;
	assert_int_equal(verify_bytes(draft.bytes, draft.count - 8, &report, &told), 0);
	assert_true(report.is_torn);
	write_file(draft.bytes, draft.count);
	assert_int_equal(verify_repair(path, &report, NULL), -EBUSY);
	free(draft.bytes);
}

/* Its keys belong to somebody else: a message like any other program's, but not among ours. */
static void messages_without_keys_are_damage_among_others(void **state)
{
	struct draft draft = draft_of(3, (uint64_t[]){1, 2, 3});
	struct verify_report report;
	struct told told;

	(void)state;
	for (size_t i = draft.starts[2]; i < draft.starts[3] - 8; i++)
		if (!memcmp(draft.bytes + i, "enrgdaq.", 8))
			draft.bytes[i] = 'E';
	assert_int_equal(verify_bytes(draft.bytes, draft.count, &report, &told), 0);
	assert_int_equal(report.corrupted, 1);
	assert_int_equal(report.unstamped, 0);
	assert_int_equal(report.missing, 1);
	/* All of them: a stream of another program. */
	for (size_t i = 0; i < draft.count - 8; i++)
		if (!memcmp(draft.bytes + i, "enrgdaq.", 8))
			draft.bytes[i] = 'E';
	assert_int_equal(verify_bytes(draft.bytes, draft.count, &report, &told), 0);
	assert_true(is_whole(&report));
	assert_int_equal(report.unstamped, 3);
	assert_int_equal(report.batches, 3);
	free(draft.bytes);
}

/* Messages that do not fit into one piece of reading, and damage between them. */
static void large_messages_pass(void **state)
{
	struct draft draft = {0};
	struct verify_report report;
	struct told told;

	(void)state;
	append_schema(&draft);
	for (uint64_t sequence = 1; sequence <= 3; sequence++) {
		size_t count;
		uint8_t *bytes = sample_message(templates[0], 200000, sequence, false, &count);
		append(&draft, bytes, count);
		free(bytes);
	}
	assert_int_equal(verify_bytes(draft.bytes, draft.count, &report, &told), 0);
	assert_true(is_whole(&report));
	assert_int_equal(report.rows, 600000);
	memset(draft.bytes + draft.starts[2], 0xff, 4000);
	assert_int_equal(verify_bytes(draft.bytes, draft.count, &report, &told), 0);
	assert_int_equal(report.corrupted, 1);
	assert_int_equal(report.missing, 1);
	assert_int_equal(report.rows, 400000);
	free(draft.bytes);
}

/* A batch whose check sums are right and whose structure is not that of the schema. */
static void a_batch_of_another_table_is_told(void **state)
{
	static const struct enrg_column column = {"only", ENRG_I32, 0, NULL};
	static const struct enrg_schema schema = {.column_count = 1, .columns = &column};
	struct draft draft = draft_of(1, (uint64_t[]){1});
	struct ipc_template *template;
	struct verify_report report;
	struct told told;

	(void)state;
	assert_int_equal(ipc_template_create(&schema, &origins[0], &template, NULL), 0);
	const struct ipc_stamp stamp = {.sequence = 2, .epoch = 1};
	uint8_t *meta = malloc(ipc_meta_bytes(template));
	ipc_write_meta(template, meta, 0, NULL, &stamp);
	append(&draft, meta, ipc_meta_bytes(template));
	assert_int_equal(verify_bytes(draft.bytes, draft.count, &report, &told), 0);
	assert_int_equal(report.corrupted, 1);
	assert_non_null(strstr(told.last[VERIFY_CORRUPT], "batch 2"));
	free(meta);
	ipc_template_destroy(template);
	free(draft.bytes);
}

/* The draft's messages in Arrow's file format; free(). */
static uint8_t *make_file(const struct draft *draft, size_t *ret_count)
{
	struct file_writer writer;
	char name[64];

	strcpy(name, "/tmp/enrgdaq-verify-XXXXXX");
	int descriptor = mkstemp(name);
	assert_true(descriptor >= 0);
	unlink(name);
	assert_int_equal(file_writer_open(&writer, name, false, draft->bytes, (uint32_t)draft->starts[1], NULL), 0);
	for (size_t i = 1; i < draft->message_count; i++)
		assert_int_equal(file_writer_add(&writer, draft->bytes + draft->starts[i],
					 (uint32_t)(draft->starts[i + 1] - draft->starts[i]), NULL, 0, NULL),
			0);
	assert_int_equal(file_writer_finish(&writer, NULL), 0);
	file_writer_close(&writer);
	close(descriptor);
	FILE *stream = fopen(name, "re");
	assert_non_null(stream);
	unlink(name);
	uint8_t *bytes = malloc(draft->count + 10000);
	*ret_count = fread(bytes, 1, draft->count + 10000, stream);
	fclose(stream);
	return bytes;
}

/* Sets the lengths in the footer right: file_writer_add was given whole messages as their heads. */
static void mend_blocks(const struct draft *draft, uint8_t *bytes, size_t count)
{
	for (size_t i = 1; i < draft->message_count; i++) {
		const uint32_t meta_bytes = ipc_meta_bytes(templates[0]);
		const struct file_block wrong = {.offset = 8 + (int64_t)draft->starts[i],
			.meta_bytes = (int32_t)(draft->starts[i + 1] - draft->starts[i])};
		const struct file_block right = {.offset = wrong.offset,
			.meta_bytes = (int32_t)meta_bytes,
			.body_bytes = wrong.meta_bytes - (int32_t)meta_bytes};
		uint8_t *at = memmem(bytes, count, &wrong, sizeof(wrong));
		assert_non_null(at);
		memcpy(at, &right, sizeof(right));
	}
}

static void files_with_a_footer_are_judged(void **state)
{
	struct draft draft = draft_of(3, (uint64_t[]){4, 5, 7});
	struct verify_report report;
	struct told told;
	size_t count;
	uint8_t *bytes = make_file(&draft, &count);

	(void)state;
	/* Places that are not those of the batches. */
	assert_int_equal(verify_bytes(bytes, count, &report, &told), 0);
	assert_int_equal(report.corrupted, 1);
	assert_non_null(strstr(told.last[VERIFY_CORRUPT], "the footer has batch 1 of the file at byte "));
	mend_blocks(&draft, bytes, count);
	assert_int_equal(verify_bytes(bytes, count, &report, &told), 0);
	assert_true(report.is_file && report.has_end_mark);
	assert_int_equal(report.corrupted, 0);
	assert_int_equal(report.missing, 1);
	assert_int_equal(report.batches, 3);
	/* A place, and the magic at the end. */
	const int64_t place = 8 + (int64_t)draft.starts[2];
	uint8_t *at = memmem(bytes, count, &place, sizeof(place));
	assert_non_null(at);
	at[0] ^= 8;
	assert_int_equal(verify_bytes(bytes, count, &report, &told), 0);
	assert_int_equal(report.corrupted, 1);
	at[0] ^= 8;
	bytes[count - 1] ^= 1;
	assert_int_equal(verify_bytes(bytes, count, &report, &told), 0);
	assert_int_equal(report.corrupted, 1);
	assert_int_equal(report.batches, 3);
	bytes[count - 1] ^= 1;
	/* A body. */
	bytes[8 + draft.starts[2] - 70] ^= 1;
	assert_int_equal(verify_bytes(bytes, count, &report, &told), 0);
	assert_int_equal(report.corrupted, 1);
	assert_int_equal(report.batches, 2);
	assert_non_null(strstr(told.last[VERIFY_CORRUPT], "batch 4"));
	bytes[8 + draft.starts[2] - 70] ^= 1;
	free(bytes);
	free(draft.bytes);
}

/* Cut anywhere, a file is damaged and never torn: a cut could not make it whole. Flipped bits in front of the footer's
 * numbers are told as well. */
static void files_with_a_footer_are_never_cut(void **state)
{
	struct draft draft = draft_of(2, (uint64_t[]){1, 2});
	struct verify_report report;
	struct told told;
	size_t count;
	uint8_t *bytes = make_file(&draft, &count);

	(void)state;
	mend_blocks(&draft, bytes, count);
	for (size_t cut = 9; cut < count; cut++) {
		assert_int_equal(verify_bytes(bytes, cut, &report, &told), 0);
		assert_false(report.is_torn);
		if (report.corrupted != 1)
			fail_msg("cut at byte %zu: %llu places damaged", cut, (unsigned long long)report.corrupted);
		assert_int_equal(report.batches, cut >= 8 + draft.count ? 2 : cut >= 8 + draft.starts[2] ? 1 : 0);
	}
	for (size_t byte = 8; byte < 8 + draft.count; byte++) {
		bytes[byte] ^= 4;
		assert_int_equal(verify_bytes(bytes, count, &report, &told), 0);
		assert_true(report.corrupted > 0);
		bytes[byte] ^= 4;
	}
	free(bytes);
	free(draft.bytes);
}

/* Where batches are numbered anew because the columns changed, nothing came twice. */
static void other_columns_are_another_table(void **state)
{
	static const struct enrg_column column = {"only", ENRG_I32, 0, NULL};
	static const struct enrg_schema schema = {.column_count = 1, .columns = &column};
	struct draft draft = draft_of(2, (uint64_t[]){1, 2});
	struct ipc_template *template;
	struct verify_report report;
	struct told told;
	uint32_t count;
	void *bytes;

	(void)state;
	append_end(&draft);
	assert_int_equal(ipc_encode_schema(&schema, &origins[0], &bytes, &count, NULL), 0);
	append(&draft, bytes, count);
	free(bytes);
	assert_int_equal(ipc_template_create(&schema, &origins[0], &template, NULL), 0);
	const struct ipc_stamp stamp = {.sequence = 1, .epoch = 1};
	uint8_t *meta = malloc(ipc_meta_bytes(template));
	ipc_write_meta(template, meta, 0, NULL, &stamp);
	append(&draft, meta, ipc_meta_bytes(template));
	assert_int_equal(verify_bytes(draft.bytes, draft.count, &report, &told), 0);
	assert_true(is_whole(&report));
	assert_int_equal(report.batches, 3);
	free(meta);
	ipc_template_destroy(template);
	free(draft.bytes);
}

static int set_up(void **state)
{
	(void)state;
	/* In memory: the sweeps write thousands of files. */
	file = memfd_create("verify", MFD_CLOEXEC);
	if (file < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	for (int i = 0; i < 3; i++)
		if (ipc_template_create(sample_schema(), &origins[i], &templates[i], NULL) < 0)
			return -1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		ipc_template_destroy(templates[i]);
	return close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_files_are_whole),
		cmocka_unit_test(sequences_are_counted),
		cmocka_unit_test(every_flipped_bit_is_told),
		cmocka_unit_test(every_cut_is_repaired),
		cmocka_unit_test(reading_goes_on_behind_damage),
		cmocka_unit_test(zeros_at_the_end_are_a_torn_tail),
		cmocka_unit_test(streams_may_follow_an_end_mark_only),
		cmocka_unit_test(other_files_are_refused),
		cmocka_unit_test(a_growing_file_is_not_cut),
		cmocka_unit_test(messages_without_keys_are_damage_among_others),
		cmocka_unit_test(large_messages_pass),
		cmocka_unit_test(a_batch_of_another_table_is_told),
		cmocka_unit_test(files_with_a_footer_are_judged),
		cmocka_unit_test(files_with_a_footer_are_never_cut),
		cmocka_unit_test(other_columns_are_another_table),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
