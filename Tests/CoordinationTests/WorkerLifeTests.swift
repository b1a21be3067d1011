import Coordination
import TestKit
import Testing
import Wire

@Suite("A worker outlives its coordinator, and leaves in good order")
struct WorkerLifeTests {
  private func worker(_ start: WorkerTests.Start) -> Worker { WorkerTests.worker(start) }

  @Test("gives up when nobody answers within its patience, and for ever looks on without one")
  func greetingTimeout() {
    var patient = Worker(hello: Examples.hello(), patience_ms: nil)
    var worker = worker(.greeting)
    _ = patient.handle(.started, now: .ms(0))
    for now in stride(from: 0, through: 30_000, by: 100) {
      #expect(worker.handle(.tick(progress: 0), now: .ms(now)).exit == nil)
    }
    let end = worker.handle(.tick(progress: 0), now: .ms(30_001)).exit
    #expect(end?.code == 69)
    #expect(end?.message.contains("30 s") == true && end?.message.contains("address") == true)
    for now in stride(from: 0, through: 3_000_000, by: 1000) {
      #expect(patient.handle(.tick(progress: 0), now: .ms(now)).exit == nil)
    }
  }

  @Test(
    "says hello again and again, less and less often, each time as the next incarnation on a fresh connection"
  )
  func retries() {
    var worker = worker(.greeting)
    var times: [Int] = []
    var incarnations: [Int] = []
    for now in stride(from: 0, through: 29_000, by: 10) {
      let actions = worker.handle(.tick(progress: 0), now: .ms(now))
      guard let incarnation = actions.hello else { continue }
      #expect(actions.connects)
      times.append(now)
      incarnations.append(incarnation)
    }
    #expect(incarnations == Array(2..<2 + incarnations.count))
    #expect((4...8).contains(times.count), "\(times)")
    #expect((750...1260).contains(times[0]), "\(times)")
    let gaps = zip(times.dropFirst(), times).map { $0 - $1 }
    #expect(gaps.allSatisfy { $0 <= CoordinationLimits.lastRetry_ms * 5 / 4 + 10 }, "\(gaps)")
    #expect(gaps[1] > gaps[0] && gaps[0] > times[0], "\(gaps)")
  }

  @Test("workers don't say hello all at once")
  func jitter() {
    let times = (0..<50).map { number -> Int in
      var worker = Worker(hello: Examples.hello(processID: number), patience_ms: nil)
      _ = worker.handle(.started, now: .ms(0))
      return (0...3000).first { worker.handle(.tick(progress: 0), now: .ms($0)).hello != nil } ?? 0
    }
    #expect(Set(times).count > 40)
    #expect((times.min() ?? 0) < 800 && (times.max() ?? 0) > 1150, "\(times)")
  }

  @Test("after silence over the announced limit it lets its work go and looks for the coordinator")
  func silence() {
    for start in [WorkerTests.Start.preparing, .working] {
      var worker = worker(start)
      _ = worker.handle(.received(Examples.message(WorkerTests.work())), now: .ms(0))
      var found: (time: Int, actions: [WorkerAction])?
      for now in stride(from: 0, through: 20_000, by: 100) where found == nil {
        let actions = worker.handle(.tick(progress: 0), now: .ms(now))
        if actions.hello != nil { found = (now, actions) }
      }
      #expect(found?.time == 8100)
      #expect(found?.actions.hello == 2 && found?.actions.connects == true)
      #expect(found?.actions.forgotten == (start == .working ? [1] : []))
    }
  }

  @Test("any message of its session is a sign of life")
  func heard() {
    var worker = worker(.working)
    for now in stride(from: 0, through: 40_000, by: 500) {
      if now % 5000 == 0 {
        _ = worker.handle(.received(Examples.message(.beat(Beat(progress: 1)))), now: .ms(now))
      }
      #expect(worker.handle(.tick(progress: 0), now: .ms(now)).hello == nil)
    }
  }

  @Test("a worker that was busy with its set-up for long reads what came meanwhile before it gives up")
  func ownStall() {
    for start in [WorkerTests.Start.preparing, .working] {
      var worker = worker(start)
      #expect(worker.handle(.tick(progress: 0), now: .ms(100)).hello == nil)
      // Twenty seconds without a tick, then as ever.
      #expect(worker.handle(.tick(progress: 0), now: .ms(20_100)).hello == nil)
      var again: Int?
      for now in stride(from: 20_200, through: 30_000, by: 100) where again == nil {
        if worker.handle(.tick(progress: 0), now: .ms(now)).hello != nil { again = now }
      }
      #expect(again == 28_200)
    }
  }

