/* intake_parts.h: what the files of intake.h have among themselves: each calls those above it here, none below.
 *
 * Store process, main thread.
 */
#ifndef JOB_STORE_INTAKE_PARTS_H
#define JOB_STORE_INTAKE_PARTS_H

#include "job/store/intake.h"

/* --- intake_input.c --- */

/* One more in the list, without ring and journal. NULL: no memory, *err says it. */
struct intake_input *intake_add_input(struct intake *intake, const struct plan_input *plan, struct enrg_error *err);

/* --- intake_check.c --- */

/* An alert, unless one of this kind was given just before: then it is counted for the next. */
void intake_tell_fault(
	struct intake *intake, struct intake_fault *fault, const char *what, const struct enrg_error *why);
void intake_count_corrupt(
	struct intake *intake, struct intake_input *input, uint64_t rows, const struct enrg_error *why);
/* 0: as expected, or a hole, which is counted; 1: it came before. */
int intake_check_sequence(struct intake *intake, struct intake_input *input, const struct record *header);

/* --- intake_run.c --- */

/* The boundary behind which the input goes on, from what its stream remembers. Over a link too: all streams of this
 * store lie in the same runtime folder. */
void intake_find_boundary(struct intake *intake, struct intake_input *input, const struct stream_status *status);
/* A boundary whose record is spoilt: the stream's page tells the same of it. false: it does not. */
bool intake_recall_boundary(struct intake *intake, const struct intake_record *record);
/* A record that is no batch, its check sums right. INTAKE_RUN, INTAKE_SKIPPED. */
int intake_take_boundary(struct intake *intake, const struct intake_record *record);

/* The first boundary behind that place which the stream's page knows. */
bool intake_find_next_boundary(const struct intake_input *input, uint64_t position, struct boundary *ret_found);
/* That boundary comes next, whatever its record says. INTAKE_RUN. */
int intake_pass_hidden(struct intake *intake, struct intake_input *input, uint64_t position,
	const struct boundary *found, struct intake_record *ret_record);
void intake_tell_recalled(const struct intake_input *input, const struct boundary *found);

/* --- intake_ring.c --- */

/* What the stream says, and what it knows of this consumer. */
int intake_find_ack(const char *path, const char *name, struct stream_status *ret_status, uint64_t *ret_ack,
	struct enrg_error *err);
/* What came before this store joined the stream was not for it: counted as skipped, so that each batch is accounted
 * for. true: so it is, and the journal does not say it yet. */
bool intake_begin_where_joined(
	struct journal_stream_state *now, const struct stream_status *status, const char *name, uint64_t ack);
int intake_attach_ring(struct intake *intake, struct intake_input *input, struct enrg_error *err);
int intake_next_of_ring(struct intake *intake, struct intake_input *input, struct intake_record *ret_record);

/* --- intake_link.c --- */

int intake_open_link(struct intake *intake, struct enrg_error *err);
/* Where the stream is there already, its input is known from the start; else it is made when its sender first says
 * something. */
void intake_know_link(struct intake *intake, const struct plan_input *plan);
/* What its stream says that was sent before this store joined is not for it, also where no batch ever comes. */
void intake_begin_link(struct intake *intake, struct intake_input *input);
void intake_find_link_boundary(struct intake *intake, struct intake_input *input);
int intake_next_of_link(struct intake *intake, struct intake_record *ret_record);

#endif
