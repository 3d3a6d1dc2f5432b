/* driver.h: lets libhdf5 write to a shadow (its "virtual file driver"). One thread. */
#ifndef HDF5_DRIVER_H
#define HDF5_DRIVER_H

#include <hdf5.h>

#include "shadow.h"

/* Registers the driver; < 0: an error of libhdf5. H5FDunregister. */
hid_t driver_register(void);

/* Makes files opened with `access` lie in `shadow`, which must outlive them. `*is_packed` (may change): bytes of rows
 * are to be undone as well. */
herr_t driver_use(hid_t driver, hid_t access, struct shadow *shadow, const bool *is_packed);

#endif
