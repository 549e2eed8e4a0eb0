#ifndef TSPROF_LIB_WRAPPER_H
#define TSPROF_LIB_WRAPPER_H

/*
 * Functions of the C library that the program gets from here, because something
 * has to happen before or after.  The real one is looked up at the first call,
 * which may come before any constructor.
 */
#define WRAPPER __attribute__((visibility("default")))

/* Set `*ret_function`, a pointer to a function, to the next `name` behind this library. */
void wrapper_find(void *ret_function, const char *name);

#define WRAPPER_FIND(pointer, name)                                                                \
	do {                                                                                       \
		if (!(pointer))                                                                    \
			wrapper_find(&(pointer), name);                                            \
	} while (0)

#endif
