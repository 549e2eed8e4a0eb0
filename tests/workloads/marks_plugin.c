/* A shared object that marks, and that nobody links. */
#include "tsprof.h"

void mark_in_plugin(void);

void mark_in_plugin(void)
{
	TSPROF_SCOPE("plugin");
	TSPROF_MILESTONE("in the plugin");
}
