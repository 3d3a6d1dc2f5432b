/* verify_state.h: a file while it is proved: what verify.c (messages), verify_sequences.c and verify_damage.c have
 * among themselves. */
#ifndef ARROW_VERIFY_STATE_H
#define ARROW_VERIFY_STATE_H

#include "arrow/file_footer.h"
#include "arrow/file_window.h"
#include "arrow/verify.h"

struct verifier {
	struct file_window window;
	uint64_t start, end;        /* of the messages in the file */
	uint64_t offset;            /* of the message at hand */
	struct enrg_schema *schema; /* NULL: none read yet, or damaged */
	uint32_t schema_id;         /* of the schema; 0 without one */
	struct enrg_column_view *views;
	bool wants_schema;    /* at the start and behind an end mark */
	bool is_stamped;      /* this file has ENRGDAQ's check sums: a message without is a damaged one */
	bool is_schema_plain; /* the schema has none: right only where the batches have none either */
	struct verify_table *tables;
	size_t table_count, table_capacity, last_table;
	/* Of a file with a footer: the footer (at 0 where it is damaged), and the batches to compare it with. */
	struct file_footer footer;
	struct file_blocks blocks;
	struct verify_report report;
	const struct verify_hooks *hooks;
};

/* --- verify_damage.c --- */

__attribute__((format(printf, 3, 4))) void verify_tell(
	struct verifier *verifier, enum verify_finding finding, const char *format, ...);
/* The last message reaches behind the end. */
void verify_note_torn(struct verifier *verifier);
/* What stands at the offset can't be trusted: go on at the next message that can. */
int verify_skip_damage(struct verifier *verifier, const char *reason, bool is_cut, struct enrg_error *err);
void verify_note_corrupt(struct verifier *verifier, const struct ipc_message *message, const char *reason);

/* --- verify_sequences.c --- */

int verify_note_sequence(
	struct verifier *verifier, const struct ipc_message *message, bool *ret_is_duplicate, struct enrg_error *err);
void verify_tell_missing(struct verifier *verifier);

#endif
