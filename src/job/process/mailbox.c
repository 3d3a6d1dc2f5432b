/* mailbox.c: two lists under one lock. */
#include "job/process/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A topic that was asked for. */
struct mail_topic {
	struct mail_topic *next;
	char text[];
};

struct mailbox {
	pthread_mutex_t lock;
	struct mail *first, **last;
	size_t bytes;
	_Atomic uint32_t count;
	struct mail_out *first_out, **last_out;
	uint32_t count_out;
	struct mail_topic *topics; /* main thread, as their count */
	uint32_t topic_count;
};

struct mailbox *mailbox_create(void)
{
	struct mailbox *mailbox = calloc(1, sizeof(*mailbox));

	if (!mailbox)
		return NULL;
	pthread_mutex_init(&mailbox->lock, NULL);
	mailbox->last = &mailbox->first;
	mailbox->last_out = &mailbox->first_out;
	return mailbox;
}

void mailbox_destroy(struct mailbox *mailbox)
{
	struct mail_out *out;
	struct mail *mail;

	if (!mailbox)
		return;
	while ((mail = mailbox_take(mailbox)))
		mail_free(mail);
	while ((out = mailbox_take_out(mailbox)))
		mail_out_free(out);
	for (struct mail_topic *topic = mailbox->topics, *next; topic; topic = next) {
		next = topic->next;
		free(topic);
	}
	pthread_mutex_destroy(&mailbox->lock);
	free(mailbox);
}

/* --- in --- */

bool mailbox_put(struct mailbox *mailbox, const char *topic, struct envelope *envelope)
{
	size_t topic_bytes = strlen(topic) + 1, bytes = envelope->wire_bytes;
	struct mail *mail = malloc(sizeof(*mail) + topic_bytes);
	bool has_room;

	if (!mail)
		return false;
	*mail = (struct mail){.envelope = *envelope};
	memcpy(mail->topic, topic, topic_bytes);
	pthread_mutex_lock(&mailbox->lock);
	uint32_t count = atomic_load_explicit(&mailbox->count, memory_order_relaxed);
	has_room = !count || (count < MAILBOX_MAX && mailbox->bytes + bytes <= MAILBOX_BYTES_MAX);
	if (has_room) {
		*mailbox->last = mail;
		mailbox->last = &mail->next;
		mailbox->bytes += bytes;
		/* release: pairs with the acquire of mailbox_has, whose caller may act on what the sender did before */
		atomic_store_explicit(&mailbox->count, count + 1, memory_order_release);
	}
	pthread_mutex_unlock(&mailbox->lock);
	if (has_room)
		*envelope = (struct envelope){0};
	else
		free(mail);
	return has_room;
}

bool mailbox_has(const struct mailbox *mailbox)
{
	return atomic_load_explicit(&mailbox->count, memory_order_acquire) != 0;
}

struct mail *mailbox_take(struct mailbox *mailbox)
{
	struct mail *mail;

	pthread_mutex_lock(&mailbox->lock);
	mail = mailbox->first;
	if (mail) {
		mailbox->first = mail->next;
		if (!mailbox->first)
			mailbox->last = &mailbox->first;
		mailbox->bytes -= mail->envelope.wire_bytes;
		atomic_fetch_sub_explicit(&mailbox->count, 1, memory_order_relaxed); /* under the lock */
	}
	pthread_mutex_unlock(&mailbox->lock);
	return mail;
}

void mail_free(struct mail *mail)
{
	if (!mail)
		return;
	envelope_fini(&mail->envelope);
	free(mail);
}

/* --- out --- */

int mailbox_post(struct mailbox *mailbox, const char *topic, const char *kind, json_t *body)
{
	size_t topic_bytes = strlen(topic) + 1;
	struct mail_out *mail;
	int rc = 0;

	if (topic_bytes > TOPIC_BYTES_MAX || strlen(kind) >= sizeof(mail->kind)) {
		json_decref(body);
		return -EINVAL;
	}
	mail = calloc(1, sizeof(*mail) + topic_bytes);
	if (!mail) {
		json_decref(body);
		return -ENOMEM;
	}
	mail->body = body;
	strcpy(mail->kind, kind);
	memcpy(mail->topic, topic, topic_bytes);
	pthread_mutex_lock(&mailbox->lock);
	if (mailbox->count_out < MAILBOX_MAX) {
		*mailbox->last_out = mail;
		mailbox->last_out = &mail->next;
		mailbox->count_out++;
	} else {
		rc = -EAGAIN;
	}
	pthread_mutex_unlock(&mailbox->lock);
	if (rc)
		mail_out_free(mail);
	return rc;
}

int mailbox_post_subscription(struct mailbox *mailbox, const char *topic)
{
	size_t bytes = strlen(topic) + 1;
	struct mail_topic *known;
	int rc;

	for (known = mailbox->topics; known; known = known->next)
		if (!strcmp(known->text, topic))
			return 0;
	if (mailbox->topic_count == MAILBOX_TOPICS)
		return -ENOSPC;
	known = malloc(sizeof(*known) + bytes);
	if (!known)
		return -ENOMEM;
	memcpy(known->text, topic, bytes);
	rc = mailbox_post(mailbox, topic, "", NULL);
	if (rc) {
		free(known);
		return rc;
	}
	known->next = mailbox->topics;
	mailbox->topics = known;
	mailbox->topic_count++;
	return 0;
}

struct mail_out *mailbox_take_out(struct mailbox *mailbox)
{
	struct mail_out *mail;

	pthread_mutex_lock(&mailbox->lock);
	mail = mailbox->first_out;
	if (mail) {
		mailbox->first_out = mail->next;
		if (!mailbox->first_out)
			mailbox->last_out = &mailbox->first_out;
		mailbox->count_out--;
	}
	pthread_mutex_unlock(&mailbox->lock);
	return mail;
}

void mail_out_free(struct mail_out *mail)
{
	if (!mail)
		return;
	json_decref(mail->body);
	free(mail);
}
