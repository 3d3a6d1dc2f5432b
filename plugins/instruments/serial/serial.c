/* serial.c: DAQJobSerial: lines of text from a serial port or a TCP connection become rows. The example of a driver:
 * the bytes are protocol.c's, the descriptor is port.c's, and here is what the framework calls. It sleeps in
 * enrg_job_wait_fd until the instrument says something, and has a device thread for the one call that blocks: asking
 * for the address of a host. Runs in its own job process, on the main thread. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "enrgdaq/device.h"
#include "enrgdaq/job.h"
#include "identity.h"
#include "options.h"
#include "port.h"
#include "protocol.h"

#define NS_PER_S     UINT64_C(1000000000)
#define RETRY_MIN_NS (NS_PER_S / 4)
#define RETRY_MAX_NS (5 * NS_PER_S)
#define CONNECT_NS   (5 * NS_PER_S)
#define FIND_NS      (120 * NS_PER_S) /* a name service gives up long before */
#define TOLD_EVERY_NS                                                                                                  \
	(60 * NS_PER_S) /* alerts about a line that comes and goes, words about lines that don't match                 \
			 */
#define OWED_NS          (10 * NS_PER_S) /* an answer, where there is no timeout_seconds */
#define READ_BYTES       16384u
#define READS_MAX        16u /* of one poll, so that others have their turn */
#define NEVER            UINT64_MAX
#define UNMATCHED_POLICY "lines that do not match `pattern`"

enum phase { PHASE_CLOSED, PHASE_CONNECTING, PHASE_OPEN };

struct serial {
	struct enrg_job *job;
	const struct serial_options *options;
	struct enrg_output *output;
	struct enrg_device *names; /* makes the calls that block; NULL: none was needed */
	struct pattern pattern;
	struct lines lines;
	struct port_address address;
	char where[300]; /* "/dev/ttyUSB0", "host:port" */

	enum phase phase;
	int descriptor;
	uint64_t retry_ns, retry_step_ns, connect_until_ns;

	/* asking */
	uint64_t next_ask_ns, asked_ns; /* asked_ns 0: nothing is owed */
	size_t unsent;                  /* bytes at the end of `ask` */

	/* what was said of it */
	uint64_t row_ns;  /* of the last row, or when the waiting for one began */
	uint64_t gone_ns; /* since when it is not there; 0 = it is */
	uint64_t gone_told_ns, unmatched_told_ns;
	bool is_gone_told, is_silent_told;
	uint64_t bytes, unmatched, too_long_told; /* bytes: since row_ns */
};

static uint64_t mono_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static int64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint64_t to_ns(double seconds)
{
	return (uint64_t)(seconds * 1e9);
}

/* --- what its operator hears ------------------------------------------------------------------------------------- */

/* It is not there (any more). One alert an outage, and not more than one a minute: a line that comes and goes. */
static void say_gone(struct serial *serial, uint64_t now_ns, const char *why)
{
	if (serial->gone_ns)
		return;
	serial->gone_ns = now_ns;
	serial->is_gone_told = !serial->gone_told_ns || now_ns - serial->gone_told_ns >= TOLD_EVERY_NS;
	if (!serial->is_gone_told) {
		enrg_job_log(serial->job, ENRG_WARNING, "%s: %s", serial->where, why);
		return;
	}
	serial->gone_told_ns = now_ns;
	enrg_job_alert(serial->job, ENRG_WARNING,
		"%s: %s: no rows until it is there again, and what it says meanwhile is missing; it is tried again at "
		"least every %u s; see plug, cable and power",
		serial->where, why, (unsigned)(RETRY_MAX_NS / NS_PER_S));
}

/* A row came. */
static void say_back(struct serial *serial, uint64_t now_ns)
{
	if (serial->gone_ns && serial->is_gone_told)
		enrg_job_alert(serial->job, ENRG_INFO, "%s: there are rows again, after %.1f s without", serial->where,
			(double)(now_ns - serial->gone_ns) / 1e9);
	else if (serial->is_silent_told)
		enrg_job_alert(serial->job, ENRG_INFO, "%s: there are rows again, after %.1f s without", serial->where,
			(double)(now_ns - serial->row_ns) / 1e9);
	serial->gone_ns = 0;
	serial->is_gone_told = serial->is_silent_told = false;
}

static uint64_t silent_ns(const struct serial *serial)
{
	bool is_due = serial->options->timeout_seconds > 0 && serial->phase == PHASE_OPEN && !serial->is_silent_told;

	return is_due ? serial->row_ns + to_ns(serial->options->timeout_seconds) : NEVER;
}

