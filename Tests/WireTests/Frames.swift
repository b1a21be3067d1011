import Testing
import Wire

/// The frames of every physical message of an encoded message.
func physicalMessages(_ encoded: EncodedMessage) -> [[[UInt8]]] {
  (0..<encoded.partCount).map { part in
    [
      encoded.header(part: part).encoded(), part == 0 ? encoded.body : [],
      Array(encoded.bulk[encoded.bulkRange(part: part)]),
    ]
  }
}

extension MessageAssembler {
  /// Takes frames given as arrays.
  mutating func accept(_ frames: [[UInt8]]) throws(WireError) -> Message? {
    let copies = frames.map { frame in
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: frame.count, alignment: 1)
      copy.copyBytes(from: frame)
      return copy
    }
    defer { for copy in copies { copy.deallocate() } }
    return try accept(copies.map { UnsafeRawBufferPointer($0) })
  }
}

/// The error that a fresh assembler answers messages with.
func refusal(
  _ messages: [[UInt8]]..., bulkLimit: Int = WireLimits.bulkBytes,
  sourceLocation: SourceLocation = #_sourceLocation
) -> WireError? {
  var assembler = MessageAssembler(bulkLimit: bulkLimit)
  do throws(WireError) {
    for frames in messages { _ = try assembler.accept(frames) }
  } catch {
    return error
  }
  Issue.record("nothing was refused", sourceLocation: sourceLocation)
  return nil
}

/// Example contents of every kind, with empty, small and large parts.
enum Examples {
  static let run = RunID(bytes: Array(1...16))

  static let hello = Hello(
    worker: "2f1c", incarnation: 3, host: "node-7.cluster", processID: 4711, threads: 8, version: "1.2.3",
    build: "abcd", fingerprint: "ef01", numerics: "Haswell, \"AVX2\" äöü", isLocalChild: true,
    processors: Processors(set: "0123456789abcdef", count: 64))

  static func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ $0 >> 8) }
  }

  static let subtrees = [
    Subtree(block: 0, level: 0, index: 0), Subtree(block: .max, level: .max, index: .max),
    Subtree(block: 7, level: 12, index: 1 << 40),
  ]

  static func work(state: [UInt8]?, subtrees: [Subtree] = subtrees) -> Message.Content {
    .work(Work(job: 5, assignment: 9, jobKind: 1, iteration: 123_456, subtrees: subtrees, state: state))
  }

  static func work(role: Work.Role, state: [UInt8]? = nil) -> Message.Content {
    .work(
      Work(
        job: 5, assignment: 9, jobKind: 1, iteration: 123_456, subtrees: subtrees, state: state, role: role))
  }

  static let gathering = Work.Gathering(assignments: [3, .max, 1 << 40], widths: [0, Int(UInt32.max)])

  static func work(state: [UInt8]?, context: [UInt8]) -> Message.Content {
    .work(
      Work(
        job: 5, assignment: 9, jobKind: 1, iteration: 123_456, subtrees: subtrees, state: state,
        context: 1 << 33,
        contextBytes: context))
  }

  static func result(_ sums: [UInt8]) -> Message.Content {
    .result(WorkResult(job: 5, assignment: 9, computeSeconds: 0.125, sums: sums))
  }

  static func welcome(_ setup: [UInt8]) -> Message.Content {
    .welcome(Welcome(beatInterval_ms: 1000, silenceLimit_ms: 8000, incarnation: 3, setup: setup))
  }

  static let small: [Message.Content] = [
    .hello(hello), welcome([]), welcome(bytes(300)),
    .refused(Refusal(reason: .numerics, message: "other bits\nand \u{1}\u{7f}\u{1F9EE}")),
    .ready(Ready(setupDigest: "aa", dataDigest: "")), work(state: nil), work(state: []),
    work(state: bytes(240)), work(state: nil, subtrees: []), work(state: bytes(240), context: bytes(90)),
    work(role: .hold), work(role: .hold, state: bytes(30)), work(role: .gather(gathering)),
    work(role: .gather(gathering), state: bytes(3)),
    work(state: nil, context: []), work(state: nil, context: bytes(17)), result([]), result(bytes(800)),
    .beat(Beat(progress: .max)),
    .beat(Beat(progress: 4, isReady: true, isReceiving: true, heardUpTo: 9, assignments: [3, .max])),
    .beat(Beat(progress: 4, isReady: true, isLeaving: true, heardUpTo: 9, assignments: [3])),
    .registerAgain, .handBack(HandBack(job: 5, assignment: 9)),
    .beat(Beat(progress: 1, assignments: [3], crew: Crew(workers: 40, threads: 320))),
    .ready(Ready(setupDigest: "aa", dataDigest: "bb", crew: Crew(workers: 2, threads: 3))),
    .crew(
      CrewNotice(
        kind: .lost, worker: "w7", text: "lost worker node7/1: it hangs\n", job: 5, firstTile: 12,
        tileCount: 4,
        maybeAlive: true, exitCode: 65)),
    .shardRequest(ShardRequest(digest: bytes(32), offset: 1 << 40)),
    .shardPart(ShardPart(digest: bytes(32), offset: 0, fileBytes: 300, ticket: .max, bytes: bytes(300))),
    .shardReceived(ticket: 1 << 63), .shardRefused(ShardRefusal(digest: bytes(32), message: "no such äöü")),
    .shardRefused(ShardRefusal(digest: bytes(32), message: "")),
    .failure(WorkerFailure(exitCode: 65, message: "shard 3 differs", job: 5, assignment: 9)),
    .goodbye(Goodbye(exitCode: 0, message: "")), .goodbye(Goodbye(exitCode: -1, message: "killed")),
  ]

  static let large: [Message.Content] = [
    welcome(bytes(WireLimits.frameBytes)), welcome(bytes(WireLimits.frameBytes + 1)),
    work(state: bytes(3 * WireLimits.frameBytes + 17)), result(bytes(2 * WireLimits.frameBytes)),
    result(bytes(2 * WireLimits.frameBytes + 8)),
    .shardPart(
      ShardPart(
        digest: bytes(32), offset: UInt64(WireLimits.frameBytes), fileBytes: 1 << 30, ticket: 7,
        bytes: bytes(WireLimits.frameBytes))),
    work(
      state: bytes(8),
      subtrees: (0..<WireLimits.subtrees).map { Subtree(block: UInt32($0), level: 1, index: UInt64($0)) }),
  ]

  static func message(_ content: Message.Content) -> Message {
    Message(run: run, epoch: 77, session: 6, content: content)
  }
}
