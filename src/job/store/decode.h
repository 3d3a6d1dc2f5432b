/* decode.h: from a record to a batch that points into it. Main thread of a job that consumes. */
#ifndef JOB_STORE_DECODE_H
#define JOB_STORE_DECODE_H

#include "enrgdaq/batch.h"
#include "job/store/intake.h"

/* `views`: one a column, filled. ENRG_E_CORRUPT: the record is none of that schema. `run` of the batch stays NULL. */
int decode_record(const struct intake_record *record, const struct enrg_schema *schema, struct enrg_column_view *views,
	const char *tag, struct enrg_batch *ret_batch, struct enrg_error *err);

#endif
