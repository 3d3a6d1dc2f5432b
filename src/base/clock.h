/* clock.h: time in ns. Any thread. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

uint64_t clock_mono_ns(void); /* CLOCK_MONOTONIC: the same for all processes of this machine; ~20 ns a call */
uint64_t clock_wall_ns(void); /* CLOCK_REALTIME, ns since 1970 */
uint64_t clock_cpu_ns(void);  /* CPU time of this process, user and system */

/* "2026-11-24T06:48:59.123Z" (UTC). */
void clock_format_utc(uint64_t wall_ns, char *ret_text, size_t text_bytes);
/* "2026-11-24": the local day. */
void clock_format_day(uint64_t wall_ns, char *ret_text, size_t text_bytes);
/* "4.2 s", "3 min 20 s", "250 ms", "18 µs": for humans. */
void clock_format_span(uint64_t span_ns, char *ret_text, size_t text_bytes);

/* "2026-11-28T10:23:48.123456": local, without a zone, as Python programs write times; "" for 0. */
void clock_format_local(uint64_t wall_ns, char ret_text[40]);

#endif