static void say_silent(struct serial *serial, uint64_t now_ns)
{
	if (now_ns < silent_ns(serial))
		return;
	serial->is_silent_told = true;
	if (serial->bytes)
		enrg_job_alert(serial->job, ENRG_WARNING,
			"%s: %" PRIu64
			" bytes and no line that matches `pattern` for %g s: no rows meanwhile; see baud_rate, "
			"parity, line_end and pattern (the log quotes a line)",
			serial->where, serial->bytes, serial->options->timeout_seconds);
	else
		enrg_job_alert(serial->job, ENRG_WARNING,
			"%s: silent for %g s: no rows meanwhile; see whether the instrument is switched on%s",
			serial->where, serial->options->timeout_seconds,
			serial->options->ask ? " and whether `ask` is what it understands" : "");
}

/* The first one is quoted at once, later ones once a minute. The ledger counts them all. */
static void note_unmatched(struct serial *serial, const char *line, size_t length, uint64_t now_ns)
{
	char quoted[160];

	enrg_output_count_dropped(serial->output, 1, UNMATCHED_POLICY);
	serial->unmatched++;
	if (serial->unmatched_told_ns && now_ns - serial->unmatched_told_ns < TOLD_EVERY_NS)
		return;
	serial->unmatched_told_ns = now_ns;
	line_quote(line, length, quoted, sizeof(quoted));
	enrg_job_log(serial->job, ENRG_WARNING,
		"%s: \"%s\" does not match `pattern`: it makes no row; such lines so far: %" PRIu64, serial->where,
		quoted, serial->unmatched);
}

static void note_too_long(struct serial *serial)
{
	uint64_t news = serial->lines.too_long - serial->too_long_told;

	if (!news)
		return;
	enrg_output_count_dropped(serial->output, news, UNMATCHED_POLICY);
	if (!serial->too_long_told)
		enrg_job_log(serial->job, ENRG_WARNING,
			"%s: a line of more than %u bytes makes no row; see line_end and baud_rate; such lines are "
			"counted",
			serial->where, LINE_BYTES_MAX);
	serial->too_long_told = serial->lines.too_long;
}

/* --- coming and going -------------------------------------------------------------------------------------------- */

static void close_port(struct serial *serial)
{
	if (serial->descriptor >= 0)
		close(serial->descriptor);
	serial->descriptor = -1;
	serial->phase = PHASE_CLOSED;
}

static void lose(struct serial *serial, const char *why)
{
	uint64_t now_ns = mono_ns();

	close_port(serial);
	serial->retry_ns = now_ns + serial->retry_step_ns;
	serial->retry_step_ns *= 2;
	if (serial->retry_step_ns > RETRY_MAX_NS)
		serial->retry_step_ns = RETRY_MAX_NS;
	say_gone(serial, now_ns, why);
}

static void note_open(struct serial *serial)
{
	serial->phase = PHASE_OPEN;
	serial->row_ns = serial->next_ask_ns = mono_ns();
	serial->asked_ns = serial->bytes = 0;
	serial->unsent = 0;
	lines_reset(&serial->lines, !serial->options->ask && serial->options->drop_first_line);
}

struct search {
	const char *host;
	int64_t port;
	struct port_address address;
};

/* On the device thread: the name service may take half a minute to say that it does not answer. */
static int find_host(void *context, struct enrg_error *err)
{
	struct search *search = context;

	return port_find(search->host, search->port, false, &search->address, err);
}

static int find_address(struct serial *serial, struct enrg_error *err)
{
	const struct serial_options *options = serial->options;
	struct search search = {.host = options->host, .port = options->port};
	int rc = port_find(options->host, options->port, true, &serial->address, err);

	if (rc != -EAGAIN)
		return rc;
	if (!serial->names && (rc = enrg_device_create(serial->job, "names", 1, &serial->names, err)) < 0)
		return rc;
	const struct enrg_device_work work = {"getaddrinfo", find_host, &search, FIND_NS};
	rc = enrg_device_call(serial->names, &work, err);
	if (rc == 0)
		serial->address = search.address;
	return rc;
}

/* What stands behind the port can be asked by its own commands alone; the adapter, or the address, is known. */
static void identify(const struct serial *serial)
{
	struct identity identity = {0};

	if (serial->options->device && identity_read("/sys", serial->options->device, &identity))
		enrg_job_identify(serial->job, identity.model, identity.serial, identity.firmware);
	else
		enrg_job_identify(serial->job, serial->where, "", "");
}

