/* verify_damage.c: what can't be trusted, and where messages go on behind it. */
#include "arrow/verify_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arrow/file_message.h"

void verify_tell(struct verifier *verifier, enum verify_finding finding, const char *format, ...)
{
	char sentence[2048];
	va_list arguments;

	if (!verifier->hooks->tell)
		return;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	verifier->hooks->tell(verifier->hooks->context, finding, sentence);
}

/* Are there only zeros from `offset` on? A power cut leaves them where a file had grown before its data was written. */
static int is_rest_zero(struct verifier *verifier, uint64_t offset, struct enrg_error *err)
{
	const uint8_t *bytes;
	size_t count;

	for (; offset < verifier->window.file_bytes; offset += count) {
		int rc = file_window_get(&verifier->window, offset, 1, &bytes, &count, err);
		if (rc < 0)
			return rc;
		if (bytes[0] != 0 || memcmp(bytes, bytes + 1, count - 1) != 0)
			return 0;
	}
	return 1;
}

void verify_note_torn(struct verifier *verifier)
{
	uint64_t end = verifier->end;

	if (verifier->report.is_file) { /* where the end of the file is cut, the lack of the footer tells */
		if (verifier->footer.at) {
			verifier->report.corrupted++;
			verify_tell(verifier, VERIFY_CORRUPT, "the message at byte %" PRIu64 " reaches into the footer",
				verifier->offset);
		}
		verifier->offset = end;
		return;
	}
	verifier->report.is_torn = true;
	verifier->report.good_bytes = verifier->offset;
	verify_tell(verifier, VERIFY_TORN_TAIL,
		"the last message is not whole: the file ends inside it (%" PRIu64 " bytes from byte %" PRIu64 " on)",
		end - verifier->offset, verifier->offset);
	verifier->offset = end;
}

int verify_skip_damage(struct verifier *verifier, const char *reason, bool is_cut, struct enrg_error *err)
{
	uint64_t next, end = verifier->end;

	int rc = file_message_find(&verifier->window, verifier->offset + 8, end, &next, err);
	if (rc < 0)
		return rc;
	if (next == end && !is_cut) {
		rc = verifier->offset > 0 && !verifier->report.is_file ? is_rest_zero(verifier, verifier->offset, err)
								       : 0;
		if (rc < 0)
			return rc;
		is_cut = rc != 0;
	}
	if (next == end && is_cut) {
		verify_note_torn(verifier);
		return 0;
	}
	if (next == end && verifier->offset == 0) /* a file with a footer begins behind ARROW1 */
		return enrg_error_set(err, ENRG_E_CORRUPT, "this is no Arrow stream: %s", reason);
	verifier->report.corrupted++;
	verifier->wants_schema = false; /* the damage may have held it */
	verify_tell(verifier, VERIFY_CORRUPT, "bytes %" PRIu64 " to %" PRIu64 " are damaged%s: %s", verifier->offset,
		next - 1, next == end ? ", up to the end of the file" : "", reason);
	verifier->offset = next;
	return 0;
}

void verify_note_corrupt(struct verifier *verifier, const struct ipc_message *message, const char *reason)
{
	verifier->report.corrupted++;
	if (message->has_stamp)
		verify_tell(verifier, VERIFY_CORRUPT,
			"source \"%s\", run \"%s\": batch %" PRIu64 " at byte %" PRIu64 ": %s", message->source,
			message->run, message->stamp.sequence, verifier->offset, reason);
	else
		verify_tell(verifier, VERIFY_CORRUPT, "the message at byte %" PRIu64 ": %s", verifier->offset, reason);
}
