import CPlatform
import Coordination
import Dispatch
import Foundation
import Inference
import NumericsKit
import Synchronization

/// The thread of a worker that opens data and computes assignments, one after the other.
final class ComputeThread: Sendable {
  private enum Order: Sendable {
    case prepare([UInt8])
    case compute(Computation)
  }

  private let orders = Mutex<[Order]>([])
  private let available = DispatchSemaphore(value: 0)
  private let mailbox: Mailbox<WorkerEvent>

  private static let stackBytes = 16 << 20

  init(threads: Int, progress: ProgressCounter, mailbox: Mailbox<WorkerEvent>) {
    self.mailbox = mailbox
    let thread = Thread { [self] in
      isomix_name_thread("compute-1")
      var pool: ComputePool?
      while true {
        available.wait()
        let order = orders.withLock { $0.removeFirst() }
        switch order {
        case .prepare(let setup): pool = prepare(setup, threads: threads, progress: progress)
        case .compute(let computation): compute(computation, with: pool)
        }
      }
    }
    thread.stackSize = ComputeThread.stackBytes
    thread.start()
  }

  /// Orders the set-up to be built; the mailbox gets `prepared` or `preparationFailed`.
  func prepare(_ setup: [UInt8]) { order(.prepare(setup)) }

  /// Orders an assignment; the mailbox gets `computed` or `computationFailed`.
  func compute(_ computation: Computation) { order(.compute(computation)) }

  private func order(_ order: Order) {
    orders.withLock { $0.append(order) }
    available.signal()
  }

  private func prepare(_ bytes: [UInt8], threads: Int, progress: ProgressCounter) -> ComputePool? {
    do {
      let setup = try FitSetup(decoding: bytes)
      try setup.plan.check()
      let pool = ComputePool(problem: try Problem(setup), threads: threads, progress: progress)
      mailbox.post(
        .prepared(setupDigest: Digest.of(bytes).description, dataDigest: setup.dataDigest))
      return pool
    } catch {
      mailbox.post(.preparationFailed(RunFailure(error)))
      return nil
    }
  }

  private func compute(_ computation: Computation, with pool: ComputePool?) {
    let start = Clock.now
    do {
      guard let pool else { throw FitError(.software, "work came before the set-up") }
      let sums = try pool.compute(computation)
      mailbox.post(
        .computed(
          assignment: computation.assignment, sums: sums, seconds: Clock.now.seconds(since: start)))
    } catch {
      mailbox.post(.computationFailed(assignment: computation.assignment, RunFailure(error)))
    }
  }
}