/* The instrument that is not there is no failure of the job: it is tried again. */
static void open_port(struct serial *serial)
{
	const struct serial_options *options = serial->options;
	const struct port_line line = serial_line(options);
	struct enrg_error err = {0};
	int rc;

	if (options->device) {
		rc = port_open_device(options->device, &line, &err);
	} else {
		rc = find_address(serial, &err);
		rc = rc < 0 ? rc : port_connect(&serial->address, &err);
	}
	if (rc < 0) {
		lose(serial, err.text);
		return;
	}
	serial->descriptor = rc;
	serial->phase = PHASE_CONNECTING;
	serial->connect_until_ns = mono_ns() + CONNECT_NS;
	identify(serial);
	if (options->device)
		note_open(serial);
}

static void finish_connect(struct serial *serial, short revents, uint64_t now_ns)
{
	struct enrg_error err = {0};

	if (!revents && now_ns < serial->connect_until_ns)
		return;
	if (!revents)
		lose(serial, "can't connect: no answer within 5 s");
	else if (port_finish(serial->descriptor, &err) < 0)
		lose(serial, err.text);
	else
		note_open(serial);
}

/* --- lines ------------------------------------------------------------------------------------------------------- */

static int take_line(struct serial *serial, char *line, size_t length, struct enrg_error *err)
{
	struct enrg_value values[1 + PATTERN_COLUMNS_MAX] = {{.i = wall_ms()}};
	uint64_t now_ns = mono_ns();

	if (!pattern_match(&serial->pattern, line, length, values + 1)) {
		if (strspn(line, " \t") < length)
			note_unmatched(serial, line, length, now_ns);
		return 0;
	}
	say_back(serial, now_ns);
	serial->row_ns = now_ns;
	serial->asked_ns = serial->bytes = 0;
	serial->retry_step_ns = RETRY_MIN_NS;
	return enrg_output_append(serial->output, values, err);
}

static int take_bytes(struct serial *serial, const char *bytes, size_t count, struct enrg_error *err)
{
	size_t length;
	char *line;
	int rc = 0;

	serial->bytes += count;
	while (rc == 0 && (line = lines_next(&serial->lines, &bytes, &count, &length)))
		rc = take_line(serial, line, length, err);
	note_too_long(serial);
	return rc;
}

