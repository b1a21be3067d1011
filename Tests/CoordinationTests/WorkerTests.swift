import Coordination
import TestKit
import Testing
import Wire

@Suite("The worker")
struct WorkerTests {
  private enum Start { case greeting, preparing, working }

  private func worker(_ start: Start) -> Worker {
    var worker = Worker(hello: Examples.hello())
    _ = worker.handle(.connected, now: .ms(0))
    if start == .greeting { return worker }
    _ = worker.handle(.received(Examples.message(welcome)), now: .ms(0))
    if start == .preparing { return worker }
    _ = worker.handle(.prepared(setupDigest: "s1", dataDigest: "d1"), now: .ms(0))
    return worker
  }

  private let welcome = Message.Content.welcome(
    Welcome(beatInterval_ms: 1000, silenceLimit_ms: 8000, setup: [1, 2, 3]))

  private func work(
    job: UInt64 = 1, assignment: UInt64 = 1, state: [UInt8]? = [4]
  ) -> Message.Content {
    .work(
      Work(
        job: job, assignment: assignment, jobKind: 1, iteration: 6,
        subtrees: [Subtree(block: 0, level: 1, index: 2)], state: state))
  }

  private func exit(_ actions: [WorkerAction]) -> (code: Int32, message: String)? {
    for case .exit(let code, let message) in actions { return (code, message) }
    return nil
  }

  private func sent(_ actions: [WorkerAction]) -> [Message] {
    actions.compactMap { if case .send(let message) = $0 { message } else { nil } }
  }

  /// What an event in a state leads to: an exit, and after it nothing.
  private func end(
    _ start: Start, _ event: WorkerEvent, now: Instant = .ms(1),
    sourceLocation: SourceLocation = #_sourceLocation
  ) -> (code: Int32, message: String, sent: [Message]) {
    var worker = worker(start)
    let actions = worker.handle(event, now: now)
    guard let exit = exit(actions) else {
      Issue.record("the worker goes on", sourceLocation: sourceLocation)
      return (0, "", [])
    }
    for event in [
      WorkerEvent.tick(progress: 1), .received(Examples.message(work())),
      .malformed(WireError(.malformed, "x")), .computed(assignment: 1, sums: [], seconds: 0),
    ] {
      #expect(worker.handle(event, now: .ms(100_000)).isEmpty, sourceLocation: sourceLocation)
    }
    return (exit.code, exit.message, sent(actions))
  }

  @Test("says hello, prepares, says that it is ready, computes and answers")
  func conversation() {
    var worker = Worker(hello: Examples.hello())
    let hello = sent(worker.handle(.connected, now: .ms(0)))
    #expect(hello == [Message(run: .none, epoch: 0, content: .hello(Examples.hello()))])
    let prepare = worker.handle(.received(Examples.message(welcome)), now: .ms(1))
    guard case .prepare(let setup)? = prepare.first, prepare.count == 1 else {
      Issue.record("the welcome leads to \(prepare)")
      return
    }
    #expect(setup == [1, 2, 3])
    let ready = sent(worker.handle(.prepared(setupDigest: "s1", dataDigest: "d1"), now: .ms(2)))
    #expect(ready == [Examples.message(Examples.ready)])
    let compute = worker.handle(.received(Examples.message(work())), now: .ms(3))
    guard case .compute(let computation)? = compute.first, compute.count == 1 else {
      Issue.record("work leads to \(compute)")
      return
    }
    #expect(computation.assignment == 1 && computation.job == 1 && computation.iteration == 6)
    #expect(computation.state == [4] && computation.subtrees == [Subtree(block: 0, level: 1, index: 2)])
    let result = sent(worker.handle(.computed(assignment: 1, sums: [7], seconds: 2), now: .ms(4)))
    let expected = WorkResult(job: 1, assignment: 1, computeSeconds: 2, sums: [7])
    #expect(result == [Examples.message(.result(expected))])
    // Nobody asked for this one, or for the first once more.
    #expect(worker.handle(.computed(assignment: 1, sums: [7], seconds: 2), now: .ms(4)).isEmpty)
    #expect(worker.handle(.computed(assignment: 8, sums: [7], seconds: 2), now: .ms(4)).isEmpty)
  }

  @Test("gives up when nobody answers its hello")
  func greetingTimeout() {
    var worker = worker(.greeting)
    #expect(worker.handle(.tick(progress: 0), now: .ms(CoordinationLimits.greeting_ms)).isEmpty)
    let end = end(.greeting, .tick(progress: 0), now: .ms(CoordinationLimits.greeting_ms + 1))
    #expect(end.code == 69 && end.message.contains("30 s") && end.message.contains("address"))
    #expect(end.sent.isEmpty)
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
    #expect(end(.working, .received(Examples.message(late))).code == 69)
  }

  @Test("anything but a welcome in answer to the hello is refused")
  func greeting() {
    for content in [work(), .beat(Beat(progress: 1)), Examples.ready] {
      #expect(end(.greeting, .received(Examples.message(content))).code == 69)
    }
  }

  @Test("work before it is ready, and work without the job's state")
  func work() {
    let early = end(.preparing, .received(Examples.message(work())))
    #expect(early.code == 69 && early.message.contains("before this worker was ready"))
    let stateless = end(.working, .received(Examples.message(work(job: 4, state: nil))))
    #expect(stateless.code == 69 && stateless.message.contains("job 4 without its state"))
    guard case .failure(let failure)? = stateless.sent.first?.content else {
      Issue.record("the coordinator was not told")
      return
    }
    #expect(failure.exitCode == 69)
    // With the state of the same job known, later assignments come without.
    var worker = worker(.working)
    _ = worker.handle(.received(Examples.message(work())), now: .ms(1))
    let second = worker.handle(.received(Examples.message(work(assignment: 2, state: nil))), now: .ms(1))
    #expect(exit(second) == nil && second.count == 1)
    let other = worker.handle(
      .received(Examples.message(work(job: 2, assignment: 3, state: nil))), now: .ms(1))
    #expect(exit(other)?.code == 69)
  }

