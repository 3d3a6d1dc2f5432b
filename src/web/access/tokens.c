/* tokens.c: see the header. */
#include "web/access/tokens.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

#define DAYS_MAX 36500u

static const char head[] = "# ENRGDAQ tokens: name, role, SHA-256 of the token, created, expires. `enrgdaq token` "
			   "changes this file.\n";

void tokens_format_path(const char *folder, char ret_path[4096])
{
	snprintf(ret_path, 4096, "%s/tokens", folder);
}

/* --- text --- */

static int parse_token(const char *const words[RECORD_WORDS_MAX], struct token *ret_token)
{
	if (!record_name_is_good(words[0]) || access_role_parse(words[1], &ret_token->role) ||
		ret_token->role == ACCESS_NOBODY || text_parse_hex(words[2], SHA256_BYTES, ret_token->digest) ||
		record_time_parse(words[3], &ret_token->created_s) ||
		record_time_parse(words[4], &ret_token->expires_s))
		return -EINVAL;
	snprintf(ret_token->name, sizeof(ret_token->name), "%s", words[0]);
	return 0;
}

int tokens_parse(char *text, struct tokens *ret_tokens, struct enrg_error *err)
{
	struct tokens tokens = {0};
	const char *words[RECORD_WORDS_MAX];
	size_t room = 0;
	unsigned line = 0;
	int count;

	while ((count = record_line_next(&text, words)) >= 0) {
		struct token token;
		line++;
		if (count == 0)
			continue;
		if (count != 5 || parse_token(words, &token)) {
			tokens.faulty_line = tokens.faulty_line ? tokens.faulty_line : line;
			continue;
		}
		if (tokens.count == room) {
			room = room ? room * 2 : 16;
			struct token *grown = room <= TOKENS_MAX ? realloc(tokens.items, room * sizeof(*grown)) : NULL;
			if (!grown) {
				tokens_fini(&tokens);
				return enrg_error_set(err, room > TOKENS_MAX ? -EFBIG : -ENOMEM,
					room > TOKENS_MAX ? "there are more than 4,096 tokens: remove some"
							  : "out of memory");
			}
			tokens.items = grown;
		}
		tokens.items[tokens.count++] = token;
	}
	*ret_tokens = tokens;
	return 0;
}

void tokens_fini(struct tokens *tokens)
{
	free(tokens->items);
	*tokens = (struct tokens){0};
}

int tokens_read(const char *folder, struct tokens *ret_tokens, struct record_stamp *ret_stamp, struct enrg_error *err)
{
	char path[4096], *text;

	tokens_format_path(folder, path);
	int rc = record_file_read(path, &text, ret_stamp, err);
	if (rc)
		return rc;
	rc = tokens_parse(text, ret_tokens, err);
	free(text);
	return rc ? enrg_error_add(err, rc, "%s", path) : 0;
}

static int write_tokens(const char *folder, const struct tokens *tokens, struct enrg_error *err)
{
	char path[4096], *text = NULL;
	size_t count = 0;
	FILE *stream = open_memstream(&text, &count);

	tokens_format_path(folder, path);
	if (!stream)
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", path);
	fputs(head, stream);
	for (size_t i = 0; i < tokens->count; i++) {
		const struct token *token = &tokens->items[i];
		char digest[SHA256_HEX_BYTES], created[32], expires[32];
		text_format_hex(token->digest, sizeof(token->digest), digest);
		record_time_format(token->created_s, created);
		record_time_format(token->expires_s, expires);
		fprintf(stream, "%s %s %s %s %s\n", token->name, access_role_name(token->role), digest, created,
			expires);
	}
	int rc = fclose(stream) ? enrg_error_set(err, -ENOMEM, "%s: out of memory", path)
				: record_file_write(path, text, count, err);
	free(text);
	return rc;
}

/* --- who --- */

const struct token *tokens_find_digest(const struct tokens *tokens, const uint8_t digest[SHA256_BYTES], int64_t now_s)
{
	const struct token *found = NULL;

	for (size_t i = 0; i < tokens->count; i++) /* all of them, whichever it is */
		if (digest_is_equal(tokens->items[i].digest, digest, SHA256_BYTES))
			found = &tokens->items[i];
	return found && (found->expires_s == 0 || now_s < found->expires_s) ? found : NULL;
}

const struct token *tokens_find(const struct tokens *tokens, const char *text, int64_t now_s)
{
	uint8_t digest[SHA256_BYTES];

	digest_of(text, strlen(text), digest);
	return tokens_find_digest(tokens, digest, now_s);
}

/* --- changes --- */

