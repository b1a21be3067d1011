import Wire

/// What the coordinator knows of one registered worker.
struct WorkerRecord: Sendable {
  enum Phase: Sendable { case preparing, ready }

  let hello: Hello
  var phase = Phase.preparing
  var lastHeard: Instant
  var progress: UInt64 = 0
  /// Assignments without a result, oldest first.
  var assignments: [Assignment] = []
  /// The last job whose state was sent to it.
  var lastJob: UInt64 = 0

  init(hello: Hello, lastHeard: Instant) {
    self.hello = hello
    self.lastHeard = lastHeard
  }

  /// How messages name it.
  var name: String { "worker \(hello.host)/\(hello.processID)" }

  /// Whether the process may be a child of this coordinator.
  var isLocalChild: Bool { hello.isLocalChild }
}

/// A contiguous range of tiles in one worker's hands.
struct Assignment: Sendable, Equatable {
  let number: UInt64
  let job: UInt64
  let tiles: Range<Int>
  let subtrees: [Subtree]
  /// Numbers in its result.
  let width: Int
  /// Estimated floating-point operations.
  let cost: Double
}
