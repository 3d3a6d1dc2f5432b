/* member_page.h: what a job tells in its page, as its member remembers it. Process: supervisor, main thread. */
#ifndef SUPERVISOR_MEMBER_PAGE_H
#define SUPERVISOR_MEMBER_PAGE_H

#include "supervisor/member.h"

/* A look at the page of a running job: counters, rates, latency. */
void member_page_read(struct member *member, uint64_t now_ns);
/* The process `pid` has ended: its last counters join those of earlier lives; the page is forgotten. */
void member_page_end_life(struct member *member, pid_t pid);
void member_page_forget(struct member *member);

#endif
