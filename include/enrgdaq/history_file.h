/* history_file.h: one file of a history, block by block: for who records, and for programs that want more than
 * enrgdaq/history.h answers. docs/history-format.md has the bytes. One handle belongs to one thread at a time.
 */
#ifndef ENRGDAQ_HISTORY_FILE_H
#define ENRGDAQ_HISTORY_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ENRG_HISTORY_SERIES_MAX 1048576u /* numbers of series are below */
#define ENRG_HISTORY_NAME_MAX   1023u    /* bytes, without the final NUL */
#define ENRG_HISTORY_UNIT_MAX   255u
#define ENRG_HISTORY_HOLD       60u /* spans for which a single value holds behind its own */

/* --- the files of a folder --------------------------------------------------------------------------------------- */

#define ENRG_HISTORY_PART_BYTES 64u /* of a file's name, with the final NUL */

struct enrg_history_part {
	uint32_t span_s;         /* of its values: 1 or 60 */
	uint32_t number;         /* counts the files of its level: the lowest is the oldest */
	uint64_t from_ns, to_ns; /* the hour (month) in which all its values lie */
	char name[ENRG_HISTORY_PART_BYTES];
};

/* That of a time. -EINVAL: no such level, or no such time. */
ENRG_API int enrg_history_part_set(
	struct enrg_history_part *ret_part, uint32_t span_s, uint32_t number, uint64_t time_ns);
/* Those that are there, by level (seconds first) and number; to be freed. Other names are left out. -errno, -ENOMEM. */
ENRG_API int enrg_history_parts_list(
	const char *folder, struct enrg_history_part **ret_parts, uint32_t *ret_count, struct enrg_error *err);

/* --- values ------------------------------------------------------------------------------------------------------ */

struct enrg_history_name {
	uint32_t series; /* its number in this file */
	uint32_t flags;  /* ENRG_HISTORY_… of history.h */
	const char *name, *unit;
};

struct enrg_history_value {
	uint32_t series;
	uint32_t seconds; /* for how many of the span it is known; 0: it is not known any more from here on */
	double min, mean, max;
};

/* Does it hold in later blocks that have no entry of its series? */
static inline bool enrg_history_value_holds(const struct enrg_history_value *value, uint32_t span_s)
{
	return value->seconds == span_s && value->min >= value->max;
}

/* --- to write ---------------------------------------------------------------------------------------------------- */

struct enrg_history_writer;

struct enrg_history_writer_params {
	uint32_t size;   /* sizeof(struct enrg_history_writer_params) */
	uint32_t span_s; /* 1 or 60 */
	const char *path;
	const char *supervisor, *job;
	uint64_t time_ns; /* of the head */
};

/* Makes the file, which must not be there (-EEXIST), and writes its head. -errno. */
ENRG_API int enrg_history_writer_open(const struct enrg_history_writer_params *params,
	struct enrg_history_writer **ret_writer, struct enrg_error *err);
/* What was not committed is lost. */
ENRG_API void enrg_history_writer_close(struct enrg_history_writer *writer); /* takes NULL */

/* For the next commit: names before the first value of their series; values in ascending order of their series. -EINVAL
 * (also numbers that are not finite), -ENOMEM. */
ENRG_API int enrg_history_writer_name(struct enrg_history_writer *writer, const struct enrg_history_name *name);
ENRG_API int enrg_history_writer_put(struct enrg_history_writer *writer, const struct enrg_history_value *value);
/* Bytes that a commit would append. */
ENRG_API uint64_t enrg_history_writer_waiting(const struct enrg_history_writer *writer);
/* Appends them by one write. -errno: nothing of it is in the file, and it may be tried again; where the disk holds on
 * to a part of it, the file is not to be used any more: -EIO. */
ENRG_API int enrg_history_writer_commit(struct enrg_history_writer *writer, uint64_t time_ns, struct enrg_error *err);
ENRG_API int enrg_history_writer_sync(struct enrg_history_writer *writer, struct enrg_error *err);
ENRG_API uint64_t enrg_history_writer_bytes(const struct enrg_history_writer *writer);

/* --- to read ----------------------------------------------------------------------------------------------------- */

struct enrg_history_file;

/* -errno; ENRG_E_CORRUPT: not a history, or its head is torn; ENRG_E_VERSION. */
ENRG_API int enrg_history_file_open(const char *path, struct enrg_history_file **ret_file, struct enrg_error *err);
ENRG_API void enrg_history_file_close(struct enrg_history_file *file); /* takes NULL */
ENRG_API uint32_t enrg_history_file_span_s(const struct enrg_history_file *file);
ENRG_API uint64_t enrg_history_file_begin_ns(const struct enrg_history_file *file);

struct enrg_history_block {
	uint64_t time_ns; /* begin of its span */
	uint32_t count;
	const struct enrg_history_value *values;
};

/* The next block of values whose time is `from_ns` or later; earlier ones are stepped over. 1, valid until the next
 * call; 0: there is none (yet): behind the last whole block; -ENOMEM. */
ENRG_API int enrg_history_file_next(
	struct enrg_history_file *file, uint64_t from_ns, struct enrg_history_block *ret_block);
/* Time of the last block of values that was passed; 0: none. */
ENRG_API uint64_t enrg_history_file_last_ns(const struct enrg_history_file *file);
/* Bytes of whole blocks so far. */
ENRG_API uint64_t enrg_history_file_bytes(const struct enrg_history_file *file);

/* Numbers of the series that were named so far are below. */
ENRG_API uint32_t enrg_history_file_series_end(const struct enrg_history_file *file);
/* NULL: none of that number was named so far. Valid until the file is closed. */
ENRG_API const struct enrg_history_name *enrg_history_file_name(const struct enrg_history_file *file, uint32_t series);

#ifdef __cplusplus
}
#endif

#endif
