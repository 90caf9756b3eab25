/*
 * The terminal that a command was started on, and the one that it gives a program.
 *
 * A job of a shell that is not in the foreground must not change its terminal:
 * terminal_raw() stops such a job, as any program's tcsetattr(3) does, until it is
 * continued there. SIGTTOU may be blocked; it is let through for that moment.
 */
#ifndef BASE_TERMINAL_H
#define BASE_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

/*
 * Makes fd raw: what is typed reaches the program as it is, also ^C. False if it
 * is no terminal, or not ours to change; otherwise *ret_before is for terminal_restore().
 */
bool terminal_raw(int fd, struct termios *ret_before);

/* Unless we are in the background by now: the shell has then set its own modes. */
void terminal_restore(int fd, const struct termios *before);

/* Whether we are a background job of this terminal. */
bool terminal_background(int fd);

/* Gives the pseudoterminal the size of the first of our standard descriptors that is a terminal. */
void terminal_copy_size(int master);

/*
 * What a pseudoterminal's master needs before its program starts: the size; and if our standard
 * output is no terminal, newlines stay single bytes.
 */
void terminal_prepare(int master);

/* The character that a reader of the terminal takes for the end of its input; -1: none does. */
int terminal_eof(int master);

#endif
