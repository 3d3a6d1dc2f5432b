/* input.h: an .arrows (or .arrow) file, a dump of earlier versions (.bin, .npy.lz4), or a file of CAEN's WaveDump or
 * CoMPASS, as a command reads it: batch by batch from front to back, each proved by its check sums, where it has some,
 * before it is handed on. Memory: the largest message, decompressed. One thread. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "arrow/file_reader.h"
#include "caen/caen.h"
#include "cli/dump.h"
#include "cli/numpy_dump.h"

enum input_kind { INPUT_ARROW = 0, INPUT_DUMP, INPUT_NUMPY_DUMP, INPUT_CAEN };

/* What nobody can see in a file. */
struct input_hint {
	enum caen_kind kind;    /* --from; CAEN_NONE: by name and first bytes */
	uint32_t record_length; /* of WaveDump files without headers; 0: they have some */
};

struct input {
	const char *path;
	struct file_reader reader; /* what is read of a file of any kind: columns, the batch at hand, how far it is */
	enum input_kind kind;
	struct dump dump;
	struct numpy_dump numpy_dump;
	struct caen caen;
};

/* --from TEXT (`is_from`) or --record-length TEXT; false: none of these. */
bool input_parse_hint(struct input_hint *hint, bool is_from, const char *text);
#define INPUT_HINT_ERROR                                                                                               \
	"\"%s\": --from takes wavedump, wavedump-text, compass or compass-csv, --record-length a number of samples"
#define INPUT_HINT_USAGE                                                                                               \
	"  --from KIND       the input is of wavedump, wavedump-text, compass or compass-csv (else its name and "      \
	"first\n"                                                                                                      \
	"                    bytes tell: wave0.dat, *.BIN, \"Record Length:\", \"BOARD;CHANNEL;\")\n"                  \
	"  --record-length N samples of an event in a WaveDump file without headers\n"

/* Opens and reads the schema. -errno where the file can't be read, -EINVAL where it is none of these, -ENODATA where it
 * has 0 bytes (no rows, and no columns either), ENRG_E_CORRUPT where it is damaged. */
int input_open(struct input *input, const char *path, const struct input_hint *hint, struct enrg_error *err);
/* Refuses a dump in which every time is impossible, with -EINVAL: it is of another layout, or its clock was never set.
 */
int input_check_times(struct input *input, struct enrg_error *err);
/* 1: reader.message and reader.batch are the next batch (rows 0 for a gap) until the next call; 0: the end;
 * ENRG_E_CORRUPT with the offset and what to do about it. With `stays_packed` a compressed batch is handed on as it is,
 * with batch.columns NULL; else it is decompressed. */
int input_next(struct input *input, bool stays_packed, struct enrg_error *err);
/* Says on stderr, as `enrgdaq COMMAND`, what was read but hardly can be: times of a dump. */
void input_tell_doubts(const struct input *input, const char *command);
/* Takes an input that input_open failed on. */
void input_close(struct input *input);

/* Columns to show or keep: indices[0, count) into the file's schema. */
struct selection {
	uint32_t count;
	uint32_t *indices;
	struct enrg_column *columns;
	struct enrg_note *notes;
	struct enrg_schema schema; /* of these columns */
};

/* `names`: separated by commas, those with commas in quotes; NULL = all. -EINVAL names the column that is not there. */
int selection_init(
	struct selection *selection, const struct enrg_schema *schema, const char *names, struct enrg_error *err);
void selection_fini(struct selection *selection);

#endif
