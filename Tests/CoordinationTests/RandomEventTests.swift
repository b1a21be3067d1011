import Coordination
import TestKit
import Testing
import Wire

@Suite("Random events")
struct RandomEventTests {
  private func content(using generator: inout SeededGenerator) -> Message.Content {
    func small() -> UInt64 { UInt64.random(in: 0...4, using: &generator) }
    let exotic: [UInt64] = [0, 1, 2, .max, 1 << 62, UInt64(Int.max)]
    func number() -> UInt64 {
      Bool.random(using: &generator) ? small() : exotic.randomElement(using: &generator) ?? 0
    }
    let bytes = [UInt8](repeating: 1, count: [0, 8, 16, 24, 48, 7].randomElement(using: &generator) ?? 0)
    let digest = [UInt8](repeating: UInt8(small()), count: 32)
    switch Int.random(in: 0..<14, using: &generator) {
    case 0:
      return .hello(
        Examples.hello(
          processID: Int(small()), threads: Int.random(in: 1...4, using: &generator),
          build: Int(small()) == 0 ? "b2" : "b1", isLocalChild: Bool.random(using: &generator),
          incarnation: Int(small())))
    case 1:
      return .welcome(
        Welcome(
          beatInterval_ms: Int(small()), silenceLimit_ms: Int(small()) * 1000,
          incarnation: Int(small()), setup: bytes))
    case 2: return .refused(Refusal(reason: .full, message: "full"))
    case 3: return small() == 0 ? .ready(Ready(setupDigest: "x", dataDigest: "")) : Examples.ready
    case 4:
      let subtree = Subtree(
        block: UInt32(truncatingIfNeeded: number()), level: UInt8(truncatingIfNeeded: number()),
        index: number())
      return .work(
        Work(
          job: number(), assignment: number(), jobKind: 1, iteration: number(), subtrees: [subtree],
          state: Bool.random(using: &generator) ? bytes : nil))
    case 5:
      let seconds = [0, -1, .nan, .infinity, 1e-3, 5].randomElement(using: &generator) ?? 0
      return .result(WorkResult(job: number(), assignment: number(), computeSeconds: seconds, sums: bytes))
    case 6:
      let assignments = (0..<small()).map { _ in number() }
      return .beat(
        Beat(
          progress: number(), isReady: Bool.random(using: &generator),
          isReceiving: Bool.random(using: &generator), heardUpTo: number(),
          assignments: assignments))
    case 7:
      return .failure(WorkerFailure(exitCode: Int32(truncatingIfNeeded: number()), message: "failed"))
    case 8: return .registerAgain
    case 9: return .shardRequest(ShardRequest(digest: digest, offset: number()))
    case 10:
      return .shardPart(
        ShardPart(digest: digest, offset: 0, fileBytes: UInt64(bytes.count), ticket: number(), bytes: bytes))
    case 11: return .shardReceived(ticket: number())
    case 12: return .shardRefused(ShardRefusal(digest: digest, message: "no"))
    default: return .goodbye(Goodbye(exitCode: Int32(small()), message: "bye"))
    }
  }

  private func message(using generator: inout SeededGenerator) -> Message {
    let isOther = Int.random(in: 0..<20, using: &generator) == 0
    return Examples.message(
      content(using: &generator), run: isOther ? .none : Examples.run,
      session: UInt32.random(in: 1...3, using: &generator))
  }

