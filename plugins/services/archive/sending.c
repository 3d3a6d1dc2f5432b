/* sending.c: see the header. In the process of DAQJobArchive, on its main thread. */
#include "sending.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "reading.h"

#define WORDS_MAX  64u
#define LINE_BYTES (64u << 10)
#define NAMES      8u /* that a copy may get */

/* Exit codes of the scripts below. */
enum { NO_FOLDER = 76, NO_MARKER = 77, OTHER_BYTES = 78, NO_NAME = 79, NO_COPY = 80 };

/* $1 folder, $2 marker, $3 folder of the file. */
static const char prepare_script[] = "cd -- \"$1\" || exit 76\n"
				     "[ -e \"$2\" ] || exit 77\n"
				     "mkdir -p -- \"$3\"\n";

/* $1 folder, $2 marker, $3 part, $4 its SHA-256, $5 name of an earlier copy that it contains, $6 SHA-256 of that, then
 * the names that it may get. Says which one it got, counted from 0. */
static const char place_script[] =
	"cd -- \"$1\" || exit 76\n"
	"[ -e \"$2\" ] || exit 77\n"
	"part=$3 want=$4 earlier=$5 old=$6 i=0\n"
	"shift 6\n"
	"sum() { sha256sum <\"$1\" | cut -c 1-64; }\n"
	"flush() {\n" /* with the folders above it, which may be new */
	"  at=$1\n"
	"  while [ \"$at\" != . ]; do at=${at%/*}; set -- \"$@\" \"$at/.\"; done\n"
	"  sync -- \"$@\" 2>/dev/null || sync\n"
	"}\n"
	"flush \"./$part\"\n"
	"dd if=\"./$part\" iflag=nocache count=0 2>/dev/null\n" /* out of the page cache */
	"[ \"$(sum \"./$part\")\" = \"$want\" ] || exit 78\n"
	"for name; do\n"
	"  if [ ! -e \"./$name\" ] && [ ! -L \"./$name\" ]; then\n"
	"    mv -n -- \"./$part\" \"./$name\" || exit 1\n"
	"    [ -e \"./$part\" ] || { flush \"./$name\"; echo \"placed $i\"; exit 0; }\n"
	"  fi\n"
	"  have=$(sum \"./$name\" 2>/dev/null)\n"
	"  if [ \"$have\" = \"$want\" ]; then rm -f -- \"./$part\"; echo \"placed $i\"; exit 0; fi\n"
	"  if [ \"$name\" = \"$earlier\" ] && [ \"$have\" = \"$old\" ]; then\n"
	"    mv -f -- \"./$part\" \"./$name\" && flush \"./$name\" && echo \"placed $i\"; exit\n"
	"  fi\n"
	"  i=$((i + 1))\n"
	"done\n"
	"exit 79\n";

/* $1 folder, $2 marker, $3 name, $4 SHA-256. */
static const char proof_script[] = "cd -- \"$1\" || exit 76\n"
				   "[ -e \"$2\" ] || exit 77\n"
				   "[ -f \"./$3\" ] || exit 80\n"
				   "dd if=\"./$3\" iflag=nocache count=0 2>/dev/null\n"
				   "[ \"$(sha256sum <\"./$3\" | cut -c 1-64)\" = \"$4\" ] || exit 78\n";

enum stage { STAGE_NONE = 0, STAGE_PREPARE, STAGE_READ, STAGE_COPY, STAGE_PLACE, STAGE_VERIFY, STAGE_PROOF };

struct sending {
	struct sending_params params;
	enum stage stage;
	char host[256];
	const char *target; /* folder on the other machine */
	struct child child;
	struct reading from;
	char path[NAMES_PATH_BYTES], name[NAMES_PATH_BYTES], part[NAMES_PATH_BYTES];
	char earlier_name[NAMES_PATH_BYTES], earlier_digest[DIGEST_TEXT_BYTES], wanted[DIGEST_TEXT_BYTES];
	struct way_result result;
	char line[LINE_BYTES]; /* for the remote shell */
};

