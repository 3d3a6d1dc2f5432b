/* runs_state.h: what the files of runs share: runs.c (states), runs_commands.c (who asks), runs_life.c (from the start
 * to the end of the supervisor), runs_closing.c (runs that have ended), runs_file.c (runs.json), runs_sources.c (what
 * sources are told, and how far they are). For these alone. Process: supervisor, main thread. */
#ifndef SUPERVISOR_RUNS_STATE_H
#define SUPERVISOR_RUNS_STATE_H

#include "supervisor/runs.h"

/* --- runs.c --- */

/* Who has brought it there ("" = the engine), and why. */
void runs_enter(struct runs *runs, enum runs_state state, const char *by, const char *reason);
void runs_begin_stopping(struct runs *runs, const char *by, const char *reason);
/* Ends a run that was not on everywhere: it is aborted. */
void runs_abort(struct runs *runs, const char *by, const char *reason);
/* Of a command that waits for the end of a transition, if there is one. */
void runs_answer(struct runs *runs, enum command_code code, const char *text);

struct runs_wanted {
	json_t *asked;  /* taken, whatever comes of it */
	const char *id; /* "" = one is drawn */
	const char *by, *reason;
	uint64_t number; /* 0 = the next */
	enum runs_state goal;
};
/* From IDLE: what is wanted was checked. */
int runs_begin(struct runs *runs, const struct runs_wanted *wanted, struct enrg_error *err);

/* --- runs_parts.c --- */

/* What of the run that is on (or of all, before one is) is not there; "" = nothing. */
void runs_find_missing_part(const struct runs *runs, char *ret_text, size_t text_bytes);
/* true: it was not so before. */
bool runs_flag(struct runs *runs, struct account *account, const char *flag, const char *reason, const char *by);

/* --- runs_ends.c --- */

/* Why the run that is on is to end now; "" = it is not. */
void runs_find_end(struct runs *runs, uint64_t now_ns, char *ret_text, size_t text_bytes);
/* When it ends by time: wall clock, 0 = it does not. */
uint64_t runs_planned_end(const struct account *account);
/* Terms of the run that follows it by itself, or NULL. */
json_t *runs_make_next(const struct account *account);
/* "ends" of runs_format: new reference. */
json_t *runs_format_ends(const struct runs *runs);
/* Is there room for what it will make? A sentence that is to be said before it begins, or "". */
void runs_warn_room(const struct runs *runs, const struct run_terms *terms, char *ret_text, size_t text_bytes);
/* What its type made a second, for the next one. */
void runs_keep_rate(struct runs *runs, const struct account *account);

/* --- runs_entries.c --- */

/* Body of a "begin", without its number: new reference. */
json_t *runs_make_begin(const struct runs *runs, const struct account *account);
/* Stores learn of it: before it is wished for. */
void runs_tell_info(const struct runs *runs, const struct account *account);
void runs_put_state(const struct runs *runs);
void runs_put_flag(const struct runs *runs, const struct account *account, const char *flag, bool is_set,
	const char *reason, const char *by);
void runs_put_progress(const struct runs *runs);
const char *runs_quality(const struct account *account, bool is_accounted);
/* `ledger`: the account, where it is not that of the streams; or NULL. */
void runs_put_end(const struct runs *runs, const struct account *account, bool is_accounted, const json_t *ledger);
/* What run_figures has of it stays with it. */
void runs_take_figures(const struct runs *runs, struct account *account);

/* --- runs_custom.c --- */

/* The run that is on began with a job, and the last of those that came for it has ended. */
bool runs_have_jobs_ended(const struct runs *runs);

/* --- runs_notes.c --- */

/* `run_note`, `run_flag`. -ENOSPC. */
int runs_add_notes(struct runs *runs);

/* --- runs_closing.c --- */

/* The account of the run that has ended is to be closed. false: those before are not closed yet. */
bool runs_hand_over(struct runs *runs);
/* Those that are stored, in the order in which they have ended. */
void runs_close_done(struct runs *runs);
/* Logged, and beside the data. */
void runs_tell_account(const struct runs *runs, const struct account *account);

/* --- runs_file.c --- */
const char *runs_state_name(enum runs_state state);
int runs_save(const struct runs *runs, struct enrg_error *err);
void runs_save_or_tell(const struct runs *runs);
/* What a supervisor before this one left. */
void runs_load(struct runs *runs, bool goes_on);

/* --- runs_sources.c --- */

/* NULL: for no run. */
void runs_wish(struct runs *runs, const struct account *account);
/* Of all sources: are they in that run (NULL: in none)? Else the text says who is not, and why. */
enum runs_progress runs_look(const struct runs *runs, const char *id, char *ret_text, size_t text_bytes);
/* The first store that is not ready, or NULL. */
const char *runs_find_missing_store(const struct runs *runs);
/* Where a source is not there to end its part, its stream says so all the same; before it is late only of those that
 * will not come back by themselves. false: a stream could not take it now. */
bool runs_end_for_absent(const struct runs *runs, bool is_late);

#endif
