import Coordination
import TestKit
import Testing
import Wire

@Suite("The worker")
struct WorkerTests {
  enum Start: CaseIterable { case greeting, preparing, working }

  static func worker(_ start: Start, isLocal: Bool = false) -> Worker {
    var worker = Worker(hello: Examples.hello(isLocalChild: isLocal), patience_ms: 30_000)
    _ = worker.handle(.started, now: .ms(0))
    if start == .greeting { return worker }
    _ = worker.handle(.received(Examples.message(welcome())), now: .ms(0))
    if start == .preparing { return worker }
    _ = worker.handle(.prepared(setupDigest: "s1", dataDigest: "d1"), now: .ms(0))
    return worker
  }

  static func welcome(incarnation: Int = 1) -> Message.Content {
    .welcome(
      Welcome(
        beatInterval_ms: 1000, silenceLimit_ms: 8000, incarnation: incarnation, setup: [1, 2, 3]))
  }

  static func work(
    job: UInt64 = 1, assignment: UInt64 = 1, state: [UInt8]? = [4]
  ) -> Message.Content {
    .work(
      Work(
        job: job, assignment: assignment, jobKind: 1, iteration: 6,
        subtrees: [Subtree(block: 0, level: 1, index: 2)], state: state))
  }

  /// What an event in a state leads to: an exit, and after it nothing.
  private func end(
    _ start: Start, _ event: WorkerEvent, now: Instant = .ms(1), isLocal: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation
  ) -> (code: Int32, message: String, sent: [Message]) {
    var worker = Self.worker(start, isLocal: isLocal)
    let actions = worker.handle(event, now: now)
    guard let exit = actions.exit else {
      Issue.record("the worker goes on", sourceLocation: sourceLocation)
      return (0, "", [])
    }
    for event in [
      WorkerEvent.tick(progress: 1), .received(Examples.message(Self.work())),
      .malformed(WireError(.malformed, "x")), .computed(assignment: 1, sums: [], seconds: 0),
      .stopRequested("x"), .notAuthorised("x"), .received(Examples.message(.registerAgain)),
    ] {
      #expect(worker.handle(event, now: .ms(100_000)).isEmpty, sourceLocation: sourceLocation)
    }
    return (exit.code, exit.message, actions.sent)
  }

  /// An event that changes nothing.
  private func nothing(
    _ start: Start, _ message: Message, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var worker = Self.worker(start)
    #expect(worker.handle(.received(message), now: .ms(1)).isEmpty, sourceLocation: sourceLocation)
  }

  @Test("says hello, prepares, says that it is ready, computes and answers")
  func conversation() {
    var worker = Worker(hello: Examples.hello())
    let start = worker.handle(.started, now: .ms(0))
    guard case .connect? = start.first else {
      Issue.record("it starts with \(start)")
      return
    }
    #expect(start.sent == [Message(run: .none, epoch: 0, content: .hello(Examples.hello()))])
    let prepare = worker.handle(.received(Examples.message(Self.welcome())), now: .ms(1))
    guard case .prepare(let setup)? = prepare.first, prepare.count == 1 else {
      Issue.record("the welcome leads to \(prepare)")
      return
    }
    #expect(setup == [1, 2, 3])
    let ready = worker.handle(.prepared(setupDigest: "s1", dataDigest: "d1"), now: .ms(2)).sent
    #expect(ready == [Examples.message(Examples.ready)])
    let compute = worker.handle(.received(Examples.message(Self.work())), now: .ms(3))
    guard case .compute(let computation)? = compute.first, compute.count == 1 else {
      Issue.record("work leads to \(compute)")
      return
    }
    #expect(computation.assignment == 1 && computation.iteration == 6)
    #expect(computation.job == JobKey(epoch: Examples.epoch, session: 1, number: 1))
    #expect(computation.state == [4] && computation.subtrees == [Subtree(block: 0, level: 1, index: 2)])
    let result = worker.handle(.computed(assignment: 1, sums: [7], seconds: 2), now: .ms(4)).sent
    let expected = WorkResult(job: 1, assignment: 1, computeSeconds: 2, sums: [7])
    #expect(result == [Examples.message(.result(expected))])
    // Nobody asked for this one, or for the first once more.
    #expect(worker.handle(.computed(assignment: 1, sums: [7], seconds: 2), now: .ms(4)).isEmpty)
    #expect(worker.handle(.computed(assignment: 8, sums: [7], seconds: 2), now: .ms(4)).isEmpty)
  }

