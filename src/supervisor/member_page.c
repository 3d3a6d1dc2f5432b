/* member_page.c: from a job's page to counters, rates and latency. Process: supervisor, main thread. Trusts nothing: a
 * page may be damaged, then the numbers stay those of the last time. */
#include "supervisor/member_page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define LATENCY_NS 2000000000ull
#define NEWS_BYTES (1u << 20) /* of memory */

static uint64_t load(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

/* Two looks that take turns, so that the figures are those of the last 2 to 4 s. */
static void sample_latency(struct member *member, uint64_t now_ns)
{
	struct member_latency *latency = member->latency;

	if (!latency && !load(&member->page->latency.count))
		return; /* a source, or nothing was stored yet */
	if (!latency) {
		latency = member->latency = calloc(1, sizeof(*latency));
		if (!latency)
			return;
		latency->base_ns = latency->next_ns = now_ns;
	}
	if (now_ns - latency->next_ns >= LATENCY_NS) {
		latency->base = latency->next;
		latency->base_ns = latency->next_ns;
		latency->next = member->page->latency;
		latency->next_ns = now_ns;
	}
	histogram_subtract(&latency->recent, &member->page->latency, &latency->base);
	latency->all = latency->past;
	histogram_merge(&latency->all, &member->page->latency);
}

static void end_latency(struct member *member, uint64_t now_ns)
{
	struct member_latency *latency = member->latency;

	if (!latency)
		return;
	histogram_merge(&latency->past, &member->page->latency);
	latency->all = latency->past;
	histogram_init(&latency->base);
	histogram_init(&latency->next);
	histogram_init(&latency->recent);
	latency->base_ns = latency->next_ns = now_ns;
}

static void close_file(struct member *member)
{
	if (member->page_file >= 0)
		close(member->page_file);
	member->page_file = -1;
}

static int copy_first(struct member *member, pid_t pid)
{
	struct page *page = malloc(sizeof(*page));
	int rc = page ? page_read(member->page_file, page) : -ENOMEM;

	if (rc == 0 && atomic_load_explicit(&page->pid, memory_order_relaxed) != (uint32_t)pid)
		rc = -ESRCH;
	if (rc == 0)
		member->page = page;
	else
		free(page);
	return rc;
}

/* Copies the page. One of an earlier life lies there until the new process takes it over. */
static int copy_page(struct member *member, pid_t pid)
{
	int rc = 0;

	if (member->page_file < 0) {
		member->page_file = page_open_file(member->plan->page_path);
		rc = member->page_file < 0 ? member->page_file : 0;
	}
	if (rc == 0)
		rc = member->page ? page_reread(member->page_file, (uint32_t)pid, member->page)
				  : copy_first(member, pid);
	if (rc < 0)
		close_file(member); /* the next look is at the file that lies there then */
	return rc;
}

/* Where the page of a running job can't be read, its last life sign stands still: in the end the watchdog kills the
 * job, and its next life makes the page anew. */
static void refresh_page(struct member *member, uint64_t now_ns)
{
	int rc;

	if (!member_is_alive(member))
		return;
	rc = copy_page(member, member->child.pid);
	if (!rc || member->state != MEMBER_RUNNING) {
		member->is_page_damaged = false;
		return;
	}
	if (!member->page) {
		member->page = calloc(1, sizeof(*member->page));
		if (member->page)
			atomic_store_explicit(&member->page->heartbeat_mono_ns, now_ns, memory_order_relaxed);
	}
	if (!member->is_page_damaged)
		log_line(ENRG_WARNING,
			"%s: its status page %s can't be read (%s): its figures stand still, and the watchdog will "
			"start it again",
			member->plan->name, member->plan->page_path,
			rc == -ESRCH ? "it names another process" : enrg_error_name(rc));
	member->is_page_damaged = true;
}

void member_page_forget(struct member *member)
{
	close_file(member);
	free(member->page);
	member->page = NULL;
	member->is_page_damaged = false;
}

static bool is_far(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) > NEWS_BYTES;
}

/* What was known before a look. */
struct before {
	struct page_counts now;
	uint64_t rss_bytes, private_bytes;
	uint32_t page_state;
};

/* Beside counters and state all that changes with them: reason, restarts, rates. */
static bool has_news(const struct member *member, const struct before *before)
{
	return page_counts_differ(&member->now, &before->now) || member->state != member->sampled_state ||
	       member->lives != member->sampled_lives || member->page_state != before->page_state ||
	       is_far(member->rss_bytes, before->rss_bytes) || is_far(member->private_bytes, before->private_bytes) ||
	       member->page_state == PAGE_WAITING || (member->latency && load(&member->latency->recent.count));
}

void member_page_read(struct member *member, uint64_t now_ns)
{
	const struct before before = {member->now, member->rss_bytes, member->private_bytes, member->page_state};
	struct page_counts page = {0};

	member->span_ns = member->sampled_ns ? now_ns - member->sampled_ns : 0;
	refresh_page(member, now_ns);
	if (member->page) {
		page_counts_get(member->page, &page);
		member->rss_bytes = load(&member->page->rss_bytes);
		member->private_bytes = load(&member->page->private_bytes);
		member->page_state = atomic_load_explicit(&member->page->state, memory_order_relaxed);
		page_get_reason(member->page, member->reason, sizeof(member->reason));
		sample_latency(member, now_ns);
	}
	member->now = member->past;
	page_counts_add(&member->now, &page);
	page_counts_get_rate(&member->now, &before.now, member->span_ns, &member->rate);
	member->is_news = has_news(member, &before);
	member->sampled_ns = now_ns;
	member->sampled_state = member->state;
	member->sampled_lives = member->lives;
}

void member_page_end_life(struct member *member, pid_t pid)
{
	member->last_page_state = 0;
	/* Its last words; where the file is damaged, what was read last. */
	(void)copy_page(member, pid);
	if (member->page) {
		struct page_counts last;

		page_counts_get(member->page, &last);
		page_counts_add(&member->past, &last);
		member->last_page_state = atomic_load_explicit(&member->page->state, memory_order_relaxed);
		page_get_reason(member->page, member->last_reason, sizeof(member->last_reason));
		end_latency(member, clock_mono_ns());
	}
	member->reason[0] = '\0';
	member_page_forget(member);
	member->page_state = 0;
	member->rss_bytes = member->private_bytes = 0;
}
