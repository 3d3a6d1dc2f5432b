/* roster.h: all jobs of this supervisor and what each of them is doing. Process: supervisor, main thread. */
#ifndef SUPERVISOR_ROSTER_H
#define SUPERVISOR_ROSTER_H

#include "supervisor/member.h"

#define ROSTER_FAILING 3u /* lives in a row that were not stable: not just one bad moment */

enum roster_event { ROSTER_READY = 1, ROSTER_END = 2 }; /* upper half of epoll_data.u64; lower half: id */

struct roster {
	size_t count;
	struct member **members; /* in the order of their ids */
	struct member **by_name; /* sorted */
	uint32_t next_id;
	int epoll, lifeline;
	int wish; /* which run is to be on: wish.h; 0 = there is no run control */
	struct restart_policy policy;
	uint64_t watchdog_ns, started_ns;
	uint64_t first_ready_ns; /* a source was ready; 0 = none yet */
	size_t up_count;         /* of members, when all had been ready: need not be asked again */
	bool is_stopping;        /* nothing is started again but stores that still have something to drain */
};

struct roster_params {
	const struct folder *folder;
	const struct plan_set *plans;
	int epoll, lifeline;
};

/* Takes the plans out of the set. */
int roster_create(const struct roster_params *params, struct roster **ret_roster, struct enrg_error *err);
void roster_destroy(struct roster *roster);

/* A job that comes while the run is on. `plan` is taken on success. */
int roster_add(struct roster *roster, const struct job_config *config, struct plan *plan, struct member **ret_member,
	struct enrg_error *err);
/* One that is gone: its process has ended, and nobody refers to it. */
void roster_remove(struct roster *roster, struct member *member);
/* Lets one that has ended, for whatever reason, start anew. */
void roster_revive(struct member *member);
void roster_set_policy(struct roster *roster, const struct supervisor_options *options);

/* Starts what may start now: stores, then processors, those furthest from sources first, then sources; jobs whose pause
 * is over. */
void roster_start_due(struct roster *roster, uint64_t now_ns);
/* An event of a member's descriptor. */
void roster_handle(struct roster *roster, enum roster_event event, uint32_t id, uint64_t now_ns);
/* Kills jobs that give no sign of life. `now_ns` here and everywhere: a clock of the time in which the supervisor ran.
 */
void roster_watch(struct roster *roster, uint64_t now_ns);
/* Asks a member to end (again: at once). A member that does not run is marked as stopped. */
void roster_stop_member(struct member *member);
/* SIGKILL, of one that was asked to end and does not. */
void roster_kill_member(struct member *member);
/* One that pauses is started again at once. */
void roster_hasten_member(struct member *member, uint64_t now_ns);
/* Time of the next thing that roster_start_due has to do; UINT64_MAX = nothing. */
uint64_t roster_next_due(const struct roster *roster);

struct member *roster_find_id(const struct roster *roster, uint32_t id);
struct member *roster_find(const struct roster *roster, const char *name);
/* The name that may have been meant; NULL: none is near. */
const char *roster_suggest(const struct roster *roster, const char *name);
/* Has the store anything to read in its streams? */
bool roster_has_backlog(const struct roster *roster, const struct member *store);
/* Has it something to do at the end of a run: a store that, or a processor, which may hold rows to be flushed? */
bool roster_has_more(const struct roster *roster, const struct member *member);
/* Every job has been ready once, or has had half a minute for it. */
bool roster_is_up(struct roster *roster, uint64_t now_ns);
/* There are sources, and none of them will ever produce again. */
bool roster_is_exhausted(const struct roster *roster);

#endif
