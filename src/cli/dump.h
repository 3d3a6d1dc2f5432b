/* dump.h: the digitizer's old binary dumps (.bin) as batches of rows, one row a sample. An event is a header of 32
 * bytes (u32 bytes of the event with its header, u8 board, u32 pattern, u8 channel mask, u32 event counter, u32 trigger
 * time tag, u64 ms since 1970: a C struct with its gaps) and samples of 8 bytes (u8 channel, u16 index, u16 LSB, i16
 * mV). One thread. */
#ifndef CLI_DUMP_H
#define CLI_DUMP_H

#include "arrow/file_window.h"
#include "enrgdaq/batch.h"

enum { DUMP_COLUMNS = 10 };

struct dump {
	uint8_t *columns[DUMP_COLUMNS];
	struct enrg_column_view views[DUMP_COLUMNS];
	uint64_t capacity, sequence;
	uint64_t event_count, odd_count; /* read so far; of them with a time before 1990 or after 2099 */
	uint64_t odd_offset, odd_ms;     /* where the first of those stands, and its time */
};

const struct enrg_schema *dump_schema(void); /* static storage */
/* The next whole events from *offset on, which moves behind them: 1 and *ret_batch; 0: the end; negative: `reason` says
 * what is wrong with the event at *offset. */
int dump_next(struct dump *dump, struct file_window *window, uint64_t *offset, struct enrg_batch *ret_batch,
	struct enrg_error *reason);
/* Does any event of the file have a time that can be? Goes through the heads up to the first that has. 1; 0: none of at
 * least one event has; negative: an error of reading. Damage behind the events is not told here. */
int dump_has_time(struct file_window *window, struct enrg_error *err);
void dump_fini(struct dump *dump); /* takes zeroed ones */

#endif
