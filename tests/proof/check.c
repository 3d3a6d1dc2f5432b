/* check.c: see the header. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proof/check.h"

void check_fault(const struct model_program *program, uint32_t fault, const char *name)
{
	struct model_result result = model_check(program, fault);

	printf("  %-55s %8llu states: %s\n", name, (unsigned long long)result.states,
		result.violation ? result.violation : "holds");
	if (fault == 0 && result.violation)
		fail_msg("%s", result.violation);
	if (fault == 0 && !result.has_end)
		fail_msg("no run comes to its end");
	if (fault > 0 && !result.violation)
		fail_msg("without %s nothing goes wrong", name);
}

void check_program(const struct model_program *program, const char *const *faults)
{
	for (uint32_t fault = 0; faults[fault]; fault++)
		check_fault(program, fault, faults[fault]);
}

bool check_is_whole(void)
{
	const char *wish = getenv("ENRGDAQ_PROOF");

	return wish && !strcmp(wish, "whole");
}

enum model_order release_but(bool is_left_out)
{
	return is_left_out ? MODEL_RELAXED : MODEL_RELEASE;
}

void fence_but(struct model *model, uint32_t thread, enum model_order order, bool is_left_out)
{
	if (!is_left_out)
		model_fence(model, thread, order);
}
