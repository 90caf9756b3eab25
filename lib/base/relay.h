/*
 * Standing between whoever started a command and a process that it started elsewhere: signals,
 * a terminal, the exit status.
 *
 *	static struct relay relay;
 *
 *	if (relay_open(&relay, master, &err) < 0)	before the process runs, or as soon as it
 *does
 *		...
 *	start it
 *	relay_run(&relay, pidfd, &code, &err)		returns when it has ended
 *
 * Between the two calls a signal is kept for the process. Forwarded are all
 * signals but SIGKILL and SIGSTOP, which nobody can catch, and
 *
 *	SIGCHLD	 other children of ours are reaped (we may be a subreaper)
 *	SIGPIPE, SIGURG	ignored
 *	SIGWINCH the terminal's size is copied
 *	SIGHUP	 if it was ignored when we were started, as by nohup(1)
 *
 * With a pseudoterminal's master, standard input, if it is a terminal, is raw
 * until relay_run() returns; the master is copied to standard output, and
 * standard input to the master. At the end of the input the process gets the
 * terminal's end-of-file character, if it reads lines. If nobody takes the
 * output any more, the master is closed: to the process its terminal is gone.
 * What it wrote before it ended is copied to the end. Nothing here ever waits for one
 * of the two sides alone: a reader that is slow does not keep a signal.
 *
 * One relay at a time in a process without threads.
 */
#ifndef BASE_RELAY_H
#define BASE_RELAY_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "base/err.h"

enum { RELAY_BUFFER = 8192 };

/* Bytes on their way. */
struct relay_bytes {
	char data[RELAY_BUFFER];
	size_t begin, end;
};

struct relay {
	/* What else to wait for, set between the two calls: ready(arg) is called when fd can be
	 * read. */
	struct {
		int fd; /* -1: nothing */
		void (*ready)(void *arg);
		void *arg;
	} watch;

	int master;  /* of the process's terminal, non-blocking; -1: it has none, or no more */
	int signals; /* signalfd */
	int events;  /* epoll, edge-triggered, of the master */
	int in, out; /* standard input and output, as descriptions of our own where that is possible
		      */
	bool in_open, in_ready;	  /* may give more; may be read now */
	bool out_ready;		  /* may be written now */
	bool can_read, can_write; /* the master, until it says EAGAIN */
	bool raw;		  /* "before" is to be restored */
	bool ended, hurried;	  /* the process has; and we are told to end too */
	bool keep_hup;		  /* SIGHUP was ignored */
	size_t out_max;		  /* bytes that can be written at once without waiting */
	size_t late;		  /* bytes copied since the process has ended */
	char last_in;		  /* the last byte that the process was given */
	struct termios before;
	struct relay_bytes to_process, from_process;
};

/* Takes over the master (-1: no terminal). On failure everything is as before, and it is closed. */
int relay_open(struct relay *relay, int master, struct oci_err *err);

/*
 * Relays until the process of pidfd, a child of ours, has ended, and reaps it. *ret_code: its exit
 * status, or 128 and the number of the signal that killed it. Signals stay blocked,
 * so that what follows (removing a container) is done in peace.
 */
int relay_run(struct relay *relay, int pidfd, int *ret_code, struct oci_err *err);

/* Puts the terminal back and closes what relay_open() has opened; not needed after relay_run(). */
void relay_close(struct relay *relay);

#endif
