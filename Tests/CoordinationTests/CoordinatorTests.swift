import Coordination
import TestKit
import Testing
import Wire

@Suite("The coordinator registers workers")
struct RegistrationTests {
  @Test("hello is answered by welcome with the set-up, ready by work")
  func registration() throws {
    var coordinator = Coordinator(configuration: Examples.configuration())
    let shape = Examples.shape([8])
    #expect(coordinator.handle(.begin(Examples.job(shape)), now: .ms(0)).isEmpty)
    let hello = Message(run: .none, epoch: 0, content: .hello(Examples.hello()))
    let welcomed = coordinator.handle(.received(peer1, hello), now: .ms(1))
    #expect(welcomed.sent.count == 1)
    guard case .welcome(let welcome) = welcomed.sent[0].content else {
      Issue.record("no welcome")
      return
    }
    #expect(welcome.setup == [1, 2, 3])
    #expect(welcome.beatInterval_ms == CoordinationLimits.beatInterval_ms)
    #expect(coordinator.isRegistered(peer1) && coordinator.readyWorkers == 0)
    let work = coordinator.handle(.received(peer1, Examples.message(Examples.ready)), now: .ms(2))
    #expect(coordinator.readyWorkers == 1)
    let first = try #require(work.work(for: peer1).first)
    #expect(first.job == 1 && first.jobKind == 1 && first.iteration == 5 && first.state == [9, 8, 7])
  }

  @Test("another build or version is refused with both sides named, and the run goes on")
  func otherBuild() {
    for hello in [Examples.hello(build: "b2"), Examples.hello(version: "0.9")] {
      var coordinator = Coordinator(configuration: Examples.configuration())
      let actions = coordinator.handle(.received(peer1, Examples.message(.hello(hello))), now: .ms(0))
      guard case .refused(let refusal)? = actions.sent.first?.content else {
        Issue.record("not refused")
        continue
      }
      #expect(refusal.reason == .build)
      for word in ["1.0", "b1", hello.version, hello.build, "same build"] {
        #expect(refusal.message.contains(word))
      }
      #expect(actions.dropped == [peer1] && actions.failures.isEmpty)
      #expect(!coordinator.isRegistered(peer1))
      coordinator.join(peer2)
      #expect(coordinator.readyWorkers == 1)
    }
  }

  @Test("other numerics are refused with a way to pin them, and accepted with mixed numerics")
  func otherFingerprint() {
    let hello = Examples.hello(fingerprint: "f2")
    var coordinator = Coordinator(configuration: Examples.configuration())
    let actions = coordinator.handle(.received(peer1, Examples.message(.hello(hello))), now: .ms(0))
    guard case .refused(let refusal)? = actions.sent.first?.content else {
      Issue.record("not refused")
      return
    }
    #expect(refusal.reason == .numerics)
    for word in ["OPENBLAS_CORETYPE", "GLIBC_TUNABLES", "--mixed-numerics", "Zen", "Haswell"] {
      #expect(refusal.message.contains(word))
    }
    #expect(actions.warnings.first?.contains("node1/100") == true)
    var mixed = Coordinator(configuration: Examples.configuration(mixedNumerics: true))
    mixed.join(peer1, hello)
    #expect(mixed.readyWorkers == 1)
  }

