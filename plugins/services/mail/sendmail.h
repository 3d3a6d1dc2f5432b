/* sendmail.h: hands a mail to a program that takes it as sendmail(8) does: PROGRAM -i -- ADDRESS…, no shell. */
#ifndef MAIL_SENDMAIL_H
#define MAIL_SENDMAIL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "enrgdaq/option.h"

struct sendmail_params {
	const char *program;
	const struct enrg_string_list *to;
	double timeout_seconds;
	const _Atomic bool *is_ending; /* another thread sets it: give up; NULL: never */
};

/* On a device's thread. 0: it was taken. -ETIMEDOUT and -ECANCELED: the program and what it had started were killed;
 * -EREMOTEIO: it failed; others: it could not be started. What it prints is not shown. */
int sendmail_run(const struct sendmail_params *params, const char *mail, struct enrg_error *err);

#endif
