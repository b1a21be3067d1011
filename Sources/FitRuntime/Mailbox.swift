import CPlatform
import Glibc
import Synchronization

/// Events from other threads to a loop that polls.
final class Mailbox<Event: Sendable>: Sendable {
  /// Readable while there may be events.
  let descriptor: Int32
  private let events = Mutex<[Event]>([])

  init() throws {
    descriptor = isomix_eventfd()
    guard descriptor >= 0 else { throw RuntimeError.system("can't open an event descriptor") }
  }

  deinit { close(descriptor) }

  /// Leaves an event and wakes the loop. Callable from any thread.
  func post(_ event: Event) {
    events.withLock { $0.append(event) }
    var one: UInt64 = 1
    _ = write(descriptor, &one, 8)
  }

  /// Takes all events.
  func take() -> [Event] {
    var count: UInt64 = 0
    _ = read(descriptor, &count, 8)
    return events.withLock { waiting in
      defer { waiting.removeAll() }
      return waiting
    }
  }
}
