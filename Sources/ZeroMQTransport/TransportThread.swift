import CPlatform
import Glibc

/// A thread of its own with a name and an end that can be waited for.
final class TransportThread: Sendable {
  private let thread: pthread_t

  private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }

  /// Starts a thread. Signals are left to the other threads.
  init(name: String, _ body: @escaping @Sendable () -> Void) throws {
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start(name: name, body: body))
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    let status = pthread_create(&thread, nil, TransportThread.main, start.toOpaque())
    pthread_sigmask(SIG_SETMASK, &before, nil)
    guard status == 0 else {
      start.release()
      throw TransportError(
        message: "can't start a thread: \(String(cString: strerror(status)))", number: status)
    }
    self.thread = thread
  }

  /// Waits for the thread's end. To be called once.
  func join() { pthread_join(thread, nil) }

  private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
    pointer in
    guard let pointer else { return nil }
    let start = Unmanaged<Start>.fromOpaque(pointer).takeRetainedValue()
    isomix_name_thread(start.name)
    start.body()
    return nil
  }
}
