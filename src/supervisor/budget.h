/* budget.h: how large each ring is, and whether tmpfs can hold them all. Process: supervisor. */
#ifndef SUPERVISOR_BUDGET_H
#define SUPERVISOR_BUDGET_H

#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"
#include "plane/segment.h"

/* Beside the data area: header pages, routes, schemas. */
#define BUDGET_OVERHEAD_BYTES SEGMENT_DATA_AT
/* Without so much a ring, its job's page and its store's journal are no start. */
#define BUDGET_LEAST_BYTES (128ull << 10)

/* Largest payload of a claim. */
uint64_t budget_record_bytes(int64_t slot_kb);
/* Data area of one producer's ring: its own size or its share, never less than two of the largest records. */
uint64_t budget_ring_bytes(int64_t own_mb, int64_t supervisor_mb, size_t producer_count, int64_t slot_kb);
/* Last-level cache that the cores of this process share. */
uint64_t budget_cache_bytes(void);
/* Has the file system of `folder` room for rings that take `full_bytes` when all are filled? They take it only then, so
 * that less is an answer of 1, with what it means and the key to change in `err`. -ENOSPC: there is no room to start
 * with. */
int budget_check(const char *folder, uint64_t full_bytes, size_t ring_count, struct enrg_error *err);

#endif
