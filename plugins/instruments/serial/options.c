/* options.c: see the header. */
#include "options.h"

#include <errno.h>
#include <string.h>

#include "protocol.h"

#define AT(member) offsetof(struct serial_options, member)

static const struct enrg_choice parities[] = {
	{"none", PORT_PARITY_NONE}, {"even", PORT_PARITY_EVEN}, {"odd", PORT_PARITY_ODD}, {NULL, 0}};
static const struct enrg_choice flows[] = {
	{"none", PORT_FLOW_NONE}, {"rts_cts", PORT_FLOW_RTS_CTS}, {"xon_xoff", PORT_FLOW_XON_XOFF}, {NULL, 0}};

const struct enrg_option serial_option_list[] = {
	{.key = "device",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(device),
		.help = "Serial port, such as /dev/serial/by-id/… (a name that stays when it is plugged in "
			"elsewhere).",
		.example = "\"/dev/ttyUSB0\""},
	{.key = "host", .kind = ENRG_OPTION_STRING, .offset = AT(host), .help = "Instead of device: TCP to this host."},
	{.key = "port",
		.kind = ENRG_OPTION_INT,
		.offset = AT(port),
		.min = 0,
		.max = 65535,
		.help = "TCP port of host."},
	{.key = "baud_rate",
		.kind = ENRG_OPTION_INT,
		.offset = AT(baud_rate),
		.default_value = "9600",
		.min = 50,
		.max = 4000000,
		.unit = "Bd",
		.help = "Speed of device."},
	{.key = "data_bits",
		.kind = ENRG_OPTION_INT,
		.offset = AT(data_bits),
		.default_value = "8",
		.min = 5,
		.max = 8,
		.help = "Bits of a byte on device."},
	{.key = "parity",
		.kind = ENRG_OPTION_CHOICE,
		.offset = AT(parity),
		.default_value = "\"none\"",
		.choices = parities,
		.help = "Parity bit on device."},
	{.key = "stop_bits",
		.kind = ENRG_OPTION_INT,
		.offset = AT(stop_bits),
		.default_value = "1",
		.min = 1,
		.max = 2,
		.help = "Stop bits on device."},
	{.key = "flow_control",
		.kind = ENRG_OPTION_CHOICE,
		.offset = AT(flow_control),
		.default_value = "\"none\"",
		.choices = flows,
		.help = "How device and this machine hold each other back."},
	{.key = "line_end",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(line_end),
		.default_value = "\"\\n\"",
		.help = "What ends a line of the instrument, 1 to 8 bytes; \"\\n\" also takes \"\\r\\n\"."},
	{.key = "pattern",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(pattern),
		.required = true,
		.help = "Form of a line, {NAME:TYPE:UNIT} for each column: \"T={temperature:f64:degC} "
			"H={humidity:f64}\".",
		.example = "\"T={temperature:f64:degC} H={humidity:f64}\""},
	{.key = "ask",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(ask),
		.help = "What to send each interval_seconds, with its own line end (\"MEAS?\\r\\n\"); absent: it "
			"speaks by "
			"itself."},
	{.key = "interval_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(interval_seconds),
		.default_value = "1.0",
		.min = 0.001,
		.max = 86400,
		.unit = "s",
		.help = "From one ask to the next."},
	{.key = "timeout_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(timeout_seconds),
		.default_value = "10.0",
		.min = 0,
		.max = 864000,
		.unit = "s",
		.help = "Without a row for so long there is an alert; 0: never."},
	{.key = "drop_first_line",
		.kind = ENRG_OPTION_BOOL,
		.offset = AT(drop_first_line),
		.default_value = "true",
		.help = "Leaves out what comes first after (re)connecting, which may be the end of a line; not with "
			"ask."},
	{.key = "tag",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(tag),
		.help = "Stands in the name of its files; without the key the supervisor's id, \"\" = nothing."},
	{.key = NULL},
};

static int check_way(const struct serial_options *options, struct enrg_error *err)
{
	char speeds[300];

	if (!options->device == !options->host)
		return enrg_error_set(err, ENRG_E_CONFIG,
			"%s: expected one of device (a serial port) and host (TCP), found %s",
			options->host ? "host" : "device", options->host ? "both" : "none");
	if (options->host && options->port == 0)
		return enrg_error_set(err, ENRG_E_CONFIG, "port: expected the TCP port of host, 1 to 65535");
	if (options->device && options->port)
		return enrg_error_set(err, ENRG_E_CONFIG, "port: is for host; the speed of device is baud_rate");
	port_list_speeds(speeds, sizeof(speeds));
	if (options->device && !port_has_speed(options->baud_rate))
		return enrg_error_set(err, ENRG_E_CONFIG, "baud_rate: expected one of %s, found %lld", speeds,
			(long long)options->baud_rate);
	return 0;
}

static int check_pattern(const struct serial_options *options, struct enrg_error *err)
{
	struct pattern pattern;
	struct enrg_error why = {0};
	int rc = pattern_init(&pattern, options->pattern, &why);

	if (rc < 0)
		return enrg_error_set(err, ENRG_E_CONFIG, "pattern: %s", why.text);
	for (uint32_t i = 0; i < pattern.column_count && rc == 0; i++)
		if (strcmp(pattern.columns[i].name, "timestamp") == 0)
			rc = enrg_error_set(err, ENRG_E_CONFIG,
				"pattern: the column timestamp is there already (when the line came)");
	pattern_fini(&pattern);
	return rc;
}

int serial_check(const void *options, struct enrg_error *err)
{
	const struct serial_options *chosen = options;
	size_t end_bytes = strlen(chosen->line_end);

	if (end_bytes < 1 || end_bytes > LINE_END_BYTES_MAX)
		return enrg_error_set(err, ENRG_E_CONFIG, "line_end: expected 1 to %u bytes, found %zu",
			LINE_END_BYTES_MAX, end_bytes);
	if (chosen->ask && !chosen->ask[0])
		return enrg_error_set(
			err, ENRG_E_CONFIG, "ask: expected a text; leave the key out where it speaks by itself");
	int rc = check_way(chosen, err);
	return rc < 0 ? rc : check_pattern(chosen, err);
}

struct port_line serial_line(const struct serial_options *options)
{
	return (struct port_line){.baud_rate = options->baud_rate,
		.data_bits = options->data_bits,
		.stop_bits = options->stop_bits,
		.parity = (enum port_parity)options->parity,
		.flow = (enum port_flow)options->flow_control};
}
