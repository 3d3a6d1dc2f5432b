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
	const char *by;
	uint64_t number; /* 0 = the next */
	enum runs_state goal;
};
/* From IDLE: what is wanted was checked. */
int runs_begin(struct runs *runs, const struct runs_wanted *wanted, struct enrg_error *err);

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
