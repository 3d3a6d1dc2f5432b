/* public_test.c: what an existing .arrows file is taken for, cut at every byte. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "arrow/ipc.h"
#include "base/crc32c.h"
#include "enrgdaq/store.h"

static const struct enrg_column columns[] = { { .name = "a", .type = ENRG_I64 }, { .name = "b", .type = ENRG_F64 } };
static const struct enrg_schema schema = { .column_count = 2, .columns = columns };
static const struct enrg_schema narrow = { .column_count = 1, .columns = columns };

static _Alignas(64) uint8_t stream[65536];
static size_t ends[4]; /* behind the schema and each batch */

static void add_batch(struct ipc_template *template, unsigned index)
{
	struct ipc_stamp stamp = { .sequence = index, .epoch = 1, .acquired_ns = 5 };
	uint64_t rows = 10 * index, body_bytes = ipc_body_bytes(template, rows, NULL);
	uint32_t meta_bytes = ipc_meta_bytes(template);
	uint8_t *at = stream + ends[index - 1];

	memset(at + meta_bytes, (int)index, body_bytes);
	stamp.body_crc = crc32c(0, at + meta_bytes, body_bytes);
	ipc_write_meta(template, at, rows, NULL, &stamp);
	ends[index] = ends[index - 1] + meta_bytes + body_bytes;
}

static int build_stream(void **state)
{
	const struct ipc_origin origin = { "source", "run", "" };
	struct ipc_template *template;
	void *bytes;
	uint32_t count;

	(void)state;
	assert_int_equal(enrg_schema_format_ipc(&schema, "source", &bytes, &count, NULL), 0);
	memcpy(stream, bytes, count);
	free(bytes);
	ends[0] = count;
	assert_int_equal(ipc_template_create(&schema, &origin, &template, NULL), 0);
	for (unsigned i = 1; i <= 3; i++)
		add_batch(template, i);
	ipc_template_destroy(template);
	return 0;
}

static void check(const void *bytes, size_t count, const struct enrg_schema *wanted_schema,
	enum enrg_ipc_content wanted, uint64_t wanted_good)
{
	int descriptor = memfd_create("public", MFD_CLOEXEC);
	enum enrg_ipc_content content;
	uint64_t good;

	assert_true(descriptor >= 0);
	assert_int_equal(write(descriptor, bytes, count), count);
	assert_int_equal(enrg_ipc_inspect(descriptor, wanted_schema, &content, &good, NULL), 0);
	assert_int_equal(content, wanted);
	if (content == ENRG_IPC_OURS)
		assert_int_equal(good, wanted_good);
	close(descriptor);
}

static void every_cut_is_found(void **state)
{
	(void)state;
	for (size_t count = 0; count <= ends[3]; count++) {
		size_t good = 0;

		for (unsigned i = 0; i <= 3; i++)
			if (ends[i] <= count)
				good = ends[i];
		check(stream, count, &schema, ENRG_IPC_OURS, good);
	}
}

static void tails_are_cut(void **state)
{
	static uint8_t copy[sizeof(stream)];

	(void)state;
	memset(copy, 0, sizeof(copy));
	memcpy(copy, stream, ends[3]);
	check(copy, ends[3] + 5000, &schema, ENRG_IPC_OURS, ends[3]);
	memset(copy + ends[3], 0xFF, 4);
	check(copy, ends[3] + 8, &schema, ENRG_IPC_OURS, ends[3]);
	copy[ends[3] - 20] ^= 1; /* in the last body */
	check(copy, ends[3], &schema, ENRG_IPC_OURS, ends[2]);
}

static void others_are_left_alone(void **state)
{
	static uint8_t copy[sizeof(stream)];

	(void)state;
	check(stream, ends[3], &narrow, ENRG_IPC_OTHER, 0);
	check("some text of somebody\n", 22, &schema, ENRG_IPC_OTHER, 0);
	check("\0\0\0\0\0\0\0\0\0\0", 10, &schema, ENRG_IPC_OTHER, 0);
	check(stream + ends[0], ends[1] - ends[0], &schema, ENRG_IPC_OTHER, 0);
	memcpy(copy, stream, ends[3]);
	copy[ends[1] + 100] ^= 1; /* in the head of the second batch */
	check(copy, ends[3], &schema, ENRG_IPC_DAMAGED, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cut_is_found),
		cmocka_unit_test(tails_are_cut),
		cmocka_unit_test(others_are_left_alone),
	};

	return cmocka_run_group_tests(tests, build_stream, NULL);
}
