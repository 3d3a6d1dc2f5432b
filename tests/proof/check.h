/* check.h: a program for the model, run as it is and with each of its faults. */
#ifndef PROOF_CHECK_H
#define PROOF_CHECK_H

#include "proof/model.h"

/* `faults`: names of what is left out, the first one nothing, NULL at the end. As it is, no run may go wrong and one
 * must come to its end; with each fault one must go wrong. */
void check_program(const struct model_program *program, const char *const *faults);

/* One of them: `fault` 0 must hold, any other must go wrong. */
void check_fault(const struct model_program *program, uint32_t fault, const char *name);

/* The long form, for `make torture`: ENRGDAQ_PROOF=whole. */
bool check_is_whole(void);

/* --- for steps: what a fault leaves out --------------------------------------------------------------------------- */

enum model_order release_but(bool is_left_out);
void fence_but(struct model *model, uint32_t thread, enum model_order order, bool is_left_out);

#endif
