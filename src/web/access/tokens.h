/* tokens.h: the file `tokens` of web.folder: who may ask without a person at it. A token's text is shown once, when it
 * is made; the file holds its SHA-256. Any thread; a struct tokens belongs to one at a time. */
#ifndef WEB_ACCESS_TOKENS_H
#define WEB_ACCESS_TOKENS_H

#include "web/access/access.h"
#include "web/access/digest.h"
#include "web/access/record_file.h"

enum { TOKENS_MAX = 4096, TOKEN_TEXT_BYTES = 64 };
/* So that who finds one knows whose it is, and no word of a command line begins with '-'. */
#define TOKEN_PREFIX     "enrg_"
#define TOKEN_FIRST      "first"       /* the one that the first start has made */
#define TOKEN_FIRST_FILE "first.token" /* with its text; removed with it */

struct token {
	char name[RECORD_NAME_BYTES];
	enum access_role role;
	uint8_t digest[SHA256_BYTES]; /* of its text */
	int64_t created_s, expires_s; /* 0 = never */
};

struct tokens {
	struct token *items;
	size_t count;
	unsigned faulty_line; /* the first one that is no token, and so counts for nobody; 0 = none */
};

/* -ENOMEM, -EFBIG (more than TOKENS_MAX). `text` is cut into pieces. */
int tokens_parse(char *text, struct tokens *ret_tokens, struct enrg_error *err);
void tokens_fini(struct tokens *tokens);
int tokens_read(const char *folder, struct tokens *ret_tokens, struct record_stamp *ret_stamp, struct enrg_error *err);
void tokens_format_path(const char *folder, char ret_path[4096]);

/* The one of this text that has not expired; NULL. Takes as long for each text of a length. */
const struct token *tokens_find(const struct tokens *tokens, const char *text, int64_t now_s);
/* The same, by its digest. */
const struct token *tokens_find_digest(const struct tokens *tokens, const uint8_t digest[SHA256_BYTES], int64_t now_s);

/* A new one; `days` 0: it never expires. -EEXIST: there is one of that name, -EINVAL: what name or days may not be. */
int tokens_add(const char *folder, const char *name, enum access_role role, uint32_t days,
	char ret_text[TOKEN_TEXT_BYTES], struct enrg_error *err);
/* -ENOENT. Counts from the next request on, in every server that reads this folder. */
int tokens_remove(const char *folder, const char *name, struct enrg_error *err);

#endif
