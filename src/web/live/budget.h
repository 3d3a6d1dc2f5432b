/* budget.h: so many a second, and so many at once. Pure: the caller reads the clock. Process: enrgdaq-web. */
#ifndef WEB_LIVE_BUDGET_H
#define WEB_LIVE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct budget {
	double per_second, burst; /* burst: what may be taken at once */
	double left;
	uint64_t at_ns;
};

void budget_init(struct budget *budget, double per_second, double burst, uint64_t now_ns);
/* Is anything left? What is taken may be more than that: it is missing later. */
bool budget_has(struct budget *budget, uint64_t now_ns);
void budget_take(struct budget *budget, double amount);

#endif
