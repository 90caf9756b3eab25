/*
 * Helper programs: what is rare and needs a library that the common path shall
 * not carry (systemd's D-Bus, network links, criu) is a program of its own in
 * libexec/, run only when it is asked for.
 *
 * It is found from where this executable is, never by a search through PATH:
 * in ../libexec/oci of an installation (/usr/bin/oci, /usr/libexec/oci/NAME),
 * in libexec beside it in a build.
 */
#ifndef BASE_LIBEXEC_H
#define BASE_LIBEXEC_H

#include "base/err.h"

/*
 * The absolute path of the helper, for spawn_run(); the caller frees it. NULL with *err:
 * FAULT_UNSUPPORTED that says where it was looked for. Needs the host's /proc.
 */
char *libexec_path(const char *name, struct oci_err *err);

#endif
