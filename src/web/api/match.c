/* match.c: see the header. */
#include "web/api/match.h"

#include <stdio.h>
#include <string.h>

#define PARTS_MAX 4u

/* Takes the next part of a path, without its slash; NULL at the end. */
static const char *next_part(const char **path, size_t *ret_bytes)
{
	const char *begin = *path;

	if (*begin != '/')
		return NULL;
	begin++;
	*ret_bytes = strcspn(begin, "/");
	*path = begin + *ret_bytes;
	return begin;
}

/* How many {…} it has; -1: it is another path. */
static int compare(const char *pattern, const char *path, struct match *ret_match)
{
	size_t wanted_bytes = 0, bytes = 0, used = 0;
	unsigned count = 0;

	for (;;) {
		const char *wanted = next_part(&pattern, &wanted_bytes), *part = next_part(&path, &bytes);
		if (!wanted || !part)
			return wanted == part ? (int)count : -1;
		if (*wanted != '{') {
			if (bytes != wanted_bytes || memcmp(wanted, part, bytes) != 0)
				return -1;
			continue;
		}
		if (!bytes || count == PARTS_MAX || used + bytes + 1 > sizeof(ret_match->text))
			return -1;
		memcpy(ret_match->text + used, part, bytes);
		ret_match->text[used + bytes] = '\0';
		ret_match->parts[count++] = ret_match->text + used;
		used += bytes + 1;
	}
}

static void allow(struct match *match, enum web_method method)
{
	const char *name = method == WEB_GET ? "GET, HEAD" : "POST";
	size_t used = strlen(match->allow);

	if (!strstr(match->allow, name))
		snprintf(match->allow + used, sizeof(match->allow) - used, "%s%s", used ? ", " : "", name);
}

void match_find(const struct route *const *tables, enum web_method method, const char *path, struct match *ret_match)
{
	int fewest = (int)PARTS_MAX + 1;
	struct match trial;

	memset(ret_match, 0, sizeof(*ret_match));
	for (; *tables; tables++)
		for (const struct route *route = *tables; route->path; route++) {
			int count = compare(route->path, path, &trial);
			if (count < 0)
				continue;
			allow(ret_match, route->method);
			if (route->method != method || count >= fewest)
				continue;
			fewest = count;
			ret_match->route = route;
			memcpy(ret_match->text, trial.text, sizeof(trial.text));
			for (int i = 0; i < count; i++)
				ret_match->parts[i] = ret_match->text + (trial.parts[i] - trial.text);
		}
}
