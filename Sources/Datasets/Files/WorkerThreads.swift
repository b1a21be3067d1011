import Foundation

/// A few threads that run jobs, in no order that matters.
package final class WorkerThreads: @unchecked Sendable {
  // Sendable: `jobs`, `isStopped` and every ticket's `isDone` are read and written only while `condition` is locked.
  private let condition = NSCondition()
  private var jobs: [(Ticket, @Sendable () -> Void)] = []
  private var isStopped = false

  /// A job that was handed over.
  final class Ticket: @unchecked Sendable {
    // Sendable: see `WorkerThreads`.
    fileprivate var isDone = false
  }

  /// As many threads as this process may use cores.
  package static var usual: Int { max(1, ProcessInfo.processInfo.activeProcessorCount) }

  init(count: Int) {
    for index in 0..<max(1, count) {
      let thread = Thread { [self] in work() }
      thread.name = "import-\(index)"
      thread.stackSize = 1 << 20
      thread.start()
    }
  }

  /// Lets the threads end once they have run what they run now. Jobs that wait are dropped.
  func stop() {
    condition.lock()
    isStopped = true
    jobs = []
    condition.broadcast()
    condition.unlock()
  }

  func submit(_ job: @escaping @Sendable () -> Void) -> Ticket {
    let ticket = Ticket()
    condition.lock()
    jobs.append((ticket, job))
    condition.broadcast()
    condition.unlock()
    return ticket
  }

  /// Returns once a job has been run.
  func wait(for ticket: Ticket) {
    condition.lock()
    // Every job ends: it reads a bounded text in memory, or writes a bounded buffer.
    while !ticket.isDone { condition.wait() }
    condition.unlock()
  }

  private func work() {
    condition.lock()
    while true {
      while jobs.isEmpty, !isStopped { condition.wait() }
      if isStopped { break }
      let (ticket, job) = jobs.removeFirst()
      condition.unlock()
      job()
      condition.lock()
      ticket.isDone = true
      condition.broadcast()
    }
    condition.unlock()
  }
}
