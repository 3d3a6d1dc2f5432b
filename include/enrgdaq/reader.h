/* reader.h: for programs and jobs that read what was recorded: .arrows files, and .arrow files, batch by batch.
 *
 * A batch is handed out when it is proved: its check sums are right, and its structure fits the schema. What is damaged
 * or cut is named and passed over, and what stands behind it can still be read. Files of other programs, which have no
 * check sums, have their structure checked alone.
 *
 * Jobs find these functions in the program that loads them, programs in libenrgdaq (-lenrgdaq). One reader belongs to
 * one thread at a time; a file that a store still writes is read up to where it was when it was opened.
 */
#ifndef ENRGDAQ_READER_H
#define ENRGDAQ_READER_H

#include "enrgdaq/batch.h"
#include "enrgdaq/error.h"
#include "enrgdaq/schema.h"

#ifdef __cplusplus
extern "C" {
#endif

struct enrg_reader;

/* Opens a file and reads its schema. 0; -ENODATA: it has 0 bytes, so no rows and no columns; -EINVAL: it is no Arrow
 * file; ENRG_E_CORRUPT: it is one, but its start is damaged or of a type that ENRGDAQ has not; ENRG_E_VERSION: of a
 * later version of ENRGDAQ; -errno. */
ENRG_API int enrg_reader_open(const char *path, struct enrg_reader **ret_reader, struct enrg_error *err);

/* Its columns. Valid until enrg_reader_close. */
ENRG_API const struct enrg_schema *enrg_reader_schema(const struct enrg_reader *reader);

/* The next batch: 1, valid until the next call; 0: the end, also of all later calls. ENRG_E_CORRUPT: something there is
 * damaged, cut, or can't be decoded: err says at which byte and what; it is passed over, and the next call goes on
 * behind it. -errno: the file can't be read. A gap (is_gap) has no rows: the producer was started again there. */
ENRG_API int enrg_reader_next(struct enrg_reader *reader, const struct enrg_batch **ret_batch, struct enrg_error *err);

/* Of batches that were merged into one (docs/arrows-format.md): how many the batch at hand holds; else 1. 0: there is
 * none, or it has no numbers. */
ENRG_API uint64_t enrg_reader_merged(const struct enrg_reader *reader);

/* How far it is: bytes read, and bytes of the file when it was opened. */
ENRG_API uint64_t enrg_reader_offset(const struct enrg_reader *reader);
ENRG_API uint64_t enrg_reader_bytes(const struct enrg_reader *reader);

ENRG_API void enrg_reader_close(struct enrg_reader *reader); /* takes NULL */

#ifdef __cplusplus
}
#endif

#endif