  @Test("the first job waits for the workers that were asked for, later ones for one")
  func workersToStart() {
    var coordinator = Coordinator(configuration: Examples.configuration(workersToStart: 3))
    #expect(coordinator.handle(.begin(Examples.job(Examples.shape([8]))), now: .ms(0)).isEmpty)
    #expect(coordinator.join(peer1).work(for: peer1).isEmpty)
    #expect(coordinator.join(peer2, Examples.hello(processID: 2)).sent.count == 1)
    let actions = coordinator.join(peer3, Examples.hello(processID: 3))
    for peer in [peer1, peer2, peer3] { #expect(!actions.work(for: peer).isEmpty) }
  }

  @Test("no workers within the worker timeout end the run with exit 69 and what was waited for")
  func workerTimeout() {
    var coordinator = Coordinator(
      configuration: Examples.configuration(workersToStart: 2, workerTimeout: 5000))
    _ = coordinator.handle(.begin(Examples.job(Examples.shape([8]))), now: .ms(0))
    coordinator.join(peer1, at: .ms(4000))
    _ = coordinator.handle(
      .received(peer2, Examples.message(.hello(Examples.hello(host: "slow", processID: 7)))), now: .ms(4500))
    #expect(coordinator.handle(.tick, now: .ms(5000)).failures.isEmpty)
    let actions = coordinator.handle(.tick, now: .ms(5001))
    #expect(actions.failures.first?.exitCode == 69)
    let message = actions.failures.first?.message ?? ""
    for word in ["5 s", "2 worker", "1 ready", "slow/7", "isomix worker", "--worker-timeout"] {
      #expect(message.contains(word), "\(message)")
    }
    #expect(actions.goodbyes.map(\.peer) == [peer1, peer2])
    #expect(actions.goodbyes.allSatisfy { $0.goodbye.exitCode == 69 && $0.goodbye.message == message })
  }

  @Test("the timeout is for waiting, not for computing")
  func noTimeoutWhileComputing() {
    var coordinator = Coordinator(configuration: Examples.configuration(workerTimeout: 5000))
    coordinator.join(peer1)
    _ = coordinator.handle(.begin(Examples.job(Examples.shape([8]))), now: .ms(0))
    for second in 1...20 {
      _ = coordinator.handle(
        .received(peer1, Examples.message(.beat(Beat(progress: 1)))), now: .ms(1000 * second))
      #expect(coordinator.handle(.tick, now: .ms(1000 * second)).failures.isEmpty)
    }
  }

  @Test("a worker that prepared other data ends the run with exit 65 and its name")
  func otherData() {
    for ready in [
      Ready(setupDigest: "s1", dataDigest: "other"), Ready(setupDigest: "other", dataDigest: "d1"),
    ] {
      var coordinator = Coordinator(configuration: Examples.configuration())
      _ = coordinator.handle(.received(peer1, Examples.message(.hello(Examples.hello()))), now: .ms(0))
      let actions = coordinator.handle(.received(peer1, Examples.message(.ready(ready))), now: .ms(0))
      #expect(actions.failures.first?.exitCode == 65)
      #expect(actions.failures.first?.message.contains("node1/100") == true)
    }
  }
}

@Suite("The coordinator and strangers")
struct StrangerTests {
  @Test("a peer that has not registered may send no bulk")
  func bulkLimit() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    #expect(coordinator.bulkLimit(for: peer1) == 0)
    coordinator.join(peer1)
    #expect(coordinator.bulkLimit(for: peer1) == 0)
    let work = coordinator.handle(.begin(Examples.job(Examples.shape([8], width: 5))), now: .ms(0))
    let widest = work.work(for: peer1).map { 5 * 8 * $0.subtrees.count }.max()
    #expect(coordinator.bulkLimit(for: peer1) == widest)
    #expect(coordinator.bulkLimit(for: peer2) == 0)
  }

