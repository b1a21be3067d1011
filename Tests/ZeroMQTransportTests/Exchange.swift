import Foundation
import TestKit
import Testing
import Wire
import ZeroMQTransport

/// A coordinator and an honest worker that exchange messages all the time, while a test does something to them.
final class Exchange {
  let coordinator: CoordinatorSocket
  let endpoint: String
  private let worker: WorkerSocket
  private let honestRun = RunID(bytes: Array("honest worker".utf8))

  /// Answers that the honest worker got.
  private(set) var rounds = 0
  /// Messages and errors of other peers.
  private(set) var others: [CoordinatorSocket.Incoming] = []
  /// Answers that could not be sent.
  private(set) var unsent = 0
  /// How many results others sent, for any thread to read.
  let results = Atomic64()
  private(set) var refusals: [ConnectionRefusal] = []
  private(set) var notes: [String] = []
  /// Most resident memory beyond the start, and most descriptors, while running.
  private(set) var growth = 0
  private(set) var mostDescriptors = 0
  /// Other peers that count as registered, with what they may send.
  var registered: [CoordinatorSocket.Peer: Int] = [:]
  /// Whether other peers that send a good message count as registered, and with what.
  var registersOthers: Int?

  /// Without keys both use the plain door.
  init(keys: ExampleKeys? = nil) throws {
    coordinator = try CoordinatorSocket(TransportContext(), security: keys?.coordinator)
    endpoint = try coordinator.bind("tcp://127.0.0.1:0", encrypted: keys != nil)
    worker = try WorkerSocket(TransportContext(), endpoint: endpoint, security: keys?.worker)
    #expect(try worker.send(beat(0)))
  }

  private func beat(_ number: Int) -> Message {
    Message(run: honestRun, epoch: 1, content: .beat(Beat(progress: UInt64(number))))
  }

  /// Exchanges messages until something holds; false when it does not within the time.
  @discardableResult
  func run(within seconds: Double, until isDone: () -> Bool) throws -> Bool {
    let start = ProcessUsage.residentBytes()
    let deadline = Date().addingTimeInterval(seconds)
    var poller = Poller((coordinator.pollHandles + worker.pollHandles).map { .socket($0) })
    var lastGuard = Date.distantPast
    while Date() < deadline {
      if isDone() { return true }
      _ = try poller.wait(timeout_ms: 10)
      var toAnswer: [(CoordinatorSocket.Peer, Message)] = []
      _ = try coordinator.drain(bulkLimit: { registered[$0] ?? 0 }) { incoming in
        switch incoming {
        case .message(let peer, let message) where message.run == honestRun:
          registered[peer] = 0
          toAnswer.append((peer, message))
        case .message(let peer, let message):
          if message.kind == .result { results.add(1) }
          if let allowance = registersOthers { registered[peer] = allowance }
          keep(incoming)
        default: keep(incoming)
        }
      }
      for (peer, message) in toAnswer {
        if try !coordinator.send(message, to: peer) { unsent += 1 }
      }
      var answered = 0
      _ = try worker.drain { incoming in
        switch incoming {
        case .message: answered += 1
        case .refused(let refusal): refusals.append(refusal)
        case .part, .malformed: Issue.record("the honest worker got nonsense")
        }
      }
      for _ in 0..<answered {
        rounds += 1
        #expect(try worker.send(beat(rounds)))
      }
      if Date().timeIntervalSince(lastGuard) > 0.1 {
        lastGuard = Date()
        notes += coordinator.guardConnections { registered[$0] }
        mostDescriptors = max(mostDescriptors, ProcessUsage.descriptors())
      }
      growth = max(growth, ProcessUsage.residentBytes() - start)
    }
    return isDone()
  }

  /// Goes on until the honest worker got so many answers more.
  func expectAlive(_ more: Int = 100, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let goal = rounds + more
    let isAlive = try run(within: 20) { rounds >= goal }
    #expect(
      isAlive,
      """
      \(goal - rounds) of \(more) answers are missing; \(unsent) could not be sent; \(others.count) other messages; \
      refusals \(refusals); notes \(notes); \(coordinator.connectionStatistics)
      """, sourceLocation: sourceLocation)
  }

  private func keep(_ incoming: CoordinatorSocket.Incoming) {
    if others.count < 10_000 { others.append(incoming) }
  }
}

/// Keys of a coordinator and of a worker that it knows.
struct ExampleKeys {
  let coordinator: CoordinatorSecurity
  let worker: WorkerSecurity

  init() throws {
    let coordinatorKeys = try CurveKeyPair.generate()
    let workerKeys = try CurveKeyPair.generate()
    coordinator = CoordinatorSecurity(
      keys: coordinatorKeys, workers: [.init(key: workerKeys.public, name: "first")])
    worker = WorkerSecurity(keys: workerKeys, coordinator: coordinatorKeys.public)
  }

  /// The worker's keys for a client that is no worker.
  var hostile: HostileDealer.Keys {
    HostileDealer.Keys(
      public: worker.keys.public.text, secret: worker.keys.secret.text, server: worker.coordinator.text)
  }
}

/// Everything that opens sockets, one test after the other: some of them measure the process.
@Suite(.serialized) enum Sockets {}