  @Test("a message of another run or incarnation")
  func otherRun() {
    for start in [Start.preparing, .working] {
      let beat = Message.Content.beat(Beat(progress: 1))
      #expect(end(start, .received(Examples.message(beat, run: .none))).message.contains("another run"))
      #expect(end(start, .received(Examples.message(beat, epoch: 9))).code == 69)
    }
  }

  @Test("messages that only a worker sends, and a second welcome")
  func unexpected() {
    for content in [
      Message.Content.hello(Examples.hello()), welcome, Examples.ready,
      .result(WorkResult(job: 1, assignment: 1, computeSeconds: 0, sums: [])),
      .failure(WorkerFailure(exitCode: 70, message: "")),
    ] {
      #expect(end(.working, .received(Examples.message(content))).code == 69)
    }
  }

  @Test("goodbye with 0 is success and silent, with anything else exit 69 and the reason")
  func goodbye() {
    for start in [Start.greeting, .preparing, .working] {
      let done = end(start, .received(Examples.message(.goodbye(Goodbye(exitCode: 0, message: "done")))))
      #expect(done.code == 0 && done.message.isEmpty)
      let lost = end(start, .received(Examples.message(.goodbye(Goodbye(exitCode: 65, message: "diverged")))))
      #expect(lost.code == 69 && lost.message.contains("diverged"))
    }
  }

  @Test("a silent coordinator is given up after the limit it announced")
  func silence() {
    for start in [Start.preparing, .working] {
      var worker = worker(start)
      #expect(exit(worker.handle(.tick(progress: 0), now: .ms(8000))) == nil)
      let end = end(start, .tick(progress: 0), now: .ms(8001))
      #expect(end.code == 69 && end.message.contains("silent for 8 s"))
    }
    var worker = worker(.working)
    _ = worker.handle(.received(Examples.message(.beat(Beat(progress: 1)))), now: .ms(5000))
    #expect(exit(worker.handle(.tick(progress: 0), now: .ms(13_000))) == nil)
    #expect(exit(worker.handle(.tick(progress: 0), now: .ms(13_001)))?.code == 69)
  }

  @Test("a worker that was busy with its set-up for long reads what came meanwhile before it gives up")
  func ownStall() {
    for start in [Start.preparing, .working] {
      var worker = worker(start)
      #expect(exit(worker.handle(.tick(progress: 0), now: .ms(100))) == nil)
      // Twenty seconds without a tick, then as ever.
      #expect(exit(worker.handle(.tick(progress: 0), now: .ms(20_100))) == nil)
      var ends: [Int] = []
      for now in stride(from: 20_200, through: 30_000, by: 100) {
        if exit(worker.handle(.tick(progress: 0), now: .ms(now))) != nil { ends.append(now) }
      }
      #expect(ends == [28_200])
    }
  }

  @Test("a coordinator that is given up is told, in case it can hear")
  func silenceIsTold() {
    var worker = worker(.working)
    let actions = worker.handle(.tick(progress: 0), now: .ms(8001))
    guard case .failure(let failure)? = sent(actions).first?.content else {
      Issue.record("no failure was sent")
      return
    }
    #expect(failure.message.contains("silent"))
  }

  @Test("beats go out at the announced interval and carry the progress")
  func beats() {
    for start in [Start.preparing, .working] {
      var worker = worker(start)
      #expect(worker.handle(.tick(progress: 5), now: .ms(999)).isEmpty)
      let beat = sent(worker.handle(.tick(progress: 6), now: .ms(1000)))
      #expect(beat == [Examples.message(.beat(Beat(progress: 6)))])
      #expect(worker.handle(.tick(progress: 7), now: .ms(1999)).isEmpty)
      #expect(sent(worker.handle(.tick(progress: 8), now: .ms(2000))).count == 1)
    }
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
    var worker = worker(.working)
    _ = worker.handle(.received(Examples.message(work(job: 3, assignment: 8))), now: .ms(1))
    let failed = WorkerEvent.computationFailed(
      assignment: 8, RunFailure(exitCode: 65, message: "shard 3 differs"))
    let actions = worker.handle(failed, now: .ms(2))
    let told = WorkerFailure(exitCode: 65, message: "shard 3 differs", job: 3, assignment: 8)
    #expect(sent(actions) == [Examples.message(.failure(told))])
    #expect(exit(actions)?.code == 65)
    #expect(end(.working, .malformed(WireError(.malformed, "no magic"))).message.contains("no magic"))
    #expect(end(.greeting, .malformed(WireError(.malformed, "no magic"))).code == 69)
  }

  @Test("a signal ends it with exit 75 and a goodbye")
  func stop() {
    for start in [Start.preparing, .working] {
      let end = end(start, .stopRequested("stopped by SIGTERM"))
      #expect(end.code == 75)
      let goodbye = Goodbye(exitCode: 75, message: "stopped by SIGTERM")
      #expect(end.sent == [Examples.message(.goodbye(goodbye))])
    }
    #expect(end(.greeting, .stopRequested("stopped by SIGTERM")).sent.isEmpty)
  }
}
