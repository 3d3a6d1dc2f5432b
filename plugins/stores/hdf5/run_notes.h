/* run_notes.h: what is known of a run, in an HDF5 file: attributes of the root group of the run that the file was begun
 * in, and for each run a group enrgdaq_runs/RUN (NX_class NXentry) with the same attributes and the configuration as a
 * dataset. Names are those of NeXus where there is one. One thread. */
#ifndef HDF5_RUN_NOTES_H
#define HDF5_RUN_NOTES_H

#include <hdf5.h>

#include "enrgdaq/store.h"

struct run_notes {
	char run[64];   /* that was noted last */
	bool has_ended; /* its end was noted, too */
};

/* Rows of that run come next. true: something was written. What can't be written is left out. */
bool run_notes_begin(struct run_notes *notes, struct enrg_store *store, hid_t file, const char *run);
/* The end of the run that was noted last, where it is known by now. true: something was written. */
bool run_notes_end(struct run_notes *notes, struct enrg_store *store, hid_t file);

#endif
