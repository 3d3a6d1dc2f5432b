/* text.c: text for terminals and people, as the programs of ENRGDAQ make it. Any thread. */
#include "base/clock.h"
#include "base/text.h"
#include "enrgdaq/client.h"

void enrg_text_make_safe(char *text, size_t bytes)
{
	text_make_safe(text, bytes);
}

size_t enrg_text_character(const char *text, size_t bytes)
{
	return text_character(text, bytes);
}

const char *enrg_format_bytes(double bytes, char ret_text[32])
{
	return text_format_bytes(bytes, ret_text);
}

const char *enrg_format_span(uint64_t span_ns, char ret_text[32])
{
	clock_format_span(span_ns, ret_text, 32);
	return ret_text;
}