  @Test("a refusal ends it with the documented exit code and the coordinator's words")
  func refusals() {
    let codes: [(Refusal.Reason, Int32)] = [
      (.version, 65), (.build, 65), (.numerics, 65), (.data, 65), (.full, 69), (.invalid, 69),
    ]
    for (reason, code) in codes {
      let refusal = Message.Content.refused(Refusal(reason: reason, message: "pin your BLAS"))
      let end = end(.greeting, .received(Examples.message(refusal)))
      #expect(end.code == code && end.message.contains("pin your BLAS"))
    }
    let late = Message.Content.refused(Refusal(reason: .data, message: "go away"))
    #expect(end(.working, .received(Examples.message(late))).code == 65)
  }

  @Test("keys that don't fit end it with exit 77")
  func notAuthorised() {
    let end = end(.greeting, .notAuthorised("the key is not allowed"))
    #expect(end.code == 77 && end.message == "the key is not allowed")
  }

  @Test("what is no answer to its hello is not heard while it looks for a coordinator")
  func greeting() {
    for content in [
      Self.work(), .beat(Beat(progress: 1)), Examples.ready, .registerAgain,
      .goodbye(Goodbye(exitCode: 0, message: "done")), Self.welcome(incarnation: 7),
    ] {
      nothing(.greeting, Examples.message(content))
    }
  }

  @Test("work that comes early, without its state, twice, or of a job that is past, is left away")
  func work() {
    nothing(.preparing, Examples.message(Self.work()))
    nothing(.working, Examples.message(Self.work(job: 4, state: nil)))
    var worker = Self.worker(.working)
    func take(_ content: Message.Content) -> Int {
      worker.handle(.received(Examples.message(content)), now: .ms(1)).count {
        if case .compute = $0 { true } else { false }
      }
    }
    #expect(take(Self.work()) == 1)
    // With the state of the same job known, later assignments come without.
    #expect(take(Self.work(assignment: 2, state: nil)) == 1)
    #expect(take(Self.work()) == 0 && take(Self.work(assignment: 2, state: nil)) == 0)
    #expect(take(Self.work(job: 2, assignment: 3, state: nil)) == 0)
    #expect(take(Self.work(job: 2, assignment: 3, state: [5])) == 1)
    #expect(take(Self.work(job: 1, assignment: 4, state: [4])) == 0)
    // Also after it has been answered.
    _ = worker.handle(.computed(assignment: 1, sums: [], seconds: 0), now: .ms(2))
    #expect(take(Self.work()) == 0)
  }

  @Test("more assignments at once than any coordinator hands out end it")
  func flood() {
    var worker = Self.worker(.working)
    var exit: Int32?
    for number in 1...UInt64(CoordinationLimits.assignmentsHeld) + 1 {
      let actions = worker.handle(
        .received(Examples.message(Self.work(assignment: number))), now: .ms(1))
      exit = actions.exit?.code
    }
    #expect(exit == 69)
  }

  @Test("a message of another run, coordinator or session says nothing")
  func otherRun() {
    for start in [Start.preparing, .working] {
      for content in [
        Message.Content.beat(Beat(progress: 1)), Self.work(), .goodbye(Goodbye(exitCode: 0, message: "")),
      ] {
        nothing(start, Examples.message(content, run: .none))
        nothing(start, Examples.message(content, epoch: 9))
        nothing(start, Examples.message(content, session: 2))
      }
    }
  }

  @Test("messages that only a worker sends")
  func unexpected() {
    for content in [
      Message.Content.hello(Examples.hello()), Examples.ready,
      .result(WorkResult(job: 1, assignment: 1, computeSeconds: 0, sums: [])),
      .failure(WorkerFailure(exitCode: 70, message: "")),
    ] {
      #expect(end(.working, .received(Examples.message(content))).code == 69)
    }
    nothing(.working, Examples.message(Self.welcome()))
  }

