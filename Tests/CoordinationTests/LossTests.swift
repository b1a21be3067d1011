import Coordination
import TestKit
import Testing
import Wire

@Suite("The coordinator loses a worker, and the run goes on")
struct LossTests {
  /// Two workers at work; what `event` leads to has to lose the first one by name, hand its tiles to the second and end
  /// with the serial sums.
  ///
  /// - Returns: what the log says of the loss.
  private func loss(
    _ event: (inout Coordinator) -> [CoordinatorAction], counts: Bool = true, isLocalChild: Bool = true,
    sourceLocation: SourceLocation = #_sourceLocation
  ) -> String {
    var coordinator = Coordinator(configuration: Examples.configuration(workersToStart: 2))
    coordinator.join(peer1, Examples.hello(host: "node1", processID: 100, isLocalChild: isLocalChild))
    coordinator.join(peer2, Examples.hello(host: "node2", processID: 200))
    let shape = Examples.shape([8], width: 2)
    let values = TileValues(shape: shape, seed: 3)
    var work = coordinator.handle(.begin(Examples.job(shape)), now: .ms(0)).work(for: peer2)
    let actions = event(&coordinator)
    #expect(actions.failures.isEmpty, sourceLocation: sourceLocation)
    #expect(!coordinator.isRegistered(peer1), sourceLocation: sourceLocation)
    #expect(coordinator.statistics.workersLost == (counts ? 1 : 0), sourceLocation: sourceLocation)
    #expect(coordinator.statistics.redispatchedTiles > 0, sourceLocation: sourceLocation)
    work += actions.work(for: peer2)
    var completed: [[Double]]?
    while completed == nil, !work.isEmpty {
      let actions = coordinator.answers(peer2, work.removeFirst(), values, at: .ms(10))
      work += actions.work(for: peer2)
      completed = actions.completed
    }
    #expect(bits(completed) == bits(values.serial), sourceLocation: sourceLocation)
    let message = actions.logs.joined(separator: "\n")
    #expect(message.contains("node1/100"), "\(message)", sourceLocation: sourceLocation)
    return message
  }

  private func result(job: UInt64, assignment: UInt64, count: Int) -> Message.Content {
    .result(
      WorkResult(
        job: job, assignment: assignment, computeSeconds: 0, sums: [UInt8](repeating: 0, count: count)))
  }

  @Test("a result of another width")
  func width() {
    let wide = loss { $0.says(peer1, result(job: 1, assignment: 1, count: 800)) }
    #expect(wide.contains("100 numbers for assignment 1"))
    #expect(loss { $0.says(peer1, result(job: 1, assignment: 1, count: 0)) }.contains("0 numbers"))
    #expect(loss { $0.says(peer1, result(job: 2, assignment: 1, count: 16)) }.contains("numbers for"))
  }

  @Test("a result for work that nobody was given; one that somebody else has is only late")
  func unknownAssignment() {
    for number in [0, 99, .max] as [UInt64] {
      let text = loss { $0.says(peer1, result(job: 1, assignment: number, count: 16)) }
      #expect(text.contains("does not have"))
    }
    var coordinator = Coordinator(configuration: Examples.configuration(workersToStart: 2))
    coordinator.join(peer1)
    coordinator.join(peer2, Examples.hello(processID: 200))
    _ = coordinator.handle(.begin(Examples.job(Examples.shape([8], width: 2))), now: .ms(0))
    #expect(coordinator.says(peer1, result(job: 1, assignment: 2, count: 16)).isEmpty)
    #expect(coordinator.readyWorkers == 2)
  }

  @Test("the loss names the tiles that the worker held")
  func heldTiles() {
    let text = loss({ $0.handle(.unreachable(peer1), now: .ms(10)) }, isLocalChild: false)
    #expect(text.contains("It held tiles 0–") && text.contains("which others get"))
  }

  @Test("bytes that make no sense: it is told, named and heard no more")
  func malformed() {
    for error in [WireError(.malformed, "no magic"), WireError(.protocolVersion, "protocol 9")] {
      let text = loss { coordinator in
        let actions = coordinator.handle(.malformed(peer1, error), now: .ms(10))
        #expect(actions.dropped == [peer1])
        #expect(actions.goodbyes.map(\.peer) == [peer1])
        #expect(actions.goodbyes.first?.goodbye.exitCode == 69)
        return actions
      }
      #expect(text.contains(error.message))
    }
  }

  @Test("a message that only a coordinator sends")
  func unexpected() {
    for content in [
      Message.Content.welcome(
        Welcome(beatInterval_ms: 1, silenceLimit_ms: 1, incarnation: 1, setup: [])),
      .refused(Refusal(reason: .full, message: "")), .registerAgain,
      .work(Work(job: 1, assignment: 1, jobKind: 1, iteration: 1, subtrees: [], state: nil)),
    ] {
      #expect(loss { $0.says(peer1, content) }.contains("only a coordinator sends"))
    }
  }

