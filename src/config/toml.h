/* toml.h: TOML 1.0 as a tree of C nodes. The parser is toml++ behind toml_shim.cpp, the only C++ file. Nodes belong to
 * their document. Not thread safe while parsing. */
#ifndef CONFIG_TOML_H
#define CONFIG_TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum toml_kind { TOML_TABLE, TOML_ARRAY, TOML_STRING, TOML_INTEGER, TOML_FLOAT, TOML_BOOLEAN, TOML_DATE };

struct toml_node {
	enum toml_kind kind;
	int line, column;  /* of the value; 1 = first */
	const char *key;   /* NULL in arrays and for the root */
	int key_line;      /* where the key stands */
	const char *text;  /* TOML_STRING: the string; TOML_DATE: as written */
	size_t text_bytes; /* strings may hold NUL */
	int64_t integer;
	double number; /* of integers too */
	bool boolean;
	size_t count; /* children, in order of the file */
	struct toml_node *children;
};

/* Parses `count` bytes. `name` is the file name for messages: "name:line: …". Depth is limited to 32, size to 16 MiB.
 */
int toml_parse(const char *name, const char *bytes, size_t count, struct toml_node **ret_root, struct enrg_error *err);
void toml_free(struct toml_node *root);

/* Child of a table, or NULL. */
const struct toml_node *toml_find(const struct toml_node *table, const char *key);

#ifdef __cplusplus
}
#endif

#endif
