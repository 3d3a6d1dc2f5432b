/* container.c: see the header. Store process, main thread. All numbers are big-endian; all positions have 8 bytes. */
#include "container.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <xxhash.h>

#include "classes.h"
#include "layout.h"
#include "rootio/streamer.h"

static_assert(BEGIN + KEY_NUMBER_BYTES + 6 + 2 * (CONTAINER_NAME_BYTES_MAX + 1 + sizeof(TITLE)) + DIRECTORY_BYTES <=
		      SECTOR_BYTES,
	"head and directory fit one sector");
static_assert(SECTOR_BYTES <= ENRG_FILE_SWITCH_BYTES, "and can be switched at once");

static uint32_t pack_now(void)
{
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	return (uint32_t)(tm.tm_year - 95) << 26 | (uint32_t)(tm.tm_mon + 1) << 22 | (uint32_t)tm.tm_mday << 17 |
	       (uint32_t)tm.tm_hour << 12 | (uint32_t)tm.tm_min << 6 | (uint32_t)tm.tm_sec;
}

/* --- keys --------------------------------------------------------------------------------------------------------- */

uint32_t container_key_bytes(const struct record *record)
{
	return (uint32_t)(KEY_NUMBER_BYTES + bytes_be_string_count(record->class_name) +
			  bytes_be_string_count(record->name) + bytes_be_string_count(record->title) +
			  record->key_tail_bytes);
}

static void put_key(struct bytes *out, const struct record *record, const struct place *place, uint32_t made_at)
{
	bytes_be32(out, place->bytes);
	bytes_be16(out, KEY_VERSION);
	bytes_be32(out, (uint32_t)place->object_bytes);
	bytes_be32(out, made_at);
	bytes_be16(out, (uint16_t)place->key_bytes);
	bytes_be16(out, 1); /* cycle */
	bytes_be64(out, place->position);
	bytes_be64(out, record->in_directory ? BEGIN : 0);
	bytes_be_string(out, record->class_name);
	bytes_be_string(out, record->name);
	bytes_be_string(out, record->title);
	bytes_put(out, record->key_tail, record->key_tail_bytes);
}

/* A place whose first word is negative is skipped by those who walk from key to key. */
static int mark_gap(struct container *container, uint64_t position, uint64_t count, struct enrg_error *err)
{
	uint8_t word[4];

	if (count == 0)
		return 0;
	bytes_set_be32(word, (uint32_t)(0 - (int32_t)(count < INT32_MAX ? count : INT32_MAX)));
	return enrg_file_write_at(container->file, position, word, sizeof(word), err);
}

static int write_out(
	struct container *container, uint64_t position, const void *data, uint64_t count, struct enrg_error *err)
{
	if (position == enrg_file_size(container->file))
		return enrg_file_write(container->file, data, count, err);
	return enrg_file_write_at(container->file, position, data, count, err);
}

/* Room for a record that will be longer next time. */
static int pad(struct container *container, const struct record *record, struct place *place, struct enrg_error *err)
{
	uint64_t count = place->bytes / 4;
	int rc = 0;

	if (!record->grows || count < GAP_BYTES_MIN)
		return 0;
	uint8_t *zeros = calloc(1, count);
	if (!zeros)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	bytes_set_be32(zeros, (uint32_t)(0 - (int32_t)count));
	rc = enrg_file_write(container->file, zeros, count, err);
	free(zeros);
	place->reserved += count;
	return rc;
}

int container_put(
	struct container *container, const struct record *record, struct place *ret_place, struct enrg_error *err)
{
	uint32_t key_bytes = container_key_bytes(record);
	uint64_t count = key_bytes + record->payload_bytes, rest = 0;
	struct bytes key = {0};

