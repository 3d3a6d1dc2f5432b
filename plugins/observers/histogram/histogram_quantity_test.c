/* histogram_quantity_test.c: what an axis shows of a batch: columns of all types, and pulses of waveforms. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "quantity.h"

static struct quantity_values values; /* large */

static void test_names(void **state)
{
	struct quantity quantity;
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(quantity_parse("energy", &quantity, NULL), 0);
	assert_int_equal(quantity.kind, QUANTITY_COLUMN);
	assert_int_equal(quantity_parse("charge(samples)", &quantity, NULL), 0);
	assert_int_equal(quantity.kind, QUANTITY_CHARGE);
	assert_string_equal(quantity.column, "samples");
	assert_int_equal(quantity_parse("delta_t(a b)", &quantity, NULL), 0);
	assert_int_equal(quantity.kind, QUANTITY_DELTA_T);
	assert_int_equal(quantity_parse("mass(samples)", &quantity, &err), ENRG_E_CONFIG);
	assert_non_null(strstr(err.text, "amplitude(COLUMN)"));
	assert_int_equal(quantity_parse("charge()", &quantity, NULL), ENRG_E_CONFIG);
	assert_int_equal(quantity_parse("", &quantity, NULL), ENRG_E_CONFIG);
}

static const struct enrg_column columns[] = {
	{.name = "real_ns_timestamp", .type = ENRG_U64},
	{.name = "channel", .type = ENRG_U8},
	{.name = "samples", .type = ENRG_LIST, .item = ENRG_I16},
	{.name = "energy", .type = ENRG_F32},
	{.name = "text", .type = ENRG_STRING},
};
static const struct enrg_schema schema = {.column_count = 5, .columns = columns};

#define RECORD 40

/* Three records of two channels; pulses of -200 counts at samples 10 and (the third) 30. */
static void make_batch(struct enrg_column_view views[5], struct enrg_batch *ret_batch)
{
	static const uint64_t times[] = {1800000000000000100, 1800000000000000150, 1800000000000001100};
	static const uint8_t channels[] = {1, 2, 1}, valid = 0x5;
	static const float energies[] = {1.5f, 2.5f, 3.5f};
	static const int32_t offsets[] = {0, RECORD, 2 * RECORD, 3 * RECORD};
	static int16_t samples[3 * RECORD];

	for (int i = 0; i < 3 * RECORD; i++)
		samples[i] = 1000;
	samples[10] = samples[RECORD + 10] = samples[2 * RECORD + 10] = samples[2 * RECORD + 30] = 800;
	memset(views, 0, 5 * sizeof(*views));
	views[0].values = times;
	views[1].values = channels;
	views[2].values = samples;
	views[2].offsets = offsets;
	views[3].values = energies;
	views[3].validity = &valid;
	*ret_batch = (struct enrg_batch){.schema = &schema, .rows = 3, .columns = views};
}

static int take(const char *text, int64_t channel)
{
	const struct quantity_params params = {
		.polarity = PULSE_NEGATIVE, .threshold = 20, .sample_ns = 2, .channel = channel};
	struct enrg_column_view views[5];
	struct quantity_place place;
	struct quantity quantity;
	struct enrg_batch batch;
	int rc = quantity_parse(text, &quantity, NULL);

	make_batch(views, &batch);
	memset(values.last, 0, sizeof(values.last));
	if (rc == 0)
		rc = quantity_find(&quantity, &params, &schema, &place, NULL);
	return rc < 0 ? rc : quantity_take(&quantity, &params, &place, &batch, &values);
}

static void test_columns(void **state)
{
	(void)state;
	assert_int_equal(take("energy", -1), 0);
	assert_int_equal(values.count, 3);
	assert_true(values.items[0] == 1.5 && isnan(values.items[1]) && values.items[2] == 3.5);
	assert_int_equal(take("energy", 1), 0);
	assert_int_equal(values.count, 2);
	assert_true(values.items[1] == 3.5);
	assert_int_equal(take("channel", -1), 0);
	assert_true(values.items[1] == 2);
	assert_int_equal(take("nothing", -1), -ENOENT);
	assert_int_equal(take("text", -1), -EINVAL);
	assert_int_equal(take("samples", -1), -EINVAL);
	assert_int_equal(take("charge(energy)", -1), -EINVAL);
}

static void test_pulses(void **state)
{
	(void)state;
	assert_int_equal(take("amplitude(samples)", -1), 0);
	assert_int_equal(values.count, 3);
	assert_true(fabs(values.items[0] - 200) < 1);
	assert_int_equal(take("charge(samples)", 1), 0);
	assert_int_equal(values.count, 2);
	assert_true(fabs(values.items[0] - 200) < 10 && fabs(values.items[1] - 400) < 10);
}

/* Of channel 1: from the first record to the third, 1,000 ns, and within it from sample 10 to 30. To the ns, although a
 * time since 1970 has 256 of them in a double. */
static void test_times_between_pulses(void **state)
{
	(void)state;
	assert_int_equal(take("delta_t(samples)", -1), 0);
	assert_int_equal(values.count, 2);
	assert_true(fabs(values.items[0] - 1000) < 0.01);
	assert_true(fabs(values.items[1] - 40) < 0.01);
}

static int tear_down(void **state)
{
	(void)state;
	quantity_values_fini(&values);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_pulses),
		cmocka_unit_test(test_times_between_pulses),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
