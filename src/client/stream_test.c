/* stream_test.c: batches of a source, observed through the library: typed columns, what was skipped, sampling, a stream
 * that is made anew, and one whose system is gone. */
#include "fixtures/supervisor.h"

#include <errno.h>

#include "arrow/ipc.h"
#include "enrgdaq/client.h"
#include "plane/stream.h"

static const struct enrg_column columns[] = {{"n", ENRG_I64, 0, "mm"}};
static const struct enrg_schema schema = {.column_count = 1, .columns = columns};
static char path[160];
static struct ipc_template *template;
static uint16_t routes[2];

static struct stream *make_stream(const char *run)
{
	const struct stream_params params = {.path = path,
		.source = "camera",
		.run = run,
		.supervisor = "lab",
		.data_bytes = 1 << 20,
		.record_bytes_max = 8000,
		.checks = true};
	struct stream *stream = NULL;
	void *bytes;
	uint32_t count;

	snprintf(path, sizeof(path), "%s/camera.stream", folder);
	assert_int_equal(ipc_encode_schema(&schema, NULL, &bytes, &count, NULL), 0);
	assert_int_equal(stream_create(&params, NULL), 0);
	assert_int_equal(stream_open(path, 0, &stream, NULL), 0);
	assert_int_equal(
		stream_add_route(stream, &(struct stream_route){.tag = "even", .schema = bytes, .schema_bytes = count},
			&routes[0], NULL),
		0);
	assert_int_equal(
		stream_add_route(stream, &(struct stream_route){.tag = "odd", .schema = bytes, .schema_bytes = count},
			&routes[1], NULL),
		0);
	free(bytes);
	assert_int_equal(ipc_template_create(&schema, &(struct ipc_origin){"camera", run, ""}, &template, NULL), 0);
	return stream;
}

static void end_stream(struct stream *stream)
{
	stream_close(stream, true);
	ipc_template_destroy(template);
}

/* A batch of the rows n, n + 1. */
static void write_two(struct stream *stream, int64_t n)
{
	uint64_t body = ipc_body_bytes(template, 2, NULL);
	uint32_t meta = ipc_meta_bytes(template);
	struct stream_claim claim;

	assert_int_equal(stream_claim(stream, meta + body, 0, &claim), 0);
	memset((uint8_t *)claim.payload + meta, 0, body);
	memcpy((uint8_t *)claim.payload + meta, (int64_t[]){n, n + 1}, 2 * sizeof(n));
	ipc_write_meta(template, claim.payload, 2, NULL, &(struct ipc_stamp){.sequence = (uint64_t)n + 1, .epoch = 1});
	stream_commit(stream, &(struct stream_commit){.type = RECORD_DATA,
				      .route = routes[n & 1],
				      .rows = 2,
				      .meta_bytes = meta,
				      .body_bytes = body});
}

static struct enrg_stream *observe(const struct enrg_stream_params *params)
{
	struct enrg_client *client;
	struct enrg_stream *stream;
	struct enrg_error err = {0};

	assert_int_equal(enrg_client_open("lab", &client, NULL), 0);
	if (enrg_stream_open(client, params, &stream, &err) < 0)
		fail_msg("%s", err.text);
	enrg_client_close(client); /* a stream outlives it */
	return stream;
}

static void test_batches(void **state)
{
	(void)state;
	const struct enrg_stream_params params = {.size = sizeof(params), .source = "camera"};
	struct stream *source = make_stream("r1");
	const struct enrg_batch *batch;
	const struct enrg_record *record;

	write_two(source, 0);
	struct enrg_stream *stream = observe(&params);
	assert_int_equal(enrg_stream_next(stream, &record, NULL), 0);
	assert_int_equal(enrg_stream_read(stream, &batch, NULL), -EINVAL);
	for (int64_t n = 1; n < 100; n++) {
		write_two(source, n);
		assert_int_equal(enrg_stream_next(stream, &record, NULL), 1);
		assert_int_equal(record->size, sizeof(*record));
		assert_int_equal(record->sequence, n + 1);
		assert_int_equal(record->rows, 2);
		assert_string_equal(record->tag, n & 1 ? "odd" : "even");
		assert_int_equal(record->skipped, 0);
		assert_int_equal(enrg_stream_read(stream, &batch, NULL), 0);
		assert_int_equal(batch->rows, 2);
		assert_string_equal(batch->source, "camera");
		assert_string_equal(batch->run, "r1");
		assert_string_equal(batch->tag, record->tag);
		assert_string_equal(batch->schema->columns[0].unit, "mm");
		assert_int_equal(((const int64_t *)batch->columns[0].values)[1], n + 1);
	}
	for (int64_t n = 100; n < 40000; n++)
		write_two(source, n); /* several laps: the first of them are overwritten */
	assert_int_equal(enrg_stream_next(stream, &record, NULL), 0);
	write_two(source, 40000);
	assert_int_equal(enrg_stream_next(stream, &record, NULL), 1);
	assert_int_equal(record->sequence, 40001);
	assert_int_equal(record->skipped, 39900);
	const struct enrg_stream_counts *counts = enrg_stream_get_counts(stream);
	assert_int_equal(counts->published_batches, 40000);
	assert_int_equal(counts->published_rows, 80000);
	assert_int_equal(counts->seen_batches, 100);
	assert_int_equal(counts->seen_rows, 200);
	assert_int_equal(counts->last_published, 40001);
	assert_false(counts->is_at_end);
	end_stream(source);
	assert_true(enrg_stream_get_counts(stream)->is_at_end);
	enrg_stream_close(stream);
}