	if (count > INT32_MAX || record->object_bytes > INT32_MAX || key_bytes > INT16_MAX)
		return enrg_error_set(err, -EFBIG,
			"%s: \"%s\" takes %llu bytes in one piece; the format has 2 GB: "
			"make buffer_size_bytes smaller",
			container->path, record->name, (unsigned long long)count);
	uint64_t position = extent_take(&container->free, count, container->commit, &rest);
	bool is_appended = position == UINT64_MAX;
	if (is_appended)
		position = enrg_file_size(container->file);
	struct place place = {position, count, key_bytes, (uint32_t)count, record->object_bytes};
	put_key(&key, record, &place, container->made_at);
	int rc = bytes_check(&key, err);
	if (rc == 0 && rest)
		rc = mark_gap(container, position + count, rest, err);
	if (rc == 0)
		rc = write_out(container, position, key.data, key.count, err);
	if (rc == 0)
		rc = write_out(container, position + key.count, record->payload, record->payload_bytes, err);
	if (rc == 0 && is_appended)
		rc = pad(container, record, &place, err);
	bytes_fini(&key);
	if (rc < 0)
		return rc;
	container->is_dirty = true;
	*ret_place = place;
	return 0;
}

int container_drop(struct container *container, struct place *place, struct enrg_error *err)
{
	struct place old = *place;

	*place = (struct place){0};
	if (old.position == 0)
		return 0;
	if (extent_add(&container->free, old.position, old.reserved, container->commit) < 0)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	return 0;
}

int container_list(struct container *container, const struct container_key *key, struct enrg_error *err)
{
	for (uint32_t i = 0; i < container->key_count; i++) {
		if (strcmp(container->keys[i].name, key->name) == 0) {
			container->keys[i] = *key;
			return 0;
		}
	}
	struct container_key *keys = realloc(container->keys, (container->key_count + 1) * sizeof(*keys));
	if (!keys)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	container->keys = keys;
	keys[container->key_count++] = *key;
	return 0;
}

/* --- the first sector --------------------------------------------------------------------------------------------- */

static void put_uuid(const struct container *container, struct bytes *out)
{
	bytes_be16(out, UUID_VERSION);
	bytes_put(out, container->uuid, sizeof(container->uuid));
}

static void put_head(const struct container *container, uint64_t end, struct bytes *out)
{
	bytes_put(out, "root", 4);
	bytes_be32(out, FILE_VERSION);
	bytes_be32(out, BEGIN);
	bytes_be64(out, end);
	bytes_be64(out, container->free_list.position);
	bytes_be32(out, container->free_list.bytes);
	bytes_be32(out, container->free_count);
	bytes_be32(out, container->name_bytes);
	bytes_be8(out, 8); /* bytes of a position */
	bytes_be32(out, container->compression);
	bytes_be64(out, container->info_position);
	bytes_be32(out, container->info_bytes);
	put_uuid(container, out);
	bytes_zero(out, COMMIT_AT - HEAD_BYTES);
	bytes_be64(out, container->commit);
	bytes_zero(out, BEGIN - COMMIT_AT - 8);
}

static struct record directory_record(const struct container *container)
{
	return (struct record){.class_name = "TFile", .name = container->name, .title = TITLE};
}

static void put_directory(const struct container *container, struct bytes *out)
{
	struct record record = directory_record(container);
	struct place place = {.position = BEGIN, .key_bytes = container_key_bytes(&record)};

	place.object_bytes = container->name_bytes - place.key_bytes + DIRECTORY_BYTES;
	place.bytes = place.key_bytes + (uint32_t)place.object_bytes;
	put_key(out, &record, &place, container->made_at);
	bytes_be_string(out, container->name);
	bytes_be_string(out, TITLE);
	bytes_be16(out, DIRECTORY_VERSION);
	bytes_be32(out, container->made_at);
	bytes_be32(out, pack_now());
	bytes_be32(out, container->key_list.bytes);
	bytes_be32(out, container->name_bytes);
	bytes_be64(out, BEGIN);
	bytes_be64(out, 0); /* no parent */
	bytes_be64(out, container->key_list.position);
	put_uuid(container, out);
}

static void put_sector(const struct container *container, uint64_t end, struct bytes *out)
{
	put_head(container, end, out);
	put_directory(container, out);
}

/* --- creation ----------------------------------------------------------------------------------------------------- */

