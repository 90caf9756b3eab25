/* Sizes as people write them on a command line. */
#ifndef OCI_SIZE_H
#define OCI_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * "512M", "1.5g", "64 KiB", "1024", as runc reads them: a number, perhaps with a fraction, then
 * perhaps b, k, m, g, t or p with or without "b" or "ib"; units are powers of 1024. "-1" is -1,
 * without limit. False if it is no such size, or beyond 63 bits.
 */
bool size_parse(const char *text, int64_t *ret_bytes);

#endif
