/* ask.c: see the header. */
#include "web/live/ask.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "enrgdaq/job.h"

/* --- tables of fields --------------------------------------------------------------------------------------------- */

#define LISTEN(member) offsetof(struct ask_listen, member)

static const struct enrg_choice levels[] = {
	{"DEBUG", ENRG_DEBUG}, {"INFO", ENRG_INFO}, {"WARNING", ENRG_WARNING}, {"ERROR", ENRG_ERROR}, {NULL, 0}};

static const struct enrg_option listen_options[] = {
	{.key = "kinds",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = LISTEN(kinds),
		.help = "Which events: kinds of the list, \"log\", \"status\", or \"all\" (all but these two)."},
	{.key = "since",
		.kind = ENRG_OPTION_INT,
		.offset = LISTEN(since),
		.default_value = "-1",
		.min = -1,
		.max = 9e15,
		.help = "Number of the last event that the client has; -1: only what comes from now on."},
	{.key = "instance",
		.kind = ENRG_OPTION_STRING,
		.offset = LISTEN(instance),
		.help = "That of the hello in which `since` was counted."},
	{.key = "log_level",
		.kind = ENRG_OPTION_CHOICE,
		.offset = LISTEN(log_level),
		.default_value = "\"INFO\"",
		.choices = levels,
		.help = "Log lines of this level or above."},
	{.key = "log_process",
		.kind = ENRG_OPTION_STRING,
		.offset = LISTEN(log_process),
		.help = "Log lines of this process alone."},
	{.key = "log_text",
		.kind = ENRG_OPTION_STRING,
		.offset = LISTEN(log_text),
		.help = "Log lines with this text in their message, in any case of its letters."},
	{.key = "log_lines_per_second",
		.kind = ENRG_OPTION_INT,
		.offset = LISTEN(log_lines_per_second),
		.default_value = "50",
		.min = 1,
		.max = 500,
		.help = "More are left out, and counted."},
	{.key = "credit",
		.kind = ENRG_OPTION_INT,
		.offset = LISTEN(credit),
		.default_value = "0",
		.min = 0,
		.max = 1000,
		.help = "Messages that may be sent before more credit comes; 0: without credits."},
	{0},
};
static const struct enrg_table listen_table = {.size = sizeof(struct ask_listen), .options = listen_options};

#define TRIGGER(member) offsetof(struct ask_trigger, member)

static const struct enrg_choice modes[] = {
	{"auto", TRIGGER_AUTO}, {"normal", TRIGGER_NORMAL}, {"single", TRIGGER_SINGLE}, {NULL, 0}};
static const struct enrg_choice slopes[] = {
	{"rising", TRIGGER_RISING}, {"falling", TRIGGER_FALLING}, {"either", TRIGGER_EITHER}, {NULL, 0}};

static const struct enrg_option trigger_options[] = {
	{.key = "mode",
		.kind = ENRG_OPTION_CHOICE,
		.offset = TRIGGER(mode),
		.default_value = "\"auto\"",
		.choices = modes,
		.help = "auto, normal, single."},
	{.key = "slope",
		.kind = ENRG_OPTION_CHOICE,
		.offset = TRIGGER(slope),
		.default_value = "\"rising\"",
		.choices = slopes,
		.help = "rising, falling, either."},
	{.key = "level",
		.kind = ENRG_OPTION_FLOAT,
		.offset = TRIGGER(level),
		.present_offset = TRIGGER(has_level),
		.min = -1e9,
		.max = 1e9,
		.help = "In values as they lie in the table; without it every event triggers."},
	{.key = "relative",
		.kind = ENRG_OPTION_BOOL,
		.offset = TRIGGER(is_relative),
		.default_value = "false",
		.help = "The level is counted from the channel's baseline."},
	{.key = "hysteresis",
		.kind = ENRG_OPTION_FLOAT,
		.offset = TRIGGER(hysteresis),
		.default_value = "0.0",
		.min = 0,
		.max = 1e9,
		.help = "What passes the level was so far on its other side before."},
	{.key = "channel",
		.kind = ENRG_OPTION_INT,
		.offset = TRIGGER(channel),
		.default_value = "0",
		.min = 0,
		.max = UINT32_MAX,
		.help = "Channel whose passing is the zero of the time axis."},
	{.key = "coincidence",
		.kind = ENRG_OPTION_INT_LIST,
		.offset = TRIGGER(coincidence),
		.default_value = "[]",
		.help = "Further channels that pass the level, with the same slope."},
	{.key = "needed",
		.kind = ENRG_OPTION_INT,
		.offset = TRIGGER(needed),
		.default_value = "0",
		.min = 0,
		.max = WAVES_CHANNELS_MAX,
		.help = "How many of channel and coincidence; 0: all."},
	{.key = "within_ns",
		.kind = ENRG_OPTION_FLOAT,
		.offset = TRIGGER(within_ns),
		.default_value = "1e9",
		.min = 0,
		.max = 1e12,
		.unit = "ns",
		.help = "In which they do so."},
	{.key = "hold_off_ns",
		.kind = ENRG_OPTION_FLOAT,
		.offset = TRIGGER(hold_off_ns),
		.default_value = "0.0",
		.min = 0,
		.max = 1e12,
		.unit = "ns",
		.help = "Between two events that are shown, by their own times."},
	{.key = "auto_ms",
		.kind = ENRG_OPTION_FLOAT,
		.offset = TRIGGER(auto_ms),
		.default_value = "200.0",
		.min = 10,
		.max = 60000,
		.unit = "ms",
		.help = "auto: without a trigger for so long anything is shown."},
	{0},
};
static const struct enrg_table trigger_table = {.size = sizeof(struct ask_trigger), .options = trigger_options};