static int put_info(struct container *container, const struct compress_setting *setting, struct enrg_error *err)
{
	struct record record = {.class_name = "TList", .name = "StreamerInfo", .title = "Doubly linked list"};
	struct compressor compressor = {0};
	struct bytes raw = {0}, packed = {0};
	struct place place = {0};

	record.in_directory = true;
	streamer_put_list(&raw, classes, CLASSES);
	int rc = bytes_check(&raw, err);
	if (rc == 0)
		rc = compress_append(&compressor, setting, raw.data, raw.count, &packed, err);
	record.payload = packed.data;
	record.payload_bytes = packed.count;
	record.object_bytes = raw.count;
	if (rc == 0)
		rc = container_put(container, &record, &place, err);
	container->info_position = place.position;
	container->info_bytes = place.bytes;
	compressor_fini(&compressor);
	bytes_fini(&raw);
	bytes_fini(&packed);
	return rc;
}

static int put_key_list(struct container *container, struct enrg_error *err)
{
	struct record record = directory_record(container);
	struct bytes payload = {0};

	bytes_be32(&payload, container->key_count);
	for (uint32_t i = 0; i < container->key_count; i++) {
		const struct container_key *key = &container->keys[i];
		const struct record of_key = {
			.class_name = key->class_name, .name = key->name, .title = key->title, .in_directory = true};
		put_key(&payload, &of_key, &key->place, container->made_at);
	}
	record.payload = payload.data;
	record.payload_bytes = record.object_bytes = payload.count;
	record.in_directory = true;
	int rc = bytes_check(&payload, err);
	if (rc == 0)
		rc = container_drop(container, &container->key_list, err);
	if (rc == 0)
		rc = container_put(container, &record, &container->key_list, err);
	bytes_fini(&payload);
	return rc;
}

int container_create(struct container *container, struct enrg_file *file, const struct compress_setting *setting,
	struct enrg_error *err)
{
	const char *path = enrg_file_name_of(file), *slash = strrchr(path, '/');
	struct bytes sector = {0};

	container->file = file;
	container->commit = 1;
	container->made_at = pack_now();
	container->compression = compress_code(setting);
	snprintf(container->name, sizeof(container->name), "%s", slash ? slash + 1 : path);
	if (getrandom(container->uuid, sizeof(container->uuid), 0) != (ssize_t)sizeof(container->uuid))
		return enrg_error_set(err, -EIO, "%s: no random numbers", path);
	struct record record = directory_record(container);
	container->name_bytes = container_key_bytes(&record) + (uint32_t)bytes_be_string_count(container->name) +
				(uint32_t)bytes_be_string_count(TITLE);
	put_sector(container, 0, &sector);
	int rc = bytes_check(&sector, err);
	if (rc == 0)
		rc = enrg_file_write(file, sector.data, sector.count, err);
	if (rc == 0)
		rc = put_info(container, setting, err);
	if (rc == 0)
		rc = put_key_list(container, err);
	if (rc == 0) {
		bytes_clear(&sector);
		put_sector(container, enrg_file_size(file), &sector);
		rc = enrg_file_write_at(file, 0, sector.data, sector.count, err);
	}
	bytes_fini(&sector);
	return rc;
}

void container_fini(struct container *container)
{
	extent_list_fini(&container->free);
	free(container->keys);
	free(container->base_path);
	free(container->path);
	free(container->run);
}

/* --- commit ------------------------------------------------------------------------------------------------------- */

/* What the first sector becomes, as the last record of the state. */
static int put_note(struct container *container, struct enrg_error *err)
{
	const struct record record = {.class_name = "RBlob",
		.name = "",
		.title = "",
		.payload_bytes = NOTE_PAYLOAD_BYTES,
		.object_bytes = NOTE_PAYLOAD_BYTES};
	uint64_t position = enrg_file_size(container->file);
	struct place place = {.position = position,
		.key_bytes = container_key_bytes(&record),
		.bytes = NOTE_BYTES,
		.object_bytes = NOTE_PAYLOAD_BYTES};
	struct bytes note = {0};

	put_key(&note, &record, &place, container->made_at);
	bytes_be64(&note, NOTE_MAGIC);
	bytes_be64(&note, container->commit);
	bytes_be64(&note, position + NOTE_BYTES);
	bytes_be64(&note, container->key_list.position);
	bytes_be32(&note, container->key_list.bytes);
	bytes_be32(&note, pack_now());
	bytes_be64(&note, container->free_list.position);
	bytes_be32(&note, container->free_list.bytes);
	bytes_be32(&note, container->free_count);
	int rc = bytes_check(&note, err);
	if (rc == 0) {
		bytes_be64(&note, XXH64(note.data + place.key_bytes, note.count - place.key_bytes, 0));
		rc = bytes_check(&note, err);
	}
	if (rc == 0)
		rc = enrg_file_write(container->file, note.data, note.count, err);
	bytes_fini(&note);
	return rc;
}

