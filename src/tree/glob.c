/* Only the last '*' needs to be tried again, so there is no recursion. */
#include "tree/glob.h"

#include <string.h>

/* Does the pattern's next item take the byte?  Sets `ret_next` behind the item. */
static bool glob_takes(const char *pattern, char byte, const char **ret_next)
{
	const bool is_any = *pattern == '?';

	if (*pattern == '\\' && pattern[1])
		pattern++;
	else if (is_any) {
		*ret_next = pattern + 1;
		return true;
	}
	*ret_next = pattern + 1;
	return *pattern != '\0' && *pattern == byte;
}

bool glob_match(const char *pattern, const char *text, size_t text_size)
{
	const char *const end = text + text_size;
	const char *after_star = NULL;
	const char *star_text = NULL;
	const char *next;

	while (text < end) {
		if (*pattern == '*') {
			after_star = ++pattern;
			star_text = text;
		} else if (glob_takes(pattern, *text, &next)) {
			pattern = next;
			text++;
		} else if (after_star) {
			pattern = after_star;
			text = ++star_text;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
