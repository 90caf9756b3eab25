/*
 * Errors are values.
 *
 * A function that can fail takes a "struct oci_err *err" as its last argument
 * and returns 0 (or a descriptor) on success, -1 with *err filled otherwise.
 * Context is added on the way up: err_wrap() puts words before the message,
 * err_at() says which property of config.json it is about. Only a command's
 * main reports an error, once.
 *
 * The setters return -1, so that a failure is one statement:
 *
 *	return err_sys(err, errno, "cannot create \"%s\"", path);
 *
 * Messages never contain strerror() texts: an engine that finds "no such file
 * or directory" or "permission denied" in a message takes it for a failed exec
 * of the user's program (exit code 127 or 126). The name of the errno stands
 * for it: 'cannot create "x": ENOENT'. Only init's exec errors use the words.
 *
 * Strings in a message may come from a config or a container: control
 * characters, and bytes that are not UTF-8, are escaped, and a message is cut
 * at ERR_MESSAGE_MAX bytes.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

enum { ERR_MESSAGE_MAX = 2048 };

/* The class of an error, which is the exit code of a plumbing command. */
enum oci_fault {
	FAULT_NONE = 0,
	FAULT_USAGE = 100,	 /* the command line */
	FAULT_CONFIG = 102,	 /* the bundle or its config.json */
	FAULT_UNSUPPORTED = 103, /* this kernel, machine or user cannot do it */
	FAULT_STATE = 104,	 /* the container is in the wrong state, or there is none */
	FAULT_HOOK = 105,	 /* a hook, or a pipeline's own step, failed */
	FAULT_DIFFERENT = 106,	 /* oci-verify has found a difference: no error */
	FAULT_SYSTEM = 111,	 /* a system call failed */
};

struct oci_err {
	enum oci_fault fault;
	int errnum;	   /* of the system call that failed, or 0 */
	const char *stage; /* static: which stage failed, or NULL */
	char *pointer;	   /* JSON pointer into config.json, or NULL */
	char *message;	   /* one line, escaped */
	char *hint;	   /* what to try, or NULL */
	char *details;	   /* a report of many lines that says the same and more, or NULL */
};

#define ERR_INIT ((struct oci_err){0})

/* Each of these frees what it replaces. */
int err_set(struct oci_err *err, enum oci_fault fault, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* FAULT_SYSTEM; appends ": ENAME" for errnum. */
int err_sys(struct oci_err *err, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "fmt: " before the message. */
int err_wrap(struct oci_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The innermost place wins: no effect when a pointer is there. */
int err_at(struct oci_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int err_hint(struct oci_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Takes over the report (lines end with a newline; strings from outside are
 * escaped in it already). Who prints for people prints it in place of the message.
 */
int err_details(struct oci_err *err, char *report);

void err_clear(struct oci_err *err);

#define own_err __attribute__((cleanup(err_clear)))

/* "ENOENT" for ENOENT; "errno 4711" for what has no name. Static storage. */
const char *err_name(int errnum);

/*
 * Copies text with control characters, DEL, C1, characters that nobody sees or that change
 * the direction of writing, and bytes that are not UTF-8 as \xNN, at most max bytes and never half
 * a character. The caller frees it.
 */
char *err_escape(const char *text, unsigned max);

#endif
