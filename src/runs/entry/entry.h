/* entry.h: how anything gets into the book of runs: an entry is a file in the folder `book` of the runtime folder, on
 * tmpfs: no call here waits for a disk. Any process and thread.
 *
 * The program that owns the database (src/runs) enters it and removes the file; the id makes an entry that is entered
 * twice one.
 */
#ifndef RUNS_ENTRY_ENTRY_H
#define RUNS_ENTRY_ENTRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#define ENTRY_PROGRAM          "enrgdaq-runs" /* owns the database; left out where SQLite is missing */
#define ENTRY_PROGRAM_VARIABLE "ENRGDAQ_RUNS_BIN"
#define ENTRY_PROGRAM          "enrgdaq-runs" /* owns the database; left out of a build without SQLite */
#define ENTRY_PROGRAM_VARIABLE "ENRGDAQ_RUNS_BIN"
#define ENTRY_FOLDER           "book"        /* in the runtime folder */
#define ENTRY_SEQUENCE_MARK    "sequence.on" /* lies there while a sequence is driven */
#define ENTRY_UUID_BYTES       37u           /* "01234567-89ab-8def-8123-456789abcdef" and a NUL */
#define ENTRY_ID_BYTES         33u
#define ENTRY_BYTES_MAX        (16u << 20)
#define ENTRY_VERSION          1
#define ENTRY_WHO_BYTES        256u

/* What there is; docs/decisions/0021-run-book.md says what each body holds. */
#define ENTRY_KINDS(DO)                                                                                                \
	DO(BEGIN, "begin")                                                                                             \
	DO(STATE, "state")                                                                                             \
	DO(PROGRESS, "progress")                                                                                       \
	DO(FILE, "file")                                                                                               \
	DO(ALARM, "alarm")                                                                                             \
	DO(MESSAGE, "message")                                                                                         \
	DO(END, "end")                                                                                                 \
	DO(NOTE, "note")                                                                                               \
	DO(FLAG, "flag")                                                                                               \
	DO(DELETE, "delete")                                                                                           \
	DO(HOOK, "hook")                                                                                               \
	DO(SEQUENCE, "sequence")

#define ENTRY_KIND_ENUM(name, text) ENTRY_##name,
enum entry_kind { ENTRY_KINDS(ENTRY_KIND_ENUM) ENTRY_KIND_COUNT };

struct entry {
	char id[ENTRY_ID_BYTES];
	enum entry_kind kind;
	char uuid[ENTRY_UUID_BYTES]; /* of the run; "" = of none (a sequence), or of all that the file of that path
					holds */
	uint64_t wall_ns;
	char who[ENTRY_WHO_BYTES];
	json_t *body; /* an object */
};

/* One JSON object: {"v": 1, "id": 32 hex digits, "kind", "uuid": of the run, "wall_ns", "who", "body": {…}}. Steals
 * `body`. A "progress" takes the place of the one of that run which still lies there. */
int entry_write(const char *runtime_folder, const char *kind, const char *uuid, const char *who, json_t *body,
	struct enrg_error *err);
/* Its supervisor makes the folder where there is a book: nobody else would take what lies there. */
bool entry_has_book(const char *runtime_folder);
/* The same object, not written: new reference; steals `body`. NULL: out of memory. */
json_t *entry_make(const char *kind, const char *uuid, const char *who, json_t *body);
/* Any bytes. ENRG_E_PROTOCOL says what is wrong with them. */
int entry_parse(const char *text, size_t byte_count, struct entry *ret_entry, struct enrg_error *err);
int entry_parse_json(const json_t *json, struct entry *ret_entry, struct enrg_error *err);
void entry_fini(struct entry *entry);

const char *entry_kind_name(enum entry_kind kind);

/* Key of a run: the same whenever and by whomever it is made from these three (RFC 9562, version 8, of their SHA-256).
 */
void entry_make_uuid(const char *supervisor, const char *run, uint64_t began_wall_ns, char ret_uuid[ENTRY_UUID_BYTES]);

#endif
