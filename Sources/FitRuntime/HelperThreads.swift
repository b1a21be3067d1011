import CPlatform
import Dispatch
import Foundation
import Inference
import NumericsKit
import Synchronization

/// The helper threads of a compute pool. Each has its own evaluator and takes pieces of the current batch until
/// none is left.
final class HelperThreads: Sendable {
  let count: Int
  private let wake = DispatchSemaphore(value: 0)
  private let batch = Mutex<Batch?>(nil)
  private let stopped = Atomic<Bool>(false)

  /// Matrix products keep buffers on the stack.
  private static let stackBytes = 16 << 20
  private static let patience_ms = 50

  init(problem: Problem, count: Int, counter: ProgressCounter) {
    self.count = count
    for number in 0..<count {
      let thread = Thread { [self] in
        isomix_name_thread("compute-\(number + 2)")
        let evaluator = TileEvaluator(problem)
        evaluator.afterTile = { counter.add(1) }
        while true {
          wake.wait()
          if stopped.load(ordering: .acquiring) { return }
          batch.withLock { $0 }?.work(with: evaluator)
        }
      }
      thread.stackSize = HelperThreads.stackBytes
      thread.start()
    }
  }

  /// Computes a batch; the caller works along and returns when every piece is done.
  /// - Parameter whileWaiting: called now and then while the caller has nothing left to compute.
  func run(_ batch: Batch, with evaluator: TileEvaluator, whileWaiting: () throws -> Void) throws {
    self.batch.withLock { $0 = batch }
    let useful = min(count, batch.pieces.count - 1)
    for _ in 0..<max(0, useful) { wake.signal() }
    batch.work(with: evaluator)
    do {
      while !batch.waitUntilDone(limit_ms: HelperThreads.patience_ms) { try whileWaiting() }
    } catch {
      batch.cancel()
      throw error
    }
  }

  /// Ends the helpers' threads.
  func stop() {
    stopped.store(true, ordering: .releasing)
    for _ in 0..<count { wake.signal() }
  }
}

/// The pieces of one assignment and their results.
final class Batch: Sendable {
  let job: TileJob
  let pieces: [(block: Int, node: TreeNode)]
  private let next = Atomic<Int>(0)
  /// Set by the first error: nobody starts another piece.
  private let failed = Atomic<Bool>(false)
  private let finished = Mutex<(results: [[Double]?], count: Int, error: (any Error)?)>(([], 0, nil))
  private let done = DispatchSemaphore(value: 0)

  init(job: TileJob, pieces: [(block: Int, node: TreeNode)]) {
    self.job = job
    self.pieces = pieces
    finished.withLock { $0.results = [[Double]?](repeating: nil, count: pieces.count) }
  }

  /// Takes pieces until none is left. Called by several threads, each with its own evaluator.
  func work(with evaluator: TileEvaluator) {
    while true {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < pieces.count else { return }
      let outcome = Result { () throws -> [Double] in
        if failed.load(ordering: .relaxed) { return [] }
        evaluator.load(job)
        return try evaluator.sums(block: pieces[index].block, node: pieces[index].node)
      }
      let isLast = finished.withLock { state in
        switch outcome {
        case .success(let values): state.results[index] = values
        case .failure(let error):
          failed.store(true, ordering: .relaxed)
          state.error = state.error ?? error
        }
        state.count += 1
        return state.count == pieces.count
      }
      if isLast { done.signal() }
    }
  }

  /// Nobody wants the results: no other piece is started.
  func cancel() { failed.store(true, ordering: .relaxed) }

  /// Waits for the last piece; false when the time is up before.
  func waitUntilDone(limit_ms: Int) -> Bool {
    guard done.wait(timeout: .now() + .milliseconds(limit_ms)) == .success else { return false }
    return true
  }

  /// The results in the order of the pieces, or the first error.
  func results() throws -> [[Double]] {
    try finished.withLock { state in
      if let error = state.error { throw error }
      return state.results.compactMap { $0 }
    }
  }
}
