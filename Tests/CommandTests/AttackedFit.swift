import Foundation
import Synchronization
import TestKit
import Testing

/// A fit of this machine with one local worker and an open door, that somebody attacks: it goes on, its memory stays
/// what it was, and it ends with the bits of a fit that nobody disturbed.
struct AttackedFit {
  /// What an attack cost.
  struct Cost: CustomStringConvertible {
    /// The most resident memory of the coordinator during and after the attack, beyond what it had before, in bytes.
    var growth = 0
    /// What is left of that when the attack is over.
    var remaining = 0
    /// The most descriptors during the attack, beyond those before.
    var descriptors = 0
    /// Iterations during the attack.
    var iterations = 0
    var seconds = 0.0

    var description: String {
      "grew by \(growth >> 10) kB (\(remaining >> 10) kB afterwards), \(descriptors) descriptors more, "
        + "\(iterations) iterations in \(String(format: "%.1f", seconds)) s"
    }
  }

  /// What the coordinator may grow by, whatever is done to it.
  static let mostGrowth_bytes = 50 << 20

  let live: LiveFit
  let endpoint: String
  private let folder: TemporaryFolder

  /// Starts the fit and waits until its worker computes.
  init(
    _ spec: String = Examples.mixture2D, keys: KeyPlace? = nil, options: [String] = [],
    settings: [String] = LiveFit.often, in folder: TemporaryFolder
  ) async throws {
    self.folder = folder
    live = try LiveFit(
      spec, ["--workers", "1", "--listen", "tcp://127.0.0.1:0"] + (keys?.options ?? []) + options,
      settings: settings, in: folder)
    endpoint = try await live.endpoint()
    try await live.waitForProgress(rows: 2)
  }

  /// The coordinator's process.
  var process: pid_t { live.run.processID }

  /// Runs an attack to its end, on a thread of its own, with the coordinator's memory looked at all the time.
  func endure(
    within seconds: Double = 60, sourceLocation: SourceLocation = #_sourceLocation,
    _ attack: @escaping @Sendable () throws -> Void
  ) async throws -> Cost {
    let memory = ProcessUsage.residentBytes(process)
    let descriptors = ProcessUsage.descriptors(process)
    let before = live.rows.last?.iteration ?? 0
    let outcome = Outcome()
    Thread.detachNewThread { outcome.set(Result { try attack() }) }
    var cost = Cost()
    let start = ContinuousClock.now
    func look() {
      cost.growth = max(cost.growth, ProcessUsage.residentBytes(process) - memory)
      cost.descriptors = max(cost.descriptors, ProcessUsage.descriptors(process) - descriptors)
    }
    let deadline = start.advanced(by: .seconds(seconds))
    while outcome.result == nil, ContinuousClock.now < deadline {
      look()
      try #require(!live.run.hasEnded, "\(live.run.errors)", sourceLocation: sourceLocation)
      try await Task.sleep(for: .milliseconds(10))
    }
    cost.seconds = (ContinuousClock.now - start) / .seconds(1)
    let result = try #require(
      outcome.result, "the attack takes longer than \(seconds) s", sourceLocation: sourceLocation)
    try result.get()
    cost.iterations = (live.rows.last?.iteration ?? 0) - before
    // What the attack has caused may come a little later.
    for _ in 0..<30 {
      look()
      try await Task.sleep(for: .milliseconds(10))
    }
    cost.remaining = ProcessUsage.residentBytes(process) - memory
    return cost
  }

  /// Goes on undisturbed for a moment, and ends with the right bits.
  @discardableResult func expectUnharmed(
    by what: String, _ cost: Cost, workers: Int = 1, within limit_bytes: Int = AttackedFit.mostGrowth_bytes,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> [String: Any] {
    print("\(what): \(cost)")
    #expect(cost.growth < limit_bytes, "\(what): \(cost)", sourceLocation: sourceLocation)
    #expect(cost.iterations > 0, "\(what): \(cost)", sourceLocation: sourceLocation)
    try await live.waitForProgress(rows: 3, sourceLocation: sourceLocation)
    let summary = try await live.stopAndExpectUndisturbedBits(sourceLocation: sourceLocation)
    try await Commands.expectNothingLeft(of: live.run, in: folder, sourceLocation: sourceLocation)
    return summary
  }

  /// How an attack ended, once it has.
  private final class Outcome: Sendable {
    private let value = Mutex<Result<Void, any Error>?>(nil)
    func set(_ result: Result<Void, any Error>) { value.withLock { $0 = result } }
    var result: Result<Void, any Error>? { value.withLock { $0 } }
  }
}

/// A number that a thread adds to and a test reads.
final class Tally: Sendable {
  private let number = Atomic<Int>(0)
  func add(_ value: Int) { number.wrappingAdd(value, ordering: .relaxed) }
  var value: Int { number.load(ordering: .relaxed) }
}