  @Test("another worker's hello over the same connection")
  func twoHellos() {
    let other = Message.Content.hello(Examples.hello(processID: 300))
    #expect(loss { $0.says(peer1, other) }.contains("over one connection"))
  }

  @Test("a message of another run, another coordinator or another session says nothing")
  func otherSession() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1)
    let limit = CoordinationLimits.silenceLimit_ms
    _ = coordinator.handle(.tick, now: .ms(limit - 100))
    for now in [limit - 50, limit] {
      let beat = Message.Content.beat(Beat(progress: 1))
      #expect(coordinator.says(peer1, beat, at: .ms(now), run: .none).isEmpty)
      #expect(coordinator.says(peer1, beat, at: .ms(now), epoch: 4).isEmpty)
      #expect(coordinator.says(peer1, beat, at: .ms(now), session: 7).isEmpty)
    }
    // None of them was a sign of life.
    let warnings = coordinator.handle(.tick, now: .ms(limit + 1)).warnings
    #expect(warnings.contains { $0.contains("silent for 15 s") })
  }

  @Test("silence over the limit; when it speaks again it is asked to register")
  func silence() {
    let limit = CoordinationLimits.silenceLimit_ms
    let text = loss { coordinator in
      _ = coordinator.handle(.tick, now: .ms(limit - 100))
      _ = coordinator.says(peer2, .beat(Beat(progress: 1, isReceiving: true)), at: .ms(limit))
      #expect(coordinator.handle(.tick, now: .ms(limit)).warnings.isEmpty)
      return coordinator.handle(.tick, now: .ms(limit + 1))
    }
    #expect(text.contains("silent for 15 s"))
    var coordinator = Coordinator(configuration: Examples.configuration(silenceLimit: 3000))
    coordinator.join(peer1)
    for now in stride(from: 0, through: 3000, by: 500) { _ = coordinator.handle(.tick, now: .ms(now)) }
    #expect(coordinator.isRegistered(peer1))
    _ = coordinator.handle(.tick, now: .ms(3001))
    #expect(!coordinator.isRegistered(peer1))
    let late = coordinator.says(peer1, .beat(Beat(progress: 1)), at: .ms(4000), session: 1)
    #expect(late.invites(peer1))
    coordinator.join(peer1, Examples.hello(incarnation: 2), at: .ms(4001))
    #expect(coordinator.readyWorkers == 1)
  }

  @Test("a coordinator that did not run itself counts silence anew, and then as ever")
  func ownStall() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1)
    for now in stride(from: 0, through: 3000, by: 100) { _ = coordinator.handle(.tick, now: .ms(now)) }
    // Suspended for a minute.
    var end: Int?
    for now in stride(from: 63_000, through: 90_000, by: 100) {
      _ = coordinator.handle(.tick, now: .ms(now))
      if end == nil, !coordinator.isRegistered(peer1) { end = now }
    }
    #expect(end == 63_000 + CoordinationLimits.silenceLimit_ms + 100)
  }

  @Test("a part of a long message is a sign of life")
  func parts() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1)
    for now in stride(from: 0, through: 60_000, by: 500) {
      if now % 5000 == 0 { _ = coordinator.handle(.heard(peer1), now: .ms(now)) }
      _ = coordinator.handle(.tick, now: .ms(now))
      #expect(coordinator.isRegistered(peer1))
    }
  }

  @Test("beats from a compute loop that stands still, while it has work")
  func stuck() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1)
    let work = coordinator.handle(.begin(Examples.job(Examples.shape([8]))), now: .ms(0)).work(for: peer1)
    func beat(_ progress: UInt64, at now: Int) -> [CoordinatorAction] {
      let beat = Beat(progress: progress, isReady: true, assignments: work.map(\.assignment))
      return coordinator.says(peer1, .beat(beat), at: .ms(now)) + coordinator.handle(.tick, now: .ms(now))
    }
    for second in 1...100 {
      _ = beat(UInt64(second), at: 1000 * second)
      #expect(coordinator.isRegistered(peer1))
    }
    for second in 101...160 {
      _ = beat(100, at: 1000 * second)
      #expect(coordinator.isRegistered(peer1))
    }
    let warnings = beat(100, at: 161_000).warnings
    #expect(warnings.contains { $0.contains("stood still for 60 s") })
  }

  @Test("a remote worker that can't set up is logged by name, and the run goes on; a local one ends it")
  func failedSetup() {
    let failure = Message.Content.failure(WorkerFailure(exitCode: 66, message: "no such folder"))
    for isLocal in [false, true] {
      var coordinator = Coordinator(configuration: Examples.configuration())
      coordinator.join(peer1)
      let hello = Examples.hello(processID: 200, isLocalChild: isLocal)
      _ = coordinator.handle(.received(peer2, Examples.message(.hello(hello))), now: .ms(1))
      let actions = coordinator.says(peer2, failure, at: .ms(2))
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
    for now in stride(from: 0, through: limit, by: 1000) {
      _ = coordinator.handle(.tick, now: .ms(now))
      #expect(coordinator.isRegistered(peer1))
    }
    _ = coordinator.handle(.tick, now: .ms(limit + 1))
    #expect(!coordinator.isRegistered(peer1))
  }

  @Test("its process ended; a remote one with the same number is not meant")
  func ended() {
    let text = loss {
      $0.handle(.childExited(processID: 100, description: "killed by SIGKILL"), now: .ms(1))
    }
    #expect(text.contains("SIGKILL"))
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1, Examples.hello(processID: 100))
    let actions = coordinator.handle(.childExited(processID: 100, description: "exit 127"), now: .ms(0))
    #expect(actions.isEmpty && coordinator.readyWorkers == 1)
  }

  @Test("a child's connection goes before its process has ended: it is lost with the way it ended")
  func child() throws {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1, Examples.hello(processID: 100, isLocalChild: true))
    #expect(coordinator.handle(.unreachable(peer1), now: .ms(1)).isEmpty && coordinator.readyWorkers == 1)
    _ = coordinator.handle(.childExited(processID: 100, description: "ended by SIGKILL"), now: .ms(2))
    #expect(coordinator.readyWorkers == 0 && coordinator.statistics.workersLost == 1)
    #expect(coordinator.view(now: .ms(3)).departures.map(\.reason) == ["ended by SIGKILL"])
  }

  @Test("a worker that leaves hands back what it has, and is not lost")
  func leaves() {
    let goodbye = Message.Content.goodbye(Goodbye(exitCode: 0, message: "stopped by SIGTERM"))
    let text = loss({ $0.says(peer1, goodbye) }, counts: false)
    #expect(text.contains("left: stopped by SIGTERM"))
  }

  @Test(
    "what this machine's own worker can't read ends the run with its exit code; what a remote one can't, not")
  func failure() {
    for code in [65, 66] as [Int32] {
      for isLocal in [true, false] {
        var coordinator = Coordinator(configuration: Examples.configuration())
        coordinator.join(peer1, Examples.hello(isLocalChild: isLocal))
        let failure = WorkerFailure(exitCode: code, message: "shard 3 differs", job: 1, assignment: 2)
        let actions = coordinator.says(peer1, .failure(failure))
        if isLocal {
          #expect(actions.failures.first?.exitCode == code)
          #expect(actions.failures.first?.message == "worker node1/100 stopped: shard 3 differs")
        } else {
          #expect(actions.failures.isEmpty && coordinator.readyWorkers == 0)
          #expect(actions.warnings.first?.contains("shard 3 differs") == true)
        }
      }
    }
    let failure = WorkerFailure(exitCode: 70, message: "no memory", job: 1, assignment: 1)
    #expect(loss { $0.says(peer1, .failure(failure)) }.contains("no memory"))
  }

  @Test("when the last worker is lost the run waits for another one, up to the worker timeout")
  func lastWorker() {
    for comesBack in [true, false] {
      var coordinator = Coordinator(configuration: Examples.configuration(workerTimeout: 5000))
      coordinator.join(peer1)
      let shape = Examples.shape([8])
      let values = TileValues(shape: shape, seed: 5)
      _ = coordinator.handle(.begin(Examples.job(shape)), now: .ms(0))
      #expect(coordinator.handle(.unreachable(peer1), now: .ms(100)).failures.isEmpty)
      for now in stride(from: 500, through: 5000, by: 500) {
        #expect(coordinator.handle(.tick, now: .ms(now)).failures.isEmpty)
      }
      guard comesBack else {
        let failures = coordinator.handle(.tick, now: .ms(5101)).failures
        #expect(failures.first?.exitCode == 69)
        #expect(failures.first?.message.contains("no worker for 5 s") == true)
        continue
      }
      var work = coordinator.join(peer2, Examples.hello(processID: 7), at: .ms(5050)).work(for: peer2)
      var completed: [[Double]]?
      while completed == nil, !work.isEmpty {
        let actions = coordinator.answers(peer2, work.removeFirst(), values, at: .ms(6000))
        work += actions.work(for: peer2)
        completed = actions.completed
      }
      #expect(bits(completed) == bits(values.serial))
      #expect(coordinator.handle(.tick, now: .ms(6900)).failures.isEmpty)
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