static void test_sampling(void **state)
{
	(void)state;
	const struct enrg_stream_params third = {.size = sizeof(third), .source = "camera", .every = 3};
	const struct enrg_stream_params odd = {.size = sizeof(odd), .source = "camera", .tag = "odd"};
	const struct enrg_stream_params slow = {
		.size = sizeof(slow), .source = "camera", .interval_ns = 3600000000000u};
	struct stream *source = make_stream("r1");
	struct enrg_stream *thirds = observe(&third), *odds = observe(&odd), *slows = observe(&slow);
	const struct enrg_record *record;

	for (int64_t n = 0; n < 9; n++)
		write_two(source, n);
	for (int64_t n = 2; n < 9; n += 3) {
		assert_int_equal(enrg_stream_next(thirds, &record, NULL), 1);
		assert_int_equal(record->sequence, n + 1);
		assert_int_equal(record->skipped, 2);
	}
	assert_int_equal(enrg_stream_next(thirds, &record, NULL), 0);
	for (int64_t n = 1; n < 9; n += 2) {
		assert_int_equal(enrg_stream_next(odds, &record, NULL), 1);
		assert_int_equal(record->sequence, n + 1);
		assert_int_equal(record->skipped, 1);
	}
	assert_int_equal(enrg_stream_next(odds, &record, NULL), 0);
	assert_int_equal(enrg_stream_next(slows, &record, NULL), 1);
	assert_int_equal(record->sequence, 1);
	assert_int_equal(enrg_stream_next(slows, &record, NULL), 0);
	enrg_stream_close(thirds);
	enrg_stream_close(odds);
	enrg_stream_close(slows);
	end_stream(source);
}

static int await(struct enrg_stream *stream, int wanted, const struct enrg_record **ret_record)
{
	int rc = 0;

	for (int i = 0; i < 3000 && (rc = enrg_stream_next(stream, ret_record, NULL)) != wanted; i++)
		usleep(1000);
	return rc;
}

static void test_instances(void **state)
{
	(void)state;
	const struct enrg_stream_params params = {.size = sizeof(params), .source = "camera"};
	struct stream *source = make_stream("r1");
	struct enrg_stream *stream = observe(&params);
	const struct enrg_record *record;
	const struct enrg_batch *batch;

	write_two(source, 0);
	assert_int_equal(enrg_stream_next(stream, &record, NULL), 1);
	assert_int_equal(record->instance, 1);
	end_supervisor();
	assert_int_equal(await(stream, -EAGAIN, &record), -EAGAIN); /* the file stands there, and nobody */
	begin_supervisor(getpid());
	assert_int_equal(await(stream, 0, &record), 0);
	write_two(source, 1);
	assert_int_equal(enrg_stream_next(stream, &record, NULL), 1);
	end_stream(source);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(await(stream, -EAGAIN, &record), -EAGAIN);
	source = make_stream("r2");
	assert_int_equal(await(stream, 0, &record), 0);
	write_two(source, 0);
	assert_int_equal(enrg_stream_next(stream, &record, NULL), 1);
	assert_int_equal(record->instance, 2);
	assert_int_equal(record->skipped, 0);
	assert_int_equal(enrg_stream_read(stream, &batch, NULL), 0);
	assert_string_equal(batch->run, "r2");
	assert_int_equal(enrg_stream_get_counts(stream)->published_batches, 3);
	assert_int_equal(enrg_stream_get_counts(stream)->seen_batches, 3);
	end_stream(source);
	assert_int_equal(truncate(path, 5000), 0);
	assert_int_equal(await(stream, -EAGAIN, &record), -EAGAIN);
	enrg_stream_close(stream);
}

static void test_no_such_source(void **state)
{
	(void)state;
	const struct enrg_stream_params params = {.size = sizeof(params), .source = "nobody"}, small = {.size = 4};
	struct stream *source = make_stream("r1");
	const char *const *names;
	struct enrg_client *client;
	struct enrg_stream *stream;
	struct enrg_error err = {0};

	assert_int_equal(enrg_client_open("lab", &client, NULL), 0);
	assert_int_equal(enrg_stream_open(client, &params, &stream, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no source named \"nobody\" has a stream; there are: camera"));
	assert_int_equal(enrg_stream_open(client, &small, &stream, &err), -EINVAL);
	assert_int_equal(enrg_client_sources(client, &names, NULL), 0);
	assert_string_equal(names[0], "camera");
	assert_null(names[1]);
	end_stream(source);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(enrg_client_sources(client, &names, NULL), 0);
	assert_null(names[0]);
	end_supervisor();
	assert_int_equal(enrg_stream_open(client, &params, &stream, &err), -EAGAIN);
	assert_int_equal(enrg_client_sources(client, &names, NULL), -EAGAIN);
	enrg_client_close(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_batches, setup_supervisor, teardown_supervisor),
		cmocka_unit_test_setup_teardown(test_sampling, setup_supervisor, teardown_supervisor),
		cmocka_unit_test_setup_teardown(test_instances, setup_supervisor, teardown_supervisor),
		cmocka_unit_test_setup_teardown(test_no_such_source, setup_supervisor, teardown_supervisor),
	};

	return cmocka_run_group_tests_name("client.stream", tests, NULL, NULL);
}
