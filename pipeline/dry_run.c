#include "dry_run.h"

#include "tool.h"

int dry_run_main(const char *id, const char *bundle)
{
	own_err struct oci_err err = ERR_INIT;

	(void)id;
	(void)bundle;
	err_set(&err, FAULT_UNSUPPORTED, "--dry-run is not there yet");
	return tool_fail(&err);
}
