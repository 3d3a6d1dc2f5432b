/* mail_text.h: an alert as a mail: headers and body, as sendmail(8) takes them. */
#ifndef MAIL_MAIL_TEXT_H
#define MAIL_MAIL_TEXT_H

#include "enrgdaq/option.h"
#include "outgoing/delivery.h"

#define MAIL_RECIPIENTS_MAX 50u

struct mail_head {
	const char *from, *subject; /* from NULL: sendmail says who */
	struct enrg_string_list to;
};

/* To be freed; NULL: out of memory. */
char *mail_format(const struct mail_head *head, const struct notice *notice, uint64_t now_ns);

/* "name@host.example" or a local "name", and nothing that a shell, a mailer or a header reads as something else. */
bool mail_is_address(const char *text);

#endif
