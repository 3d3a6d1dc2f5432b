/* pairs.c: a processor: adds up two rows that follow each other. Also the example of docs/writing-a-processor.md. Built
 * outside the tree, as C and as C++; knows the installed headers alone. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <enrgdaq/message.h>
#include <enrgdaq/processor.h>

struct pairs_options {
	int64_t factor;
};

static const struct enrg_option pairs_option_list[] = {
	{.key = "factor",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct pairs_options, factor),
		.default_value = "1",
		.help = "What each sum is multiplied by."},
	{.key = NULL},
};

static const struct enrg_column pairs_columns[] = {{.name = "sum", .type = ENRG_I64}};
static const struct enrg_schema pairs_schema = {.column_count = 1, .columns = pairs_columns};

struct pairs {
	struct enrg_processor *processor;
	const struct pairs_options *options;
	struct enrg_output *output;
	int64_t factor; /* as a command has set it; 0: that of its file */
	int64_t first;  /* of a pair that is open */
	int64_t is_open;
};

static int pairs_start(struct enrg_processor *processor, const void *options, void **ret_state, struct enrg_error *err)
{
	struct pairs *self = (struct pairs *)calloc(1, sizeof(*self));

	if (!self)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	self->processor = processor;
	self->options = (const struct pairs_options *)options;
	int rc = enrg_output_open(
		enrg_processor_job(processor), "store_config", NULL, &pairs_schema, &self->output, err);
	if (rc < 0) {
		free(self);
		return rc;
	}
	*ret_state = self;
	return 0;
}

static int64_t factor_of(const struct pairs *self)
{
	return self->factor ? self->factor : self->options->factor;
}

/* One sum; it takes in the rows that it is made of. */
static int put_sum(struct pairs *self, int64_t sum, uint64_t rows, struct enrg_error *err)
{
	struct enrg_value value;

	memset(&value, 0, sizeof(value));
	value.i = sum * factor_of(self);
	int rc = enrg_output_append(self->output, &value, err);
	return rc < 0 ? rc : enrg_processor_count(self->processor, 0, rows, NULL);
}

static int64_t pairs_process(
	void *state, uint32_t input, const struct enrg_batch *batch, uint64_t row, struct enrg_error *err)
{
	struct pairs *self = (struct pairs *)state;
	const int64_t *values = (const int64_t *)batch->columns[0].values;
	uint64_t begin = row;

	(void)input;
	if (batch->schema->columns[0].type != ENRG_I64)
		return enrg_error_set(err, ENRG_E_CONFIG, "the first column of %s is not int64", batch->source);
	for (; row < batch->rows; row++) {
		if (!self->is_open) {
			self->first = values[row];
			self->is_open = 1;
			continue;
		}
		int rc = put_sum(self, self->first + values[row], 2, err);
		if (rc < 0)
			return rc;
		self->is_open = 0;
	}
	return (int64_t)(row - begin);
}

static int pairs_flush(void *state, struct enrg_error *err)
{
	struct pairs *self = (struct pairs *)state;

	if (!self->is_open)
		return 0;
	self->is_open = 0;
	return put_sum(self, self->first, 1, err);
}

static int pairs_save(void *state, void *bytes, uint64_t capacity, uint64_t *ret_count, struct enrg_error *err)
{
	const struct pairs *self = (const struct pairs *)state;
	const int64_t saved[] = {self->is_open, self->first, self->factor};

	(void)err;
	*ret_count = sizeof(saved);
	if (capacity < sizeof(saved))
		return -ENOSPC;
	memcpy(bytes, saved, sizeof(saved));
	return 0;
}

static int pairs_load(void *state, const void *bytes, uint64_t count, struct enrg_error *err)
{
	struct pairs *self = (struct pairs *)state;
	int64_t saved[3];

	if (count != sizeof(saved))
		return enrg_error_set(err, ENRG_E_CORRUPT, "its state has %llu bytes", (unsigned long long)count);
	memcpy(saved, bytes, sizeof(saved));
	self->is_open = saved[0];
	self->first = saved[1];
	self->factor = saved[2];
	return 0;
}

/* The command set_factor. It acts between two steps, and is answered when the checkpoint with its effect is made. */
struct pairs_set_factor {
	int64_t factor;
};

static const struct enrg_option pairs_set_factor_fields[] = {
	{.key = "factor",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct pairs_set_factor, factor),
		.required = true,
		.min = 1,
		.max = 1000000,
		.help = "What each sum is multiplied by from now on."},
	{.key = NULL},
};

static int pairs_receive_factor(
	struct enrg_job *job, void *state, const void *body, struct enrg_answer *answer, struct enrg_error *err)
{
	struct pairs *self = (struct pairs *)state;

	(void)job;
	(void)err;
	enrg_fields_set_int(enrg_answer_fields(answer), "before", factor_of(self));
	self->factor = ((const struct pairs_set_factor *)body)->factor;
	return 0;
}

static const struct enrg_message_type pairs_set_factor_type = {
	.size = sizeof(struct enrg_message_type),
	.kind = "set_factor",
	.summary = "Sets the factor of later sums.",
	.body = {.size = sizeof(struct pairs_set_factor), .options = pairs_set_factor_fields},
	.receive = pairs_receive_factor,
};
static const struct enrg_message_type *const pairs_messages[] = {&pairs_set_factor_type, NULL};

static const struct enrg_job_group pairs_groups[] = {
	{.key = "store_config", .required = true, .help = "Where the sums go."},
	{.key = NULL},
};

static const struct enrg_processor_type pairs_type = {
	.size = sizeof(struct enrg_processor_type),
	.name = "DAQJobPairs",
	.summary = "Adds up two rows that follow each other.",
	.options = {.size = sizeof(struct pairs_options), .options = pairs_option_list},
	.groups = pairs_groups,
	.start = pairs_start,
	.process = pairs_process,
	.save = pairs_save,
	.load = pairs_load,
	.flush = pairs_flush,
	.destroy = free,
	.messages = pairs_messages,
};
static const struct enrg_processor_type *const pairs_processors[] = {&pairs_type, NULL};

ENRG_MODULE = {
	.abi = ENRG_MODULE_ABI,
	.size = sizeof(struct enrg_module),
	.option_bytes = sizeof(struct enrg_option),
	.name = "pairs",
	.processors = pairs_processors,
};
