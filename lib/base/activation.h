/*
 * What a service manager passes to those that it starts: sd_listen_fds(3), sd_notify(3).
 */
#ifndef BASE_ACTIVATION_H
#define BASE_ACTIVATION_H

/* How many descriptors from 3 on are sockets for us (LISTEN_FDS, if LISTEN_PID is ours). */
unsigned activation_fds(void);

/* LISTEN_FDNAMES, if there are such sockets and they have names; otherwise NULL. */
const char *activation_names(void);

/* NOTIFY_SOCKET: an absolute path, or "@" and an abstract name; NULL if there is none to use. */
const char *activation_notify(void);

#endif
