/* options.c: the keys that all file stores share. Data for the command line, the supervisor and store processes.
 */
#include "enrgdaq/store.h"

#define AT(member)      offsetof(struct enrg_file_rules, member)
#define DISK_AT(member) (AT(member) - AT(sync_seconds)) /* the part that not all file stores have */

static const struct enrg_choice syncs[] = {
	{"none", ENRG_FILE_SYNC_NONE},
	{"interval", ENRG_FILE_SYNC_INTERVAL},
	{"commit", ENRG_FILE_SYNC_COMMIT},
	{0},
};

static const char sync_help[] = "When the disk has what was stored: none = when the system sees fit, interval = every "
				"sync_seconds, commit = before a batch counts as stored.";

static const struct enrg_option rule_options[] = {
	{.key = "rotate_mb",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(rotate_mb),
		.default_value = "0",
		.min = 0,
		.max = 1e9,
		.unit = "MB",
		.help = "A file that has reached this size is followed by a new one; 0 = never."},
	{.key = "rotate_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(rotate_seconds),
		.default_value = "0",
		.min = 0,
		.max = 1e9,
		.unit = "s",
		.help = "A new file at each full multiple of this time (UTC): 3600 = on the hour; 0 = never."},
	{.key = "rotate_run",
		.kind = ENRG_OPTION_BOOL,
		.offset = AT(rotate_run),
		.default_value = "false",
		.help = "A file of its own for each run; the run stands in its name."},
	{.key = "min_free_gb",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(min_free_gb),
		.default_value = "0.5",
		.min = 0,
		.max = 1e9,
		.unit = "GB",
		.present_offset = AT(has_min_free_gb),
		.help = "Writing waits while less than this is free on the disk, and an alert comes at twice of it; "
			"without "
			"the key at most a tenth of the disk; 0 = never."},
	{0},
};
const struct enrg_table enrg_file_table_rotation = {AT(sync_seconds), rule_options};

static const struct enrg_option disk_options[] = {
	{.key = "sync_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = DISK_AT(sync_seconds),
		.default_value = "1.0",
		.min = 0,
		.max = 3600,
		.unit = "s",
		.help = "With sync = interval a power cut costs at most the batches of so long a time; 0 = as commit."},
	{.key = "direct_io",
		.kind = ENRG_OPTION_BOOL,
		.offset = DISK_AT(direct_io),
		.default_value = "true",
		.help = "Large batches go to the disk past the page cache, where store and disk can do that."},
	{0},
};
static const struct enrg_table disk_table = {sizeof(struct enrg_file_rules) - AT(sync_seconds), disk_options};

static const struct enrg_option lazy_options[] = {
	{.key = "sync",
		.kind = ENRG_OPTION_CHOICE,
		.offset = offsetof(struct enrg_file_options, sync),
		.default_value = "\"none\"",
		.choices = syncs,
		.help = sync_help},
	{.key = "rules",
		.kind = ENRG_OPTION_INCLUDE,
		.offset = offsetof(struct enrg_file_options, rules),
		.table = &enrg_file_table_rotation},
	{.key = "disk",
		.kind = ENRG_OPTION_INCLUDE,
		.offset = offsetof(struct enrg_file_options, rules) + AT(sync_seconds),
		.table = &disk_table},
	{0},
};

static const struct enrg_option synced_options[] = {
	{.key = "sync",
		.kind = ENRG_OPTION_CHOICE,
		.offset = offsetof(struct enrg_file_options, sync),
		.default_value = "\"interval\"",
		.choices = syncs,
		.help = sync_help},
	{.key = "rules",
		.kind = ENRG_OPTION_INCLUDE,
		.offset = offsetof(struct enrg_file_options, rules),
		.table = &enrg_file_table_rotation},
	{.key = "disk",
		.kind = ENRG_OPTION_INCLUDE,
		.offset = offsetof(struct enrg_file_options, rules) + AT(sync_seconds),
		.table = &disk_table},
	{0},
};

const struct enrg_table enrg_file_table = {sizeof(struct enrg_file_options), lazy_options};
const struct enrg_table enrg_file_table_synced = {sizeof(struct enrg_file_options), synced_options};
