import Coordination
import TestKit
import Testing
import Wire

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

  @Test("messages before a hello are dropped when no worker sends them, and invited to register otherwise")
  func beforeHello() {
    let foreign: [Message.Content] = [
      .refused(Refusal(reason: .full, message: "")), .registerAgain,
      .welcome(Welcome(beatInterval_ms: 1, silenceLimit_ms: 1, incarnation: 1, setup: [])),
      .work(Work(job: 1, assignment: 1, jobKind: 1, iteration: 1, subtrees: [], state: nil)),
    ]
    for content in foreign {
      var coordinator = Coordinator(configuration: Examples.configuration())
      coordinator.join(peer1)
      let actions = coordinator.says(peer2, content)
      #expect(actions.dropped == [peer2] && actions.failures.isEmpty && actions.sent.isEmpty)
      #expect(actions.warnings.first?.contains("before any hello") == true)
    }
    // A worker that was lost, or that knew an earlier coordinator.
    for content in [
      Examples.ready, .beat(Beat(progress: 1)),
      .result(WorkResult(job: 1, assignment: 1, computeSeconds: 0, sums: [])),
    ] {
      var coordinator = Coordinator(configuration: Examples.configuration())
      coordinator.join(peer1)
      let actions = coordinator.says(peer2, content, run: .none, epoch: 9)
      #expect(actions.invites(peer2) && actions.dropped.isEmpty && actions.failures.isEmpty)
    }
    for content in [
      Message.Content.goodbye(Goodbye(exitCode: 0, message: "")),
      .failure(WorkerFailure(exitCode: 70, message: "x")),
    ] {
      var coordinator = Coordinator(configuration: Examples.configuration())
      #expect(coordinator.says(peer2, content).isEmpty)
    }
    var coordinator = Coordinator(configuration: Examples.configuration())
    #expect(coordinator.handle(.unwanted(peer2), now: .ms(0)).invites(peer2))
    coordinator.join(peer2)
    #expect(coordinator.handle(.unwanted(peer2), now: .ms(0)).isEmpty)
  }

  @Test("who registers again and again over one connection is turned away")
  func endlessHellos() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1)
    var welcomes = 0
    var dropped = false
    for incarnation in 1...100 where !dropped {
      let actions = coordinator.join(peer2, Examples.hello(processID: 7, incarnation: incarnation))
      welcomes += actions.sent.count { if case .welcome = $0.content { true } else { false } }
      dropped = actions.dropped == [peer2]
      #expect(actions.failures.isEmpty)
    }
    #expect(dropped && welcomes == CoordinationLimits.registrationsPerConnection)
    #expect(coordinator.isRegistered(peer1) && !coordinator.isRegistered(peer2))
    // Whoever has left says nothing more over its connection.
    let leaving = coordinator.says(peer1, .goodbye(Goodbye(exitCode: 0, message: "")))
    #expect(leaving.dropped == [peer1] && leaving.failures.isEmpty)
  }

  @Test("who is invited again and again and does not register is dropped, and nobody fills the tables")
  func invitations() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    var invitations = 0
    for _ in 0..<CoordinationLimits.invitations {
      invitations += coordinator.says(peer2, .beat(Beat(progress: 1))).invites(peer2) ? 1 : 0
    }
    #expect(invitations == CoordinationLimits.invitations)
    #expect(coordinator.says(peer2, .beat(Beat(progress: 1))).dropped == [peer2])
    for number in 10..<100_000 as Range<UInt64> {
      _ = coordinator.says(PeerID(number: number), .beat(Beat(progress: 1)))
    }
    #expect(coordinator.tableSize <= CoordinationLimits.rememberedStrangers)
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
      let hello = Examples.message(.hello(Examples.hello(processID: Int(number), build: "b2")))
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
