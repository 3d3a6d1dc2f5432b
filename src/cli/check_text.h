/* check_text.h: `enrgdaq check CONFIG_DIR --show FILE`, `--mask FILE` and `--edit FILE`: a file of a folder, or a text
 * that is to be one, for somebody who may not see its secrets, and the way back. What enrgdaq-web asks, which loads no
 * modules. */
#ifndef CLI_CHECK_TEXT_H
#define CLI_CHECK_TEXT_H

/* Prints {"file", "sha256", "bytes", "text", "has_secrets"}, or {"detail"} and returns 1. */
int check_text_show(const char *folder, const char *file);
/* Of the text at standard input: prints {"text"}, or {"detail"} and returns 1. `file` says by its name whether it is
 * supervisor.toml. */
int check_text_mask(const char *file);
/* Reads a new text from standard input; a secret that says "***" keeps its value. Checks the folder as it would be, and
 * prints {"text", "sha256" of the file of before ("": none), "errors", "errors_before": of the folder as it is,
 * "problems":
 * [{"file", "line", "is_warning", "text"}]}, or {"detail"} and returns 1. Writes no file. */
int check_text_edit(const char *folder, const char *file);

#endif
