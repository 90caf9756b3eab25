/*
 * The table of all properties of config.json (spec.def), and the way through
 * it: validation, oci-features, the documentation and a test read it.
 *
 * A row is reached from its parent's: spec_member() for a property of an
 * object, spec_item() for the items of an array or the values of a map.
 */
#ifndef OCI_SPEC_H
#define OCI_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPEC_VERSION "1.3.0"

enum spec_type {
	SPEC_OBJECT, /* its members are properties */
	SPEC_MAP,    /* its members have names that are data */
	SPEC_ARRAY,
	SPEC_STRING,
	SPEC_BOOLEAN,
	SPEC_INTEGER,
};

enum spec_constraint {
	SPEC_ANY,
	SPEC_RANGE,	   /* min, max */
	SPEC_ONE_OF,	   /* words */
	SPEC_KNOWN,	   /* words, but others are no error */
	SPEC_FORM,	   /* form */
	SPEC_AT_LEAST_ONE, /* item */
};

/* What a string, or a key of a map, must look like; validate_form.c judges. */
enum spec_form {
	FORM_NOT_EMPTY,
	FORM_LINE,	/* no control characters */
	FORM_WORD,	/* neither empty nor with white space */
	FORM_FILE_NAME, /* one component of a path, neither "." nor ".." */
	FORM_ABSOLUTE_PATH,
	FORM_ABSOLUTE_OR_EMPTY, /* empty is as if it were not there */
	FORM_DESTINATION,	/* a path; relative ones are deprecated */
	FORM_CGROUP_PATH,
	FORM_ENVIRONMENT, /* NAME=value */
	FORM_VERSION,	  /* a version of the specification, by semver.org */
	FORM_NUMBER_LIST, /* "0-3,7"; may be empty */
	FORM_PAGE_SIZE,	  /* "2MB" */
	FORM_HOST_NAME,
	FORM_INTERFACE,	    /* the name of a network device */
	FORM_DEVICE_ACCESS, /* of r, w, m */
	FORM_SYSCTL,	    /* the name of a kernel parameter */
	FORM_CLOCK,	    /* of a time namespace */
	FORM_CLASS_OF_SERVICE,
	FORM_MEMORY_BANDWIDTH,
	FORM_PERSONALITY_FLAG,
};

struct spec_row {
	const char *pointer; /* as in spec.def */
	enum spec_type type;
	bool required;
	bool ignored; /* another platform's */
	enum spec_constraint constraint;
	enum spec_form form;
	int64_t min;
	uint64_t max;
	const char *const *words; /* ends with NULL */
	const char *words_name;	  /* "capabilities" */
	const char *since;
	const char *stage; /* NULL: nobody */
};

/* Row 0 is the whole document. */
extern const struct spec_row spec_rows[];
extern const size_t spec_n_rows;

/* The last component of a row's pointer. */
const char *spec_key(const struct spec_row *row);

/* The property of that name in an object, or NULL if there is none. */
const struct spec_row *spec_member(const struct spec_row *object, const char *key);

/* What each item of an array, or value of a map, is. */
const struct spec_row *spec_item(const struct spec_row *row);

/* All properties of an object, one after the other: spec_first(), then spec_next() until NULL. */
const struct spec_row *spec_first(const struct spec_row *object);
const struct spec_row *spec_next(const struct spec_row *row);

const char *spec_type_name(enum spec_type type);

/*
 * What may stand there, in a few words: "0 to 511", "one of mount, pid, ...", "absolute path";
 * "" for anything. The caller frees it; NULL: no memory.
 */
char *spec_describe(const struct spec_row *row);

/* A list of spec.def by its name ("namespaces"), ends with NULL; NULL: no such list. */
const char *const *spec_words(const char *name);

#endif
