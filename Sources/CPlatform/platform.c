#define _GNU_SOURCE
#include "isomix_platform.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/tcp.h>
#include <malloc.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <unistd.h>

int isomix_set_parent_death_signal(int signal) {
  return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0);
}

static int signal_pipe[2] = {-1, -1};
static volatile sig_atomic_t exit_code = 0;
static char exit_message[512];
static volatile sig_atomic_t exit_message_length = 0;

// Async-signal-safe: one write of one byte. A full pipe loses nothing that matters: the reader has not caught
// up with the signals before.
static void remember_signal(int number) {
  int saved = errno;
  if (exit_code != 0 && number != SIGCHLD) {
    ssize_t ignored = write(STDERR_FILENO, exit_message, (size_t)exit_message_length);
    (void)ignored;
    _exit(exit_code);
  }
  unsigned char byte = (unsigned char)number;
  ssize_t written = write(signal_pipe[1], &byte, 1);
  (void)written;
  errno = saved;
}

int isomix_watch_signals(const int *signals, int count) {
  if (signal_pipe[0] < 0 && pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = remember_signal;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  for (int i = 0; i < count; i++) {
    if (sigaction(signals[i], &action, NULL) != 0) return -1;
  }
  return signal_pipe[0];
}

void isomix_exit_on_signal(int code, const char *message) {
  exit_code = 0;
  size_t length = strnlen(message, sizeof exit_message);
  memcpy(exit_message, message, length);
  exit_message_length = (sig_atomic_t)length;
  exit_code = code;
}

int isomix_read_signal(int descriptor) {
  unsigned char byte;
  ssize_t count = read(descriptor, &byte, 1);
  if (count == 1) return byte;
  return (count < 0 && errno != EAGAIN && errno != EINTR) ? -1 : 0;
}

void isomix_name_thread(const char *name) {
  char shortened[16];
  strncpy(shortened, name, sizeof shortened - 1);
  shortened[sizeof shortened - 1] = 0;
  pthread_setname_np(pthread_self(), shortened);
}

int isomix_available_cores(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  int count = CPU_COUNT(&set);
  return count > 0 ? count : 1;
}

int isomix_schedule_as_batch(void) {
  const struct sched_param parameters = {.sched_priority = 0};
  return sched_setscheduler(0, SCHED_BATCH, &parameters);
}

int64_t isomix_tcp_bytes_received(int descriptor) {
  struct tcp_info information;
  memset(&information, 0, sizeof information);
  socklen_t size = sizeof information;
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &information, &size) != 0) return -1;
  if (size < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof information.tcpi_bytes_received) {
    errno = ENOSYS;
    return -1;
  }
  return (int64_t)information.tcpi_bytes_received;
}

int isomix_peer_address(int descriptor, char *text, size_t size) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  if (getpeername(descriptor, (struct sockaddr *)&address, &length) != 0) return -1;
  char host[INET6_ADDRSTRLEN];
  if (address.ss_family == AF_INET) {
    const struct sockaddr_in *four = (const struct sockaddr_in *)&address;
    if (inet_ntop(AF_INET, &four->sin_addr, host, sizeof host) == NULL) return -1;
    snprintf(text, size, "%s:%u", host, (unsigned)ntohs(four->sin_port));
    return 0;
  }
  if (address.ss_family == AF_INET6) {
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address;
    const int mapped = IN6_IS_ADDR_V4MAPPED(&six->sin6_addr);
    const void *bytes = mapped ? (const void *)&six->sin6_addr.s6_addr[12] : (const void *)&six->sin6_addr;
    if (inet_ntop(mapped ? AF_INET : AF_INET6, bytes, host, sizeof host) == NULL) return -1;
    snprintf(text, size, mapped ? "%s:%u" : "[%s]:%u", host, (unsigned)ntohs(six->sin6_port));
    return 0;
  }
  errno = EAFNOSUPPORT;
  return -1;
}

int isomix_shut_down_connection(int descriptor) {
  // The close that follows resets the connection, so that nothing of it stays behind in the system.
  const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  (void)setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  return shutdown(descriptor, SHUT_RDWR);
}

void isomix_trim_memory(void) { malloc_trim(0); }

int isomix_open_wake_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC | O_NONBLOCK); }

int isomix_set_pipe_size(int descriptor, int bytes) { return fcntl(descriptor, F_SETPIPE_SZ, bytes) < 0 ? -1 : 0; }

int isomix_clock_is_synchronized(void) {
  struct timex state = {0};
  int result = adjtimex(&state);
  if (result < 0) return -1;
  return result != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

int isomix_list_addresses(void (*body)(const char *name, const char *address, void *context), void *context) {
  struct ifaddrs *first = NULL;
  if (getifaddrs(&first) != 0) return -1;
  for (struct ifaddrs *entry = first; entry != NULL; entry = entry->ifa_next) {
    if (entry->ifa_addr == NULL || (entry->ifa_flags & IFF_UP) == 0) continue;
    char text[INET6_ADDRSTRLEN];
    const void *address;
    if (entry->ifa_addr->sa_family == AF_INET) {
      address = &((const struct sockaddr_in *)entry->ifa_addr)->sin_addr;
    } else if (entry->ifa_addr->sa_family == AF_INET6) {
      address = &((const struct sockaddr_in6 *)entry->ifa_addr)->sin6_addr;
    } else {
      continue;
    }
    if (inet_ntop(entry->ifa_addr->sa_family, address, text, sizeof text) == NULL) continue;
    body(entry->ifa_name, text, context);
  }
  freeifaddrs(first);
  return 0;
}
