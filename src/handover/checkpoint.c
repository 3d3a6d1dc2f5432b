/* checkpoint.c: two slots of a processor. Written by its main thread through mappings whose pages exist; read, never
 * mapped, from outside: a file that somebody cuts short meanwhile is no fault. */
#include "handover/checkpoint.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/held.h"
#include "handover/journal.h"

#define PAGE_BYTES  4096u
#define SLOT_STRIDE (UINT64_C(1) << 30) /* sparse: a slot takes what is written into it */

struct file_header {
	uint64_t magic;
	uint32_t version;
	uint32_t reserved;
};

/* In front of a slot; behind it streams, inputs, policies, state. */
struct slot_header {
	uint64_t number; /* 0: no checkpoint; stored last */
	uint64_t output_position;
	uint8_t output_uuid[16];
	uint64_t dropped_rows;
	uint64_t state_bytes;
	uint32_t stream_count, input_count, policy_count;
	uint32_t state_crc;
	char run[CHECKPOINT_RUN_BYTES];
	uint32_t flags;
	uint32_t text_key;
	uint32_t list_crc;   /* of streams, inputs and policies */
	uint32_t header_crc; /* of the bytes before */
};

static_assert(offsetof(struct slot_header, output_uuid) == 16, "checkpoint slot");
static_assert(offsetof(struct slot_header, stream_count) == 48, "checkpoint slot");
static_assert(offsetof(struct slot_header, run) == 64, "checkpoint slot");
static_assert(offsetof(struct slot_header, header_crc) == 140, "checkpoint slot");
static_assert(sizeof(struct slot_header) == 144, "checkpoint slot");
static_assert(sizeof(struct checkpoint_stream) == 32, "checkpoint stream");
static_assert(sizeof(struct checkpoint_input) == 32, "checkpoint input");
static_assert(sizeof(struct checkpoint_policy) == 128, "checkpoint policy");

struct checkpoint_file {
	int descriptor;
	char *path;
	uint8_t *slots[2]; /* mapped, all pages there; NULL: nothing yet */
	uint64_t slot_bytes[2];
};

static uint64_t slot_at(uint64_t number)
{
	return PAGE_BYTES + (number & 1) * SLOT_STRIDE;
}

static uint64_t list_bytes(uint32_t streams, uint32_t inputs, uint32_t policies)
{
	return (uint64_t)streams * sizeof(struct checkpoint_stream) +
	       (uint64_t)inputs * sizeof(struct checkpoint_input) +
	       (uint64_t)policies * sizeof(struct checkpoint_policy);
}

static uint32_t add_text(uint32_t crc, const char *text)
{
	return text ? crc32c(crc, text, strlen(text) + 1) : crc32c(crc, "\1", 2);
}

uint32_t checkpoint_input_key(const char *job, const char *group, const char *tag)
{
	return add_text(add_text(add_text(0, job), group), tag);
}

/* --- the processor's own ------------------------------------------------------------------------------------------ */

static int prepare_file(struct checkpoint_file *file, struct enrg_error *err)
{
	static const struct file_header made = {.magic = CHECKPOINT_MAGIC, .version = CHECKPOINT_VERSION};
	struct file_header header = {0};
	ssize_t count = pread(file->descriptor, &header, sizeof(header), 0);

	if (count < 0)
		return enrg_error_set(err, -errno, "checkpoint %s: %s", file->path, strerror(errno));
	if (count == (ssize_t)sizeof(header) && header.magic == CHECKPOINT_MAGIC) {
		if (header.version == CHECKPOINT_VERSION)
			return 0;
		return enrg_error_set(err, ENRG_E_VERSION, "checkpoint %s: version %u, this program knows %u",
			file->path, header.version, CHECKPOINT_VERSION);
	}
	if (header.magic != 0)
		return enrg_error_set(err, ENRG_E_CORRUPT, "checkpoint %s: not a checkpoint", file->path);
	if (ftruncate(file->descriptor, PAGE_BYTES) < 0 ||
		pwrite(file->descriptor, &made, sizeof(made), 0) != (ssize_t)sizeof(made))
		return enrg_error_set(err, -errno, "checkpoint %s: %s", file->path, strerror(errno));
	return 0;
}

