/* page.h: what a job process tells about itself, in a file on tmpfs that only it writes: life signs, counters, the
 * latency histogram. The supervisor, `status` and the benchmark read it; none of them needs a message for that. */
#ifndef HANDOVER_PAGE_H
#define HANDOVER_PAGE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "enrgdaq/error.h"

#define PAGE_MAGIC        0x45474150424F4A45ull /* "EJOBPAGE" */
#define PAGE_VERSION      3u
#define PAGE_REASON_BYTES 480u

/* PAGE_WAITING: a store that can't store what came, or a job with work that it can't do yet, for the reason that the
 * page names; it tries again. */
enum page_state { PAGE_STARTING = 1, PAGE_RUNNING, PAGE_DRAINING, PAGE_WAITING, PAGE_DONE, PAGE_FAILED };

/* What a job made of a wish (wish.h). */
enum page_run { PAGE_RUN_NONE = 0, PAGE_RUN_DONE, PAGE_RUN_REFUSED };

/* Does a source take data now? Not where it does so in runs alone and none is on. */
enum page_acquires { PAGE_ACQUIRES_UNKNOWN = 0, PAGE_ACQUIRES, PAGE_ACQUIRES_NOT };

struct page {
	uint64_t magic;
	uint32_t version;
	_Atomic uint32_t pid;
	_Atomic uint64_t started_mono_ns;
	_Atomic uint64_t heartbeat_mono_ns; /* life sign of the main loop */
	_Atomic uint32_t state;
	_Atomic uint32_t
		missed_ticks; /* polls that were due while the one before them still ran; stays at its largest */
	_Atomic uint64_t in_batches, in_rows, in_bytes;                       /* consumed and committed in this life */
	_Atomic uint64_t out_batches, out_rows, out_bytes;                    /* produced in this life */
	_Atomic uint64_t lost, duplicated, corrupted;                         /* found by checks */
	_Atomic uint64_t set_aside;                                           /* records that killed their consumer */
	_Atomic uint64_t first_in_mono_ns, last_in_mono_ns, last_out_mono_ns; /* 0 = none yet */
	_Atomic uint64_t cpu_ns;        /* CPU time of this process, refreshed with beats, reports and at the end */
	_Atomic uint64_t rss_bytes;     /* with the rings that it has mapped */
	_Atomic uint64_t private_bytes; /* without: its own memory and its share of programs and libraries */
	_Atomic uint64_t wakeups;       /* times the main loop woke from sleep */
	_Atomic uint64_t alerts;
	_Atomic uint64_t zmq_out_bytes, zmq_in_bytes; /* batches where shared memory is off */
	_Atomic uint64_t control_out_bytes;           /* statistics, alerts and such, on the bus */
	_Atomic uint64_t run_serial;                  /* of the wish that run_answer answers; stored last */
	_Atomic uint32_t run_answer;                  /* enum page_run */
	_Atomic uint32_t acquires;                    /* enum page_acquires; no job that has no `poll` says it */
	_Atomic uint64_t plan_serial;                 /* of the plan that it goes by */
	struct histogram latency;                     /* ns, from commit by the producer to consumed here */
	char reason[PAGE_REASON_BYTES]; /* why it waits or has failed; a reader may see a text that is half old, half
					   new */
	char run_reason[PAGE_REASON_BYTES]; /* why it refused a run; as `reason` */
};

/* Creates or takes over the file; counters of an earlier life are kept only in the journal. Unmap with page_close. */
int page_create(const char *path, struct page **ret_page, struct enrg_error *err);
/* Read-only mapping; -ENOENT, ENRG_E_CORRUPT. */
int page_open(const char *path, const struct page **ret_page, struct enrg_error *err);
void page_close(const struct page *page);
/* For a reader that must survive whatever happens to the file: a descriptor for page_read, -errno. */
int page_open_file(const char *path);
/* A copy of the page as it is now. Unlike a mapping it can't fault when somebody cuts the file off. ENRG_E_CORRUPT,
 * -errno. */
int page_read(int descriptor, struct page *ret_page);
/* Whose page it is, also where it is that of an earlier or later version. 0: of nobody, or no page. */
uint32_t page_read_pid(int descriptor);
/* Brings a copy up to date: reads the histogram only where it has counted, and the reason where there is one. -ESRCH:
 * it is the page of another process than `pid`; others as page_read. The copy is left as it is then. */
int page_reread(int descriptor, uint32_t pid, struct page *page);
/* NULL: none any more. A longer text is cut between two characters. */
void page_set_reason(struct page *page, const char *text);
/* Always ends; control characters become spaces. */
void page_get_reason(const struct page *page, char *ret_text, size_t text_bytes);
/* The answer to a wish; `reason` of a refusal, or NULL. */
void page_answer_run(struct page *page, uint64_t serial, enum page_run answer, const char *reason);
/* Refreshes cpu_ns, rss_bytes, private_bytes from the kernel. */
void page_refresh(struct page *page);

#endif
