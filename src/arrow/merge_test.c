/* merge_test.c: small batches of several tables are merged and hold the same; what must stay as it is stays; a file is
 * replaced as a whole or not at all. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arrow/ipc_layout.h"
#include "arrow/merge.h"
#include "arrow/merge_proof.h"
#include "arrow/sample.h"
#include "arrow/verify.h"

#define BYTES_MAX (64u << 20)

static char folder[64], path[128], beside[128];
static struct ipc_template *templates[2];

static int set_up(void **state)
{
	const struct ipc_origin origins[2] = {{"slow", "run-1", ""}, {"other", "run-1", "tag"}};

	(void)state;
	strcpy(folder, "/tmp/enrg-merge-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/a.arrows", folder);
	snprintf(beside, sizeof(beside), "%s/.a.arrows.merging", folder);
	for (int i = 0; i < 2; i++)
		assert_int_equal(ipc_template_create(sample_schema(), &origins[i], &templates[i], NULL), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		ipc_template_destroy(templates[i]);
	unlink(path);
	unlink(beside);
	return rmdir(folder);
}

static FILE *begin_file(void)
{
	FILE *file = fopen(path, "wbe");
	uint32_t count;
	void *bytes;

	assert_non_null(file);
	assert_int_equal(ipc_encode_schema(sample_schema(), NULL, &bytes, &count, NULL), 0);
	assert_int_equal(fwrite(bytes, 1, count, file), count);
	free(bytes);
	return file;
}

static void put(FILE *file, int table, uint64_t rows, uint64_t sequence, bool is_gap)
{
	size_t count;
	uint8_t *bytes = sample_message(templates[table], rows, sequence, is_gap, &count);

	assert_int_equal(fwrite(bytes, 1, count, file), count);
	free(bytes);
}

/* Two tables in turns, a gap, a hole, a batch without rows, and a large one in between. */
static void write_mixed(void)
{
	FILE *file = begin_file();

	for (uint64_t i = 1; i <= 300; i++) {
		if (i != 150)
			put(file, 0, i % 5, i, i == 100);
		put(file, 1, i == 200 ? 5000 : 1, i, false);
	}
	fclose(file);
}

static struct verify_report verify(void)
{
	struct verify_report report;

	assert_int_equal(verify_file(path, NULL, NULL, &report, NULL), 0);
	return report;
}

static void small_batches_become_few(void **state)
{
	struct merge_report report;
	struct enrg_error err = {0};

	(void)state;
	write_mixed();
	struct verify_report before = verify();
	assert_int_equal(before.missing, 1);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(merge_file(path, BYTES_MAX, &report, &err), 0);
	assert_true(report.is_merged);
	assert_int_equal(report.before_bytes, before.file_bytes);
	struct verify_report after = verify();
	assert_int_equal(after.file_bytes, report.after_bytes);
	assert_true(after.file_bytes < before.file_bytes / 2);
	assert_int_equal(after.batches, before.batches);
	assert_int_equal(after.rows, before.rows);
	assert_int_equal(after.gaps, 1);
	assert_int_equal(after.missing, 1);
	assert_int_equal(after.duplicated, 0);
	assert_int_equal(after.corrupted + after.unstamped, 0);
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	assert_int_equal(access(beside, F_OK), -1);
	/* Nothing is left to be gained. */
	assert_int_equal(merge_file(path, BYTES_MAX, &report, &err), 0);
	assert_false(report.is_merged);
	/* What is appended is merged with what is small, and repeated ranges are seen. */
	FILE *file = fopen(path, "abe");
	for (uint64_t i = 301; i <= 400; i++)
		put(file, 0, 1, i, false);
	put(file, 0, 1, 250, false);
	fclose(file);
	assert_int_equal(verify().duplicated, 1);
	assert_int_equal(merge_file(path, BYTES_MAX, &report, &err), 0);
	assert_int_equal(verify().duplicated, 1);
	assert_int_equal(verify().missing, 1);
}

