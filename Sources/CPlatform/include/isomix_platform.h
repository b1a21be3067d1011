// Thin wrappers for system calls that the Glibc overlay lacks.
#ifndef ISOMIX_PLATFORM_H
#define ISOMIX_PLATFORM_H

#include <stddef.h>
#include <stdint.h>

// Asks the kernel to send `signal` to this process when its parent dies. Returns 0, or -1 with errno.
int isomix_set_parent_death_signal(int signal);

// Catches the given signals, whichever thread the kernel hands them to (libraries start threads before
// main), and returns a descriptor from which their numbers can be polled and read; -1 with errno on failure.
// One descriptor serves the whole process: later calls add signals to it.
int isomix_watch_signals(const int *signals, int count);

// From here on a watched signal (SIGCHLD apart) writes `message` to standard error and ends the process with
// `code` at once; code 0 goes back to catching. For work that can't be interrupted and need not be.
void isomix_exit_on_signal(int code, const char *message);

// The next caught signal of the descriptor, 0 if none, -1 with errno.
int isomix_read_signal(int descriptor);

// Names the calling thread (at most 15 bytes are kept).
void isomix_name_thread(const char *name);

// Cores that this process may use (its CPU affinity), at least 1.
int isomix_available_cores(void);

// Tells the system that the calling thread, and threads that it starts from now on, compute: when they wake up they don't
// take a core from a thread that has just begun to run (SCHED_BATCH). Returns 0, or -1 with errno.
int isomix_schedule_as_batch(void);

// Bytes that a TCP connection has received since it was made, read by the program or not; -1 with errno when the
// descriptor is no TCP connection (any more).
int64_t isomix_tcp_bytes_received(int descriptor);

// Writes the address of a TCP connection's other end ("10.0.0.7:4242", "[fe80::1]:4242") and returns 0, or -1
// with errno. `size` should be at least 64.
int isomix_peer_address(int descriptor, char *text, size_t size);

// Ends a connection in both directions; its owner sees the end and closes it. Returns 0, or -1 with errno.
int isomix_shut_down_connection(int descriptor);

// Gives memory that the allocator holds but nobody uses back to the system.
void isomix_trim_memory(void);

// A pipe to wake a thread that polls: ends[0] to poll and read, ends[1] to write; neither blocks. Returns 0, or -1
// with errno.
int isomix_open_wake_pipe(int ends[2]);

// Asks for a larger pipe; the system may refuse (-1 with errno), and the pipe is as it was.
int isomix_set_pipe_size(int descriptor, int bytes);

// Whether the kernel holds the wall clock to be synchronised (NTP): 1, 0, or -1 when it can't be told.
int isomix_clock_is_synchronized(void);

// Calls `body` with the name and the numeric address of each address of the network interfaces that are up. Returns 0,
// or -1 with errno.
int isomix_list_addresses(void (*body)(const char *name, const char *address, void *context), void *context);

#endif
