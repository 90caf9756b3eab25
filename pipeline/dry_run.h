/*
 * --dry-run: what a creation would do, as a shell script that can be read, and
 * run where shell commands can say it. Touches nothing.
 */
#ifndef PIPELINE_DRY_RUN_H
#define PIPELINE_DRY_RUN_H

/* id may be NULL: the bundle's name. Prints to standard output; returns the exit code. */
int dry_run_main(const char *id, const char *bundle);

#endif