static void one_row_a_second_costs_little(void **state)
{
	static const struct enrg_column columns[] = {{"timestamp", ENRG_I64, 0, NULL}, {"a", ENRG_F64, 0, NULL},
		{"b", ENRG_F64, 0, NULL}, {"c", ENRG_F64, 0, NULL}};
	static const struct enrg_schema schema = {.column_count = 4, .columns = columns};
	const struct ipc_origin origin = {"sensor", "run-1", ""};
	enum { ROWS = 10000 };
	struct ipc_template *template;
	struct merge_report report;
	_Alignas(64) uint8_t body[256] = {0}, meta[4096];
	FILE *file = fopen(path, "wbe");
	uint32_t count;
	void *bytes;

	(void)state;
	assert_int_equal(ipc_encode_schema(&schema, NULL, &bytes, &count, NULL), 0);
	assert_int_equal(fwrite(bytes, 1, count, file), count);
	free(bytes);
	assert_int_equal(ipc_template_create(&schema, &origin, &template, NULL), 0);
	for (uint64_t i = 1; i <= ROWS; i++) {
		memcpy(body, &i, sizeof(i));
		const struct ipc_stamp stamp = {.sequence = i, .epoch = 1, .body_crc = crc32c(0, body, sizeof(body))};
		ipc_write_meta(template, meta, 1, NULL, &stamp);
		fwrite(meta, 1, ipc_meta_bytes(template), file);
		fwrite(body, 1, sizeof(body), file);
	}
	fclose(file);
	ipc_template_destroy(template);
	assert_int_equal(merge_file(path, BYTES_MAX, &report, NULL), 0);
	print_message("%.1f bytes a row before, %.1f after\n", (double)report.before_bytes / (double)ROWS,
		(double)report.after_bytes / (double)ROWS);
	assert_true(report.after_bytes < 60 * (uint64_t)ROWS);
	assert_int_equal(verify().batches, ROWS);
}

static void expect_untouched(uint64_t bytes_max, const char *reason)
{
	struct merge_report report;
	struct stat before, after;

	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(merge_file(path, bytes_max, &report, NULL), 0);
	assert_false(report.is_merged);
	if (!strstr(report.reason, reason))
		fail_msg("\"%s\" lacks \"%s\"", report.reason, reason);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(access(beside, F_OK), -1);
}

static void others_stay_as_they_are(void **state)
{
	char link_path[160];

	(void)state;
	FILE *file = begin_file();
	for (uint64_t i = 1; i <= 20; i++)
		put(file, 0, 2000, i, false);
	fclose(file);
	expect_untouched(BYTES_MAX, "large, or few");
	write_mixed();
	expect_untouched(1000, "too large");
	snprintf(link_path, sizeof(link_path), "%s/b", folder);
	assert_int_equal(link(path, link_path), 0);
	expect_untouched(BYTES_MAX, "more than one name");
	unlink(link_path);
	/* A flipped byte, and a cut tail, are not written anew as if they were whole. */
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	int descriptor = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;
	assert_int_equal(pread(descriptor, &byte, 1, status.st_size / 2), 1);
	byte ^= 4;
	assert_int_equal(pwrite(descriptor, &byte, 1, status.st_size / 2), 1);
	close(descriptor);
	expect_untouched(BYTES_MAX, "check sum");
	write_mixed();
	assert_int_equal(truncate(path, status.st_size - 9), 0);
	expect_untouched(BYTES_MAX, "not whole");
	/* What a killed one left goes. */
	write_mixed();
	file = fopen(beside, "wbe");
	fputs("half", file);
	fclose(file);
	struct merge_report report;
	assert_int_equal(merge_file(path, BYTES_MAX, &report, NULL), 0);
	assert_true(report.is_merged);
	assert_int_equal(access(beside, F_OK), -1);
}

static void write_tables(uint64_t tables)
{
	FILE *file = begin_file();
	char tag[32];

	for (uint64_t i = 0; i < tables; i++) {
		const struct ipc_origin origin = {"source", "run", tag};
		size_t count;
		snprintf(tag, sizeof(tag), "%d", (int)i);
		struct ipc_template *template;
		assert_int_equal(ipc_template_create(sample_schema(), &origin, &template, NULL), 0);
		for (uint64_t k = 1; k <= 2; k++) {
			uint8_t *bytes = sample_message(template, 1, k, false, &count);
			assert_int_equal(fwrite(bytes, 1, count, file), count);
			free(bytes);
		}
		ipc_template_destroy(template);
	}
	fclose(file);
}