#define SCOPE(member) offsetof(struct ask_scope, member)

static const struct enrg_choice views[] = {
	{"waves", ASK_WAVES}, {"density", ASK_DENSITY}, {"strip", ASK_STRIP}, {NULL, 0}};

#define ID_OPTION(where)                                                                                               \
	{                                                                                                              \
		.key = "id", .kind = ENRG_OPTION_INT, .offset = where, .required = true, .max = ASK_SCOPES_MAX - 1,    \
		.help = "Which scope of this client."                                                                  \
	}

static const struct enrg_option scope_options[] = {
	ID_OPTION(SCOPE(id)),
	{.key = "source",
		.kind = ENRG_OPTION_STRING,
		.offset = SCOPE(source),
		.required = true,
		.help = "Name of a job."},
	{.key = "tag",
		.kind = ENRG_OPTION_STRING,
		.offset = SCOPE(tag),
		.present_offset = SCOPE(has_tag),
		.help = "Of this table alone."},
	{.key = "view",
		.kind = ENRG_OPTION_CHOICE,
		.offset = SCOPE(view),
		.default_value = "\"waves\"",
		.choices = views,
		.help = "waves, density, strip."},
	{.key = "column",
		.kind = ENRG_OPTION_STRING,
		.offset = SCOPE(column),
		.help = "Of waveforms; without it the first list, or the first value."},
	{.key = "channels",
		.kind = ENRG_OPTION_INT_LIST,
		.offset = SCOPE(channels),
		.default_value = "[]",
		.help = "Channels, 16 at most; none: all, the first 16."},
	{.key = "columns",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = SCOPE(columns),
		.help = "strip: columns of numbers, 8 at most; none: the first 8."},
	{.key = "points",
		.kind = ENRG_OPTION_INT,
		.offset = SCOPE(points),
		.default_value = "800",
		.min = 16,
		.max = ASK_POINTS_MAX,
		.help = "Columns of the screen. Where there are more than twice as many samples, min and max of each "
			"are "
			"sent."},
	{.key = "rows",
		.kind = ENRG_OPTION_INT,
		.offset = SCOPE(rows),
		.default_value = "256",
		.min = 16,
		.max = ASK_ROWS_MAX,
		.help = "density: rows of the map."},
	{.key = "low",
		.kind = ENRG_OPTION_FLOAT,
		.offset = SCOPE(low),
		.default_value = "0.0",
		.min = -1e9,
		.max = 1e9,
		.help = "density: least value of the map; low and high 0: what there is."},
	{.key = "high",
		.kind = ENRG_OPTION_FLOAT,
		.offset = SCOPE(high),
		.default_value = "0.0",
		.min = -1e9,
		.max = 1e9,
		.help = "density: greatest value of the map."},
	{.key = "from",
		.kind = ENRG_OPTION_INT,
		.offset = SCOPE(from),
		.default_value = "0",
		.min = 0,
		.max = WAVES_SAMPLES_MAX - 1,
		.help = "First sample of what is seen."},
	{.key = "count",
		.kind = ENRG_OPTION_INT,
		.offset = SCOPE(count),
		.default_value = "0",
		.min = 0,
		.max = WAVES_SAMPLES_MAX,
		.help = "Samples that are seen; 0: all behind `from`."},
	{.key = "average",
		.kind = ENRG_OPTION_INT,
		.offset = SCOPE(average),
		.default_value = "1",
		.min = 1,
		.max = 1000,
		.help = "Events in the mean that is shown."},
	{.key = "frames_per_second",
		.kind = ENRG_OPTION_FLOAT,
		.offset = SCOPE(frames_per_second),
		.default_value = "30.0",
		.min = 0.1,
		.max = 60,
		.help = "At most."},
	{.key = "credit",
		.kind = ENRG_OPTION_INT,
		.offset = SCOPE(credit),
		.default_value = "0",
		.min = 0,
		.max = ASK_CREDIT_MAX,
		.help = "Frames that may be sent before more credit comes."},
	{.key = "trigger",
		.kind = ENRG_OPTION_TABLE,
		.offset = SCOPE(trigger),
		.table = &trigger_table,
		.help = "Which events are shown."},
	{0},
};
static const struct enrg_table scope_table = {.size = sizeof(struct ask_scope), .options = scope_options};

