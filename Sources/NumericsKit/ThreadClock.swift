#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// CPU time of the calling thread: what benchmarks measure, because other processes don't disturb it.
public enum ThreadClock {
  /// Seconds of CPU time that this thread has used.
  public static var seconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}