/* --- words ------------------------------------------------------------------------------------------------------- */

bool sending_parse_target(const char *rsync, char *ret_host, size_t host_bytes, const char **ret_folder)
{
	const char *colon = rsync[0] == '[' ? strstr(rsync, "]:") : strchr(rsync, ':');
	size_t length;

	if (!colon)
		return false;
	colon += rsync[0] == '[';
	length = (size_t)(colon - rsync);
	if (!length || length >= host_bytes || rsync[0] == '-' || colon[1] == ':' || memchr(rsync, '/', length))
		return false;
	memcpy(ret_host, rsync, length);
	ret_host[length] = '\0';
	*ret_folder = colon[1] ? colon + 1 : ".";
	return true;
}

size_t sending_quote(const char *text, char *ret_word, size_t word_bytes)
{
	size_t count = 0;

	for (const char *at = text;; at++) {
		const char *piece = at == text ? "'" : "";
		char plain[2] = {*at, '\0'};
		const char *rest = !*at ? "'" : *at == '\'' ? "'\\''" : plain;
		size_t bytes = strlen(piece) + strlen(rest);
		if (count + bytes < word_bytes)
			sprintf(ret_word + count, "%s%s", piece, rest);
		else if (count < word_bytes)
			ret_word[count] = '\0';
		count += bytes;
		if (!*at)
			return count + 1;
	}
}

/* Adds a word to the line for the remote shell. */
static bool add_word(struct sending *sending, const char *text)
{
	size_t used = strlen(sending->line), left = sizeof(sending->line) - used;
	if (left < 2)
		return false;
	if (used)
		strcpy(sending->line + used, " ");
	used += used > 0;
	return sending_quote(text, sending->line + used, sizeof(sending->line) - used) <= sizeof(sending->line) - used;
}

/* Runs a script on the other machine. */
static int run_script(
	struct sending *sending, const char *script, const char *const *arguments, size_t count, struct enrg_error *err)
{
	const struct sending_params *params = &sending->params;
	const char *argv[WORDS_MAX + 3];
	size_t words = 0;
	bool fits = true;

	strcpy(sending->line, "");
	fits = add_word(sending, "sh") && add_word(sending, "-c") && add_word(sending, script) &&
	       add_word(sending, "archive");
	for (size_t i = 0; i < count; i++)
		fits = fits && add_word(sending, arguments[i]);
	if (!fits)
		return enrg_error_set(err, -ENAMETOOLONG, "the names are too long for one command");
	for (; words < params->shell_count; words++)
		argv[words] = params->shell[words];
	argv[words++] = sending->host;
	argv[words++] = sending->line;
	argv[words] = NULL;
	return child_start(&sending->child, argv, params->timeout_seconds, err);
}

static const char *explain(int code)
{
	switch (code) {
	case NO_FOLDER:
		return "the folder is not there";
	case OTHER_BYTES:
		return "what is read back there is not what was sent";
	case NO_NAME:
		return "other files lie there under all names that the copy could get";
	case NO_COPY:
		return "the copy is gone";
	case 124:
		return "it took longer than timeout_seconds";
	case 127:
		return "a program is missing (sh, rsync, sha256sum)";
	case 255:
		return "the remote shell can't get there";
	}
	return "it failed";
}

/* What the end of a child means: 0, or a code and a sentence. */
static int judge(const struct sending *sending, const char *what, int code, const char *output, struct enrg_error *err)
{
	const char *where = sending->params.rsync ? sending->params.rsync : sending->params.command[0];
	bool is_proof = sending->stage == STAGE_VERIFY || sending->stage == STAGE_PROOF;
	int rc = code == 124 ? -ETIMEDOUT : -EREMOTEIO; /* -EIO would say that the copy can't be read */

	if (code == NO_MARKER || code == NO_FOLDER || code == 255)
		rc = -ENODEV;
	/* what `verify` can't read is no copy */
	if (code == OTHER_BYTES || code == NO_COPY || (is_proof && !sending->params.rsync && code != 124))
		rc = ENRG_E_CORRUPT;
	if (code == 0)
		return 0;
	if (code == NO_MARKER)
		return enrg_error_set(err, rc,
			"%s has no file %s, so nothing is mounted there, or it is new: mount it, or make that file "
			"once",
			where, sending->params.marker);
	return enrg_error_set(err, rc, "%s: %s: %s (exit code %d)%s%.300s", where, what, explain(code), code,
		output[0] ? ": " : "", output);
}