/* What is there now. 0, also where the instrument is gone then. */
static int read_port(struct serial *serial, struct enrg_error *err)
{
	char bytes[READ_BYTES];

	for (unsigned i = 0; i < READS_MAX && serial->phase == PHASE_OPEN; i++) {
		struct enrg_error why = {0};
		int got = port_read(serial->descriptor, bytes, sizeof(bytes), &why);
		if (got < 0)
			lose(serial, why.text);
		if (got <= 0)
			return 0;
		int rc = take_bytes(serial, bytes, (size_t)got, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void send_rest(struct serial *serial)
{
	const char *ask = serial->options->ask;
	struct enrg_error why = {0};

	if (!serial->unsent || serial->phase != PHASE_OPEN)
		return;
	int gone = port_write(serial->descriptor, ask + strlen(ask) - serial->unsent, serial->unsent, &why);
	if (gone < 0)
		lose(serial, why.text);
	else
		serial->unsent -= (size_t)gone;
}

/* On a schedule that does not drift. While an answer is owed nothing is asked, which would garble it: such ticks are
 * missed, and counted. */
static void ask_if_due(struct serial *serial, uint64_t now_ns)
{
	uint64_t interval_ns = to_ns(serial->options->interval_seconds);
	uint64_t patience_ns = serial->options->timeout_seconds > 0 ? to_ns(serial->options->timeout_seconds) : OWED_NS;

	if (!serial->options->ask || serial->phase != PHASE_OPEN || now_ns < serial->next_ask_ns)
		return;
	uint64_t ticks = (now_ns - serial->next_ask_ns) / interval_ns + 1;
	bool is_owed = serial->unsent || (serial->asked_ns && now_ns - serial->asked_ns < patience_ns);
	serial->next_ask_ns += ticks * interval_ns;
	enrg_job_count_missed(serial->job, is_owed ? ticks : ticks - 1);
	if (is_owed)
		return;
	serial->asked_ns = now_ns;
	serial->unsent = strlen(serial->options->ask);
	send_rest(serial);
}

/* --- what the framework calls ------------------------------------------------------------------------------------ */

static uint64_t next_look(const struct serial *serial)
{
	uint64_t until_ns = NEVER, told_ns = silent_ns(serial);

	switch (serial->phase) {
	case PHASE_CLOSED:
		return serial->retry_ns;
	case PHASE_CONNECTING:
		return serial->connect_until_ns;
	case PHASE_OPEN:
		until_ns = serial->options->ask ? serial->next_ask_ns : NEVER;
		break;
	}
	return until_ns < told_ns ? until_ns : told_ns;
}

static int serial_poll(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct serial *serial = state;
	uint64_t now_ns = mono_ns();

	if (serial->phase == PHASE_CLOSED && now_ns >= serial->retry_ns)
		open_port(serial);
	ask_if_due(serial, now_ns);
	now_ns = mono_ns();
	uint64_t look_ns = next_look(serial);
	bool has_to_write = serial->phase == PHASE_CONNECTING || serial->unsent;
	struct pollfd entry = {.fd = serial->descriptor, .events = has_to_write ? POLLOUT : 0};
	if (serial->phase == PHASE_OPEN)
		entry.events |= POLLIN;
	uint64_t timeout_ns = look_ns == NEVER ? NEVER : look_ns > now_ns ? look_ns - now_ns : 0;
	int rc = enrg_job_wait_fd(job, &entry, 1, timeout_ns, err);
	if (rc < 0)
		return rc;
	now_ns = mono_ns();
	if (serial->phase == PHASE_CONNECTING)
		finish_connect(serial, entry.revents, now_ns);
	else if (entry.revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL))
		rc = read_port(serial, err);
	if (rc >= 0 && (entry.revents & POLLOUT))
		send_rest(serial);
	say_silent(serial, now_ns);
	return rc < 0 ? rc : ENRG_POLL_AGAIN;
}

/* A last look: what lies in the system's buffer was said before the stop. */
static int serial_stop(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct serial *serial = state;
	int rc = read_port(serial, err);

	if (serial->unmatched || serial->lines.too_long)
		enrg_job_log(job, ENRG_INFO,
			"lines that made no row: %" PRIu64 " that do not match `pattern`, %" PRIu64
			" that are too long",
			serial->unmatched, serial->lines.too_long);
	return rc;
}

static void serial_destroy(void *state)
{
	struct serial *serial = state;

	if (!serial)
		return;
	close_port(serial);
	(void)enrg_device_destroy(serial->names);
	pattern_fini(&serial->pattern);
	free(serial);
}

static int open_output(struct serial *serial, struct enrg_error *err)
{
	struct enrg_column columns[1 + PATTERN_COLUMNS_MAX] = {{.name = "timestamp", .type = ENRG_I64, .unit = "ms"}};
	static const struct enrg_note notes[] = {ENRG_NOTES_HOST_TIME("timestamp", "1000000")};
	const struct enrg_schema schema = {.column_count = 1 + serial->pattern.column_count,
		.columns = columns,
		.note_count = sizeof(notes) / sizeof(notes[0]),
		.notes = notes};
	const char *tag = serial->options->tag;

	memcpy(columns + 1, serial->pattern.columns, serial->pattern.column_count * sizeof(*columns));
	return enrg_output_open(serial->job, "store_config", tag ? tag : enrg_job_supervisor(serial->job), &schema,
		&serial->output, err);
}

static int serial_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	const struct serial_options *chosen = options;
	struct serial *serial = calloc(1, sizeof(*serial));

	if (!serial)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	serial->job = job;
	serial->options = chosen;
	serial->descriptor = -1;
	serial->retry_step_ns = RETRY_MIN_NS;
	if (chosen->device)
		snprintf(serial->where, sizeof(serial->where), "%s", chosen->device);
	else
		snprintf(serial->where, sizeof(serial->where), "%s:%" PRId64, chosen->host ? chosen->host : "",
			chosen->port);
	lines_init(&serial->lines, chosen->line_end, strlen(chosen->line_end));
	int rc = serial_check(options, err);
	if (rc == 0)
		rc = pattern_init(&serial->pattern, chosen->pattern, err);
	if (rc == 0)
		rc = open_output(serial, err);
	if (rc < 0) {
		serial_destroy(serial);
		return rc;
	}
	*ret_state = serial;
	return 0;
}

static const struct enrg_job_group serial_groups[] = {
	{.key = "store_config", .required = true, .help = "Where the rows go."},
	{.key = NULL},
};

static const struct enrg_job_type serial_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobSerial",
	.summary = "Reads lines of text from an instrument on a serial port or a TCP connection.",
	.options = {.size = sizeof(struct serial_options), .options = serial_option_list},
	.groups = serial_groups,
	.start = serial_start,
	.poll = serial_poll,
	.stop = serial_stop,
	.destroy = serial_destroy,
	.check = serial_check,
};

static const struct enrg_job_type *const serial_jobs[] = {&serial_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "serial", .jobs = serial_jobs};
