/* text.h: text from files, names and messages on its way to a terminal or into JSON. Any thread. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>

/* Bytes of the UTF-8 character at `text`, which has `bytes` bytes; 0: it is none. */
size_t text_character(const char *text, size_t bytes);
/* So that it can neither steer a terminal nor look like several lines: control characters (also those of 8 bits, and
 * those that turn the direction of text) become spaces, what is not UTF-8 text question marks. In place, of the same
 * length. */
void text_make_safe(char *text, size_t bytes);
/* Inside of the quotes of a JSON string. Cut between two characters where it does not fit; always ends. Its length. */
size_t text_format_json(const char *text, size_t bytes, char *ret_json, size_t json_bytes);

/* Two lower-case digits a byte, and a NUL: of uuids and ids. */
void text_format_hex(const void *bytes, size_t count, char *ret_hex);
/* Just so many bytes, as text_format_hex writes them. 0, or -EINVAL: it is something else. */
int text_parse_hex(const char *hex, size_t count, void *ret_bytes);
/* 0 to 15, of either case; -1: it is none. */
int text_hex_digit(char letter);
/* A UUID of that version (RFC 9562: 4 random, 8 by whoever makes it) of 16 bytes, of which 6 bits are replaced. */
void text_format_uuid(const void *bytes, unsigned version, char ret_uuid[37]);

/* "950 B", "12.3 kB", "4.5 MB", "1.2 GB". Returns ret_text. */
const char *text_format_bytes(double bytes, char ret_text[32]);

/* For what is shown: cut between two characters where it does not fit; always ends. */
void text_copy(char *ret_text, size_t text_bytes, const char *text);

#endif
