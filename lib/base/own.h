/*
 * Ownership in the type of a local variable.
 *
 * A local that owns something is declared with an own_* attribute and released
 * when it goes out of scope. steal_fd() and steal_ptr() hand it over: they
 * return the value and leave the local empty.
 *
 *	own_fd int fd = open(...);
 *	own_ptr char *name = strdup(...);
 *	...
 *	*ret_fd = steal_fd(&fd);
 */
#ifndef BASE_OWN_H
#define BASE_OWN_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void own_close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void own_free_ptr(void *p)
{
	free(*(void **)p);
}

static inline void own_close_file(FILE *const *f)
{
	if (*f)
		fclose(*f);
}

#define own_fd __attribute__((cleanup(own_close_fd)))
#define own_ptr __attribute__((cleanup(own_free_ptr)))
#define own_file __attribute__((cleanup(own_close_file)))

static inline int steal_fd(int *fd)
{
	int value = *fd;

	*fd = -1;
	return value;
}

#define steal_ptr(p)                                 \
	({                                           \
		__typeof__(*(p)) steal_value = *(p); \
		*(p) = NULL;                         \
		steal_value;                         \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof *(a))

#endif
