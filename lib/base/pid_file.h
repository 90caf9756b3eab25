/* --pid-file: who made a process tells its number in a file. */
#ifndef BASE_PID_FILE_H
#define BASE_PID_FILE_H

#include <sys/types.h>

#include "base/err.h"

/* Writes pid, decimal, to path; whoever waits for the file sees all of it or nothing. */
int pid_file_write(const char *path, pid_t pid, struct oci_err *err);

/* Takes it away again; that there is none is fine. */
void pid_file_remove(const char *path);

#endif