int checkpoint_open(const char *path, struct checkpoint_file **ret_file, struct enrg_error *err)
{
	struct checkpoint_file *file = calloc(1, sizeof(*file));

	if (!file || !(file->path = strdup(path))) {
		free(file);
		return enrg_error_set(err, -ENOMEM, "checkpoint %s: out of memory", path);
	}
	file->descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int rc = file->descriptor < 0
			 ? enrg_error_set(err, -errno, "checkpoint %s: can't open: %s", path, strerror(errno))
			 : prepare_file(file, err);
	if (rc < 0) {
		checkpoint_close(file);
		return rc;
	}
	*ret_file = file;
	return 0;
}

void checkpoint_close(struct checkpoint_file *file)
{
	if (!file)
		return;
	for (int i = 0; i < 2; i++)
		if (file->slots[i])
			munmap(file->slots[i], file->slot_bytes[i]);
	if (file->descriptor >= 0)
		close(file->descriptor);
	free(file->path);
	free(file);
}

/* Pages for the slot of that number, mapped. */
static int map_slot(struct checkpoint_file *file, uint64_t number, uint64_t bytes, struct enrg_error *err)
{
	unsigned index = number & 1;
	uint64_t rounded = (bytes + bytes / 2 + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
	int error;

	if (bytes <= file->slot_bytes[index])
		return 0;
	rounded = rounded < SLOT_STRIDE ? rounded : SLOT_STRIDE;
	error = posix_fallocate(file->descriptor, (off_t)slot_at(number), (off_t)rounded);
	void *map = error ? MAP_FAILED
			  : mmap(NULL, rounded, PROT_READ | PROT_WRITE, MAP_SHARED, file->descriptor,
				    (off_t)slot_at(number));
	if (map == MAP_FAILED) {
		error = error ? error : errno;
		return enrg_error_set(err, -error, "checkpoint %s: no memory for %llu bytes: %s", file->path,
			(unsigned long long)rounded, strerror(error));
	}
	if (file->slots[index])
		munmap(file->slots[index], file->slot_bytes[index]);
	file->slots[index] = map;
	file->slot_bytes[index] = rounded;
	return 0;
}

int checkpoint_reserve(struct checkpoint_file *file, const struct checkpoint *checkpoint, struct enrg_error *err)
{
	if (checkpoint->state_bytes > CHECKPOINT_STATE_MAX || checkpoint->stream_count > CHECKPOINT_STREAMS ||
		checkpoint->input_count > CHECKPOINT_INPUTS || checkpoint->policy_count > CHECKPOINT_POLICIES)
		return enrg_error_set(err, -EMSGSIZE, "checkpoint %s: a state of %llu bytes is more than %u MiB",
			file->path, (unsigned long long)checkpoint->state_bytes, CHECKPOINT_STATE_MAX >> 20);
	return map_slot(file, checkpoint->number,
		sizeof(struct slot_header) +
			list_bytes(checkpoint->stream_count, checkpoint->input_count, checkpoint->policy_count) +
			checkpoint->state_bytes,
		err);
}

static void set_number(struct checkpoint_file *file, uint64_t slot, uint64_t number)
{
	_Atomic uint64_t *at = (_Atomic uint64_t *)(void *)file->slots[slot & 1];

	/* On both sides: a kill may come between any two stores, and they stay in this order. */
	atomic_thread_fence(memory_order_seq_cst);
	atomic_store_explicit(at, number, memory_order_release);
	atomic_thread_fence(memory_order_seq_cst);
}

static uint8_t *put(uint8_t *at, const void *bytes, uint64_t count)
{
	if (count)
		memcpy(at, bytes, count);
	return at + count;
}

void checkpoint_write(struct checkpoint_file *file, const struct checkpoint *checkpoint)
{
	uint8_t *slot = file->slots[checkpoint->number & 1], *lists = slot + sizeof(struct slot_header), *at;
	struct slot_header header = {
		.number = checkpoint->number,
		.output_position = checkpoint->output_position,
		.dropped_rows = checkpoint->dropped_rows,
		.state_bytes = checkpoint->state_bytes,
		.stream_count = checkpoint->stream_count,
		.input_count = checkpoint->input_count,
		.policy_count = checkpoint->policy_count,
		.flags = checkpoint->flags,
		.text_key = checkpoint->text_key,
		.state_crc = crc32c(0, checkpoint->state, checkpoint->state_bytes),
	};

	set_number(file, checkpoint->number, 0); /* it is none before it changes */
	at = put(lists, checkpoint->streams, checkpoint->stream_count * sizeof(*checkpoint->streams));
	at = put(at, checkpoint->inputs, checkpoint->input_count * sizeof(*checkpoint->inputs));
	at = put(at, checkpoint->policies, checkpoint->policy_count * sizeof(*checkpoint->policies));
	header.list_crc = crc32c(0, lists, (uint64_t)(at - lists));
	put(at, checkpoint->state, checkpoint->state_bytes);
	memcpy(header.output_uuid, checkpoint->output_uuid, sizeof(header.output_uuid));
	memcpy(header.run, checkpoint->run, sizeof(header.run));
	header.header_crc = crc32c(0, &header, offsetof(struct slot_header, header_crc));
	put(slot + sizeof(header.number), (const uint8_t *)&header + sizeof(header.number),
		sizeof(header) - sizeof(header.number));
	set_number(file, checkpoint->number, checkpoint->number);
}

void checkpoint_clear_next(struct checkpoint_file *file, uint64_t number)
{
	static const uint64_t none;
	struct stat status;

	if (fstat(file->descriptor, &status) == 0 && status.st_size > (off_t)slot_at(number + 1))
		(void)!pwrite(file->descriptor, &none, sizeof(none), (off_t)slot_at(number + 1));
}

/* --- from any process --------------------------------------------------------------------------------------------- */

static int damaged(const char *path, const char *what, struct enrg_error *err)
{
	return enrg_error_set(err, ENRG_E_CORRUPT, "checkpoint %s: %s: it was damaged", path, what);
}

static int read_header(
	int descriptor, const char *path, uint64_t number, struct slot_header *ret_header, struct enrg_error *err)
{
	struct file_header file = {0};

	if (pread(descriptor, &file, sizeof(file), 0) != (ssize_t)sizeof(file) || file.magic != CHECKPOINT_MAGIC)
		return damaged(path, "not a checkpoint", err);
	if (file.version != CHECKPOINT_VERSION)
		return enrg_error_set(err, ENRG_E_VERSION, "checkpoint %s: version %u, this program knows %u", path,
			file.version, CHECKPOINT_VERSION);
	if (pread(descriptor, ret_header, sizeof(*ret_header), (off_t)slot_at(number)) !=
			(ssize_t)sizeof(*ret_header) ||
		ret_header->number != number || !number)
		return enrg_error_set(
			err, -ENOENT, "checkpoint %s: none of number %llu", path, (unsigned long long)number);
	if (crc32c(0, ret_header, offsetof(struct slot_header, header_crc)) != ret_header->header_crc)
		return damaged(path, "header CRC wrong", err);
	if (ret_header->stream_count > CHECKPOINT_STREAMS || ret_header->input_count > CHECKPOINT_INPUTS ||
		ret_header->policy_count > CHECKPOINT_POLICIES || ret_header->state_bytes > CHECKPOINT_STATE_MAX ||
		!memchr(ret_header->run, 0, sizeof(ret_header->run)))
		return damaged(path, "counts out of bounds", err);
	return 0;
}

/* `count` bytes, checked; NULL is returned for none at all. */
struct part {
	int descriptor;
	const char *path;
	uint64_t at, count;
	uint32_t crc;
};

static int read_part(const struct part *part, void **ret_bytes, struct enrg_error *err)
{
	const uint64_t count = part->count;
	uint8_t *bytes = malloc(count + 1);

	if (!bytes)
		return enrg_error_set(err, -ENOMEM, "checkpoint %s: out of memory", part->path);
	for (uint64_t done = 0; done < count;) {
		ssize_t got = pread(part->descriptor, bytes + done, count - done, (off_t)(part->at + done));
		if (got <= 0) {
			free(bytes);
			return damaged(part->path, "cut short", err);
		}
		done += (uint64_t)got;
	}
	if (crc32c(0, bytes, count) != part->crc) {
		free(bytes);
		return damaged(part->path, "CRC wrong", err);
	}
	*ret_bytes = bytes;
	return 0;
}

/* The lists lie one behind the other; each gets memory of its own. */
static int split_lists(const uint8_t *bytes, struct checkpoint *checkpoint)
{
	uint64_t streams = checkpoint->stream_count * sizeof(*checkpoint->streams),
		 inputs = checkpoint->input_count * sizeof(*checkpoint->inputs),
		 policies = checkpoint->policy_count * sizeof(*checkpoint->policies);

	checkpoint->streams = malloc(streams + 1);
	checkpoint->inputs = malloc(inputs + 1);
	checkpoint->policies = malloc(policies + 1);
	if (!checkpoint->streams || !checkpoint->inputs || !checkpoint->policies)
		return -ENOMEM;
	memcpy(checkpoint->streams, bytes, streams);
	memcpy(checkpoint->inputs, bytes + streams, inputs);
	memcpy(checkpoint->policies, bytes + streams + inputs, policies);
	for (uint32_t i = 0; i < checkpoint->policy_count; i++)
		checkpoint->policies[i].name[CHECKPOINT_NAME_BYTES - 1] = 0;
	return 0;
}

static int read_slot(int descriptor, const char *path, uint64_t number, bool with_state, struct checkpoint *ret,
	struct enrg_error *err)
{
	struct slot_header header;
	uint64_t at = slot_at(number) + sizeof(header), bytes;
	void *lists = NULL;
	int rc = read_header(descriptor, path, number, &header, err);

	*ret = (struct checkpoint){0};
	if (rc < 0)
		return rc;
	bytes = list_bytes(header.stream_count, header.input_count, header.policy_count);
	rc = read_part(&(struct part){descriptor, path, at, bytes, header.list_crc}, &lists, err);
	if (rc < 0)
		return rc;
	ret->number = number;
	ret->output_position = header.output_position;
	ret->dropped_rows = header.dropped_rows;
	memcpy(ret->output_uuid, header.output_uuid, sizeof(ret->output_uuid));
	memcpy(ret->run, header.run, sizeof(ret->run));
	ret->stream_count = header.stream_count;
	ret->input_count = header.input_count;
	ret->policy_count = header.policy_count;
	ret->flags = header.flags;
	ret->text_key = header.text_key;
	rc = split_lists(lists, ret);
	free(lists);
	if (rc < 0)
		return enrg_error_set(err, rc, "checkpoint %s: out of memory", path);
	if (!with_state)
		return 0;
	ret->state_bytes = header.state_bytes;
	return read_part(
		&(struct part){descriptor, path, at + bytes, header.state_bytes, header.state_crc}, &ret->state, err);
}

int checkpoint_read(
	const char *path, uint64_t number, bool with_state, struct checkpoint *ret_checkpoint, struct enrg_error *err)
{
	int descriptor = held_open(path, O_RDONLY);
	int rc;

	*ret_checkpoint = (struct checkpoint){0};
	if (descriptor < 0)
		return enrg_error_set(err, -errno, "checkpoint %s: %s", path, strerror(errno));
	rc = read_slot(descriptor, path, number, with_state, ret_checkpoint, err);
	close(descriptor);
	if (rc < 0)
		checkpoint_fini(ret_checkpoint);
	return rc;
}

void checkpoint_fini(struct checkpoint *checkpoint)
{
	free(checkpoint->streams);
	free(checkpoint->inputs);
	free(checkpoint->policies);
	free(checkpoint->state);
	*checkpoint = (struct checkpoint){0};
}

/* --- for a processor that is not there ---------------------------------------------------------------------------- */

/* The number of the valid commit; 0: there is no such journal. */
static uint64_t read_commit(const char *journal_path)
{
	uint64_t number = 0;

	return journal_read_number(journal_path, &number) == 0 ? number : 0;
}

int checkpoint_roll_forward(const char *path, const char *journal_path, const uint8_t output_uuid[16], uint64_t head,
	struct enrg_error *err)
{
	static const uint8_t none[16];
	struct checkpoint next;
	uint64_t number = read_commit(journal_path) + 1;

	if (checkpoint_read(path, number, true, &next, NULL) < 0)
		return 0; /* none, or one that was not finished */
	bool is_made = !memcmp(next.output_uuid, output_uuid ? output_uuid : none, sizeof(next.output_uuid)) &&
		       next.output_position <= head;
	checkpoint_fini(&next);
	return is_made ? journal_roll_forward(journal_path, number, err) : 0;
}

/* There is no checkpoint of `number`: what a killed life had begun must not pass for the next one. */
static int follow_none(const char *path, uint64_t number, struct enrg_error *err)
{
	struct checkpoint_file *file;

	if (access(path, F_OK) < 0)
		return 0;
	int rc = checkpoint_open(path, &file, err);
	if (rc < 0)
		return rc;
	checkpoint_clear_next(file, number);
	checkpoint_close(file);
	return 0;
}

int checkpoint_follow(const char *path, uint64_t number, struct enrg_error *err)
{
	struct checkpoint_file *file;
	struct checkpoint last;

	if (checkpoint_read(path, number, true, &last, NULL) < 0)
		return follow_none(path, number, err);
	int rc = checkpoint_open(path, &file, err);
	if (rc == 0) {
		last.number = number + 1;
		rc = checkpoint_reserve(file, &last, err);
		if (rc == 0)
			checkpoint_write(file, &last);
		checkpoint_close(file);
	}
	checkpoint_fini(&last);
	return rc;
}
