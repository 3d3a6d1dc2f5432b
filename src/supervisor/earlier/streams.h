/* streams.h: the files of all producers' rings: their sizes, their creation, their removal. Process: supervisor. */
#ifndef SUPERVISOR_EARLIER_STREAMS_H
#define SUPERVISOR_EARLIER_STREAMS_H

#include "config/folder.h"
#include "plane/stream.h"
#include "supervisor/earlier/earlier.h"
#include "supervisor/plan_builder.h"

struct stream_spec {
	struct plan *plan;
	uint64_t data_bytes, record_bytes_max;
	struct kept_stream *kept; /* the stream was there and continues; NULL: not so */
};

struct kept_stream {
	struct stream_status status; /* as it was found */
	struct earlier earlier;      /* what earlier runs left in it; runs "" = nothing */
};

struct stream_specs {
	size_t count;
	struct stream_spec *items;
};

int stream_specs_create(const struct folder *folder, const struct plan_set *plans, struct stream_specs **ret_specs,
	struct enrg_error *err);
void stream_specs_destroy(struct stream_specs *specs);
/* `kept` of all becomes NULL: 48 kB each, which nobody needs when the run is on. */
void stream_specs_drop_kept(struct stream_specs *specs);

/* Makes every file that is not there yet, with its required consumers, after looking whether tmpfs has room for them.
 */
int streams_create(const struct stream_specs *specs, bool checks, struct enrg_error *err);
/* Does an existing stream fit: the same required consumers, the same sizes? */
bool stream_spec_fits(const struct stream_spec *spec, const struct stream_status *status);
/* Does a stream of other sizes or consumers go on all the same? Its source is that of the spec, and one of its required
 * consumers is still configured. */
bool stream_spec_takes(const struct stream_spec *spec, const struct stream_status *status);
/* Is that required consumer configured? */
bool stream_spec_has_sink(const struct stream_spec *spec, const char *name);
/* Is it fully acknowledged? false also where it can't be read. */
bool stream_is_settled(const char *path);
/* Removes it where it is fully acknowledged; true: it is not there (any more). */
bool stream_remove_settled(const char *path);
/* A source was removed while the run is on. Its empty ring is put aside as NAME.parted, without the memory for records:
 * 32 KiB say from where its batches and tables count on when it comes again in this run. The name is free from then on.
 */
int stream_part(const char *path, struct enrg_error *err);
/* It comes again: the ring goes on where it stopped. 0 also where none was put aside. A kill within either of the two
 * leaves one of the two files, with pages or without, and either is gone on with. */
int stream_return(const char *path, struct enrg_error *err);
#define STREAM_PARTED_SUFFIX ".parted"
/* The run has ended, or does not go on. */
void streams_drop_parted(const char *folder);
/* Removes the streams that are fully acknowledged; the number of those that hold batches. */
size_t streams_remove_settled(const struct stream_specs *specs);

#endif