/* The time grows with the square of their number, and sources wait. */
static void a_file_of_very_many_tables_stays(void **state)
{
	struct merge_report report;

	(void)state;
	write_tables(1025);
	expect_untouched(BYTES_MAX, "more than 1024 tables");
	write_tables(100);
	assert_int_equal(merge_file(path, BYTES_MAX, &report, NULL), 0);
	assert_true(report.is_merged);
}

/* Anybody may have written such a file: `verify` and the proof went on for ever. */
static void the_greatest_sequence_is_one(void **state)
{
	struct merge_report report;

	(void)state;
	alarm(60);
	FILE *file = begin_file();
	for (uint64_t i = 200; i > 0; i--)
		put(file, 0, 1, UINT64_MAX - i + 1, false);
	put(file, 0, 1, 0, false);
	fclose(file);
	uint64_t batches = verify().batches;
	assert_int_equal(merge_file(path, BYTES_MAX, &report, NULL), 0);
	if (!report.is_merged)
		fail_msg("%s", report.reason);
	assert_int_equal(verify().batches, batches);
	alarm(0);
}

/* A full disk, as a limit of the file's size: nothing is left of the attempt. */
static void a_full_disk_leaves_the_file(void **state)
{
	const struct rlimit limit = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
	struct merge_report report;
	struct enrg_error err = {0};
	struct stat before, after;
	struct rlimit old;

	(void)state;
	write_mixed();
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	int rc = merge_file(path, BYTES_MAX, &report, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(rc, -EFBIG);
	assert_false(report.is_merged);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(access(beside, F_OK), -1);
	assert_int_equal(verify().corrupted, 0);
}

/* The proof sees another value, order, sequence or time. */
static void the_proof_sees_every_difference(void **state)
{
	struct enrg_column_view views[SAMPLE_COLUMNS];

	(void)state;
	for (int change = 0; change < 5; change++) {
		struct merge_proof proofs[2] = {{.schema = sample_schema()}, {.schema = sample_schema()}};
		for (int side = 0; side < 2; side++) {
			for (uint64_t i = 1; i <= 3; i++) {
				struct enrg_batch batch = {0};
				struct ipc_message message;
				size_t count;
				bool is_other = side && i == 2;
				uint8_t *bytes = sample_message(templates[0], 7, i, false, &count);
				assert_int_equal(ipc_read_message(bytes, count, &message, NULL, NULL), 0);
				assert_int_equal(
					ipc_decode_batch(sample_schema(), bytes, count, views, &batch, NULL), 0);
				batch.columns = views;
				if (is_other && change == 1)
					((uint8_t *)(uintptr_t)views[3].values)[1] ^= 1;
				if (is_other && change == 2)
					((uint8_t *)(uintptr_t)views[1].values)[0] ^= 0x40;
				if (is_other && change == 3)
					message.stamp.epoch++;
				if (is_other && change == 4)
					((int32_t *)(uintptr_t)views[2].offsets)[2]++;
				assert_int_equal(merge_proof_add(&proofs[side], &message, &batch, NULL), 0);
				free(bytes);
			}
		}
		assert_int_equal(merge_proof_equal(&proofs[0], &proofs[1]), change == 0);
		merge_proof_fini(&proofs[0]);
		merge_proof_fini(&proofs[1]);
	}
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(small_batches_become_few),
		TEST(one_row_a_second_costs_little),
		TEST(others_stay_as_they_are),
		TEST(a_file_of_very_many_tables_stays),
		TEST(the_greatest_sequence_is_one),
		TEST(a_full_disk_leaves_the_file),
		TEST(the_proof_sees_every_difference),
	};
	return cmocka_run_group_tests_name("arrow.merge", tests, NULL, NULL);
}