  @Test("nonsense from a stranger is logged and dropped, and the run goes on")
  func nonsense() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1)
    let actions = coordinator.handle(.malformed(peer2, WireError(.malformed, "no magic")), now: .ms(0))
    #expect(actions.dropped == [peer2] && actions.failures.isEmpty && actions.sent.isEmpty)
    #expect(actions.warnings.count == 1 && actions.warnings[0].contains("no magic"))
    #expect(!coordinator.handle(.begin(Examples.job(Examples.shape([8]))), now: .ms(0)).sent.isEmpty)
  }

  @Test("another protocol version is refused in words")
  func protocolVersion() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    let error = WireError(.protocolVersion, "the peer speaks protocol 9")
    let actions = coordinator.handle(.malformed(peer2, error), now: .ms(0))
    guard case .refused(let refusal)? = actions.sent.first?.content else {
      Issue.record("not refused")
      return
    }
    #expect(refusal.reason == .version && refusal.message.contains("protocol 9"))
    #expect(actions.dropped == [peer2] && actions.failures.isEmpty)
  }

  @Test("messages before a hello are dropped")
  func beforeHello() {
    let contents: [Message.Content] = [
      Examples.ready, .beat(Beat(progress: 1)), .goodbye(Goodbye(exitCode: 0, message: "")),
      .failure(WorkerFailure(exitCode: 70, message: "x")), .refused(Refusal(reason: .full, message: "")),
      .result(WorkResult(job: 1, assignment: 1, computeSeconds: 0, sums: [])),
      .welcome(Welcome(beatInterval_ms: 1, silenceLimit_ms: 1, setup: [])),
    ]
    for content in contents {
      var coordinator = Coordinator(configuration: Examples.configuration())
      coordinator.join(peer1)
      let actions = coordinator.handle(.received(peer2, Examples.message(content)), now: .ms(0))
      #expect(actions.dropped == [peer2] && actions.failures.isEmpty && actions.sent.isEmpty)
      #expect(actions.warnings.first?.contains("before any hello") == true)
    }
  }

  @Test("the log of strangers and of refused workers is bounded")
  func boundedLog() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1)
    var logs = 0
    for number in 10..<5000 as Range<UInt64> {
      let peer = PeerID(number: number)
      let nonsense = coordinator.handle(.malformed(peer, WireError(.malformed, "x")), now: .ms(0))
      #expect(nonsense.dropped == [peer])
      logs += nonsense.logs.count
    }
    #expect(logs == CoordinationLimits.loggedStrangers)
    var refusals = 0
    for number in 10_000..<15_000 as Range<UInt64> {
      let peer = PeerID(number: number)
      let hello = Examples.message(.hello(Examples.hello(build: "b2")))
      let actions = coordinator.handle(.received(peer, hello), now: .ms(0))
      #expect(actions.sent.count == 1 && actions.dropped == [peer])
      refusals += actions.logs.count
    }
    #expect(refusals == CoordinationLimits.loggedRefusals)
  }

  @Test("a stranger that can't be reached is nobody's loss")
  func unreachableStranger() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1)
    #expect(coordinator.handle(.unreachable(peer2), now: .ms(0)).failures.isEmpty)
    #expect(coordinator.statistics.workersLost == 0)
  }
}

@Suite("The coordinator loses a worker")
struct LossTests {
  /// A coordinator with two workers at work; what `event` leads to has to end the run with exit 69.
  private func loss(
    _ event: CoordinatorEvent, now: Instant = .ms(10), sourceLocation: SourceLocation = #_sourceLocation
  ) -> String {
    var coordinator = Coordinator(configuration: Examples.configuration(workersToStart: 2))
    coordinator.join(peer1, Examples.hello(host: "node1", processID: 100, isLocalChild: true))
    coordinator.join(peer2, Examples.hello(host: "node2", processID: 200))
    _ = coordinator.handle(.begin(Examples.job(Examples.shape([8], width: 2))), now: .ms(0))
    // The other worker was heard of just now.
    _ = coordinator.handle(.received(peer2, Examples.message(.beat(Beat(progress: 1)))), now: now)
    let actions = coordinator.handle(event, now: now)
    #expect(actions.failures.count == 1, sourceLocation: sourceLocation)
    #expect(actions.failures.first?.exitCode == 69, sourceLocation: sourceLocation)
    let message = actions.failures.first?.message ?? ""
    #expect(message.contains("node1/100"), "\(message)", sourceLocation: sourceLocation)
    #expect(actions.goodbyes.contains { $0.peer == peer2 }, sourceLocation: sourceLocation)
    #expect(coordinator.statistics.workersLost == 1, sourceLocation: sourceLocation)
    // Nothing comes after the end.
    #expect(coordinator.handle(.tick, now: .ms(100_000)).isEmpty, sourceLocation: sourceLocation)
    #expect(coordinator.handle(event, now: .ms(100_000)).isEmpty, sourceLocation: sourceLocation)
    return message
  }

