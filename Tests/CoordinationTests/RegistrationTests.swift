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
    let work = coordinator.says(peer1, Examples.ready, at: .ms(2))
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

  @Test("the first job starts with the workers there are when the others don't come")
  func startPatience() {
    var coordinator = Coordinator(configuration: Examples.configuration(workersToStart: 3))
    _ = coordinator.handle(.begin(Examples.job(Examples.shape([8]))), now: .ms(0))
    coordinator.join(peer1, at: .ms(1000))
    let patience = CoordinationLimits.startPatience_ms
    func tick(_ now: Int) -> [CoordinatorAction] {
      _ = coordinator.says(peer1, .beat(Beat(progress: 0, isReady: true)), at: .ms(now))
      return coordinator.handle(.tick, now: .ms(now))
    }
    for now in stride(from: 1000, to: 1000 + patience, by: 500) {
      #expect(tick(now).work(for: peer1).isEmpty)
    }
    let actions = tick(1000 + patience)
    #expect(!actions.work(for: peer1).isEmpty)
    #expect(actions.warnings.contains { $0.contains("1 of 3 workers") })
  }

  @Test("no workers within the worker timeout end the run with exit 69 and what was waited for")
  func workerTimeout() {
    var coordinator = Coordinator(
      configuration: Examples.configuration(workersToStart: 2, workerTimeout: 5000))
    _ = coordinator.handle(.begin(Examples.job(Examples.shape([8]))), now: .ms(0))
    _ = coordinator.handle(
      .received(peer2, Examples.message(.hello(Examples.hello(host: "slow", processID: 7)))), now: .ms(4500))
    #expect(coordinator.handle(.tick, now: .ms(4900)).failures.isEmpty)
    #expect(coordinator.handle(.tick, now: .ms(5000)).failures.isEmpty)
    let actions = coordinator.handle(.tick, now: .ms(5001))
    #expect(actions.failures.first?.exitCode == 69)
    let message = actions.failures.first?.message ?? ""
    for word in ["5 s", "2 worker", "0 ready", "slow/7", "isomix worker", "--worker-timeout"] {
      #expect(message.contains(word), "\(message)")
    }
    #expect(actions.goodbyes.map(\.peer) == [peer2])
    #expect(actions.goodbyes.allSatisfy { $0.goodbye.exitCode == 69 && $0.goodbye.message == message })
  }

  @Test("the timeout is for waiting, not for computing")
  func noTimeoutWhileComputing() {
    var coordinator = Coordinator(configuration: Examples.configuration(workerTimeout: 5000))
    coordinator.join(peer1)
    let work = coordinator.handle(.begin(Examples.job(Examples.shape([8]))), now: .ms(0)).work(for: peer1)
    for second in 1...20 {
      let beat = Beat(progress: UInt64(second), isReady: true, assignments: work.map(\.assignment))
      _ = coordinator.says(peer1, .beat(beat), at: .ms(1000 * second))
      #expect(coordinator.handle(.tick, now: .ms(1000 * second)).failures.isEmpty)
    }
  }

  @Test("a worker that prepared other data is refused by name; this machine's own ends the run with exit 65")
  func otherData() {
    for ready in [
      Ready(setupDigest: "s1", dataDigest: "other"), Ready(setupDigest: "other", dataDigest: "d1"),
    ] {
      for isLocal in [false, true] {
        var coordinator = Coordinator(configuration: Examples.configuration())
        let hello = Examples.hello(isLocalChild: isLocal)
        _ = coordinator.handle(.received(peer1, Examples.message(.hello(hello))), now: .ms(0))
        let actions = coordinator.says(peer1, .ready(ready))
        let text = (actions.failures.map(\.message) + actions.warnings).joined()
        #expect(text.contains("node1/100") && text.contains("other data"))
        #expect(actions.failures.map(\.exitCode) == (isLocal ? [65] : []))
        #expect(isLocal || actions.dropped == [peer1])
        #expect(isLocal || coordinator.readyWorkers == 0)
      }
    }
  }

  @Test("a worker that comes back over a new connection takes its own place, and a late hello does not")
  func comesBack() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1)
    let again = coordinator.join(peer2, Examples.hello(incarnation: 2))
    #expect(again.dropped == [peer1] && again.failures.isEmpty)
    #expect(coordinator.readyWorkers == 1 && coordinator.isRegistered(peer2))
    #expect(coordinator.statistics.workersSeen == 1 && coordinator.statistics.workersLost == 0)
    for incarnation in [1, 2] {
      let late = Examples.message(.hello(Examples.hello(incarnation: incarnation)))
      #expect(coordinator.handle(.received(peer3, late), now: .ms(1)).isEmpty)
      #expect(coordinator.handle(.received(peer2, late), now: .ms(1)).isEmpty)
    }
    #expect(coordinator.readyWorkers == 1 && !coordinator.isRegistered(peer3))
  }

  @Test("a worker that comes back gets what it had, with the job's state, and its old answers count no more")
  func oldSession() throws {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1)
    let shape = Examples.shape([8], cost: 1e3)
    let values = TileValues(shape: shape, seed: 1)
    let old = try #require(
      coordinator.handle(.begin(Examples.job(shape)), now: .ms(0)).work(for: peer1).first)
    let session = coordinator.session(of: peer1)
    let again = coordinator.join(peer1, Examples.hello(incarnation: 2)).work(for: peer1)
    #expect(again.map(\.state) == [[9, 8, 7]])
    let result = WorkResult(
      job: old.job, assignment: old.assignment, computeSeconds: 0, sums: values.bytes(old.subtrees) ?? [])
    #expect(coordinator.says(peer1, .result(result), session: session).isEmpty)
    let completed = coordinator.answers(peer1, again[0], values).completed
    #expect(bits(completed) == bits(values.serial))
    #expect(coordinator.statistics.redispatchedTiles == 8)
  }
}
