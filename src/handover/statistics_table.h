/* statistics_table.h: the row that each statistic has. Who adds one appends a line to `enum statistic` and a row; a
 * counter also a member to `struct page_counts`. */
#ifndef HANDOVER_STATISTICS_TABLE_H
#define HANDOVER_STATISTICS_TABLE_H

#include "handover/statistics.h"

enum place_kind { PLACE_NONE, PLACE_WHOLE, PLACE_REAL };

/* A member of a public struct. */
struct place {
	enum place_kind kind;
	size_t at;
};

struct statistic_row {
	struct enrg_statistic shown;
	bool is_whole;   /* counted in whole numbers */
	bool is_counted; /* in the page, at `page`, and in struct page_counts, at `counts` */
	bool is_short;   /* 32 bits in the page */
	bool is_idling;  /* grows in an idle process, too */
	bool is_rate;    /* of `rate_of` */
	size_t page, counts;
	enum statistic rate_of;
	double scale;           /* of a count or rate that is shown as another unit; 0: as it is */
	struct place in_report; /* in struct enrg_stats */
	struct place in_status; /* in struct enrg_job_status */
	double none;            /* what a member that is no whole number says where there is none */
};

extern const struct statistic_row statistic_rows[STATISTIC_COUNT];

#endif