  @Test("10,000 random sequences crash no coordinator, which fails at most once and then is silent")
  func coordinator() {
    var completedJobs = 0
    var failures = 0
    for seed in 0..<10_000 as Range<UInt64> {
      var generator = SeededGenerator(seed: seed)
      var coordinator = Coordinator(
        configuration: Examples.configuration(workersToStart: Int.random(in: 0...2, using: &generator)))
      var isBusy = false
      var hasEnded = false
      var now = 0
      var open: [(peer: PeerID, work: Work)] = []
      let shape = Examples.shape([1, 2], width: 1)
      if Bool.random(using: &generator) { coordinator.join(peer1) }
      for _ in 0..<Int.random(in: 1...30, using: &generator) {
        now += Int.random(in: 0...3, using: &generator) == 0 ? 900 : 1
        let peer = PeerID(number: UInt64.random(in: 1...4, using: &generator))
        var actions: [CoordinatorAction] = []
        var wasEnded = false
        switch Int.random(in: 0..<40, using: &generator) {
        case 0: actions = coordinator.handle(.malformed(peer, WireError(.malformed, "x")), now: .ms(now))
        case 1: actions = coordinator.handle(.unreachable(peer), now: .ms(now))
        case 2:
          let exit = CoordinatorEvent.childExited(processID: Int(peer.number), description: "exit 1")
          actions = coordinator.handle(exit, now: .ms(now))
        case 3:
          actions = coordinator.handle(.end(exitCode: 0, message: ""), now: .ms(now))
          wasEnded = true
        case 4..<9: actions = coordinator.handle(.tick, now: .ms(now))
        case 9..<14 where !isBusy:
          isBusy = !hasEnded
          actions = coordinator.handle(.begin(Examples.job(shape)), now: .ms(now))
        case 20..<26:
          guard let place = open.indices.randomElement(using: &generator) else { break }
          let (peer, work) = open.remove(at: place)
          let sums = [UInt8](repeating: 0, count: 8 * shape.width(of: work.subtrees))
          let result = WorkResult(
            job: work.job, assignment: work.assignment, computeSeconds: 0, sums: sums)
          actions = coordinator.says(peer, .result(result), at: .ms(now))
        case 14..<20:
          let hello = Examples.hello(
            processID: Int.random(in: 100...104, using: &generator),
            incarnation: Int.random(in: 1...9, using: &generator))
          actions = coordinator.join(peer, hello, at: .ms(now))
        case 26: actions = coordinator.handle(.unwanted(peer), now: .ms(now))
        default: actions = coordinator.handle(.received(peer, message(using: &generator)), now: .ms(now))
        }
        if hasEnded, !actions.isEmpty { Issue.record("\(actions) after the end, seed \(seed)") }
        for (peer, content) in actions.sent {
          if case .work(let work) = content { open.append((peer, work)) }
        }
        failures += actions.failures.count
        if actions.failures.count > 1 || actions.failures.contains(where: { $0.exitCode == 0 }) {
          Issue.record("\(actions.failures), seed \(seed)")
        }
        // A goodbye to one peer is for what it said.
        hasEnded = hasEnded || !actions.failures.isEmpty || wasEnded
        if actions.completed != nil {
          completedJobs += 1
          isBusy = false
        }
        let limit = coordinator.bulkLimit(for: PeerID(number: 77))
        if limit != 0 { Issue.record("a stranger may send \(limit) bytes, seed \(seed)") }
      }
    }
    #expect(failures > 10 && completedJobs > 500, "\(failures) failures, \(completedJobs) jobs")
  }

  @Test("10,000 random sequences crash no worker, which exits at most once and then is silent")
  func worker() {
    var exits = 0
    var computations = 0
    for seed in 0..<10_000 as Range<UInt64> {
      var generator = SeededGenerator(seed: seed)
      var worker = Worker(hello: Examples.hello())
      var hasExited = false
      var now = 0
      _ = worker.handle(.started, now: .ms(0))
      if Bool.random(using: &generator) {
        let welcome = Welcome(
          beatInterval_ms: 1000, silenceLimit_ms: 8000, incarnation: 1, setup: [])
        _ = worker.handle(.received(Examples.message(.welcome(welcome))), now: .ms(0))
        _ = worker.handle(.prepared(setupDigest: "", dataDigest: ""), now: .ms(0))
      }
      for _ in 0..<Int.random(in: 1...30, using: &generator) {
        now += Int.random(in: 0...3, using: &generator) == 0 ? 900 : 1
        let number = UInt64.random(in: 0...4, using: &generator)
        let event: WorkerEvent
        switch Int.random(in: 0..<60, using: &generator) {
        case 0: event = .malformed(WireError(.malformed, "x"))
        case 1: event = .preparationFailed(RunFailure(exitCode: 66, message: ""))
        case 2: event = .computationFailed(assignment: number, RunFailure(exitCode: 65, message: ""))
        case 3: event = .stopRequested("")
        case 4..<14: event = .prepared(setupDigest: "", dataDigest: "")
        case 14..<24: event = .computed(assignment: number, sums: [], seconds: .nan)
        case 24..<40: event = .tick(progress: number)
        default: event = .received(message(using: &generator))
        }
        let actions = worker.handle(event, now: .ms(now))
        if hasExited, !actions.isEmpty { Issue.record("\(actions) after the exit, seed \(seed)") }
        for action in actions {
          if case .exit = action {
            exits += 1
            hasExited = true
          }
          if case .compute = action { computations += 1 }
        }
      }
    }
    #expect(exits > 1000 && computations > 100, "\(exits) exits, \(computations) computations")
  }
}
