/* container.h: the ROOT file around the trees: head, directory, keys, and the switch from one committed state to the
 * next. The facts are in docs/root-format.md.
 *
 * All of a state hangs on the file's first sector (head and directory in one), which points to the list of keys. Each
 * commit writes new keys and a new list to places that the states before do not refer to, ends with a note of what the
 * first sector is to be, and asks the framework to write that sector once the commit is made.
 */
#ifndef ROOT_CONTAINER_H
#define ROOT_CONTAINER_H

#include "rootio/bytes.h"
#include "compress.h"
#include "enrgdaq/store.h"
#include "extent.h"

#define CONTAINER_NAME_BYTES_MAX 80u /* of the file's name inside it: the head must fit the first sector */

struct tree;
struct run_items;

/* Where a record lies. */
struct place {
	uint64_t position;  /* of its key; 0 = nowhere */
	uint64_t reserved;  /* bytes that are its own */
	uint32_t key_bytes; /* the payload begins behind them */
	uint32_t bytes;     /* of key and payload */
	uint64_t object_bytes;
};

struct record {
	const char *class_name, *name, *title;
	const void *payload;
	uint64_t payload_bytes;  /* as stored */
	uint64_t object_bytes;   /* when decompressed */
	const uint8_t *key_tail; /* more bytes that belong to the key; NULL = none */
	uint32_t key_tail_bytes;
	bool in_directory; /* as opposed to blobs, which no directory lists */
	bool grows;        /* is written again and again, a little longer each time */
};

struct container_key {
	const char *class_name, *name, *title;
	struct place place;
};

struct container {
	struct container *next;
	struct enrg_file *file;
	char *base_path; /* without the number */
	char *path;
	char name[CONTAINER_NAME_BYTES_MAX + 1];
	uint32_t made_at; /* packed date */
	uint8_t uuid[16];
	uint32_t name_bytes; /* from the directory's key to its numbers */
	uint32_t compression;
	uint64_t commit; /* counts; the one being made */
	uint64_t info_position;
	uint32_t info_bytes;
	struct place free_list;
	uint32_t free_count;
	struct place key_list;
	struct extent_list free;
	struct container_key *keys;
	uint32_t key_count;
	bool is_dirty;
	/* Of the store: */
	uint32_t users;
	uint64_t opened_ns;
	char *run;
	struct run_items *items; /* NULL: no run was noted */
	struct tree *trees;
};

/* Makes a file with nothing in it that every reader opens. The file must be empty. */
int container_create(struct container *container, struct enrg_file *file, const struct compress_setting *setting,
	struct enrg_error *err);
void container_fini(struct container *container); /* takes zeroed; does not close the file */

/* Bytes of the key of that record. */
uint32_t container_key_bytes(const struct record *record);
/* Writes a record. */
int container_put(
	struct container *container, const struct record *record, struct place *ret_place, struct enrg_error *err);
/* Nothing refers to it from the next commit on; takes a place that is nowhere. */
int container_drop(struct container *container, struct place *place, struct enrg_error *err);
/* Lists the object under `name` (its strings must outlive the container), or moves it to another place. */
int container_list(struct container *container, const struct container_key *key, struct enrg_error *err);

/* Writes what makes the next state and waits for the disk. The state is the file's when the framework's commit is made.
 */
int container_commit(struct container *container, struct enrg_error *err);
/* The free list as well: for a file that is finished. */
int container_finish(struct container *container, struct enrg_error *err);

enum container_content {
	CONTAINER_EMPTY,   /* a file without bytes */
	CONTAINER_FOREIGN, /* not ours */
	CONTAINER_WHOLE,   /* ours, and it opens */
	CONTAINER_MENDED,  /* ours, and was brought to the last committed state */
	CONTAINER_BROKEN,  /* ours, and was cut behind what could be mended */
};

/* Looks at a file that was there, and mends one of ours. */
int container_mend(struct enrg_file *file, enum container_content *ret_content, struct enrg_error *err);

#endif
