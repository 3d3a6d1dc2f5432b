/* budget.c: see the header. */
#include "web/live/budget.h"

void budget_init(struct budget *budget, double per_second, double burst, uint64_t now_ns)
{
	*budget = (struct budget){.per_second = per_second, .burst = burst, .left = burst, .at_ns = now_ns};
}

bool budget_has(struct budget *budget, uint64_t now_ns)
{
	if (now_ns > budget->at_ns) {
		budget->left += budget->per_second * (double)(now_ns - budget->at_ns) / 1e9;
		budget->left = budget->left < budget->burst ? budget->left : budget->burst;
		budget->at_ns = now_ns;
	}
	return budget->left > 0;
}

void budget_take(struct budget *budget, double amount)
{
	budget->left -= amount;
}
