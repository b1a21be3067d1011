// Thin wrappers for system calls that the Glibc overlay lacks.
#ifndef ISOMIX_PLATFORM_H
#define ISOMIX_PLATFORM_H

// Asks the kernel to send `signal` to this process when its parent dies. Returns 0, or -1 with errno.
int isomix_set_parent_death_signal(int signal);

// An eventfd counter (non-blocking, close-on-exec). Returns the descriptor, or -1 with errno.
int isomix_eventfd(void);

// A descriptor from which the given signals (blocked for the calling thread, hence for the threads
// it starts later) are read. Returns the descriptor, or -1 with errno.
int isomix_signalfd(const int *signals, int count);

// The next pending signal of a descriptor made by isomix_signalfd, 0 if none, -1 with errno.
int isomix_read_signal(int descriptor);

// Unblocks all signals and restores their default handlers: for a child between fork and exec.
void isomix_reset_signals(void);

// Names the calling thread (at most 15 bytes are kept).
void isomix_name_thread(const char *name);

// CPU seconds used by the calling thread.
double isomix_thread_cpu_seconds(void);

// Cores that this process may use (its CPU affinity), at least 1.
int isomix_available_cores(void);

#endif