  @Test("goodbye with 0 is success and silent, with anything else exit 69 and the reason")
  func goodbye() {
    for start in [Start.preparing, .working] {
      let done = end(start, .received(Examples.message(.goodbye(Goodbye(exitCode: 0, message: "done")))))
      #expect(done.code == 0 && done.message.isEmpty)
      let lost = end(start, .received(Examples.message(.goodbye(Goodbye(exitCode: 65, message: "diverged")))))
      #expect(lost.code == 69 && lost.message.contains("diverged"))
    }
    let interrupted = Message.Content.goodbye(Goodbye(exitCode: 75, message: "interrupted by SIGTERM"))
    #expect(end(.working, .received(Examples.message(interrupted)), isLocal: true).code == 69)
  }

  @Test("beats go out at the announced interval and say how far it is and what it has")
  func beats() {
    for start in [Start.preparing, .working] {
      var worker = Self.worker(start)
      #expect(worker.handle(.tick(progress: 5), now: .ms(999)).isEmpty)
      let isReady = start == .working
      let beat = worker.handle(.tick(progress: 6), now: .ms(1000)).sent
      #expect(beat == [Examples.message(.beat(Beat(progress: 6, isReady: isReady)))])
      #expect(worker.handle(.tick(progress: 7), now: .ms(1999)).isEmpty)
      _ = worker.handle(.heard, now: .ms(1999))
      let busy = worker.handle(.tick(progress: 8), now: .ms(2000)).sent
      #expect(busy == [Examples.message(.beat(Beat(progress: 8, isReady: isReady, isReceiving: true)))])
    }
    var worker = Self.worker(.working)
    _ = worker.handle(.received(Examples.message(Self.work())), now: .ms(1))
    _ = worker.handle(.received(Examples.message(Self.work(assignment: 2, state: nil))), now: .ms(1))
    _ = worker.handle(.computed(assignment: 1, sums: [], seconds: 0), now: .ms(2))
    let beat = worker.handle(.tick(progress: 1), now: .ms(1000)).sent
    #expect(beat == [Examples.message(.beat(Beat(progress: 1, isReady: true, assignments: [2])))])
    _ = worker.handle(.received(Examples.message(.beat(Beat(progress: 33)))), now: .ms(1500))
    let next = worker.handle(.tick(progress: 1), now: .ms(2000)).sent
    let expected = Beat(progress: 1, isReady: true, heardUpTo: 33, assignments: [2])
    #expect(next == [Examples.message(.beat(expected))])
  }

  @Test("what it can't do it says, with the exit code")
  func failures() {
    let prepare = end(.preparing, .preparationFailed(RunFailure(exitCode: 66, message: "no such folder")))
    #expect(prepare.code == 66 && prepare.message == "no such folder")
    guard case .failure(let failure)? = prepare.sent.first?.content else {
      Issue.record("the coordinator was not told")
      return
    }
    #expect(failure == WorkerFailure(exitCode: 66, message: "no such folder"))
    var worker = Self.worker(.working)
    _ = worker.handle(.received(Examples.message(Self.work(job: 3, assignment: 8))), now: .ms(1))
    let shard = RunFailure(exitCode: 65, message: "shard 3 differs")
    // Of an assignment that it does not have any more.
    #expect(worker.handle(.computationFailed(assignment: 7, shard), now: .ms(2)).isEmpty)
    let actions = worker.handle(.computationFailed(assignment: 8, shard), now: .ms(2))
    let told = WorkerFailure(exitCode: 65, message: "shard 3 differs", job: 3, assignment: 8)
    #expect(actions.sent == [Examples.message(.failure(told))])
    #expect(actions.exit?.code == 65)
    #expect(end(.working, .malformed(WireError(.malformed, "no magic"))).message.contains("no magic"))
    #expect(end(.greeting, .malformed(WireError(.malformed, "no magic"))).code == 69)
  }
}

extension Array where Element == WorkerAction {
  var exit: (code: Int32, message: String)? {
    for case .exit(let code, let message) in self { return (code, message) }
    return nil
  }
  var sent: [Message] { compactMap { if case .send(let message) = $0 { message } else { nil } } }
  var forgotten: [UInt64] {
    flatMap { action -> [UInt64] in if case .forget(let numbers) = action { numbers } else { [] } }
  }
  var connects: Bool { contains { if case .connect = $0 { true } else { false } } }
  /// The incarnation of the hello that is said, if one is.
  var hello: Int? {
    for case .send(let message) in self {
      if case .hello(let hello) = message.content { return hello.incarnation }
    }
    return nil
  }
}