  private func result(job: UInt64, assignment: UInt64, count: Int) -> CoordinatorEvent {
    .received(
      peer1,
      Examples.message(
        .result(
          WorkResult(
            job: job, assignment: assignment, computeSeconds: 0, sums: [UInt8](repeating: 0, count: count)))))
  }

  @Test("a result of another width")
  func width() {
    #expect(loss(result(job: 1, assignment: 1, count: 800)).contains("100 numbers for assignment 1"))
    #expect(loss(result(job: 1, assignment: 1, count: 0)).contains("0 numbers"))
  }

  @Test("a result for work that it does not have")
  func unknownAssignment() {
    #expect(loss(result(job: 1, assignment: 99, count: 16)).contains("does not have"))
    #expect(loss(result(job: 2, assignment: 1, count: 16)).contains("does not have"))
    // Assignment 2 is the other worker's.
    #expect(loss(result(job: 1, assignment: 2, count: 16)).contains("does not have"))
  }

  @Test("the loss names the tiles that the worker held")
  func heldTiles() {
    #expect(loss(.unreachable(peer1)).contains("It held tiles 0–"))
  }

  @Test("a message of another run, or of another incarnation of the coordinator")
  func otherRun() {
    let beat = Message.Content.beat(Beat(progress: 1))
    #expect(loss(.received(peer1, Examples.message(beat, run: .none))).contains("another run"))
    #expect(loss(.received(peer1, Examples.message(beat, epoch: 4))).contains("another run"))
  }

  @Test("bytes that make no sense")
  func malformed() {
    #expect(loss(.malformed(peer1, WireError(.malformed, "no magic"))).contains("no magic"))
    #expect(loss(.malformed(peer1, WireError(.protocolVersion, "protocol 9"))).contains("protocol 9"))
  }

  @Test("a second hello, a second ready, or a message that only a coordinator sends")
  func unexpected() {
    _ = loss(.received(peer1, Examples.message(.hello(Examples.hello()))))
    #expect(loss(.received(peer1, Examples.message(Examples.ready))).contains("twice"))
    for content in [
      Message.Content.welcome(Welcome(beatInterval_ms: 1, silenceLimit_ms: 1, setup: [])),
      .refused(Refusal(reason: .full, message: "")),
      .work(Work(job: 1, assignment: 1, jobKind: 1, iteration: 1, subtrees: [], state: nil)),
    ] {
      #expect(loss(.received(peer1, Examples.message(content))).contains("only a coordinator sends"))
    }
  }