/* The note, the disk, and the request to switch. */
static int seal(struct container *container, struct enrg_error *err)
{
	struct bytes sector = {0};
	int rc = put_note(container, err);

	if (rc == 0)
		rc = enrg_file_sync(container->file, err);
	put_sector(container, enrg_file_size(container->file), &sector);
	if (rc == 0)
		rc = bytes_check(&sector, err);
	if (rc == 0)
		rc = enrg_file_switch(container->file, 0, sector.data, (uint32_t)sector.count, err);
	bytes_fini(&sector);
	if (rc < 0)
		return rc;
	container->is_dirty = false;
	container->commit++;
	return 0;
}

/* One segment: what lies behind the end. ROOT crashes when it updates a file without; gaps need not be told. */
static int put_free_end(struct container *container, struct enrg_error *err)
{
	uint8_t segment[FREE_BYTES] = {FREE_VERSION >> 8, FREE_VERSION & 255};
	struct record record = directory_record(container);

	record.payload = segment;
	record.payload_bytes = record.object_bytes = sizeof(segment);
	record.in_directory = true;
	int rc = container_drop(container, &container->free_list, err);
	if (rc == 0)
		rc = container_put(container, &record, &container->free_list, err);
	if (rc < 0)
		return rc;
	/* Only now the end is known. */
	container->free_count = 1;
	bytes_set_be64(segment + 2, enrg_file_size(container->file) + NOTE_BYTES);
	bytes_set_be64(segment + 10, FREE_END);
	return enrg_file_write_at(container->file, container->free_list.position + container->free_list.key_bytes,
		segment, sizeof(segment), err);
}

int container_commit(struct container *container, struct enrg_error *err)
{
	if (!container->is_dirty)
		return 0;
	int rc = put_key_list(container, err);
	if (rc == 0)
		rc = put_free_end(container, err);
	return rc < 0 ? rc : seal(container, err);
}

static void put_free(const struct container *container, uint64_t end, struct bytes *out)
{
	for (size_t i = 0; i < container->free.count; i++) {
		const struct extent *extent = &container->free.items[i];
		bytes_be16(out, FREE_VERSION);
		bytes_be64(out, extent->position);
		bytes_be64(out, extent->position + extent->bytes - 1);
	}
	bytes_be16(out, FREE_VERSION);
	bytes_be64(out, end);
	bytes_be64(out, FREE_END);
}

int container_finish(struct container *container, struct enrg_error *err)
{
	struct record record = directory_record(container);
	uint32_t key_bytes = container_key_bytes(&record);
	struct bytes list = {0}, key = {0};
	int rc = put_key_list(container, err);
	if (rc == 0)
		rc = container_drop(container, &container->free_list, err);
	uint64_t position = enrg_file_size(container->file);
	uint64_t count = (container->free.count + 1) * FREE_BYTES;

	record.in_directory = true;
	put_free(container, position + key_bytes + count + NOTE_BYTES, &list); /* the note is the last in the file */
	struct place place = {position, key_bytes + count, key_bytes, (uint32_t)(key_bytes + count), count};
	put_key(&key, &record, &place, container->made_at);
	bytes_put(&key, list.data, list.count);
	if (rc == 0)
		rc = bytes_check(&list, err);
	if (rc == 0)
		rc = bytes_check(&key, err);
	if (rc == 0)
		rc = enrg_file_write(container->file, key.data, key.count, err);
	container->free_list = place;
	container->free_count = (uint32_t)container->free.count + 1;
	bytes_fini(&key);
	bytes_fini(&list);
	return rc < 0 ? rc : seal(container, err);
}
