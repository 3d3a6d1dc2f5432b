/* names.c: see the header. Runs in the store's job process, on its main thread. */
#include "names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FNV_START 14695981039346656037ull

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < count; i++)
		hash = (hash ^ at[i]) * 1099511628211ull;
	return hash;
}

/* The first bytes, and a number instead of the rest: so that two long names with one beginning stay apart. */
static void shorten(const char *text, size_t length, char ret_name[SQL_NAME_BYTES_MAX + 1])
{
	unsigned number = (unsigned)(hash_bytes(FNV_START, text, length) & 0xFFFFFFFFu);

	snprintf(ret_name + SQL_NAME_BYTES_MAX - 9, 10, "_%08x", number);
}

void sql_clean_name(const char *text, char ret_name[SQL_NAME_BYTES_MAX + 1])
{
	size_t length = strlen(text), count = length < SQL_NAME_BYTES_MAX ? length : SQL_NAME_BYTES_MAX;

	for (size_t i = 0; i < count; i++) {
		char c = text[i];
		bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		ret_name[i] = fits ? c : '_';
	}
	ret_name[count] = '\0';
	if (length > SQL_NAME_BYTES_MAX)
		shorten(text, length, ret_name);
}

int sql_table_name(
	const char *table_name, const char *tag, char ret_name[SQL_NAME_BYTES_MAX + 1], struct enrg_error *err)
{
	char text[1024];

	if (!table_name || !*table_name)
		return enrg_error_set(err, -EINVAL, "table_name: expected the name of a table, found \"\"");
	snprintf(text, sizeof(text), "%.700s%s%.255s", table_name, *tag ? "_" : "", tag);
	sql_clean_name(text, ret_name);
	if (strcasecmp(ret_name, SQL_POSITIONS) == 0)
		return enrg_error_set(err, -EINVAL,
			"table_name: " SQL_POSITIONS " is kept for the store's own marks; take another name");
	return 0;
}

static bool is_taken(const struct sql_names *names, uint32_t count, const char *name)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcasecmp(names->items[i], name) == 0)
			return true;
	return false;
}

int sql_names_init(struct sql_names *names, const struct enrg_schema *schema, struct enrg_error *err)
{
	*names = (struct sql_names){.count = schema->column_count};
	names->items = calloc(schema->column_count, sizeof(*names->items));
	if (!names->items)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < schema->column_count; i++) {
		char name[SQL_NAME_BYTES_MAX + 1], tail[16];

		sql_clean_name(schema->columns[i].name, name);
		memcpy(names->items[i], name, sizeof(name));
		for (uint32_t number = 2; is_taken(names, i, names->items[i]); number++) {
			snprintf(tail, sizeof(tail), "_%" PRIu32, number);
			snprintf(names->items[i], sizeof(names->items[i]), "%.*s%s",
				(int)(SQL_NAME_BYTES_MAX - strlen(tail)), name, tail);
		}
	}
	return 0;
}

void sql_names_fini(struct sql_names *names)
{
	free(names->items);
	*names = (struct sql_names){0};
}

int sql_names_check(const struct sql_names *names, uint32_t columns_max, const char *kind, const char *where,
	const char *source, struct enrg_error *err)
{
	if (names->count <= columns_max)
		return 0;
	return enrg_error_set(err, -EINVAL,
		"%.400s: too many columns: \"%.100s\" sends %" PRIu32 ", and a table of %s has at most %" PRIu32
		": send lists instead, spread them over several tags, or take another store, such as csv or hdf5",
		where, source, names->count, kind, columns_max);
}

uint64_t sql_hash_text(const char *text)
{
	return hash_bytes(FNV_START, text, strlen(text));
}

void sql_fingerprint_columns(const struct enrg_schema *schema, char ret_fingerprint[SQL_FINGERPRINT_BYTES])
{
	uint64_t hash = FNV_START;

	for (uint32_t i = 0; i < schema->column_count; i++) {
		const struct enrg_column *column = &schema->columns[i];
		const uint8_t types[2] = {(uint8_t)column->type, (uint8_t)column->item};

		hash = hash_bytes(hash, column->name, strlen(column->name) + 1);
		hash = hash_bytes(hash, types, sizeof(types));
	}
	snprintf(ret_fingerprint, SQL_FINGERPRINT_BYTES, "%016" PRIx64, hash);
}

bool sql_find_oldest_run(const char *run, time_t now, char ret_oldest[SQL_RUN_TIME_BYTES])
{
	static const char form[] = "########T######Z";
	struct tm utc = {0};
	time_t oldest;

	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == '#' ? run[i] < '0' || run[i] > '9' : run[i] != form[i])
			return false;
	/* A clock that is ahead must not make runs old: nothing is younger than the run that asks. */
	strptime(run, "%Y%m%dT%H%M%SZ", &utc);
	oldest = timegm(&utc);
	oldest = (oldest < now ? oldest : now) - (time_t)SQL_MARK_DAYS * 86400;
	gmtime_r(&oldest, &utc);
	strftime(ret_oldest, SQL_RUN_TIME_BYTES, "%Y%m%dT%H%M%SZ", &utc);
	return true;
}