static int check_new(const char *name, enum access_role role, uint32_t days, struct enrg_error *err)
{
	if (!record_name_is_good(name))
		return enrg_error_set(err, -EINVAL,
			"\"%.80s\" can't be the name of a token: 1 to 63 of A-Z a-z 0-9 . _ @ - are, and no '-' first",
			name);
	if (role == ACCESS_NOBODY)
		return enrg_error_set(err, -EINVAL, "a token has the role visitor, user or admin");
	if (days > DAYS_MAX)
		return enrg_error_set(err, -EINVAL, "a token expires within %u days, or never (0)", DAYS_MAX);
	return 0;
}

static int draw_token(struct token *token, char ret_text[TOKEN_TEXT_BYTES], struct enrg_error *err)
{
	uint8_t bytes[32];

	int rc = digest_draw(bytes, sizeof(bytes));
	if (rc)
		return enrg_error_set(err, rc, "no random bytes of the kernel: %s", enrg_error_name(rc));
	strcpy(ret_text, TOKEN_PREFIX);
	digest_format_text(bytes, sizeof(bytes), ret_text + strlen(TOKEN_PREFIX));
	digest_of(ret_text, strlen(ret_text), token->digest);
	return 0;
}

/* With the lock: the file as it is, which must be whole, since it is written anew. */
static int read_to_change(const char *folder, struct tokens *ret_tokens, struct enrg_error *err)
{
	struct record_stamp stamp;
	int rc = tokens_read(folder, ret_tokens, &stamp, err);

	if (rc == 0 && ret_tokens->faulty_line) {
		unsigned line = ret_tokens->faulty_line;
		tokens_fini(ret_tokens);
		return enrg_error_set(err, -EINVAL,
			"%s/tokens: line %u is no token, and would be lost: repair it or take it out", folder, line);
	}
	return rc;
}

static struct token *find_name(const struct tokens *tokens, const char *name)
{
	for (size_t i = 0; i < tokens->count; i++)
		if (!strcmp(tokens->items[i].name, name))
			return &tokens->items[i];
	return NULL;
}

static int add_token(const char *folder, const struct token *token, struct enrg_error *err)
{
	struct tokens tokens;

	int rc = read_to_change(folder, &tokens, err);
	if (rc)
		return rc;
	if (find_name(&tokens, token->name)) {
		tokens_fini(&tokens);
		return enrg_error_set(err, -EEXIST,
			"there is a token \"%s\" already: `enrgdaq token remove %s` takes it away", token->name,
			token->name);
	}
	struct token *grown =
		tokens.count < TOKENS_MAX ? realloc(tokens.items, (tokens.count + 1) * sizeof(*grown)) : NULL;
	if (grown) {
		tokens.items = grown;
		tokens.items[tokens.count++] = *token;
		rc = write_tokens(folder, &tokens, err);
	} else {
		rc = enrg_error_set(err, -ENOMEM, "there are %zu tokens, or memory has run out", tokens.count);
	}
	tokens_fini(&tokens);
	return rc;
}

int tokens_add(const char *folder, const char *name, enum access_role role, uint32_t days,
	char ret_text[TOKEN_TEXT_BYTES], struct enrg_error *err)
{
	struct token token = {.role = role, .created_s = time(NULL)};
	char text[TOKEN_TEXT_BYTES];
	int lock;

	int rc = check_new(name, role, days, err);
	if (rc == 0)
		rc = draw_token(&token, text, err);
	if (rc == 0)
		rc = record_file_lock(folder, &lock, err);
	if (rc)
		return rc;
	snprintf(token.name, sizeof(token.name), "%s", name);
	token.expires_s = days ? token.created_s + (int64_t)days * 86400 : 0;
	rc = add_token(folder, &token, err);
	record_file_unlock(lock);
	if (rc == 0)
		strcpy(ret_text, text);
	return rc;
}

static int remove_token(const char *folder, const char *name, struct enrg_error *err)
{
	struct tokens tokens;

	int rc = read_to_change(folder, &tokens, err);
	if (rc)
		return rc;
	struct token *token = find_name(&tokens, name);
	if (token) {
		size_t behind = tokens.count - (size_t)(token - tokens.items) - 1;
		memmove(token, token + 1, behind * sizeof(*token));
		tokens.count--;
		rc = write_tokens(folder, &tokens, err);
	} else {
		rc = enrg_error_set(err, -ENOENT, "there is no token \"%.80s\" in %s", name, folder);
	}
	tokens_fini(&tokens);
	return rc;
}

int tokens_remove(const char *folder, const char *name, struct enrg_error *err)
{
	int lock;

	int rc = record_file_lock(folder, &lock, err);
	if (rc)
		return rc;
	rc = remove_token(folder, name, err);
	record_file_unlock(lock);
	if (rc == 0 && !strcmp(name, TOKEN_FIRST)) {
		char path[4200];
		snprintf(path, sizeof(path), "%s/" TOKEN_FIRST_FILE, folder);
		unlink(path);
	}
	return rc;
}
