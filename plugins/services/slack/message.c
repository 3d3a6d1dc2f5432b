/* message.c: see the header. An attachment, whose colour is the severity; no text of an alert can mention anybody. */
#include "message.h"

#include <stdlib.h>

#include "outgoing/draft.h"

static const char *color_of(enum enrg_level severity)
{
	switch (severity) {
	case ENRG_WARNING:
		return "#e69f00";
	case ENRG_ERROR:
		return "#d00000";
	case ENRG_DEBUG:
	case ENRG_INFO:
		break;
	}
	return "#0072b2";
}

/* Escaped for Slack, then for JSON. */
static void add_text(struct draft *json, const char *text)
{
	struct draft escaped = {0};

	draft_add_slack(&escaped, text);
	json->is_failed |= escaped.is_failed;
	draft_add_json(json, escaped.text ? escaped.text : "");
	draft_fini(&escaped);
}

static void add_field(struct draft *json, const char *title, const char *value)
{
	draft_add(json, ",{\"title\":\"%s\",\"value\":", title);
	add_text(json, value);
	draft_add(json, ",\"short\":true}");
}

char *message_format(const struct notice *notice)
{
	struct draft json = {0}, fallback = {0}, date = {0};

	draft_add(&fallback, "%s: %s: %s", notice_severity(notice->severity), notice->job, notice->message);
	draft_add_local(&date, notice->time_ns);
	draft_add(&json, "{\"attachments\":[{\"color\":\"%s\",\"fallback\":",
		notice->event == ENRG_ALERT_ENDS ? "#009e73" : color_of(notice->severity));
	add_text(&json, fallback.text ? fallback.text : "");
	draft_add(&json, ",\"text\":");
	add_text(&json, notice->message);
	draft_add(&json, ",\"mrkdwn_in\":[],\"fields\":[{\"title\":\"Severity\",\"value\":\"%s\",\"short\":true}",
		notice_severity(notice->severity));
	if (notice->key[0])
		add_field(&json, "Alarm", notice->key);
	add_field(&json, "Job", notice->job);
	add_field(&json, "Supervisor", notice->sent_by);
	add_field(&json, "Originating supervisor", notice->supervisor);
	add_field(&json, "Date", date.text ? date.text : "");
	draft_add(&json, "]}]}");
	draft_fini(&fallback);
	draft_fini(&date);
	return draft_take(&json);
}
