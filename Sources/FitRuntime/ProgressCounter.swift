import Synchronization

/// Counts tiles that are done, for beats.
final class ProgressCounter: Sendable {
  private let tiles = Atomic<UInt64>(0)

  var value: UInt64 { tiles.load(ordering: .relaxed) }

  func add(_ count: Int) { tiles.wrappingAdd(UInt64(max(0, count)), ordering: .relaxed) }
}