  @Test("who is asked to register again does so, and then works for the new coordinator alone")
  func registersAgain() {
    for start in [WorkerTests.Start.preparing, .working] {
      var worker = worker(start)
      _ = worker.handle(.received(Examples.message(WorkerTests.work())), now: .ms(1))
      let asked = Examples.message(.registerAgain, run: .none, epoch: 8, session: 0)
      let actions = worker.handle(.received(asked), now: .ms(2))
      #expect(actions.hello == 2 && actions.connects)
      // The answer to the first hello is not one to the second.
      let late = Examples.message(WorkerTests.welcome(), epoch: 8, session: 5)
      #expect(worker.handle(.received(late), now: .ms(3)).isEmpty)
      let welcome = Examples.message(WorkerTests.welcome(incarnation: 2), epoch: 8, session: 5)
      #expect(worker.handle(.received(welcome), now: .ms(4)).count == 1)
      let ready = worker.handle(.prepared(setupDigest: "s1", dataDigest: "d1"), now: .ms(5)).sent
      #expect(ready == [Examples.message(Examples.ready, epoch: 8, session: 5)])
      #expect(worker.handle(.received(Examples.message(WorkerTests.work())), now: .ms(6)).isEmpty)
      // What was computed for the old one is for nobody.
      #expect(worker.handle(.computed(assignment: 1, sums: [], seconds: 0), now: .ms(7)).isEmpty)
      let work = Examples.message(WorkerTests.work(), epoch: 8, session: 5)
      #expect(worker.handle(.received(work), now: .ms(8)).count == 1)
    }
  }

  @Test("a remote worker waits for an interrupted fit to be resumed")
  func interruptedFit() {
    var worker = worker(.working)
    let goodbye = Message.Content.goodbye(Goodbye(exitCode: 75, message: "interrupted by SIGTERM"))
    let actions = worker.handle(.received(Examples.message(goodbye)), now: .ms(1))
    #expect(actions.exit == nil && actions.hello == 2)
    var end: Int?
    for now in stride(from: 100, through: 40_000, by: 100) where end == nil {
      if worker.handle(.tick(progress: 0), now: .ms(now)).exit?.code == 69 { end = now }
    }
    #expect(end == 30_100)
  }

  @Test("told to stop, it leaves at once when it has no work, with exit 0")
  func stopIdle() {
    for start in WorkerTests.Start.allCases {
      var worker = worker(start)
      let actions = worker.handle(.stopRequested("stopped by SIGTERM"), now: .ms(1))
      #expect(actions.exit?.code == 0)
      let goodbye = Goodbye(exitCode: 0, message: "stopped by SIGTERM")
      #expect(actions.sent == (start == .greeting ? [] : [Examples.message(.goodbye(goodbye))]))
    }
  }

  @Test("told to stop, it finishes what it computes, hands back what waits, and takes nothing new")
  func stopBusy() {
    var worker = worker(.working)
    for number in 1...3 as ClosedRange<UInt64> {
      _ = worker.handle(.received(Examples.message(WorkerTests.work(assignment: number))), now: .ms(1))
    }
    let stop = worker.handle(.stopRequested("stopped by SIGTERM"), now: .ms(2))
    #expect(stop.exit == nil && stop.forgotten == [2, 3] && stop.sent.isEmpty)
    #expect(worker.handle(.received(Examples.message(WorkerTests.work(assignment: 4))), now: .ms(3)).isEmpty)
    let done = worker.handle(.computed(assignment: 1, sums: [7], seconds: 1), now: .ms(4))
    #expect(done.sent.map(\.kind) == [.result, .goodbye])
    #expect(done.exit?.code == 0)
  }

  @Test("told to stop, it does not wait for ever, and leaves at once when told again")
  func stopSlow() {
    for again in [true, false] {
      var worker = worker(.working)
      _ = worker.handle(.received(Examples.message(WorkerTests.work())), now: .ms(1))
      #expect(worker.handle(.stopRequested("stopped by SIGTERM"), now: .ms(2)).exit == nil)
      if again {
        let actions = worker.handle(.stopRequested("stopped by SIGTERM"), now: .ms(3))
        #expect(actions.exit?.code == 0 && actions.sent.map(\.kind) == [.goodbye])
        continue
      }
      var end: Int?
      for now in stride(from: 2, through: 20_002, by: 100) where end == nil {
        if worker.handle(.tick(progress: 0), now: .ms(now)).exit?.code == 0 { end = now }
        _ = worker.handle(.received(Examples.message(.beat(Beat(progress: 1)))), now: .ms(now))
      }
      #expect(end == 2 + CoordinationLimits.leaving_ms)
    }
  }
}
