/* Option tmpcopyup: what is in a directory, copied into the tmpfs that will cover it. */
#ifndef KERNEL_MOUNT_COPY_H
#define KERNEL_MOUNT_COPY_H

#include "base/err.h"

/*
 * Copies what is in the directory `from` into the directory `to` (O_PATH
 * descriptors both): directories, files, symbolic links, devices, FIFOs and
 * sockets, with owner, mode, times and extended attributes; hard links become
 * files of their own. Everything is reached from its parent's descriptor and
 * without following a link: what is copied is hostile. `to` gets the owner of
 * `from`. -1 with *err.
 */
int mount_copy_tree(int from, int to, struct oci_err *err);

#endif
