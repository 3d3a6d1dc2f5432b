/* member.h: one job of this supervisor: its life cycle, which roster.c changes (state: member_enter alone), what a
 * change of the run wants of it, which transition.c says, and what was last read from its page and stream, which
 * member_page.c and sample.c alone write. Process: supervisor, main thread. */
#ifndef SUPERVISOR_MEMBER_H
#define SUPERVISOR_MEMBER_H

#include "handover/command.h"
#include "handover/journal.h"
#include "handover/page.h"
#include "handover/statistics.h"
#include "plane/stream.h"
#include "supervisor/child.h"
#include "supervisor/plan_builder.h"
#include "supervisor/restart.h"

enum member_state {
	MEMBER_WAITING,  /* not started yet; a source or processor: until those that read it are ready */
	MEMBER_STARTING, /* the process runs and has not told that it is ready */
	MEMBER_RUNNING,
	MEMBER_PAUSING,  /* died; will be started again at restart.due_ns */
	MEMBER_DONE,     /* a source that has produced all that it ever will */
	MEMBER_GIVEN_UP, /* its configuration is wrong */
	MEMBER_STOPPED,  /* ended because this supervisor asked for it */
};

/* What a change of the run wants of a job; when it is reached, the wish is WISH_NONE again. */
enum member_wish {
	WISH_NONE,
	WISH_START,   /* one that was added or stopped: is to be ready */
	WISH_STOP,    /* ends, and stays in the list as stopped */
	WISH_RESTART, /* ends and is started again, perhaps by another text */
	WISH_REMOVE,  /* what waits for it, or what it has sent, is stored; then it is gone */
};

/* What the latency histograms of a job's page say. */
struct member_latency {
	uint64_t base_ns, next_ns;
	struct histogram base, next; /* as they were 2 to 4 s ago, and at most 2 s ago */
	struct histogram recent;     /* since base */
	struct histogram past;       /* of earlier lives */
	struct histogram all;        /* of the whole run */
};

struct member {
	uint32_t id;  /* of no other member of this supervisor, also later */
	size_t index; /* place in the roster's list now */
	const struct job_config *config;
	struct plan *plan; /* owned: what its next process is told */
	enum member_wish wish;
	bool is_parting;                   /* its removal waits for another change */
	bool is_now;                       /* a removal does not wait for what is left */
	bool is_held;                      /* it may not be started yet: its streams are being prepared */
	bool is_stop_asked;                /* of the wish: its process was asked to end */
	bool is_added;                     /* while the run was on */
	bool is_text_due;                  /* of a restart: it goes by the text of `wanted` then */
	bool is_anew;                      /* a processor whose text changes: it leaves what it reads before */
	bool has_left;                     /* … and has */
	bool was_stopped;                  /* … by its user, and stays so */
	uint64_t ending_ns;                /* since when its process is to end; 0 = it is not asked to yet */
	uint64_t told_ns;                  /* when its process was last told of a change … */
	uint64_t told_beat;                /* … and its last sign of life before that; 0 = not known */
	struct plan *wanted;               /* owned: what its plan is to become; NULL: it stays */
	uint8_t command[COMMAND_ID_BYTES]; /* that waits for the wish */
	enum member_state state;
	struct child child;
	struct restart restart;
	uint32_t lives;
	int previous_signal;
	bool was_hung;                       /* the last life */
	bool is_hung;                        /* the watchdog has killed this life */
	bool was_ready;                      /* in any life */
	bool was_failing;                    /* it had failed, and was not well when the run ended */
	uint64_t seen_beat, seen_ns;         /* last sign of life of its page, and when it was new */
	uint32_t stop_orders;                /* orders sent to this life: to end, then to end at once */
	bool is_late_told;                   /* that it is not ready in time */
	int last_code;                       /* exit code of the last life; -1 = by a signal, or none yet */
	char last_exit[96];                  /* in words; "" = none yet */
	char last_reason[PAGE_REASON_BYTES]; /* what the last life said when it failed, or "" */
	char reason[PAGE_REASON_BYTES];      /* why it waits now, or "" */

	struct page *page;            /* copy of this life's page; NULL = not there yet */
	int page_file;                /* that it is copied from; -1 = not open */
	bool is_page_damaged;         /* and it has been said */
	struct page_counts past, now; /* of earlier lives; of all lives up to the last sample */
	struct page_counts rate;      /* a second, between the last two samples */
	uint64_t sampled_ns, span_ns; /* last look, and the time from the one before it */
	enum member_state sampled_state;
	uint32_t sampled_lives;
	uint64_t rss_bytes, private_bytes;
	uint32_t page_state, last_page_state; /* last: of the last life, at its end; 0 = not known */
	struct member_latency *latency;       /* NULL = nothing read yet */
	struct stream_status *stream; /* of a producer, as of the last sample, without room for consumers that it does
				       * not have; NULL = none read yet */
	uint64_t blocked_ns_before;
	double blocked_percent;
	bool is_news;                 /* the last sample found something else than the one before it */
	struct stream_look look;      /* at its stream */
	uint64_t looked_ns, produced; /* last look, and what its page had counted by then */
	struct journal_watch journal; /* of a store */
};

/* The one place where a state changes. */
void member_enter(struct member *member, enum member_state state);
/* By its text it is not started again when it has ended so. */
bool member_stays_down(const struct member *member, const struct restart_end *end);
bool member_is_alive(const struct member *member);
bool member_is_store(const struct member *member);
bool member_is_processor(const struct member *member);
bool member_is_source(const struct member *member);
/* It produces what others make it produce, or nothing: no batch of it is awaited. */
bool member_is_service(const struct member *member);
const char *member_state_name(const struct member *member);

#endif
