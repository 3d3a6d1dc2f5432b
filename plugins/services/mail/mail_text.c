/* mail_text.c: see the header. */
#include "mail_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "outgoing/draft.h"

#define SUBJECT_BYTES 120u /* of a message in the subject */
#define LINE_BYTES    78u
#define ADDRESS_BYTES 254u

bool mail_is_address(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	const char *at = strchr(text, '@');
	size_t bytes = strlen(text), name = at ? (size_t)(at - text) : bytes;

	if (!name || bytes > ADDRESS_BYTES || text[0] == '-' || text[0] == '.')
		return false;
	for (size_t i = 0; i < name; i++)
		if (!strchr(letters, text[i]) && !strchr("._+=-", text[i]))
			return false;
	if (!at)
		return true;
	const char *host = at + 1;
	return host[0] && host[0] != '-' && host[0] != '.' &&
	       strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == strlen(host);
}

static void add_date(struct draft *mail, uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / 1000000000u);
	char text[60];
	struct tm parts;

	tzset();
	localtime_r(&seconds, &parts);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S %z", &parts);
	draft_add(mail, "Date: %s\n", text);
}

static void add_subject(struct draft *mail, const char *prefix, const struct notice *notice)
{
	struct draft subject = {0};

	draft_add(&subject, "%s%s%s: %s: %s: %.*s", prefix, prefix[0] ? " " : "", notice->supervisor,
		notice->event == ENRG_ALERT_ENDS ? "over" : notice_severity(notice->severity), notice->job,
		(int)draft_cut(notice->message, SUBJECT_BYTES), notice->message);
	mail->is_failed |= subject.is_failed;
	draft_add(mail, "Subject: ");
	draft_add_header(mail, subject.text ? subject.text : "");
	draft_add(mail, "\n");
	draft_fini(&subject);
}

/* In lines that every mailer takes: broken at a blank where there is one. */
static void add_wrapped(struct draft *mail, const char *text)
{
	struct draft line = {0};

	draft_add_line(&line, text);
	mail->is_failed |= line.is_failed;
	for (const char *at = line.text ? line.text : ""; *at;) {
		size_t count = draft_cut(at, LINE_BYTES), blank = count;
		while (at[count] && blank && at[blank] != ' ')
			blank--;
		count = blank ? blank : count;
		draft_add(mail, "%.*s\n", (int)count, at);
		at += count;
		at += strspn(at, " ");
	}
	draft_fini(&line);
}

static void add_line(struct draft *mail, const char *title, const char *value)
{
	draft_add(mail, "%s: ", title);
	draft_add_line(mail, value);
	draft_add(mail, "\n");
}

/* All mails of one alarm refer to one that nobody has sent: readers show them together. */
static void add_thread(struct draft *mail, const struct notice *notice)
{
	if (!notice->key[0])
		return;
	draft_add(mail, "References: <");
	for (const char *c = notice->key; *c; c++)
		draft_add(mail, "%02x", (unsigned)(unsigned char)*c);
	draft_add(mail, ".alarm@enrgdaq.invalid>\n");
}

char *mail_format(const struct mail_head *head, const struct notice *notice, uint64_t now_ns)
{
	struct draft mail = {0};

	if (head->from)
		draft_add(&mail, "From: %s\n", head->from);
	for (size_t i = 0; i < head->to.count; i++)
		draft_add(&mail, "%s%s", i ? ",\n " : "To: ", head->to.items[i]);
	draft_add(&mail, "\n");
	add_subject(&mail, head->subject, notice);
	add_date(&mail, now_ns);
	draft_add(&mail, "Message-ID: <%s@enrgdaq.invalid>\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n",
		notice->id);
	add_thread(&mail, notice);
	draft_add(&mail, "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n");
	add_wrapped(&mail, notice->message);
	draft_add(&mail, "\nSeverity: %s\n", notice_severity(notice->severity));
	if (notice->key[0])
		add_line(&mail, "Alarm", notice->key);
	add_line(&mail, "Job", notice->job);
	add_line(&mail, "Supervisor", notice->supervisor);
	draft_add(&mail, "Date: ");
	draft_add_local(&mail, notice->time_ns);
	if (notice->count > 1)
		draft_add(&mail, " (the first of %" PRIu32 ")", notice->count);
	draft_add(&mail, "\n");
	add_line(&mail, "Sent by", notice->sent_by);
	return draft_take(&mail);
}