  @Test("silence over the limit")
  func silence() {
    let limit = CoordinationLimits.silenceLimit_ms
    #expect(loss(.tick, now: .ms(limit + 1)).contains("silent for 8 s"))
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1)
    #expect(coordinator.handle(.tick, now: .ms(limit)).failures.isEmpty)
  }

  @Test("a coordinator that did not run itself counts silence anew, and then as ever")
  func ownStall() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1)
    for now in stride(from: 0, through: 3000, by: 100) {
      #expect(coordinator.handle(.tick, now: .ms(now)).failures.isEmpty)
    }
    // Suspended for a minute.
    var ends: [Int] = []
    for now in stride(from: 63_000, through: 75_000, by: 100) {
      if !coordinator.handle(.tick, now: .ms(now)).failures.isEmpty { ends.append(now) }
    }
    #expect(ends == [63_000 + CoordinationLimits.silenceLimit_ms + 100])
  }

  @Test("a part of a long message is a sign of life")
  func parts() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1)
    for now in stride(from: 0, through: 60_000, by: 500) {
      if now % 5000 == 0 { _ = coordinator.handle(.heard(peer1), now: .ms(now)) }
      #expect(coordinator.handle(.tick, now: .ms(now)).failures.isEmpty)
    }
  }

  @Test("a remote worker that can't set up is logged by name, and the run goes on; a local one ends it")
  func failedSetup() {
    let failure = Message.Content.failure(WorkerFailure(exitCode: 66, message: "no such folder"))
    for isLocal in [false, true] {
      var coordinator = Coordinator(configuration: Examples.configuration())
      coordinator.join(peer1)
      _ = coordinator.handle(
        .received(
          peer2, Examples.message(.hello(Examples.hello(processID: 200, isLocalChild: isLocal)))), now: .ms(1)
      )
      let actions = coordinator.handle(.received(peer2, Examples.message(failure)), now: .ms(2))
      if isLocal {
        #expect(actions.failures.first?.exitCode == 66)
      } else {
        #expect(actions.failures.isEmpty && actions.dropped == [peer2])
        #expect(actions.warnings.contains { $0.contains("node1/200") && $0.contains("no such folder") })
        #expect(coordinator.readyWorkers == 1)
      }
    }
  }

  @Test("a worker that prepares may be silent for longer")
  func preparing() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    _ = coordinator.handle(.received(peer1, Examples.message(.hello(Examples.hello()))), now: .ms(0))
    let limit = CoordinationLimits.setupSilence_ms
    #expect(coordinator.handle(.tick, now: .ms(limit)).failures.isEmpty)
    #expect(coordinator.handle(.tick, now: .ms(limit + 1)).failures.first?.exitCode == 69)
  }

  @Test("its process ended, or it left")
  func ended() {
    #expect(loss(.childExited(processID: 100, description: "killed by SIGKILL")).contains("SIGKILL"))
    let goodbye = Message.Content.goodbye(Goodbye(exitCode: 75, message: "stopped by SIGTERM"))
    #expect(loss(.received(peer1, Examples.message(goodbye))).contains("stopped by SIGTERM"))
  }

  @Test("a local process that ends before it registers ends the run, too")
  func childBeforeHello() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    // A remote worker that happens to have the same number is not meant.
    coordinator.join(peer1, Examples.hello(processID: 100))
    let actions = coordinator.handle(.childExited(processID: 100, description: "exit 127"), now: .ms(0))
    #expect(actions.failures.first?.exitCode == 69)
    #expect(
      actions.failures.first?.message.contains("process 100 ended before it registered: exit 127") == true)
  }

  @Test("a worker that fails says why and with which exit code, which is never 0")
  func failure() {
    for (sent, expected) in [(65, 65), (66, 66), (70, 70), (0, 70), (-3, 70), (256, 70)] as [(Int32, Int32)] {
      var coordinator = Coordinator(configuration: Examples.configuration())
      coordinator.join(peer1)
      let failure = WorkerFailure(exitCode: sent, message: "shard 3 differs", job: 1, assignment: 2)
      let actions = coordinator.handle(.received(peer1, Examples.message(.failure(failure))), now: .ms(0))
      #expect(actions.failures.first?.exitCode == expected)
      #expect(actions.failures.first?.message == "worker node1/100 stopped: shard 3 differs")
    }
  }

  @Test("at the end everybody gets a goodbye, and nothing is answered any more")
  func end() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer2, Examples.hello(processID: 2))
    coordinator.join(peer1)
    _ = coordinator.handle(
      .received(peer3, Examples.message(.hello(Examples.hello(processID: 3)))), now: .ms(0))
    let actions = coordinator.handle(.end(exitCode: 0, message: "done"), now: .ms(1))
    #expect(actions.count == 3)
    #expect(actions.goodbyes.map(\.peer) == [peer1, peer2, peer3])
    #expect(actions.goodbyes.allSatisfy { $0.goodbye == Goodbye(exitCode: 0, message: "done") })
    #expect(coordinator.handle(.end(exitCode: 0, message: "done"), now: .ms(1)).isEmpty)
    #expect(coordinator.join(PeerID(number: 9)).isEmpty)
  }

  @Test("beats go to everybody who registered, at their interval")
  func beats() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1)
    func beats(at milliseconds: Int) -> Int {
      let sent = coordinator.handle(.tick, now: .ms(milliseconds)).sent
      return sent.count { if case .beat = $0.content { true } else { false } }
    }
    #expect(beats(at: 0) == 1)
    #expect(beats(at: 999) == 0)
    #expect(beats(at: 1000) == 1)
    #expect(beats(at: 1500) == 0)
  }
}