/* --- the steps of rsync ------------------------------------------------------------------------------------------ */

static int start_prepare(struct sending *sending, struct enrg_error *err)
{
	char folder[NAMES_PATH_BYTES];
	const char *slash = strrchr(sending->name, '/');

	snprintf(folder, sizeof(folder), "./%.*s", slash ? (int)(slash - sending->name) : 0, sending->name);
	const char *arguments[] = {sending->target, sending->params.marker, folder};
	sending->stage = STAGE_PREPARE;
	return run_script(sending, prepare_script, arguments, 3, err);
}

static int start_rsync(struct sending *sending, struct enrg_error *err)
{
	const struct sending_params *params = &sending->params;
	char shell[2048] = "", to[2 * NAMES_PATH_BYTES + 300];

	for (size_t i = 0; i < params->shell_count; i++) {
		size_t used = strlen(shell);
		snprintf(shell + used, sizeof(shell) - used, "%s%s", i ? " " : "", params->shell[i]);
	}
	snprintf(to, sizeof(to), "%s:%s/%s", sending->host, sending->target, sending->part);
	/* what a cut connection leaves is taken up again; the sum is taken of the whole in any case */
	const char *argv[] = {"rsync", "--times", "--perms", "--inplace", "--partial", "--protect-args",
		"--timeout=300", "-e", shell, "--", sending->path, to, NULL};
	sending->stage = STAGE_COPY;
	return child_start(&sending->child, argv, params->timeout_seconds, err);
}

static int start_place(struct sending *sending, struct enrg_error *err)
{
	static char names[NAMES][NAMES_PATH_BYTES];
	const char *arguments[6 + NAMES] = {sending->target, sending->params.marker, sending->part,
		sending->result.digest, sending->earlier_name, sending->earlier_digest};

	for (unsigned i = 0; i < NAMES; i++) {
		if (!names_format_copy(sending->name, sending->result.changed_ns, i, names[i]))
			return enrg_error_set(err, -ENAMETOOLONG, "the name is too long");
		arguments[6 + i] = names[i];
	}
	sending->stage = STAGE_PLACE;
	return run_script(sending, place_script, arguments, 6 + NAMES, err);
}

static int end_place(struct sending *sending, const char *output, struct enrg_error *err)
{
	const char *said = strstr(output, "placed ");
	unsigned index = NAMES;

	for (const char *next = said; next; next = strstr(next + 1, "placed "))
		said = next;
	if (!said || sscanf(said, "placed %u", &index) != 1 || index >= NAMES)
		return enrg_error_set(err, -EPROTO, "%s did not say under which name the copy lies: %.200s",
			sending->params.rsync, output);
	names_format_copy(sending->name, sending->result.changed_ns, index, sending->result.archived);
	return WAY_DONE;
}

/* --- the steps of a command -------------------------------------------------------------------------------------- */

/* A word of the configuration, with {path} and {name} in it; `*at` moves on in the line. */
static const char *fill_word(const struct sending *sending, const char *word, char **at, const char *end)
{
	char *begin = *at, *to = begin;

	while (*word && to < end - 1) {
		const char *text = strncmp(word, "{path}", 6) == 0   ? sending->path
				   : strncmp(word, "{name}", 6) == 0 ? sending->name
								     : NULL;
		if (text) {
			size_t count = strlen(text);
			if (count >= (size_t)(end - to))
				return NULL;
			memcpy(to, text, count);
			to += count;
			word += 6;
		} else {
			*to++ = *word++;
		}
	}
	*to = '\0';
	*at = to + 1;
	return *word ? NULL : begin;
}