static const struct enrg_option id_options[] = {ID_OPTION(offsetof(struct ask_id, id)), {0}};
static const struct enrg_table id_table = {.size = sizeof(struct ask_id), .options = id_options};

#define ZOOM(member) offsetof(struct ask_zoom, member)

static const struct enrg_option zoom_options[] = {
	ID_OPTION(ZOOM(id)),
	{.key = "from",
		.kind = ENRG_OPTION_INT,
		.offset = ZOOM(from),
		.default_value = "0",
		.min = 0,
		.max = WAVES_SAMPLES_MAX - 1,
		.help = "First sample of what is seen."},
	{.key = "count",
		.kind = ENRG_OPTION_INT,
		.offset = ZOOM(count),
		.default_value = "0",
		.min = 0,
		.max = WAVES_SAMPLES_MAX,
		.help = "Samples that are seen; 0: all behind `from`."},
	{.key = "points",
		.kind = ENRG_OPTION_INT,
		.offset = ZOOM(points),
		.default_value = "800",
		.min = 16,
		.max = ASK_POINTS_MAX,
		.help = "Columns of the screen."},
	{0},
};
static const struct enrg_table zoom_table = {.size = sizeof(struct ask_zoom), .options = zoom_options};

static const struct enrg_option credit_options[] = {
	{.key = "id",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct ask_credit, id),
		.default_value = "-1",
		.min = -1,
		.max = ASK_SCOPES_MAX - 1,
		.help = "Which scope; -1: messages of events."},
	{.key = "count",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct ask_credit, count),
		.default_value = "1",
		.min = 1,
		.max = 1000,
		.help = "How many more."},
	{0},
};
static const struct enrg_table credit_table = {.size = sizeof(struct ask_credit), .options = credit_options};

struct nothing {
	bool is_unused;
};
static const struct enrg_option no_options[] = {{0}};
static const struct enrg_table no_table = {.size = sizeof(struct nothing), .options = no_options};

static const struct {
	const char *name;
	const struct enrg_table *table;
} kinds[ASK_KINDS] = {
	[ASK_LISTEN] = {"listen", &listen_table},
	[ASK_SCOPE] = {"scope", &scope_table},
	[ASK_SCOPE_STOP] = {"scope_stop", &id_table},
	[ASK_ARM] = {"arm", &id_table},
	[ASK_ZOOM] = {"zoom", &zoom_table},
	[ASK_CREDIT] = {"credit", &credit_table},
	[ASK_PING] = {"ping", &no_table},
};

const char *ask_kind_name(enum ask_kind kind)
{
	return kind < ASK_KINDS ? kinds[kind].name : "?";
}

/* --- what tables can't say ---------------------------------------------------------------------------------------- */

static int refuse(struct ask_fault *ret_fault, const char *field, const char *detail)
{
	snprintf(ret_fault->field, sizeof(ret_fault->field), "%s", field);
	snprintf(ret_fault->detail, sizeof(ret_fault->detail), "%s%s%s", field, *field ? ": " : "", detail);
	return ENRG_E_PROTOCOL;
}

static bool are_channels(const struct enrg_int_list *list)
{
	bool are = list->count <= WAVES_CHANNELS_MAX;

	for (size_t i = 0; i < list->count && are; i++) {
		are = list->items[i] >= 0 && list->items[i] <= UINT32_MAX;
		for (size_t k = 0; k < i && are; k++)
			are = list->items[k] != list->items[i];
	}
	return are;
}

static int check_trigger(const struct ask_trigger *trigger, struct ask_fault *ret_fault)
{
	if (!are_channels(&trigger->coincidence) || trigger->coincidence.count >= WAVES_CHANNELS_MAX)
		return refuse(ret_fault, "trigger.coincidence", "expected channels from 0, each once, at most 15");
	for (size_t i = 0; i < trigger->coincidence.count; i++)
		if (trigger->coincidence.items[i] == trigger->channel)
			return refuse(ret_fault, "trigger.coincidence", "names trigger.channel, which counts anyway");
	if (trigger->needed > (int64_t)trigger->coincidence.count + 1)
		return refuse(ret_fault, "trigger.needed", "there are fewer channels than that");
	return 0;
}

