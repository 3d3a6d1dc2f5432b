/* instrument.c: a driver of hardware behind a library whose calls take their time: a device thread, and a wait for its
 * results. Built outside the tree, as C17 and as C++20; knows the installed headers alone. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <enrgdaq/device.h>
#include <enrgdaq/job.h>

#define DEADLINE_NS  300000000ull
#define ON_THEIR_WAY 4

struct instrument_options {
	int64_t readings, hangs_at;
};

struct instrument {
	const struct instrument_options *options;
	struct enrg_device *device;
	struct enrg_output *output;
	int64_t posted, taken;
	int64_t boards; /* as the library says */
	int64_t buffers[ON_THEIR_WAY];
};

static const struct enrg_option instrument_option_list[] = {
	{.key = "readings",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct instrument_options, readings),
		.default_value = "1000",
		.min = 1,
		.max = 1e9,
		.help = "In all."},
	{.key = "hangs_at",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct instrument_options, hangs_at),
		.default_value = "-1",
		.min = -1,
		.max = 1e9,
		.help = "The reading at which the library hangs; -1: none."},
	{.key = NULL},
};

/* --- the library ----------------------------------------------------------------------------------------------------
 */

static int64_t hangs_at;
static int64_t next_reading;

static int library_open(void *context, struct enrg_error *err)
{
	int64_t *boards = (int64_t *)context;

	(void)err;
	usleep(20000);
	*boards = 1;
	return 0;
}

static int library_read(void *context, struct enrg_error *err)
{
	int64_t *reading = (int64_t *)context;

	(void)err;
	if (next_reading == hangs_at)
		pause();
	*reading = next_reading++;
	return 0;
}

/* --- the driver -----------------------------------------------------------------------------------------------------
 */

static void instrument_destroy(void *state)
{
	struct instrument *self = (struct instrument *)state;

	/* what hangs may still use the buffers */
	if (self && enrg_device_destroy(self->device))
		free(self);
}

static int instrument_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	static const struct enrg_column columns[] = {{.name = "reading", .type = ENRG_I64}};
	static const struct enrg_schema schema = {.column_count = 1, .columns = columns};
	struct instrument *self = (struct instrument *)calloc(1, sizeof(*self));

	if (!self)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	self->options = (const struct instrument_options *)options;
	hangs_at = self->options->hangs_at;
	int rc = enrg_output_open(job, "store_config", NULL, &schema, &self->output, err);
	if (rc == 0)
		rc = enrg_device_create(job, "board", ON_THEIR_WAY, &self->device, err);
	struct enrg_device_work open = {"Open", library_open, &self->boards, DEADLINE_NS};
	if (rc == 0)
		rc = enrg_device_call(self->device, &open, err);
	if (rc == 0 && self->boards != 1)
		rc = enrg_error_set(err, -ENODEV, "no board");
	if (rc < 0) {
		instrument_destroy(self);
		return rc;
	}
	*ret_state = self;
	return 0;
}

static int take_readings(struct instrument *self, struct enrg_error *err)
{
	struct enrg_device_result result;

	while (enrg_device_take(self->device, &result)) {
		struct enrg_value value;

		if (result.rc < 0)
			return enrg_error_set(err, result.rc, "%s: %s", result.name, result.err.text);
		value.i = *(const int64_t *)result.context;
		value.count = 0;
		self->taken++;
		int rc = enrg_output_append(self->output, &value, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int instrument_poll(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct instrument *self = (struct instrument *)state;
	struct pollfd entry = {.fd = enrg_device_descriptor(self->device), .events = POLLIN, .revents = 0};

	while (self->posted < self->options->readings) {
		int64_t *buffer = &self->buffers[self->posted % ON_THEIR_WAY];
		struct enrg_device_work read = {"Read", library_read, buffer, DEADLINE_NS};

		if (enrg_device_post(self->device, &read) < 0)
			break;
		self->posted++;
	}
	int rc = enrg_job_wait_fd(job, &entry, 1, UINT64_MAX, err);
	if (rc > 0)
		rc = take_readings(self, err);
	if (rc < 0)
		return rc;
	return self->taken == self->options->readings ? ENRG_POLL_DONE : ENRG_POLL_AGAIN;
}

static const struct enrg_job_group instrument_groups[] = {
	{.key = "store_config", .required = true, .help = "Where the readings go."},
	{.key = NULL},
};

static const struct enrg_job_type instrument_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobInstrument",
	.summary = "Reads a board that is slow, or hangs.",
	.options = {.size = sizeof(struct instrument_options), .options = instrument_option_list},
	.groups = instrument_groups,
	.start = instrument_start,
	.poll = instrument_poll,
	.destroy = instrument_destroy,
};
static const struct enrg_job_type *const instrument_jobs[] = {&instrument_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, "instrument", instrument_jobs, NULL}; /* as C++ takes it, too */
