/* What strings of config.json must look like (enum spec_form). Used by validate.c only. */
#ifndef OCI_VALIDATE_FORM_H
#define OCI_VALIDATE_FORM_H

#include <stdbool.h>

#include "oci/spec.h"

/*
 * What is wrong with text, as the end of a sentence that begins with the text
 * ("is no absolute path"), or NULL. *ret_warning: it is no error. Static.
 */
const char *form_problem(enum spec_form form, const char *text, bool *ret_warning);

#endif