static int check_scope(const struct ask_scope *scope, struct ask_fault *ret_fault)
{
	if (!*scope->source || strlen(scope->source) > ENRG_NAME_BYTES_MAX)
		return refuse(ret_fault, "source", "expected the name of a job, 1 to 255 bytes");
	if (scope->tag && strlen(scope->tag) > ENRG_NAME_BYTES_MAX)
		return refuse(ret_fault, "tag", "expected at most 255 bytes");
	if (scope->column && strlen(scope->column) > ENRG_NAME_BYTES_MAX)
		return refuse(ret_fault, "column", "expected at most 255 bytes");
	if (!are_channels(&scope->channels))
		return refuse(ret_fault, "channels", "expected numbers from 0, each once, at most 16");
	if (scope->columns.count > ASK_COLUMNS_MAX)
		return refuse(ret_fault, "columns", "expected at most 8");
	for (size_t i = 0; i < scope->columns.count; i++)
		if (!*scope->columns.items[i] || strlen(scope->columns.items[i]) > ENRG_NAME_BYTES_MAX)
			return refuse(ret_fault, "columns", "expected names of 1 to 255 bytes");
	if (scope->low > scope->high ||
		(scope->low < 0 || scope->low > 0 ? scope->low >= scope->high : scope->high < 0))
		return refuse(ret_fault, "high", "expected more than `low`");
	return check_trigger(&scope->trigger, ret_fault);
}

/* --- parsing ------------------------------------------------------------------------------------------------------ */

/* A number or a short text. */
static bool is_ref(const json_t *ref)
{
	return json_is_integer(ref) || (json_is_string(ref) && json_string_length(ref) <= 64);
}

static int parse_kind(struct ask *ask, struct ask_fault *ret_fault)
{
	json_t *ref = json_object_get(ask->root, "ref");
	const char *name = json_string_value(json_object_get(ask->root, "do"));

	if (ref && !is_ref(ref))
		return refuse(ret_fault, "ref", "expected an integer, or a text of at most 64 bytes");
	ask->ref = ref;
	for (ask->kind = 0; name && ask->kind < ASK_KINDS; ask->kind++)
		if (!strcmp(name, kinds[ask->kind].name))
			return 0;
	ask->kind = ASK_KINDS;
	return refuse(ret_fault, "do", "expected one of listen, scope, scope_stop, arm, zoom, credit, ping");
}

/* "trigger.level: expected …": what stands ahead of the first colon, where that is a name. */
static void name_field(struct ask_fault *fault)
{
	size_t length = strspn(fault->detail, "abcdefghijklmnopqrstuvwxyz_0123456789.[]");

	if (length && length < sizeof(fault->field) && fault->detail[length] == ':')
		snprintf(fault->field, sizeof(fault->field), "%.*s", (int)length, fault->detail);
}

static int fill(struct ask *ask, struct ask_fault *ret_fault)
{
	json_t *fields = json_copy(ask->root); /* its texts are those of `root` */
	void *filled = NULL;

	ask->memory = options_memory_create();
	if (!fields || !ask->memory) {
		json_decref(fields);
		return refuse(ret_fault, "", "out of memory");
	}
	json_object_del(fields, "do");
	json_object_del(fields, "ref");
	int rc = options_fill_json(
		kinds[ask->kind].table, fields, ask->memory, &filled, ret_fault->detail, sizeof(ret_fault->detail));
	json_decref(fields);
	ask->fields = filled;
	if (rc) {
		name_field(ret_fault);
		return ENRG_E_PROTOCOL;
	}
	return ask->kind == ASK_SCOPE ? check_scope(ask->scope, ret_fault) : 0;
}

int ask_parse(const void *bytes, size_t count, struct ask *ret_ask, struct ask_fault *ret_fault)
{
	json_error_t fault;
	char detail[300];

	*ret_ask = (struct ask){.kind = ASK_KINDS};
	*ret_fault = (struct ask_fault){0};
	if (count > ASK_BYTES_MAX)
		return refuse(ret_fault, "", "a message has at most 4096 bytes");
	ret_ask->root = json_loadb(bytes, count, JSON_REJECT_DUPLICATES, &fault);
	if (!ret_ask->root) {
		snprintf(detail, sizeof(detail), "not JSON: %.200s", fault.text);
		text_make_safe(detail, strlen(detail));
		return refuse(ret_fault, "", detail);
	}
	if (!json_is_object(ret_ask->root))
		return refuse(ret_fault, "", "expected a JSON object");
	int rc = parse_kind(ret_ask, ret_fault);
	return rc ? rc : fill(ret_ask, ret_fault);
}

void ask_fini(struct ask *ask)
{
	options_memory_destroy(ask->memory);
	json_decref(ask->root);
	*ask = (struct ask){0};
}