static int start_command(struct sending *sending, enum stage stage, struct enrg_error *err)
{
	const struct sending_params *params = &sending->params;
	bool is_copy = stage == STAGE_COPY;
	size_t count = is_copy ? params->command_count : params->verify_count;
	char *at = sending->line;
	const char *argv[WORDS_MAX + 1];

	for (size_t i = 0; i < count; i++) {
		argv[i] = fill_word(sending, (is_copy ? params->command : params->verify)[i], &at,
			sending->line + sizeof(sending->line));
		if (!argv[i])
			return enrg_error_set(err, -ENAMETOOLONG, "the names are too long for one command");
	}
	argv[count] = NULL;
	sending->stage = stage;
	return child_start(&sending->child, argv, params->timeout_seconds, err);
}

/* Its first word is the SHA-256. */
static int end_verify(const struct sending *sending, const char *output, const char *wanted, struct enrg_error *err)
{
	size_t i = 0;

	while (i < DIGEST_TEXT_BYTES - 1 && tolower((unsigned char)output[i]) == wanted[i])
		i++;
	if (i == DIGEST_TEXT_BYTES - 1 && !isalnum((unsigned char)output[i]))
		return WAY_DONE;
	return enrg_error_set(err, ENRG_E_CORRUPT,
		"`verify` (%s) says \"%.80s\" and not the SHA-256 of the original, %.12s…: the copy is another, or "
		"the command prints something else first",
		sending->params.verify[0], output, wanted);
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

static void sending_abort(void *way)
{
	struct sending *sending = way;

	child_kill(&sending->child);
	reading_close(&sending->from);
	sending->stage = STAGE_NONE;
}

static int sending_begin(void *way, const struct way_file *file, struct enrg_error *err)
{
	struct sending *sending = way;
	int rc = reading_open(&sending->from, file->folder, file->name, false, err);

	sending->from.prefix_bytes = file->earlier_bytes;
	snprintf(sending->earlier_name, NAMES_PATH_BYTES, "%s", file->earlier_bytes ? file->earlier_name : "");
	snprintf(sending->earlier_digest, DIGEST_TEXT_BYTES, "%s", file->earlier_bytes ? file->earlier_digest : "");
	if (rc == 0 && (snprintf(sending->name, NAMES_PATH_BYTES, "%s", file->name) >= (int)NAMES_PATH_BYTES ||
			       snprintf(sending->path, NAMES_PATH_BYTES, "%s/%s", file->root, file->name) >=
				       (int)NAMES_PATH_BYTES ||
			       !names_format_part(file->name, sending->params.job, sending->part)))
		rc = enrg_error_set(err, -ENAMETOOLONG, "the name is too long");
	if (rc == 0 && sending->params.rsync)
		rc = start_prepare(sending, err);
	else if (rc == 0)
		sending->stage = STAGE_READ;
	if (rc < 0)
		sending_abort(sending);
	return rc;
}

static int step_read(struct sending *sending, struct enrg_error *err)
{
	int64_t got = reading_next(&sending->from, err);

	if (got != 0)
		return got < 0 ? (int)got : WAY_AGAIN;
	int rc = reading_finish(&sending->from, sending->result.digest, err);
	if (rc < 0)
		return rc;
	sending->result.bytes = sending->from.at;
	sending->result.changed_ns =
		(int64_t)sending->from.status.st_mtim.tv_sec * 1000000000 + sending->from.status.st_mtim.tv_nsec;
	snprintf(sending->result.archived, NAMES_PATH_BYTES, "%s", sending->name);
	if (!sending->from.prefix[0] || strcmp(sending->from.prefix, sending->earlier_digest) != 0)
		sending->earlier_name[0] = '\0';
	return sending->params.rsync ? start_rsync(sending, err) : start_command(sending, STAGE_COPY, err);
}

/* The original is what was read before it was sent. */
static int end_copy(struct sending *sending, struct enrg_error *err)
{
	char digest[DIGEST_TEXT_BYTES];
	int rc = reading_finish(&sending->from, digest, err);

	if (rc < 0)
		return rc;
	if (sending->params.rsync)
		return start_place(sending, err);
	return start_command(sending, STAGE_VERIFY, err);
}

/* A child has ended well. */
static int go_on(struct sending *sending, const char *output, struct enrg_error *err)
{
	switch (sending->stage) {
	case STAGE_PREPARE:
		sending->stage = STAGE_READ;
		return WAY_AGAIN;
	case STAGE_COPY:
		return end_copy(sending, err);
	case STAGE_PLACE:
		return end_place(sending, output, err);
	case STAGE_VERIFY:
		return end_verify(sending, output, sending->result.digest, err);
	case STAGE_PROOF:
		return sending->params.rsync ? WAY_DONE : end_verify(sending, output, sending->wanted, err);
	case STAGE_READ:
	case STAGE_NONE:
		break;
	}
	return enrg_error_set(err, -EINVAL, "nothing is on its way");
}

static const char *stage_name(const struct sending *sending)
{
	switch (sending->stage) {
	case STAGE_PREPARE:
		return "looking at the target";
	case STAGE_COPY:
		return sending->params.rsync ? "rsync" : "copying";
	case STAGE_PLACE:
		return "reading the copy back";
	case STAGE_VERIFY:
	case STAGE_PROOF:
		return "proving the copy";
	case STAGE_READ:
	case STAGE_NONE:
		break;
	}
	return "";
}

static int step(struct sending *sending, struct enrg_error *err)
{
	char output[CHILD_OUTPUT_BYTES];

	if (sending->stage == STAGE_READ)
		return step_read(sending, err);
	if (!sending->child.pid)
		return enrg_error_set(err, -EINVAL, "nothing is on its way");
	int code = child_end(&sending->child, output);
	if (code == -EAGAIN)
		return WAY_WAITS;
	int rc = judge(sending, stage_name(sending), code, output, err);
	return rc < 0 ? rc : go_on(sending, output, err);
}

static int sending_step(void *way, struct way_result *ret_result, struct enrg_error *err)
{
	struct sending *sending = way;
	int rc = step(sending, err);

	if (rc == WAY_DONE)
		*ret_result = sending->result;
	if (rc == WAY_DONE || rc < 0)
		sending_abort(sending);
	return rc;
}

static int sending_begin_proof(void *way, const char *archived, const char *digest, struct enrg_error *err)
{
	struct sending *sending = way;
	const char *arguments[] = {sending->target, sending->params.marker, archived, digest};

	snprintf(sending->wanted, sizeof(sending->wanted), "%s", digest);
	snprintf(sending->name, sizeof(sending->name), "%s", archived);
	snprintf(sending->path, sizeof(sending->path), "%s", archived);
	if (!sending->params.rsync)
		return start_command(sending, STAGE_PROOF, err);
	sending->stage = STAGE_PROOF;
	return run_script(sending, proof_script, arguments, 4, err);
}

static int sending_descriptor(const void *way)
{
	return ((const struct sending *)way)->child.descriptor;
}

static int sending_percent(const void *way)
{
	(void)way;
	return -1;
}

static void sending_destroy(void *way)
{
	if (way)
		sending_abort(way);
	free(way);
}

static const struct way_type sending_type = {
	.begin = sending_begin,
	.begin_proof = sending_begin_proof,
	.step = sending_step,
	.descriptor = sending_descriptor,
	.percent = sending_percent,
	.abort = sending_abort,
	.destroy = sending_destroy,
};

int sending_create(const struct sending_params *params, struct way *ret_way, struct enrg_error *err)
{
	struct sending *sending = calloc(1, sizeof(*sending));

	if (!sending)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	sending->params = *params;
	sending->child = (struct child)CHILD_NONE;
	sending->from.descriptor = -1;
	if (params->rsync &&
		!sending_parse_target(params->rsync, sending->host, sizeof(sending->host), &sending->target)) {
		free(sending);
		return enrg_error_set(
			err, ENRG_E_CONFIG, "rsync: expected \"user@host:folder\", found \"%s\"", params->rsync);
	}
	*ret_way = (struct way){&sending_type, sending};
	return 0;
}
