/*
 * --dry-run: what a creation would do, as a shell script that can be read and,
 * where shell commands can say it, run. Touches nothing.
 *
 * The script makes the namespaces with unshare(1) and goes on inside, where
 * the host's files are still there until pivot_root(8).
 */
#ifndef PIPELINE_DRY_RUN_H
#define PIPELINE_DRY_RUN_H

#include "oci/state.h"
#include "shell.h"

/* id may be NULL: the bundle's name. Prints to standard output; returns the exit code. */
int dry_run_main(const char *id, const char *bundle, const struct create_options *options);

/* The parts; each in its file. */
void dry_run_cgroup(const struct shell *sh, const struct json_object *record);
void dry_run_cgroup_remove(const struct shell *sh, const struct json_object *record);
void dry_run_namespaces(const struct shell *sh, const char *end); /* of the here-document */
void dry_run_names(const struct shell *sh);
void dry_run_mounts(const struct shell *sh);
void dry_run_devices(const struct shell *sh);
void dry_run_masks(const struct shell *sh);
void dry_run_process(const struct shell *sh);

#endif
