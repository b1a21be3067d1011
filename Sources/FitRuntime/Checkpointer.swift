import Coordination
import Dispatch
import Foundation
import Inference
import Reporting
import Synchronization

/// Writes checkpoints off the critical path, every so often.
final class Checkpointer {
  private let origin: Checkpoint.Origin
  private let build: String
  private let interval_s: Double
  private let queue = DispatchQueue(label: "isomix.checkpoints")
  private let writer: Writer
  private var last = Clock.now

  /// What the writing thread and the fit's share.
  private final class Writer: Sendable {
    let store: CheckpointStore
    /// Whether one is being written; a slow disk makes checkpoints rarer, not the fit slower.
    let isWriting = Atomic<Bool>(false)
    let failures = Mutex<[String]>([])

    init(_ store: CheckpointStore) { self.store = store }

    func write(_ checkpoint: Checkpoint) {
      do {
        try store.write(checkpoint)
      } catch {
        failures.withLock { $0.append(RunFailure(error).message) }
      }
      isWriting.store(false, ordering: .releasing)
    }
  }

  init(store: CheckpointStore, origin: Checkpoint.Origin, build: String, interval_s: Double) {
    self.origin = origin
    self.build = build
    self.interval_s = interval_s
    writer = Writer(store)
  }

  /// Starts writing a checkpoint if it is time and none is being written.
  ///
  /// - Returns: sentences about checkpoints that could not be written since the last call.
  func offer(_ snapshot: @autoclosure () -> FitSnapshot, seconds: Double) -> [String] {
    guard Clock.now.seconds(since: last) >= interval_s, !writer.isWriting.load(ordering: .acquiring)
    else { return [] }
    last = Clock.now
    writer.isWriting.store(true, ordering: .releasing)
    let checkpoint = Checkpoint(
      snapshot(), origin: origin, build: build, version: Identity.version, seconds: seconds)
    queue.async { [writer] in writer.write(checkpoint) }
    return writer.failures.withLock { messages in
      defer { messages.removeAll() }
      return messages
    }
  }

  /// Writes a checkpoint now and waits for it.
  func write(_ snapshot: FitSnapshot, seconds: Double) throws {
    let checkpoint = Checkpoint(
      snapshot, origin: origin, build: build, version: Identity.version, seconds: seconds)
    try queue.sync { [writer] in try writer.store.write(checkpoint) }
  }
}
