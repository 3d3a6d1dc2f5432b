/* message.h: an alert as Slack takes it. */
#ifndef SLACK_MESSAGE_H
#define SLACK_MESSAGE_H

#include "outgoing/delivery.h"

/* JSON, to be freed; NULL: out of memory. */
char *message_format(const struct notice *notice);

#endif
